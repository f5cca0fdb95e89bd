import { locate } from '../config/locate.ts'
import type { Problem } from '../config/validate.ts'
import { type Diagnostic, type Span, spanAt } from '../util/diagnostics.ts'
import { byCodeUnit } from '../util/text.ts'

/** A problem at a path of the file, or in a part of the text that stands there. */
export interface FileProblem extends Problem {
  /** Offset and length in the value, which is a string. */
  readonly within?: { readonly at: number; readonly length: number; readonly of: string }
}

type Path = Problem['path']

export const errorAt = (
  path: Path,
  at: 'key' | 'value',
  code: string,
  message: string,
  hint?: string,
): FileProblem => ({
  severity: 'error',
  code,
  path,
  at,
  message,
  ...(hint === undefined ? {} : { hint }),
})

export const warningAt = (...problem: Parameters<typeof errorAt>): FileProblem => ({
  ...errorAt(...problem),
  severity: 'warning',
})

/** Problems → diagnostics, each with its place, in the order of the file. */
export async function locateProblems(
  file: string,
  text: string,
  problems: readonly FileProblem[],
): Promise<readonly Diagnostic[]> {
  if (problems.length === 0) return []
  const located = await locate(file, text, problems)
  const lines = lineStarts(text)
  return located
    .map((diagnostic, index) => {
      const { within } = problems[index]!
      const where = within && diagnostic.where ? spanWithin(text, lines, diagnostic.where, within) : undefined
      return where ? { ...diagnostic, where } : diagnostic
    })
    .sort((a, b) => order(a) - order(b) || byCodeUnit(a.message, b.message))
}

const order = ({ where }: Diagnostic): number => (where ? where.line * 1e6 + Math.min(where.column, 1e6 - 1) : 0)

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** The part of a string's source that an offset of its value comes from; undefined where they do not fit together. */
function spanWithin(
  text: string,
  lines: readonly number[],
  value: Span,
  { at, length, of }: NonNullable<FileProblem['within']>,
): Span | undefined {
  const places = sourceOf(text, lines[value.line - 1]! + value.column - 1, of)
  if (!places) return undefined
  const from = places[at] ?? places.at(-1)!
  const to = places[at + length] ?? places.at(-1)!
  const line = lines.findLastIndex((start) => start <= from)
  const end = lines[line + 1] === undefined ? text.length : lines[line + 1]! - 1
  return spanAt(value.file, text, line + 1, from - lines[line]! + 1, Math.max(1, Math.min(to, end) - from))
}

const escapes: Readonly<Record<string, string>> = { b: '\b', t: '\t', n: '\n', f: '\f', r: '\r', '"': '"', '\\': '\\' }

/**
 * Reads a TOML string again from its first quote and gives, for each UTF-16 unit of its value and for its end, the offset
 * in the file. Undefined when it does not come to the value that the parser has read.
 */
export function sourceOf(text: string, start: number, value: string): readonly number[] | undefined {
  const quote = text[start]
  if (quote !== '"' && quote !== "'") return undefined
  const isLong = text.startsWith(quote.repeat(3), start)
  let at = start + (isLong ? 3 : 1)
  if (isLong && text[at] === '\n') at++
  const places: number[] = []
  let read = ''
  while (read.length < value.length && at < text.length) {
    const from = at
    let piece = text[at++]!
    if (quote === '"' && piece === '\\') {
      const sign = text[at++] ?? ''
      const blank = isLong ? /[ \t]*\n[ \t\n]*/y : /(?!)/y
      blank.lastIndex = at - 1
      const code = /^(?:u([\da-fA-F]{4})|U([\da-fA-F]{8}))/.exec(text.slice(at - 1, at + 8))
      if (Object.hasOwn(escapes, sign)) piece = escapes[sign]!
      else if (code) {
        piece = String.fromCodePoint(Number.parseInt(code[1] ?? code[2]!, 16))
        at += code[0].length - 1
      } else {
        const skipped = blank.exec(text)?.[0]
        if (skipped === undefined) return undefined
        at += skipped.length - 1
        continue
      }
    }
    for (let unit = 0; unit < piece.length; unit++) places.push(from)
    read += piece
  }
  return read === value ? [...places, at] : undefined
}
