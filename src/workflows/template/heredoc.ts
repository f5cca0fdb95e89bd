import type { Range } from './words.ts'

export interface Heredoc {
  /** The line that ends it. */
  readonly end: string
  /** `<<-` */
  readonly isIndented: boolean
  /** The shell expands nothing in it. */
  readonly isQuoted: boolean
}

interface Body extends Range {
  /** Behind the line that ends it. */
  readonly next: number
}

/**
 * The body that begins at `from`; undefined when it has no end, or one that shells do not agree on. Without quotes a line
 * that ends in a backslash goes on in the next one, which then does not end the body, whatever it says.
 */
export function bodyOf(text: string, from: number, { end, isIndented, isQuoted }: Heredoc): Body | undefined {
  const isEnd = (line: string) => (isIndented ? line.replace(/^\t+/, '') : line) === end
  let at = from
  let joined: string | undefined
  while (at < text.length) {
    const found = text.indexOf('\n', at)
    const to = found < 0 ? text.length : found
    const line = text.slice(at, to)
    if (joined === undefined && isEnd(line)) return { from, to: at, next: to + 1 }
    // Only as many characters as the end has can make it.
    const whole = (joined ?? '').slice(0, end.length + 1) + line
    if (joined !== undefined && (isEnd(line) || whole.replaceAll('\t', '') === end.replaceAll('\t', '')))
      return undefined
    const isOpen = !isQuoted && /(?<!\\)(?:\\\\)*\\$/.test(line)
    joined = isOpen ? whole.slice(0, -1) : undefined
    at = to + 1
  }
  return undefined
}
