import { oneLine } from './events.ts'
import type { Style } from './style.ts'

type Format = Parameters<Style>[0]

export interface Column {
  readonly head: string
  readonly isRight?: boolean
  /** What is too long for the terminal is cut here. */
  readonly shrinks?: boolean
}

/** Text, and how it looks; any text is made printable. */
export type Cell = string | readonly [format: Format, text: string]

/** Between two columns. */
const gap = 2
/** No column gets narrower. */
const least = 8

/**
 * Rows → lines with their columns below each other.
 * @param width of the terminal; undefined where nothing has to fit
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  style: Style,
  width?: number,
): readonly string[] {
  const texts = rows.map((row) => row.map((cell) => oneLine(typeof cell === 'string' ? cell : cell[1])))
  const natural = columns.map(({ head }, index) => Math.max(head.length, ...texts.map((row) => size(row[index]!))))
  const widths = fitted(columns, natural, width)
  const line = (cells: readonly string[], format: (index: number) => Format | undefined) =>
    cells
      .map((text, index) => {
        const cut = shorten(text, widths[index]!)
        const pad = ' '.repeat(Math.max(0, widths[index]! - size(cut)))
        const wanted = format(index)
        const shown = wanted === undefined || cut === '' ? cut : style(wanted, cut)
        return columns[index]!.isRight ? `${pad}${shown}` : `${shown}${pad}`
      })
      .join(' '.repeat(gap))
      .trimEnd()
  const hasHead = columns.some(({ head }) => head !== '')
  return [
    ...(hasHead
      ? [
          line(
            columns.map(({ head }) => head),
            () => 'dim',
          ),
        ]
      : []),
    ...texts.map((row, at) =>
      line(row, (index) => {
        const cell = rows[at]![index]!
        return typeof cell === 'string' ? undefined : cell[0]
      }),
    ),
  ]
}

const size = (text: string): number => [...text].length

/** At most so many characters, with a mark where some are left out. */
export function shorten(text: string, most: number): string {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, Math.max(0, most - 1)).join('')}…`
}

/** What is too wide is taken from the columns that shrink, from the widest first. */
function fitted(columns: readonly Column[], natural: readonly number[], width: number | undefined): readonly number[] {
  const widths = [...natural]
  if (width === undefined) return widths
  let over = widths.reduce((sum, one) => sum + one + gap, -gap) - width
  while (over > 0) {
    const able = widths.flatMap((one, index) => (columns[index]!.shrinks && one > least ? [index] : []))
    if (able.length === 0) break
    const widest = able.reduce((best, index) => (widths[index]! > widths[best]! ? index : best))
    widths[widest]!--
    over--
  }
  return widths
}

/** Columns of the terminal that results go to; undefined for anything else. */
export const terminalWidth = (): number | undefined => (process.stdout.isTTY ? process.stdout.columns : undefined)
