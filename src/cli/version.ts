import manifest from '../../package.json' with { type: 'json' }

/** Of dwf itself. */
export const version: string = manifest.version
