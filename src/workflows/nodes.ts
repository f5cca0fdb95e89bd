import { didYouMean } from '../util/text.ts'
import { type Cell, matrixCells, nodeId, nodeLimit } from './matrix.ts'
import { errorAt, type FileProblem } from './problems.ts'
import type { RawTask } from './raw.ts'

/** A task of the file with its nodes: its cells, or itself. */
export interface Family {
  readonly base: string
  readonly raw: RawTask
  /** Ids, in code-unit order. */
  readonly nodes: readonly string[]
  /** One for each node; undefined for a task without a matrix. */
  readonly cells?: readonly Cell[]
}

export type Families = ReadonlyMap<string, Family>

export function expandMatrices(tasks: Readonly<Record<string, RawTask>>): {
  readonly families: Families
  readonly problems: readonly FileProblem[]
} {
  const families = new Map<string, Family>()
  const problems: FileProblem[] = []
  let count = 0
  for (const [base, raw] of Object.entries(tasks)) {
    const expanded = raw.matrix && count <= nodeLimit ? matrixCells(base, raw.matrix) : undefined
    problems.push(...(expanded?.problems ?? []))
    const cells = expanded?.cells
    const nodes = cells ? cells.map((cell) => nodeId(base, cell)) : [base]
    families.set(base, { base, raw, nodes, ...(cells ? { cells } : {}) })
    const before = count
    count += nodes.length
    if (before <= nodeLimit && count > nodeLimit)
      problems.push(
        errorAt(
          ['tasks', base],
          'key',
          'too-many-nodes',
          `the workflow has more than ${nodeLimit} nodes`,
          'split it into several',
        ),
      )
  }
  return { families, problems }
}

/** The family that a name of `depends_on` is about, and which of its nodes; undefined where there is none. */
export function nodesNamed(families: Families, name: string): { family: Family; nodes: readonly string[] } | undefined {
  const base = name.replace(/\[.*$/s, '')
  const family = families.get(base)
  if (!family) return undefined
  if (base === name) return { family, nodes: family.nodes }
  return family.nodes.includes(name) ? { family, nodes: [name] } : undefined
}

/** What may have been meant by a name that nothing has. */
export function nearName(families: Families, name: string): string | undefined {
  const family = families.get(name.replace(/\[.*$/s, ''))
  const near = didYouMean(name, family ? family.nodes : families.keys())
  return near === undefined ? undefined : `did you mean "${near}"?`
}
