import type { ActionPin } from '../../pins/types.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'
import { raised } from './judge.ts'
import { partners } from './partners.ts'
import { type Region, regions } from './regions.ts'
import { type MergedLine, settlePins } from './settle.ts'
import { joinLines, splitLines, type TextLines } from './text.ts'
import type { Conflict, PinRules, Preference } from './types.ts'
import { type Line, readLine, withPin } from './uses.ts'

export type ThreeWay =
  | { readonly conflicts: readonly Conflict[] }
  | {
      readonly conflicts?: never
      readonly text: string
      readonly nextBase: string
      readonly pins: readonly ActionPin[]
      readonly diagnostics: readonly Diagnostic[]
    }

interface Texts {
  readonly path: string
  readonly base: string
  readonly current: string
  readonly next: string
  readonly rules: PinRules
  readonly prefer: Preference | undefined
}

/**
 * Merges three texts, line by line. Pins are no part of that: two sides that moved the same pin are no conflict, and
 * the newer version stands at the end, in every line that is dwf's.
 */
export function threeWay(texts: Texts): ThreeWay {
  const { path, rules, prefer } = texts
  const [base, mine, dwf] = [read(texts.base), read(texts.current), read(texts.next)]
  const parts = regions(keys(base), keys(mine), keys(dwf))
  const open = parts.filter((region) => region.kind === 'conflict')
  if (open.length > 0 && prefer === undefined) {
    return { conflicts: open.map((region) => conflictOf(region, { base, mine, dwf })) }
  }
  const merged = parts.flatMap((region) => linesOf(region, mine.lines, dwf.lines, prefer))
  const written = pinsOf(base.lines)
  const { lines, pins, diagnostics } = settlePins(merged, {
    path,
    current: texts.current,
    dwf: dwf.lines,
    written,
    rules,
  })
  const isEnded = mine.format.isEnded === base.format.isEnded ? dwf.format.isEnded : mine.format.isEnded
  return {
    text: joinLines(lines, { ...mine.format, isEnded }),
    nextBase: withPins(texts.next, pins),
    pins,
    diagnostics,
  }
}

/** A text whose pins are raised to those that are newer. */
export function withPins(text: string, pins: readonly ActionPin[]): string {
  const { lines, format } = read(text)
  return joinLines(
    lines.map((line) => (line.pin ? withPin(line, raised(line.pin, pins)) : line.text)),
    format,
  )
}

/** Whether two texts differ in nothing but pins, byte order mark and ends of lines. */
export function differInPinsOnly(a: string, b: string): boolean {
  const [one, other] = [read(a), read(b)]
  return one.format.isEnded === other.format.isEnded && keys(one).join('\n') === keys(other).join('\n')
}

type ReadText = Omit<TextLines, 'lines'> & { readonly lines: readonly Line[] }

function read(text: string): ReadText {
  const { lines, format } = splitLines(text)
  return { lines: lines.map(readLine), format }
}

const keys = (text: ReadText): readonly string[] => text.lines.map((line) => line.key)

const pinsOf = (lines: readonly Line[]): readonly ActionPin[] => lines.flatMap(({ pin }) => (pin ? [pin] : []))

/** A line of dwf's has the file's pin, where the line in whose place it comes has one of the same action. */
function linesOf(
  region: Region,
  mine: readonly Line[],
  dwf: readonly Line[],
  prefer: Preference | undefined,
): readonly MergedLine[] {
  const isDwfs = region.kind === 'dwf' || (region.kind === 'conflict' && prefer === 'dwf')
  if (!isDwfs) {
    return mine
      .slice(region.mine.from, region.mine.to)
      .map((line, index) => ({ line, place: region.mine.from + index + 1 }))
  }
  const partner = partners(mine, region.mine)
  return dwf.slice(region.dwf.from, region.dwf.to).map((line) => {
    const other = partner(line)
    return other === undefined ? { line } : { line: readLine(withPin(line, mine[other]!.pin!)), place: other + 1 }
  })
}

function conflictOf(region: Region, texts: Readonly<Record<'base' | 'mine' | 'dwf', ReadText>>): Conflict {
  const part = (side: keyof typeof texts): readonly string[] =>
    texts[side].lines.slice(region[side].from, region[side].to).map((line) => line.text)
  return { line: region.mine.from + 1, mine: part('mine'), base: part('base'), dwf: part('dwf') }
}
