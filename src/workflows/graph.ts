import { byCodeUnit } from '../util/text.ts'
import { type Families, nearName, nodesNamed } from './nodes.ts'
import { errorAt, type FileProblem } from './problems.ts'

/** Entries of `needs` in all nodes: two matrices of thousands that wait for each other would be millions. */
export const edgeLimit = 200_000

/** Who waits for whom. All nodes of a task wait for the same ones, so that a task stands for them. */
export interface Graph {
  /** Task → the nodes that its own nodes wait for. */
  readonly needs: ReadonlyMap<string, readonly string[]>
  /** Node → its task. */
  readonly baseOf: ReadonlyMap<string, string>
  /** Nodes by level, then by id; handlers last, by id. */
  readonly order: readonly string[]
  readonly problems: readonly FileProblem[]
}

export function readGraph(families: Families, handlers: ReadonlySet<string>): Graph {
  const problems: FileProblem[] = []
  const baseOf = new Map<string, string>()
  for (const { base, nodes } of families.values()) for (const node of nodes) baseOf.set(node, base)
  const needs = new Map<string, readonly string[]>()
  let edges = 0
  for (const { base, raw, nodes } of families.values()) {
    const found = new Set<string>()
    for (const [index, name] of (handlers.has(base) ? [] : (raw.depends_on ?? [])).entries()) {
      const path = ['tasks', base, 'depends_on', index]
      const named = nodesNamed(families, name)
      if (!named)
        problems.push(errorAt(path, 'value', 'unknown-task', `there is no task "${name}"`, nearName(families, name)))
      else if (handlers.has(named.family.base))
        problems.push(
          errorAt(path, 'value', 'needs-handler', `"${name}" is a handler: it runs only when something calls it`),
        )
      else for (const node of named.nodes) found.add(node)
    }
    needs.set(base, [...found])
    const before = edges
    edges += found.size * nodes.length
    if (before <= edgeLimit && edges > edgeLimit)
      problems.push(
        errorAt(
          ['tasks', base, 'depends_on'],
          'key',
          'too-many-edges',
          `the nodes of the workflow wait for each other more than ${edgeLimit} times`,
          'put a task without a matrix between the two: one waits for all, the others for it',
        ),
      )
  }
  const bases = new Map([...needs].map(([base, nodes]) => [base, [...new Set(nodes.map((node) => baseOf.get(node)!))]]))
  const cycle = findCycle(bases)
  if (cycle) problems.push(atCycle(cycle, families))
  const level = cycle ? new Map<string, number>() : levels(bases)
  const rank = (node: string) => (handlers.has(baseOf.get(node)!) ? Infinity : (level.get(baseOf.get(node)!) ?? 0))
  const order = [...baseOf.keys()].sort((a, b) => (rank(a) === rank(b) ? byCodeUnit(a, b) : rank(a) - rank(b)))
  const place = new Map(order.map((node, index) => [node, index]))
  for (const [base, nodes] of needs)
    needs.set(
      base,
      [...nodes].sort((a, b) => place.get(a)! - place.get(b)!),
    )
  return { needs, baseOf, order, problems }
}

function atCycle(cycle: readonly string[], families: Families): FileProblem {
  const [first, second] = cycle as [string, string]
  const index = families.get(first)!.raw.depends_on!.findIndex((name) => name.replace(/\[.*$/s, '') === second)
  return errorAt(
    ['tasks', first, 'depends_on', index],
    'value',
    'cycle',
    `tasks wait for each other in a circle: ${cycle.join(' → ')}`,
    'remove one of these from depends_on',
  )
}

type Needs = ReadonlyMap<string, readonly string[]>

/** One circle, its first name repeated at the end. Without recursion: a chain may be thousands of tasks long. */
function findCycle(needs: Needs): readonly string[] | undefined {
  const done = new Set<string>()
  const onWay = new Set<string>()
  for (const start of needs.keys()) {
    const way = [{ name: start, next: 0 }]
    while (way.length > 0) {
      const top = way.at(-1)!
      if (top.next === 0) {
        if (done.has(top.name)) {
          way.pop()
          continue
        }
        onWay.add(top.name)
      }
      const child = needs.get(top.name)![top.next++]
      if (child === undefined) {
        onWay.delete(top.name)
        done.add(top.name)
        way.pop()
      } else if (onWay.has(child)) {
        const names = way.map(({ name }) => name)
        return [...names.slice(names.indexOf(child)), child]
      } else way.push({ name: child, next: 0 })
    }
  }
  return undefined
}

/** The length of the longest way to each task (Kahn). */
function levels(needs: Needs): ReadonlyMap<string, number> {
  const waiting = new Map([...needs].map(([name, all]) => [name, all.length]))
  const after = new Map<string, string[]>()
  for (const [name, all] of needs)
    for (const one of all) {
      const list = after.get(one)
      if (list) list.push(name)
      else after.set(one, [name])
    }
  const level = new Map<string, number>()
  let ready = [...needs.keys()].filter((name) => waiting.get(name) === 0)
  for (let depth = 0; ready.length > 0; depth++) {
    const next: string[] = []
    for (const name of ready) {
      level.set(name, depth)
      for (const one of after.get(name) ?? []) {
        waiting.set(one, waiting.get(one)! - 1)
        if (waiting.get(one) === 0) next.push(one)
      }
    }
    ready = next
  }
  return level
}

/**
 * Whether a node has always ended before a task begins. The answer for all pairs is worked out once, at the first question
 * that `depends_on` alone does not answer: a row of bits a task.
 */
export function ancestry({ needs, baseOf, order }: Graph): (node: string, base: string) => boolean {
  let rows: ReadonlyMap<string, Uint32Array> | undefined
  const place = new Map(order.map((node, index) => [node, index]))
  const direct = new Map<string, ReadonlySet<string>>()
  return (node, base) => {
    let own = direct.get(base)
    if (!own) {
      own = new Set(needs.get(base))
      direct.set(base, own)
    }
    if (own.has(node)) return true
    rows ??= ancestorRows(needs, baseOf, order, place)
    const index = place.get(node)!
    return ((rows.get(base)![index >> 5]! >> (index & 31)) & 1) === 1
  }
}

function ancestorRows(
  needs: Needs,
  baseOf: ReadonlyMap<string, string>,
  order: readonly string[],
  place: ReadonlyMap<string, number>,
): ReadonlyMap<string, Uint32Array> {
  const rows = new Map<string, Uint32Array>()
  const size = (order.length + 31) >> 5
  for (const node of order) {
    const base = baseOf.get(node)!
    if (rows.has(base)) continue
    const row = new Uint32Array(size)
    const merged = new Set<string>()
    for (const need of needs.get(base)!) {
      const index = place.get(need)!
      row[index >> 5]! |= 1 << (index & 31)
      const from = baseOf.get(need)!
      if (merged.has(from)) continue
      merged.add(from)
      const above = rows.get(from)!
      for (let word = 0; word < size; word++) row[word]! |= above[word]!
    }
    rows.set(base, row)
  }
  return rows
}
