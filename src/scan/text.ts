import { printable } from '../util/text.ts'

/** Text of a report on one line: a title must be able neither to drive a terminal nor to add lines of its own to a log. */
export function oneLine(text: string, limit = 240): string {
  const line = printable(text.replace(/[\s\u0085\u2028\u2029]+/g, ' ').trim())
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`
}

/** A path as it is shown: blanks stay as they are, line ends and control characters become visible. */
export function shownPath(path: string): string {
  return printable(path).replace(
    /[\t\n\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** `1 finding`, `2 findings`, `0 entries`. */
export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount} ${amount === 1 ? one : many}`
}

/** `2026-11-22 07:31 UTC`, of ms since the epoch. */
export const minuteOf = (time: number): string => `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`
