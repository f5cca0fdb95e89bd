import { printable } from '../../util/text.ts'
import { type Hunk, hunks } from './hunks.ts'
import { splitLines, type TextLines } from './text.ts'

const context = 3

/**
 * What changes in a file, as `diff -u` shows it; undefined stands for no file. Control characters are made visible, so
 * what has none can be given to `patch`. Empty when the texts are equal.
 */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return ''
  const [a, b] = sides(before ?? '', after ?? '')
  const name = printable(path).replace(/[\t\n]/g, ' ')
  const head = [
    `--- ${before === undefined ? '/dev/null' : `a/${name}`}`,
    `+++ ${after === undefined ? '/dev/null' : `b/${name}`}`,
  ]
  const body = groups(hunks(a, b)).flatMap((group) => render(group, a, b))
  return `${[...head, ...body].join('\n')}\n`
}

const noEnd = '\n\\ No newline at end of file'

/** Lines that can be compared: the last one differs from the same one with an end, and CRs count where only one side has them. */
function sides(before: string, after: string): readonly [readonly string[], readonly string[]] {
  const [a, b] = [splitLines(before), splitLines(after)]
  const isSameEnd = a.format.lineEnd === b.format.lineEnd || a.lines.length === 0 || b.lines.length === 0
  return [shown(a, isSameEnd), shown(b, isSameEnd)]
}

function shown({ lines, format }: TextLines, isSameEnd: boolean): readonly string[] {
  const cr = isSameEnd || format.lineEnd === '\n' ? '' : '\r'
  return lines.map((line, index) => {
    const marked = format.hasMark && index === 0 ? `\ufeff${line}` : line
    const isLast = index === lines.length - 1
    return isLast && !format.isEnded ? marked + noEnd : marked + cr
  })
}

/** Hunks whose contexts touch are shown as one. */
function groups(all: readonly Hunk[]): readonly (readonly Hunk[])[] {
  const result: Hunk[][] = []
  for (const hunk of all) {
    const last = result.at(-1)?.at(-1)
    if (last && hunk.from - last.to <= 2 * context) result.at(-1)!.push(hunk)
    else result.push([hunk])
  }
  return result
}

function render(group: readonly Hunk[], a: readonly string[], b: readonly string[]): readonly string[] {
  const [first, last] = [group[0]!, group.at(-1)!]
  const before = Math.min(context, first.from)
  const to = Math.min(a.length, last.to + context)
  const from = first.from - before
  const otherFrom = first.otherFrom - before
  const lines: string[] = []
  let at = from
  for (const hunk of group) {
    for (const line of a.slice(at, hunk.from)) lines.push(` ${line}`)
    for (const line of a.slice(hunk.from, hunk.to)) lines.push(`-${line}`)
    for (const line of b.slice(hunk.otherFrom, hunk.otherTo)) lines.push(`+${line}`)
    at = hunk.to
  }
  for (const line of a.slice(at, to)) lines.push(` ${line}`)
  const otherTo = last.otherTo + (to - last.to)
  return [`@@ -${range(from, to)} +${range(otherFrom, otherTo)} @@`, ...lines.map(printable)]
}

/** As diff writes it: an empty range names the line before it, and a length of 1 is left out. */
function range(from: number, to: number): string {
  if (from === to) return `${from},0`
  return to - from === 1 ? `${from + 1}` : `${from + 1},${to - from}`
}
