import type { CiTarget } from './workflows/input.ts'

/**
 * What CI runs for a target: `[targets]` where it has one of that name, and the image besides, on change or always.
 * @param names the targets of devflow.toml
 * @param image whether to look at the image even where the target does not
 */
export function commandsOf(target: CiTarget, names: ReadonlySet<string>, image: boolean): readonly string[] {
  const check = (...wanted: readonly string[]) => `check:${wanted.find((name) => names.has(name)) ?? 'pr'}`
  switch (target) {
    case 'pr':
      return ['check:pr', ...(image ? ['scan:image'] : [])]
    case 'main':
      return [check('main'), ...(image ? ['scan:image'] : [])]
    case 'nightly':
      return [names.has('nightly') ? 'check:nightly' : 'scan:all', ...(image ? ['scan:image'] : [])]
    case 'release':
      return [check('release', 'main'), 'scan:all']
  }
}

/** In the order in which they are shown. */
export const ciTargets: readonly CiTarget[] = ['pr', 'main', 'nightly', 'release']

/** At night and before a release the image is looked at whatever has changed. */
export const isOnChange = (target: CiTarget): boolean => target === 'pr' || target === 'main'
