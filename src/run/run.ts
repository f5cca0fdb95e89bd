import { evaluate } from '../conditions/evaluate.ts'
import { asksStatus } from '../conditions/names.ts'
import type { Plan, PlannedTask, TaskId } from '../plan/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'
import { startTimer } from '../util/timer.ts'
import { needlesOf } from './masker.ts'
import { type Before, type Judgement, Schedule } from './schedule.ts'
import { Sessions } from './sessions.ts'
import { type Call, runTask, type Shared } from './task.ts'
import {
  isFailure,
  isGood,
  type LockToken,
  type Outcome,
  type RecordedEvent,
  type RunResult,
  type TaskResult,
} from './types.ts'
import { Values } from './values.ts'
import { changes, snapshot } from './watch.ts'
import type { RunOptions, World } from './world.ts'

/** A run that goes on. */
export interface Earlier {
  /** Which session of the run this is; the first one was 1. */
  readonly session: number
  /** What stays done. */
  readonly kept: ReadonlyMap<TaskId, TaskResult>
}

/** How long what cleans up may take once the run is to end, ms: as long as a handler. */
const graceMs = 5 * 60_000

/** Plan → Result. Gates first, each task when what it needs has passed, at most `jobs` at a time; then the handlers. */
export async function runPlan(plan: Plan, world: World, options: RunOptions, earlier?: Earlier): Promise<RunResult> {
  return new Run(plan, world, options, earlier).go()
}

class Run {
  readonly #plan: Plan
  readonly #world: World
  readonly #options: RunOptions
  readonly #earlier: Earlier | undefined
  readonly #values: Values
  readonly #sessions: Sessions
  readonly #schedule: Schedule
  readonly #results = new Map<TaskId, TaskResult>()
  /** Those of which the end is on the disk. */
  readonly #recorded = new Set<TaskId>()
  /** The last to ask for each lock. */
  readonly #queues = new Map<string, Promise<unknown>>()
  readonly #going = new Set<Promise<void>>()
  readonly #calls = new Map<TaskId, Promise<void>>()
  readonly #crashes: unknown[] = []
  readonly #shared: Shared
  /** Ends the run: the caller's signal, or the workflow's own time limit. */
  readonly #ender = new AbortController()
  /** Ends what is running: the end of the run, or the first failure. */
  readonly #stopper = new AbortController()
  /** Never aborted but in a hurry: handlers, and tasks that ask how others ended. */
  readonly #cleanup: AbortSignal
  /** Ends what goes on after the end of the run, when it takes too long. */
  readonly #grace = new AbortController()
  #stopGrace: () => void = () => {}
  #finish: () => void = () => {}

  constructor(plan: Plan, world: World, options: RunOptions, earlier: Earlier | undefined) {
    this.#plan = plan
    this.#world = world
    this.#options = options
    this.#earlier = earlier
    this.#cleanup = options.hurry
    options.hurry.addEventListener('abort', () => this.#grace.abort(), { once: true })
    this.#values = new Values(plan)
    this.#sessions = new Sessions(
      world.open,
      plan.tasks.filter((task) => task.kind !== 'gate').map((task) => task.class),
    )
    this.#schedule = new Schedule({
      tasks: plan.tasks.filter(({ kind }) => kind !== 'handler'),
      matrices: plan.workflow?.matrices ?? [],
      jobs: options.jobs,
      keepGoing: options.keepGoing,
      cleansUp: (task) => this.#runsAfter(task, false) || this.#runsAfter(task, true),
      judge: (task, before) => this.#judge(task, before),
    })
    this.#shared = {
      world,
      options,
      sessions: this.#sessions,
      values: this.#values,
      needles: needlesOf(world.secrets.values),
      environment: {
        DWF_RUN_ID: world.runId,
        ...(plan.workflow ? { WF_RUN_ID: world.runId, WF_WORKFLOW: plan.workflow.name } : {}),
      },
      tell: (event) => {
        world.emit(event)
        world.journal.record(event, { isIdle: true }).catch((error) => this.#crash(error))
      },
    }
  }

  async go(): Promise<RunResult> {
    const { signal } = this.#options
    const { now } = this.#world
    const end = () => this.#ender.abort(signal.reason)
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    this.#ender.signal.addEventListener('abort', () => this.#stop(), { once: true })
    if (this.#ender.signal.aborted) this.#stop()
    const began = now()
    const before = snapshot(this.#world.root, this.#world.watched)
    const limit = this.#plan.workflow?.timeoutMs
    const stopTimer = limit === undefined ? undefined : startTimer(limit, () => this.#ender.abort('deadline'))
    this.#world.journal.onLost((error) => this.#crash(error))
    let lock: LockToken | undefined
    try {
      lock = await this.#begin(began)
      await this.#tasks()
      if (this.#crashes.length === 0) await this.#handlers()
    } catch (error) {
      this.#crash(error)
    } finally {
      stopTimer?.()
      this.#stopGrace()
      signal.removeEventListener('abort', end)
      await this.#sessions.closeAll()
    }
    if (lock) await this.#world.locks.release(lock).catch((error) => this.#crash(error))
    const violations = changes(before, snapshot(this.#world.root, this.#world.watched))
    return this.#end(violations, began)
  }

  /** Tells that the run ended. @throws what kept it from going on */
  async #end(violations: readonly Diagnostic[], began: number): Promise<RunResult> {
    const { now, runId: run } = this.#world
    try {
      for (const task of this.#plan.tasks) {
        if (this.#recorded.has(task.id)) continue
        const ended = this.#results.get(task.id)
        await this.#settle(task, ended ?? (this.#ender.signal.aborted ? cancelled(task) : stranded(task)))
      }
      const result = this.#result(violations, now() - began)
      await this.#record({ type: 'run-ended', run, at: now(), result })
      if (this.#crashes.length === 0) return result
    } catch (error) {
      // A store that cannot be written any more is what stopped the run, and not news of its end.
      this.#crashes.push(error)
    }
    throw this.#crashes[0]
  }

  /** Tells that the run began, takes over what is done, and waits for the lock of the whole run. */
  async #begin(at: number): Promise<LockToken | undefined> {
    const { runId: run } = this.#world
    const tasks = this.#plan.tasks.map(({ id }) => id)
    const { session = 1, kept = new Map<TaskId, TaskResult>() } = this.#earlier ?? {}
    await this.#record(
      session === 1
        ? { type: 'run-started', run, at, tasks }
        : { type: 'run-resumed', run, at, session, tasks, kept: [...kept.keys()] },
    )
    for (const task of this.#plan.tasks) {
      const result = kept.get(task.id)
      if (!result) continue
      this.#results.set(task.id, { ...result, kept: true })
      this.#recorded.add(task.id)
      this.#values.ended(task, result)
      if (task.kind !== 'handler') this.#schedule.isKept(task.id, result.outcome)
      if (task.kind !== 'gate') await this.#sessions.done(task.class)
    }
    const name = this.#plan.workflow?.concurrency
    if (name === undefined) return undefined
    return this.#lock(name, this.#ender.signal).catch((error) => {
      if (this.#ender.signal.aborted) return undefined
      throw error
    })
  }

  async #lock(name: string, signal: AbortSignal, task?: TaskId): Promise<LockToken> {
    const { locks, runId: run, now, emit } = this.#world
    const lock = await locks.take(name, {
      signal,
      onWait: (other) =>
        emit({ type: 'note', run, at: now(), text: `${task ?? 'the run'} waits for ${name}, which run ${other} has` }),
    })
    await this.#record({ type: 'lock-taken', run, at: now(), lock, ...(task === undefined ? {} : { task }) })
    return lock
  }

  #tasks(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#finish = resolve
      this.#advance()
    }).then(async () => {
      await Promise.all(this.#going)
    })
  }

  /** Begins and decides what can be, until nothing can. */
  #advance(): void {
    try {
      if (this.#crashes.length === 0) {
        for (const step of this.#schedule.steps()) {
          if (step.kind === 'start') this.#keep(this.#start(step.task))
          else {
            const { task, outcome, reason } = step
            this.#keep(this.#settle(task, { id: task.id, outcome, ms: 0, attempts: 0, reason }))
          }
        }
        if (!this.#schedule.isDone && this.#going.size === 0)
          throw new Error('the plan cannot go on: its tasks wait for each other')
      }
    } catch (error) {
      this.#crash(error)
    }
    if (this.#going.size === 0) this.#finish()
  }

  /** Work that the end of the run waits for. */
  #keep(work: Promise<void>): void {
    const kept = work
      .catch((error) => this.#crash(error))
      .finally(() => {
        this.#going.delete(kept)
        this.#advance()
      })
    this.#going.add(kept)
  }

  async #start(task: PlannedTask): Promise<void> {
    const signal = task.kind === 'gate' ? this.#ender.signal : this.#signalFor(task)
    // What a fetch has just brought is not installed yet, whatever the stamp says.
    const mustRun = task.needs.some((id) => {
      const { outcome, kept } = this.#results.get(id)!
      return outcome !== 'current' && !kept
    })
    const end = signal === this.#grace.signal ? signal : this.#ender.signal
    const result = await this.#complete(task, { signal, end, mustRun })
    this.#schedule.ended(task.id, outcomeFor(task, result))
    if (this.#schedule.isStopped) this.#stop()
    const handler = task.workflow?.onFailure
    if (handler !== undefined && isFailure(result.outcome)) this.#keep(this.#call(handler, result))
  }

  /** What ends a task: what would run now, after a failure or after the end of the run, is not ended by it. */
  #signalFor(task: PlannedTask): AbortSignal {
    if (this.#runsAfter(task, true)) return this.#grace.signal
    return this.#runsAfter(task, false) ? this.#ender.signal : this.#stopper.signal
  }

  /** Whether its condition lets it run when something has failed, or the run is to end. */
  #runsAfter(task: PlannedTask, isEnd: boolean): boolean {
    const condition = task.workflow?.condition
    if (!condition || !asksStatus(condition)) return false
    return this.#judge(task, { success: false, failure: true, cancelled: isEnd }).kind === 'run'
  }

  /** Runs a task until its end is kept; in turn with those of this run that want the same lock, handlers too. */
  async #complete(task: PlannedTask, call: Call): Promise<TaskResult> {
    const whole = async () => {
      const { result, lock } = await this.#run(task, call)
      await this.#settle(task, { ...result, outcome: outcomeFor(task, result) }, lock)
      if (lock) await this.#world.locks.release(lock)
      return result
    }
    const name = task.concurrency
    if (name === undefined) return whole()
    const work = (this.#queues.get(name) ?? Promise.resolve()).then(whole)
    this.#queues.set(
      name,
      work.catch(() => {}),
    )
    return work
  }

  /** With its lock, where it has one. What an interrupt breaks half-way is the interrupt, and no fault of the task. */
  async #run(task: PlannedTask, call: Call): Promise<{ readonly result: TaskResult; readonly lock?: LockToken }> {
    const name = task.concurrency === this.#plan.workflow?.concurrency ? undefined : task.concurrency
    try {
      if (name === undefined) return { result: await runTask(task, call, this.#shared) }
      const lock = await this.#lock(name, call.signal, task.id)
      return { result: await runTask(task, { ...call, lock }, this.#shared), lock }
    } catch (error) {
      if (call.end.aborted || call.signal.aborted) return { result: cancelled(task) }
      throw error
    }
  }

  async #settle(task: PlannedTask, result: TaskResult, lock?: LockToken): Promise<void> {
    this.#results.set(task.id, result)
    this.#values.ended(task, result)
    await this.#record({
      type: 'task-ended',
      run: this.#world.runId,
      task: task.id,
      at: this.#world.now(),
      result,
      ...(lock ? { lock } : {}),
    })
    this.#recorded.add(task.id)
    if (task.kind !== 'gate') await this.#sessions.done(task.class)
  }

  #judge(task: PlannedTask, before: Before): Judgement {
    const condition = task.workflow?.condition
    if (!condition) return { kind: 'run' }
    const answer = evaluate(condition, {
      value: (name) => this.#values.get(task, name),
      status: { success: () => before.success, failure: () => before.failure, cancelled: () => before.cancelled },
    })
    if ('ok' in answer)
      return answer.ok ? { kind: 'run' } : { kind: 'end', outcome: 'skipped', reason: 'its condition says no' }
    return {
      kind: 'end',
      outcome: task.workflow?.ignoreFailure ? 'ignored' : 'failed',
      reason: `its condition cannot be answered: ${answer.problem}`,
    }
  }

  /** Those of the whole run, after its tasks: what failed first, then what is always done. */
  async #handlers(): Promise<void> {
    const { workflow } = this.#plan
    const failed = this.#plan.tasks.map(({ id }) => this.#results.get(id)).find((one) => one && isFailure(one.outcome))
    if (workflow?.onFailure !== undefined && failed) await this.#call(workflow.onFailure, failed)
    if (workflow?.onCancel !== undefined && this.#ender.signal.aborted) await this.#call(workflow.onCancel, failed)
    if (workflow?.always !== undefined) await this.#call(workflow.always, failed)
    for (const task of this.#plan.tasks) {
      if (task.kind !== 'handler' || this.#results.has(task.id)) continue
      await this.#settle(task, { id: task.id, outcome: 'skipped', ms: 0, attempts: 0, reason: 'nothing called it' })
    }
  }

  /** Runs a handler, once a run, in a context that the end of the run does not touch. */
  #call(handler: TaskId, failed: TaskResult | undefined): Promise<void> {
    const task = this.#plan.tasks.find(({ id }) => id === handler)!
    let work = this.#calls.get(handler)
    if (!work) {
      const variables = {
        failed_task: failed?.id ?? '',
        failed_dag: this.#plan.workflow!.name,
        error_message: failed ? messageOf(failed) : String(this.#ender.signal.reason ?? ''),
      }
      const call = { signal: this.#cleanup, end: this.#cleanup, mustRun: true, variables }
      work = this.#complete(task, call).then(() => {})
      this.#calls.set(handler, work)
    }
    return work
  }

  async #record(event: RecordedEvent): Promise<void> {
    await this.#world.journal.record(event)
    this.#world.emit(event)
  }

  #crash(error: unknown): void {
    this.#crashes.push(error)
    this.#stop()
  }

  #stop(): void {
    const isEnd = this.#ender.signal.aborted && !this.#schedule.isCancelled
    if (isEnd) {
      this.#schedule.cancel()
      this.#stopGrace = startTimer(graceMs, () => this.#grace.abort('deadline'))
    }
    this.#stopper.abort()
    // What cleans up need not wait for what is being ended.
    if (isEnd && this.#going.size > 0) this.#advance()
  }

  #result(violations: readonly Diagnostic[], ms: number): RunResult {
    const tasks = this.#plan.tasks.map((task) => this.#results.get(task.id)!)
    const { aborted, reason } = this.#ender.signal
    return {
      id: this.#world.runId,
      ok:
        this.#crashes.length === 0 &&
        violations.length === 0 &&
        tasks.every((task) => isGood(task.outcome)) &&
        !aborted,
      ...(aborted ? { ended: reason === 'deadline' ? ('deadline' as const) : ('cancelled' as const) } : {}),
      ms,
      tasks,
      violations,
    }
  }
}

const outcomeFor = ({ workflow }: PlannedTask, { outcome }: TaskResult): Outcome =>
  isFailure(outcome) && workflow?.ignoreFailure ? 'ignored' : outcome

const cancelled = ({ id }: PlannedTask): TaskResult => ({ id, outcome: 'cancelled', ms: 0, attempts: 0 })

/** What stopped the run is told for itself. */
const stranded = ({ id }: PlannedTask): TaskResult => ({
  id,
  outcome: 'not-run',
  ms: 0,
  attempts: 0,
  reason: 'the run could not go on',
})

/** What a handler is told: why, and the last lines. */
function messageOf({ outcome, code, reason, tail }: TaskResult): string {
  const what = `${outcome}${code === undefined ? '' : ` (exit ${code})`}${reason ? `: ${reason}` : ''}`
  return [what, ...(tail ?? [])].join('\n').slice(0, 16_384)
}
