import type { Graph, GraphTask } from './types.ts'

export type EdgeKind = 'needs' | 'after' | 'on-failure'

/** Positions in `Graph.tasks`. */
export interface Edge {
  readonly from: number
  readonly to: number
  readonly kind: EdgeKind
}

/** Arrows from what comes first to what comes then; what the graph does not have is left out, and so is a second arrow. */
export function edgesOf({ tasks }: Graph): readonly Edge[] {
  const at = new Map(tasks.map(({ id }, index) => [id, index]))
  const edges = new Map<string, Edge>()
  const add = (from: number | undefined, to: number | undefined, kind: EdgeKind) => {
    if (from === undefined || to === undefined || from === to) return
    const key = `${from} ${to}`
    if (!edges.has(key)) edges.set(key, { from, to, kind })
  }
  for (const [index, task] of tasks.entries()) {
    for (const id of task.needs) add(at.get(id), index, 'needs')
    for (const id of task.after ?? []) add(at.get(id), index, 'after')
    if (task.onFailure !== undefined) add(index, at.get(task.onFailure), 'on-failure')
  }
  return [...edges.values()]
}

/**
 * The arrows that a picture needs: one that others say already is left out. A need is said only by a way of needs.
 */
export function drawnEdges(graph: Graph): readonly Edge[] {
  const all = edgesOf(graph)
  const before = byEnd(graph, all)
  const [needed, earlier] = [ancestors(graph), ancestors(graph)]
  const isSaid = new Set<Edge>()
  for (const task of inOrder(graph, all)) {
    for (const edge of before[task]!) {
      if (edge.kind === 'on-failure') continue
      const others = before[task]!.filter((other) => other !== edge && other.kind !== 'on-failure')
      const says = (other: Edge) =>
        edge.kind === 'after'
          ? earlier.has(other.from, edge.from)
          : other.kind === 'needs' && needed.has(other.from, edge.from)
      if (others.some(says)) isSaid.add(edge)
    }
    for (const { from, kind } of before[task]!) {
      if (kind === 'needs') needed.add(task, from)
      if (kind !== 'on-failure') earlier.add(task, from)
    }
  }
  return all.filter((edge) => !isSaid.has(edge))
}

/** Who comes before whom, a bit for each pair. */
function ancestors({ tasks }: Graph) {
  const words = Math.ceil(tasks.length / 32)
  const bits = tasks.map(() => new Uint32Array(words))
  return {
    has: (task: number, other: number): boolean => (bits[task]![other >> 5]! & (1 << (other & 31))) !== 0,
    /** The other one, and all that come before it. */
    add: (task: number, other: number): void => {
      const [own, others] = [bits[task]!, bits[other]!]
      for (let word = 0; word < words; word++) own[word]! |= others[word]!
      own[other >> 5]! |= 1 << (other & 31)
    },
  }
}

/** Each task one step behind the last of those that come before it; circles, which no plan has, stay at the beginning. */
export function levelsOf(graph: Graph, edges: readonly Edge[] = edgesOf(graph)): readonly number[] {
  const levels = graph.tasks.map(() => 0)
  const before = byEnd(graph, edges)
  for (const task of inOrder(graph, edges))
    for (const { from } of before[task]!) levels[task] = Math.max(levels[task]!, levels[from]! + 1)
  return levels
}

const byEnd = ({ tasks }: Graph, edges: readonly Edge[]): readonly (readonly Edge[])[] => {
  const before: Edge[][] = tasks.map(() => [])
  for (const edge of edges) before[edge.to]!.push(edge)
  return before
}

/** What comes first before what comes then; without what is in a circle, or behind one. */
function inOrder({ tasks }: Graph, edges: readonly Edge[]): readonly number[] {
  const next: number[][] = tasks.map(() => [])
  const waits = tasks.map(() => 0)
  for (const { from, to } of edges) {
    next[from]!.push(to)
    waits[to]!++
  }
  const order = waits.flatMap((count, task) => (count === 0 ? [task] : []))
  for (const task of order) for (const to of next[task]!) if (--waits[to]! === 0) order.push(to)
  return order
}

export interface StateLook {
  readonly sign: string
  /** Which of a few colours. */
  readonly tone: 'good' | 'bad' | 'warn' | 'busy' | 'quiet'
  readonly word: string
}

const looks: Readonly<Record<string, StateLook>> = {
  passed: { sign: '✔', tone: 'good', word: 'passed' },
  current: { sign: '✔', tone: 'good', word: 'up to date' },
  ignored: { sign: '!', tone: 'warn', word: 'failed, and may' },
  skipped: { sign: '–', tone: 'quiet', word: 'skipped' },
  failed: { sign: '✖', tone: 'bad', word: 'failed' },
  'timed-out': { sign: '✖', tone: 'bad', word: 'timed out' },
  lost: { sign: '✖', tone: 'bad', word: 'lost' },
  cancelled: { sign: '■', tone: 'warn', word: 'cancelled' },
  interrupted: { sign: '■', tone: 'warn', word: 'interrupted' },
  'not-run': { sign: '–', tone: 'quiet', word: 'not run' },
  running: { sign: '●', tone: 'busy', word: 'running' },
  waiting: { sign: '·', tone: 'quiet', word: 'waiting' },
}

/** Undefined for a task of a plan, which has no state. */
export const stateLook = ({ state }: GraphTask): StateLook | undefined =>
  state === undefined
    ? undefined
    : Object.hasOwn(looks, state)
      ? looks[state]
      : { sign: '?', tone: 'quiet', word: state }
