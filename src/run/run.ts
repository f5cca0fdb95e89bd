import type { Session } from '../engine/types.ts'
import type { Plan, PlannedTask, TaskId } from '../plan/types.ts'
import { type Diagnostic, Failure, failureLines } from '../util/diagnostics.ts'
import { attempt } from './attempt.ts'
import { TaskLog } from './log.ts'
import { Masker } from './masker.ts'
import { Sessions } from './sessions.ts'
import type { SetupStamps } from './setup-stamps.ts'
import {
  type DwfEvent,
  type GateRunner,
  isGood,
  type Outcome,
  type RunResult,
  type TaskResult,
  type Verdict,
} from './types.ts'
import { changes, snapshot, type Watched } from './watch.ts'

/** Where a plan meets this machine: everything that touches the world comes in here. */
export interface World {
  readonly runId: string
  readonly root: string
  readonly logs: string
  /** Where the root of the project is for a task: `/workspace` in a container, its own path on the host. */
  readonly workspace: (task: PlannedTask) => string
  /** Values that name a cache, as they are where the task runs: `/cache/NAME` in a container, a folder on the host. */
  readonly here: (task: PlannedTask, values: Readonly<Record<string, string>>) => Readonly<Record<string, string>>
  readonly open: (classId: string) => Promise<Session>
  readonly gate: GateRunner
  readonly stamps: SetupStamps
  readonly watched: Watched
  /** Values of the secrets that a task may see, by name. */
  readonly secrets: (task: PlannedTask) => Readonly<Record<string, string>>
  readonly now: () => number
  readonly emit: (event: DwfEvent) => void
  /** While whoever reads the events does not keep up: tasks wait for it. */
  readonly pressure: () => Promise<void> | undefined
}

export interface RunOptions {
  readonly jobs: number
  readonly keepGoing: boolean
  readonly graceMs: number
  readonly signal: AbortSignal
  readonly hurry: AbortSignal
}

const tailLines = 20

/** Plan → Result. Gates first, each task when what it needs has passed, at most `jobs` at a time. */
export async function runPlan(plan: Plan, world: World, options: RunOptions): Promise<RunResult> {
  const { emit, now, runId: run } = world
  const began = now()
  emit({ type: 'run-started', run, at: began, tasks: plan.tasks.map((task) => task.id) })
  const before = snapshot(world.root, world.watched)
  const results = new Map<TaskId, TaskResult>()
  const going = new Map<TaskId, Promise<void>>()
  const sessions = new Sessions(
    world.open,
    plan.tasks.filter((task) => task.kind !== 'gate').map((task) => task.class),
  )
  // Ends what is running when the run stops: by the caller, or at the first failure.
  const stopper = new AbortController()
  const stop = () => stopper.abort()
  options.signal.addEventListener('abort', stop, { once: true })
  if (options.signal.aborted) stop()
  const crashes: unknown[] = []

  const settle = async (task: PlannedTask, result: TaskResult) => {
    results.set(task.id, result)
    emit({ type: 'task-ended', run, at: now(), result })
    if (!isGood(result.outcome) && result.outcome !== 'not-run' && !options.keepGoing) stop()
    if (task.kind !== 'gate') await sessions.done(task.class)
  }
  const notRun = (task: PlannedTask, reason: string) =>
    settle(task, { id: task.id, outcome: 'not-run', ms: 0, attempts: 0, reason })

  const step = async (): Promise<boolean> => {
    let progressed = false
    for (const task of plan.tasks) {
      if (results.has(task.id) || going.has(task.id)) continue
      const failed = task.needs.find((id) => results.has(id) && !isGood(results.get(id)!.outcome))
      // The gates go first and take seconds: a person wants to see all that they have to say.
      const signal = task.kind === 'gate' ? options.signal : stopper.signal
      if (failed || signal.aborted) {
        progressed = true
        await notRun(task, failed ? `needs ${failed}` : 'the run stopped before it')
        continue
      }
      const ready = [...task.needs, ...task.after].every((id) => results.has(id))
      if (!ready || going.size >= options.jobs) continue
      progressed = true
      // What a fetch has just brought is not installed yet, whatever the stamp says.
      const mustRun = task.needs.some((id) => results.get(id)!.outcome !== 'current')
      const work = runTask(task, world, options, signal, sessions, mustRun)
        .then((result) => settle(task, result))
        .catch((error) => {
          crashes.push(error)
          stop()
        })
        .finally(() => going.delete(task.id))
      going.set(task.id, work)
    }
    return progressed
  }

  try {
    while (results.size < plan.tasks.length && crashes.length === 0) {
      const progressed = await step()
      if (going.size > 0) await Promise.race(going.values())
      else if (!progressed) throw new Error('the plan cannot go on: its tasks wait for each other')
    }
    await Promise.all(going.values())
  } finally {
    options.signal.removeEventListener('abort', stop)
    await sessions.closeAll()
  }
  // An interrupt makes builds and starts fail half-way: that is the interrupt, not their fault.
  if (crashes.length > 0 && !options.signal.aborted) throw crashes[0]

  const violations: readonly Diagnostic[] = changes(before, snapshot(world.root, world.watched))
  const tasks = plan.tasks.map(
    (task): TaskResult => results.get(task.id) ?? { id: task.id, outcome: 'cancelled', ms: 0, attempts: 0 },
  )
  const result: RunResult = {
    id: run,
    ok: violations.length === 0 && tasks.every((task) => isGood(task.outcome)) && !options.signal.aborted,
    ...(options.signal.aborted
      ? { ended: options.signal.reason === 'deadline' ? ('deadline' as const) : ('interrupted' as const) }
      : {}),
    ms: now() - began,
    tasks,
    violations,
  }
  emit({ type: 'run-ended', run, at: now(), result })
  return result
}

async function runTask(
  task: PlannedTask,
  world: World,
  options: RunOptions,
  signal: AbortSignal,
  sessions: Sessions,
  mustRun: boolean,
): Promise<TaskResult> {
  const { now } = world
  if (task.kind === 'gate') return runGate(task, world, signal)
  const isSetup = task.lockFiles !== undefined
  if (isSetup && !mustRun && world.stamps.isCurrent(task))
    return { id: task.id, outcome: 'current', ms: 0, attempts: 0, reason: 'nothing changed' }
  if (isSetup) world.stamps.clear(task)
  // The first task of a class waits for its container, and that for the image: no time of the task's own.
  await sessions.get(task.class)
  const began = now()
  const log = new TaskLog(world.logs, task.id)
  try {
    for (let number = 1; ; number++) {
      world.emit({ type: 'task-started', run: world.runId, task: task.id, attempt: number, at: now() })
      const { outcome, ...more } = await tryOnce(task, world, options, signal, sessions, log)
      if (outcome === 'passed' && isSetup) world.stamps.set(task)
      const again = (outcome === 'failed' || outcome === 'timed-out') && number <= task.retries && !signal.aborted
      if (!again) {
        const result = { id: task.id, outcome, ms: now() - began, attempts: number, log: log.path, ...more }
        return isGood(outcome) ? result : { ...result, tail: log.tail(tailLines) }
      }
      world.emit({ type: 'task-retried', run: world.runId, task: task.id, attempt: number, at: now(), outcome })
    }
  } finally {
    log.close()
  }
}

async function tryOnce(
  task: PlannedTask,
  world: World,
  options: RunOptions,
  signal: AbortSignal,
  sessions: Sessions,
  log: TaskLog,
): Promise<{ outcome: Outcome; code?: number; reason?: string }> {
  const session = await sessions.get(task.class)
  const secrets = world.secrets(task)
  const maskers = { stdout: new Masker(Object.values(secrets)), stderr: new Masker(Object.values(secrets)) }
  const said = (stream: 'stdout' | 'stderr', chunk: Buffer) => {
    if (chunk.length === 0) return
    const at = world.now()
    log.write(stream, chunk, at)
    world.emit({ type: 'output', run: world.runId, task: task.id, stream, chunk, at })
  }
  const end = await attempt(
    session,
    {
      argv: task.argv,
      dir: task.dir === '' ? world.workspace(task) : `${world.workspace(task)}/${task.dir}`,
      env: { ...world.here(task, task.env), ...secrets },
      path: Object.values(world.here(task, Object.fromEntries(task.path.entries()))),
      onOutput: (stream, chunk) => {
        said(stream, maskers[stream].add(chunk))
        return world.pressure()
      },
    },
    { timeoutMs: task.timeoutMs, graceMs: options.graceMs, signal, hurry: options.hurry },
  )
  said('stdout', maskers.stdout.end())
  said('stderr', maskers.stderr.end())
  if (end.kind !== 'exit' && end.isClosed) await sessions.drop(task.class)
  if (end.kind === 'cancelled') return { outcome: 'cancelled' }
  if (end.kind !== 'exit') return { outcome: 'timed-out', reason: `after ${task.timeoutMs / 1000} s` }
  if (end.exit.kind === 'lost') {
    await sessions.drop(task.class)
    return { outcome: 'lost', reason: `the container went away: ${end.exit.reason}` }
  }
  const { code } = end.exit
  return { outcome: code === 0 ? 'passed' : 'failed', code }
}

async function runGate(task: PlannedTask, world: World, signal: AbortSignal): Promise<TaskResult> {
  const began = world.now()
  world.emit({ type: 'task-started', run: world.runId, task: task.id, attempt: 1, at: began })
  const log = new TaskLog(world.logs, task.id)
  try {
    const verdict = await world.gate({ layer: task.layer!, subjects: task.argv }, signal).catch((error): Verdict => {
      if (!(error instanceof Failure)) throw error
      return {
        kind: 'broken',
        summary: error.message.split('\n')[0]!,
        lines: failureLines(error),
        diagnostics: error.diagnostics,
      }
    })
    if (verdict.lines.length > 0) log.write('stdout', Buffer.from(`${verdict.lines.join('\n')}\n`), world.now())
    const result = { id: task.id, ms: world.now() - began, attempts: 1, log: log.path, reason: verdict.summary }
    // A gate that was interrupted has judged nothing, and is not to blame for it.
    if (signal.aborted) return { ...result, outcome: 'cancelled', reason: 'interrupted' }
    if (verdict.kind === 'passed') return { ...result, outcome: 'passed', gate: 'passed' }
    return { ...result, outcome: 'failed', gate: verdict.kind, tail: verdict.shown ?? verdict.lines }
  } finally {
    log.close()
  }
}
