import { isNode, isScalar, type YAMLMap } from 'yaml'
import { pairOf } from './layout.ts'
import type { Edit, HardenModel, Plain } from './types.ts'

/** A new entry of a map: one value, or one level of entries; none at all is `{}`. */
export interface Addition {
  readonly key: string
  readonly value: string | readonly AddedLine[]
}

interface AddedLine {
  readonly key: string
  readonly value: string
  readonly comment?: string
}

export function plainOf({ value }: Addition): Plain {
  return typeof value === 'string' ? value : Object.fromEntries(value.map((line) => [line.key, line.value]))
}

/** As lines of a block, each without its line end. */
export function blockLines({ key, value }: Addition, column: number, unit: number): readonly string[] {
  const indent = ' '.repeat(column)
  if (typeof value === 'string') return [`${indent}${key}: ${value}`]
  if (value.length === 0) return [`${indent}${key}: {}`]
  const below = value.map((line) => `${indent}${' '.repeat(unit)}${line.key}: ${line.value}${remark(line)}`)
  return [`${indent}${key}:`, ...below]
}

const remark = ({ comment }: AddedLine): string => (comment === undefined ? '' : ` # ${comment}`)

/** In braces an expression has to be quoted. */
const quoted = (value: string): string => (/[{}[\],]/.test(value) ? JSON.stringify(value) : value)

/** As an entry of a map in braces; what has comments goes over several lines. */
function flowText({ key, value }: Addition, indent: string, unit: number, eol: string): string {
  if (typeof value === 'string') return `${key}: ${quoted(value)}`
  const hasComments = value.some(({ comment }) => comment !== undefined)
  const entries = value.map((line, index) => {
    const comma = index < value.length - 1 ? ',' : ''
    return `${line.key}: ${quoted(line.value)}${comma}${hasComments ? remark(line) : ''}`
  })
  if (!hasComments) return `${key}: {${entries.join(' ')}}`
  const below = `${eol}${indent}${' '.repeat(unit)}`
  return `${key}: {${entries.map((entry) => `${below}${entry}`).join('')}${eol}${indent}}`
}

/** The edit that adds an entry at the beginning of a map in braces: on a line of its own where the others have one. */
export function addToFlow({ text, layout, lineOf }: HardenModel, map: YAMLMap, addition: Addition): Edit {
  const { unit, eol } = layout
  const [start] = map.range!
  const key = map.items[0]?.key
  const first = isNode(key) ? key.range?.[0] : undefined
  if (first !== undefined && lineOf(first) > lineOf(start)) {
    const indent = ' '.repeat(layout.columnOf(first))
    const insert = `${eol}${indent}${flowText(addition, indent, unit, eol)},`
    return { at: layout.lineEnd(start), remove: 0, insert }
  }
  const line = layout.lineStart(start)
  const indent = /^ */.exec(text.slice(line, line + 200))![0] + ' '.repeat(unit)
  const entry = flowText(addition, indent, unit, eol)
  return first === undefined
    ? { at: start + 1, remove: 0, insert: entry }
    : { at: first, remove: 0, insert: `${entry}, ` }
}

/** The edit that adds lines behind the line of an offset. */
export function addLines({ layout }: HardenModel, at: number, lines: readonly string[]): Edit {
  return { at: layout.lineEnd(at), remove: 0, insert: lines.map((line) => `${layout.eol}${line}`).join('') }
}

/**
 * The edit that adds an entry to a map: behind the first of some entries that is a line of its own, so that comments
 * stay with what they are about; else at the top, behind the key of the map itself.
 */
export function addEntry(
  model: HardenModel,
  place: { readonly map: number; readonly key: number; readonly behind: readonly string[] },
  addition: Addition,
): Edit {
  const { layout } = model
  const map = layout.mapAt(place.map)
  if (map.flow) return addToFlow(model, map, addition)
  const lines = blockLines(addition, layout.columnOf(place.map), layout.unit)
  for (const name of place.behind) {
    const end = oneLineEntry(model, map, name)
    if (end !== undefined) return addLines(model, end, lines)
  }
  return addLines(model, place.key, lines)
}

/** Offset of the end of an entry that is all on the line of its key. */
function oneLineEntry({ lineOf }: HardenModel, map: YAMLMap, name: string): number | undefined {
  const pair = pairOf(map, name)
  if (!pair || !isScalar(pair.key) || !pair.key.range) return undefined
  const value = isNode(pair.value) ? pair.value.range : undefined
  const [start, end] = [value?.[0] ?? pair.key.range[1], value?.[1] ?? pair.key.range[1]]
  const line = lineOf(pair.key.range[0])
  return lineOf(start) === line && lineOf(end) === line ? end : undefined
}
