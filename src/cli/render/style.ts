import { styleText } from 'node:util'

type Format = Parameters<typeof styleText>[0]

/** Colours for one stream, by what the environment and the stream say. */
export interface Style {
  readonly isTerminal: boolean
  (format: Format, text: string): string
}

export function styleFor(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv = process.env): Style {
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0'
  const plain = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb' || !(stream.isTTY || forced)
  const style = (format: Format, text: string) => (plain ? text : styleText(format, text, { validateStream: false }))
  return Object.assign(style, { isTerminal: stream.isTTY === true && env.TERM !== 'dumb' && !env.CI })
}
