import type { PlannedTask, TaskId } from '../plan/types.ts'
import type { MatrixGroup } from '../workflows/types.ts'
import { isFailure, isGood, type Outcome } from './types.ts'

/** How what comes before a task ended, for its condition. */
export interface Before {
  readonly success: boolean
  readonly failure: boolean
  readonly cancelled: boolean
}

/** Whether a task whose turn it is runs: its condition may say no, or not be to be answered. */
export type Judgement =
  | { readonly kind: 'run' }
  | { readonly kind: 'end'; readonly outcome: Outcome; readonly reason: string }

export interface Scheduled {
  /** Tasks in the order of the plan; handlers are not among them. */
  readonly tasks: readonly PlannedTask[]
  readonly matrices: readonly MatrixGroup[]
  readonly jobs: number
  readonly keepGoing: boolean
  /** Its condition lets it run after a failure, or after the end: then neither decides for it. */
  readonly cleansUp: (task: PlannedTask) => boolean
  readonly judge: (task: PlannedTask, before: Before) => Judgement
}

export type Step =
  | { readonly kind: 'start'; readonly task: PlannedTask }
  | { readonly kind: 'end'; readonly task: PlannedTask; readonly outcome: Outcome; readonly reason: string }

interface Node {
  readonly task: PlannedTask
  readonly position: number
  readonly dependants: Node[]
  readonly group?: Group
  waitsFor: number
  outcome?: Outcome
  isRunning: boolean
  /** It failed, or something before it did. */
  isTainted: boolean
}

interface Group {
  readonly limit: number
  readonly failFast: boolean
  running: number
  left: number
  hasFailed: boolean
}

/**
 * Which task is next: no clock, no engine, no chance. The order is the plan's wherever needs leave it free; a task that
 * does not fit yet is not overtaken, so that a heavy one gets its turn.
 */
export class Schedule {
  readonly #of: Scheduled
  readonly #nodes: ReadonlyMap<TaskId, Node>
  /** Tasks that wait for nothing but a free place, by position. */
  readonly #ready: Node[] = []
  readonly #busy = new Set<string>()
  #load = 0
  #left: number
  #hasFailed = false
  #isCancelled = false

  constructor(of: Scheduled) {
    this.#of = of
    const groups = new Map<TaskId, Group>()
    for (const { nodes, limit, failFast } of of.matrices) {
      const group = { limit: limit ?? of.jobs, failFast, running: 0, left: nodes.length, hasFailed: false }
      for (const id of nodes) groups.set(id, group)
    }
    const nodes = new Map(
      of.tasks.map((task, position): [TaskId, Node] => {
        const group = groups.get(task.id)
        return [
          task.id,
          {
            task,
            position,
            dependants: [],
            ...(group ? { group } : {}),
            waitsFor: 0,
            isRunning: false,
            isTainted: false,
          },
        ]
      }),
    )
    for (const node of nodes.values()) {
      for (const id of new Set([...node.task.needs, ...node.task.after])) {
        nodes.get(id)!.dependants.push(node)
        node.waitsFor++
      }
    }
    this.#nodes = nodes
    this.#left = nodes.size
    for (const node of nodes.values()) if (node.waitsFor === 0) this.#ready.push(node)
  }

  /** Every task has ended. */
  get isDone(): boolean {
    return this.#left === 0
  }

  /** A task failed, and the others are not to go on. */
  get isStopped(): boolean {
    return this.#hasFailed || this.#isCancelled
  }

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** What can be begun or decided now. What is begun counts as running, what is decided as ended. */
  steps(): readonly Step[] {
    const steps: Step[] = []
    for (let index = 0; index < this.#ready.length; ) {
      const node = this.#ready[index]!
      const judgement = this.#judge(node)
      if (judgement.kind === 'end') {
        this.#ready.splice(index, 1)
        const { outcome, reason } = judgement
        steps.push({ kind: 'end', task: node.task, outcome, reason })
        // What waited for it may stand before what is looked at now.
        this.#end(node, outcome)
        index = 0
        continue
      }
      const { concurrency } = node.task
      if ((node.group && node.group.running >= node.group.limit) || (concurrency && this.#busy.has(concurrency))) {
        index++
        continue
      }
      if (this.#load > 0 && this.#load + this.#weight(node) > this.#of.jobs) break
      this.#ready.splice(index, 1)
      this.#begin(node)
      steps.push({ kind: 'start', task: node.task })
    }
    return steps
  }

  /** A task that was begun has ended. */
  ended(id: TaskId, outcome: Outcome): void {
    const node = this.#nodes.get(id)!
    node.isRunning = false
    this.#load -= this.#weight(node)
    if (node.group) node.group.running--
    if (node.task.concurrency) this.#busy.delete(node.task.concurrency)
    this.#end(node, outcome)
  }

  /** Ended before this run began. */
  isKept(id: TaskId, outcome: Outcome): void {
    const node = this.#nodes.get(id)!
    const index = this.#ready.indexOf(node)
    if (index >= 0) this.#ready.splice(index, 1)
    this.#end(node, outcome)
  }

  /** The run is to end: only what asks for that is begun any more. */
  cancel(): void {
    this.#isCancelled = true
  }

  #judge(node: Node): Judgement {
    const { task } = node
    if (node.outcome !== undefined) throw new Error(`${task.id} ended twice`)
    const failed = task.needs.find((id) => !isGood(this.#nodes.get(id)!.outcome!))
    const isTainted = task.needs.some((id) => this.#nodes.get(id)!.isTainted)
    if (this.#of.cleansUp(task)) {
      return this.#of.judge(task, {
        success: !failed && !isTainted && !this.#isCancelled,
        failure: isTainted,
        cancelled: this.#isCancelled,
      })
    }
    if (failed) return { kind: 'end', outcome: 'not-run', reason: `needs ${failed}` }
    // The gates go first and take seconds: a person wants to see all that they have to say.
    if (task.kind === 'gate' ? this.#isCancelled : this.isStopped)
      return { kind: 'end', outcome: 'not-run', reason: 'the run stopped before it' }
    return this.#of.judge(task, { success: !isTainted, failure: isTainted, cancelled: false })
  }

  #begin(node: Node): void {
    node.isRunning = true
    this.#load += this.#weight(node)
    if (node.group) node.group.running++
    if (node.task.concurrency) this.#busy.add(node.task.concurrency)
  }

  #end(node: Node, outcome: Outcome): void {
    node.outcome = outcome
    node.isTainted = isFailure(outcome) || node.task.needs.some((id) => this.#nodes.get(id)!.isTainted)
    this.#left--
    if (node.group) node.group.left--
    if (isFailure(outcome)) this.#failed(node)
    else if (node.group && node.group.left === 0 && node.group.hasFailed) this.#hasFailed ||= !this.#of.keepGoing
    for (const next of node.dependants) if (--next.waitsFor === 0 && next.outcome === undefined) this.#insert(next)
  }

  #failed({ group }: Node): void {
    if (this.#of.keepGoing) return
    // The other cells of a matrix that is not to fail fast go on; then the run stops.
    if (group && !group.failFast && group.left > 0) group.hasFailed = true
    else this.#hasFailed = true
  }

  #weight({ task }: Node): number {
    return Math.min(task.weight ?? 1, this.#of.jobs)
  }

  #insert(node: Node): void {
    let low = 0
    let high = this.#ready.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ready[middle]!.position < node.position) low = middle + 1
      else high = middle
    }
    this.#ready.splice(low, 0, node)
  }
}
