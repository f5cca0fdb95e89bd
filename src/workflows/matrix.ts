import { byCodeUnit, didYouMean, listing } from '../util/text.ts'
import { errorAt, type FileProblem, warningAt } from './problems.ts'
import type { RawMatrix } from './raw.ts'

/** Values of one node: axis → value, its keys sorted. */
export type Cell = Readonly<Record<string, string>>

/** More nodes are no workflow any more, and would only be found out when the memory is full. */
export const nodeLimit = 10_000

type Entry = Readonly<Record<string, string>>
type Path = FileProblem['path']

export interface Cells {
  readonly cells: readonly Cell[]
  readonly problems: readonly FileProblem[]
}

/** What would make two ids look alike, or leave its place in a log: `task[a=1,b=2]`. */
const ambiguous = /[[\],=\p{C}\p{Zl}\p{Zp}]/u

/** The cells of a matrix, sorted by id; `include` and `exclude` as GitHub Actions reads them. */
export function matrixCells(task: string, matrix: RawMatrix): Cells {
  const at = ['tasks', task, 'matrix']
  const { axes, lists, problems } = parts(matrix, at)
  if (problems.length > 0) return { cells: [], problems }
  const names = Object.keys(axes)
  if (names.length === 0 && !lists.include?.length)
    return { cells: [], problems: [errorAt(at, 'key', 'empty-matrix', `tasks.${task}.matrix has no values`)] }
  const size = names.reduce((product, name) => product * axes[name]!.length, 1) + (lists.include?.length ?? 0)
  if (size > nodeLimit)
    return {
      cells: [],
      problems: [
        errorAt(at, 'key', 'too-many-nodes', `tasks.${task}.matrix makes ${size} nodes: more than ${nodeLimit}`),
      ],
    }
  const excluded = exclude(task, product(axes), lists.exclude ?? [], names)
  const cells = include(names, excluded.cells, lists.include ?? [])
  const found = [...excluded.problems]
  if (cells.length === 0) found.push(errorAt(at, 'key', 'empty-matrix', `nothing is left of tasks.${task}.matrix`))
  const sorted = cells.map(sortKeys).sort((a, b) => byCodeUnit(nodeId(task, a), nodeId(task, b)))
  for (const [index, cell] of sorted.entries())
    if (index > 0 && nodeId(task, cell) === nodeId(task, sorted[index - 1]!))
      found.push(errorAt(at, 'key', 'same-node', `tasks.${task}.matrix makes ${nodeId(task, cell)} twice`))
  return { cells: sorted, problems: found }
}

export function nodeId(task: string, cell: Cell): string {
  return `${task}[${Object.entries(cell)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')}]`
}

/** Axes, and the two lists of tables: an axis of texts may be called include, too. */
function parts(matrix: RawMatrix, at: Path) {
  const axes: [string, readonly string[]][] = []
  const lists: { include?: readonly Entry[]; exclude?: readonly Entry[] } = {}
  const problems: FileProblem[] = []
  for (const [name, values] of Object.entries(matrix)) {
    const path = [...at, name]
    const isList = values.some((value) => typeof value === 'object')
    if (values.length === 0) {
      problems.push(
        errorAt(
          path,
          'value',
          'empty-matrix',
          `${name} has no values: the task would not run at all`,
          'remove the axis or give it values',
        ),
      )
    } else if (isList && name !== 'include' && name !== 'exclude') {
      problems.push(errorAt(path, 'value', 'wrong-value', `the values of ${name} must be strings`))
    } else if (isList) {
      lists[name as 'include' | 'exclude'] = values as readonly Entry[]
    } else axes.push([name, values as readonly string[]])
    for (const [index, value] of values.entries())
      for (const text of typeof value === 'object' ? Object.values(value) : [value])
        if (ambiguous.test(text) || text.length > 100)
          problems.push(
            errorAt(
              [...path, index],
              'value',
              'wrong-value',
              `${JSON.stringify(text.slice(0, 100))} cannot be a value of a matrix`,
              'it becomes part of a name: no brackets, commas, equals signs or control characters, at most 100 characters',
            ),
          )
  }
  return { axes: Object.fromEntries(axes), lists, problems }
}

function product(axes: Readonly<Record<string, readonly string[]>>): readonly Entry[] {
  return Object.entries(axes)
    .reduce<readonly (readonly [string, string][])[]>(
      (rows, [name, values]) =>
        rows.flatMap((row) => values.map((value) => [...row, [name, value] as [string, string]])),
      [[]],
    )
    .map((row) => Object.fromEntries(row))
}

const has = (entry: Entry, name: string, value: string): boolean => Object.hasOwn(entry, name) && entry[name] === value

/** An entry takes out every combination that has all of its values. */
function exclude(task: string, cells: readonly Entry[], entries: readonly Entry[], names: readonly string[]): Cells {
  const problems: FileProblem[] = []
  let left = cells
  for (const [index, entry] of entries.entries()) {
    const path = ['tasks', task, 'matrix', 'exclude', index]
    const unknown = Object.keys(entry).find((name) => !names.includes(name))
    if (unknown !== undefined) {
      const near = didYouMean(unknown, names)
      problems.push(
        errorAt(
          path,
          'value',
          'unknown-axis',
          `"${unknown}" is no axis of this matrix`,
          near ? `did you mean "${near}"?` : `there are ${listing(names)}`,
        ),
      )
      continue
    }
    const kept = left.filter((cell) => !Object.entries(entry).every(([name, value]) => has(cell, name, value)))
    if (kept.length === left.length)
      problems.push(warningAt(path, 'value', 'nothing-excluded', 'this excludes nothing'))
    left = kept
  }
  return { cells: left, problems }
}

/**
 * An entry is added to every combination whose own values it does not change (what another entry added it may change);
 * where there is none, it is a node of its own.
 */
function include(names: readonly string[], cells: readonly Entry[], entries: readonly Entry[]): readonly Entry[] {
  let originals = names.length === 0 ? [] : cells
  const own: Entry[] = []
  for (const entry of entries) {
    const fits = (cell: Entry) => names.every((name) => !Object.hasOwn(entry, name) || has(cell, name, entry[name]!))
    if (originals.some(fits)) originals = originals.map((cell) => (fits(cell) ? { ...cell, ...entry } : cell))
    else own.push(entry)
  }
  return [...originals, ...own]
}

const sortKeys = (entry: Entry): Cell => Object.fromEntries(Object.entries(entry).sort(([a], [b]) => byCodeUnit(a, b)))
