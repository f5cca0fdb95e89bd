import type { PlannedTask } from '../plan/types.ts'
import { Failure, failureLines } from '../util/diagnostics.ts'
import { attempt } from './attempt.ts'
import { TaskLog } from './log.ts'
import { Masker } from './masker.ts'
import type { Needles } from './needles.ts'
import { badValue, dropOutputs, LastLine, readOutputs } from './outputs.ts'
import { delayAfter } from './retry.ts'
import type { Sessions } from './sessions.ts'
import { isGood, type LockToken, type Outcome, type RecordedEvent, type TaskResult, type Verdict } from './types.ts'
import type { Values } from './values.ts'
import type { OutputFile, RunOptions, World } from './world.ts'

/** What the tasks of a run share. */
export interface Shared {
  readonly world: World
  readonly options: RunOptions
  readonly sessions: Sessions
  readonly values: Values
  /** What to look for in output: all forms of all secrets. */
  readonly needles: Needles
  /** Adds to the environment of every task. */
  readonly environment: Readonly<Record<string, string>>
  /** Kept in the background: a task need not wait until it is known that it began. */
  readonly tell: (event: RecordedEvent) => void
}

export interface Call {
  /** Ends this task. */
  readonly signal: AbortSignal
  /** Gives up the container that it waits for; a failure elsewhere is no reason to. */
  readonly end: AbortSignal
  /** What is set up before has changed, whatever the stamp says. */
  readonly mustRun: boolean
  /** Variables of a handler. */
  readonly variables?: Readonly<Record<string, string>>
  readonly lock?: LockToken
}

const tailLines = 20

/** All attempts of one task. */
export async function runTask(task: PlannedTask, call: Call, shared: Shared): Promise<TaskResult> {
  const { world } = shared
  if (task.kind === 'gate') return runGate(task, call.signal, shared)
  const isSetup = task.lockFiles !== undefined
  if (isSetup && !call.mustRun && world.stamps.isCurrent(task))
    return { id: task.id, outcome: 'current', ms: 0, attempts: 0, reason: 'nothing changed' }
  const ready = shared.values.environment(task, call.variables)
  if ('missing' in ready)
    return {
      id: task.id,
      outcome: 'failed',
      ms: 0,
      attempts: 0,
      reason: `the variable ${ready.missing} has no value: ${ready.because}`,
    }
  if (isSetup) world.stamps.clear(task)
  // The first task of a class waits for its container, and that for the image: no time of the task's own.
  await shared.sessions.get(task.class, call.end)
  const inputs = world.inputs(task)
  const log = new TaskLog(world.logs, task.id)
  try {
    const result = await tryAll(task, call, shared, log, ready.env)
    const { path } = log
    const whole = {
      ...result,
      ...(inputs === undefined ? {} : { inputs }),
      ...(path === undefined ? {} : { log: path }),
    }
    return isGood(whole.outcome) ? whole : { ...whole, tail: log.tail(tailLines) }
  } finally {
    log.close()
  }
}

async function tryAll(
  task: PlannedTask,
  call: Call,
  shared: Shared,
  log: TaskLog,
  values: Readonly<Record<string, string>>,
): Promise<TaskResult> {
  const { world } = shared
  const { now } = world
  const began = now()
  const left = () => (task.totalMs === undefined ? Number.POSITIVE_INFINITY : task.totalMs - (now() - began))
  for (let number = 1; ; number++) {
    shared.tell({ type: 'task-started', run: world.runId, task: task.id, attempt: number, at: now() })
    log.begin(number, now())
    const timeoutMs = Math.min(task.timeoutMs, left())
    const file = world.outputs(task, number)
    const end = await tryOnce(task, { ...call, number, timeoutMs, values, file }, shared, log).finally(() =>
      dropOutputs(file.outside),
    )
    const isOver = end.outcome === 'timed-out' && left() <= 0
    if (end.outcome === 'passed' && task.lockFiles) world.stamps.set(task)
    const canRetry = (end.outcome === 'failed' || end.outcome === 'timed-out') && !end.isFinal && !isOver
    const delayMs = delayAfter(number, task.retryDelay, world.chance())
    const { isFinal, ...said } = end
    const result = { id: task.id, ms: now() - began, attempts: number, ...said }
    if (!canRetry || number > task.retries || call.signal.aborted)
      return isOver ? { ...result, reason: `after ${task.totalMs! / 1000} s in all` } : result
    if (delayMs >= left())
      return { ...result, reason: `${said.reason ? `${said.reason}; ` : ''}no time is left to try again` }
    const { outcome, code } = end
    shared.tell({
      type: 'task-retried',
      run: world.runId,
      task: task.id,
      attempt: number,
      at: now(),
      outcome,
      ...(code === undefined ? {} : { code }),
      delayMs,
    })
    if (delayMs > 0) await world.sleep(delayMs, call.signal)
    if (call.signal.aborted) return { ...result, ms: now() - began, outcome: 'cancelled' }
  }
}

interface End {
  readonly outcome: Outcome
  readonly code?: number
  readonly reason?: string
  readonly outputs?: Readonly<Record<string, string>>
  /** Another attempt would end the same way. */
  readonly isFinal?: boolean
}

interface Attempt extends Call {
  readonly number: number
  readonly timeoutMs: number
  readonly values: Readonly<Record<string, string>>
  readonly file: OutputFile
}

async function tryOnce(task: PlannedTask, call: Attempt, shared: Shared, log: TaskLog): Promise<End> {
  const { world, options, sessions } = shared
  const session = await sessions.get(task.class, call.end)
  const secrets = world.secrets.of(task)
  const maskers = { stdout: new Masker(shared.needles), stderr: new Masker(shared.needles) }
  const last = task.workflow?.register === undefined ? undefined : new LastLine()
  const said = (stream: 'stdout' | 'stderr', chunk: Buffer) => {
    if (chunk.length === 0) return
    const at = world.now()
    log.write(stream, chunk, at)
    world.emit({ type: 'output', run: world.runId, task: task.id, stream, chunk, at })
  }
  const { file } = call
  const end = await attempt(
    session,
    {
      argv: task.argv,
      dir:
        task.dir === ''
          ? world.workspace(task)
          : task.dir.startsWith('/')
            ? task.dir
            : `${world.workspace(task)}/${task.dir}`,
      env: {
        ...world.here(task, task.env),
        ...shared.environment,
        DWF_OUTPUT: file.inside,
        ...(task.workflow ? { WF_TASK_ID: task.id } : {}),
        ...(call.lock ? { DWF_LOCK_TOKEN: String(call.lock.token) } : {}),
        ...call.values,
        ...secrets.env,
      },
      ...(Object.keys(secrets.files).length > 0 ? { files: secrets.files } : {}),
      path: Object.values(world.here(task, Object.fromEntries(task.path.entries()))),
      onOutput: (stream, chunk) => {
        if (stream === 'stdout') last?.add(chunk)
        said(stream, maskers[stream].add(chunk))
        return world.pressure()
      },
    },
    { timeoutMs: call.timeoutMs, graceMs: options.graceMs, signal: call.signal, hurry: options.hurry },
  )
  said('stdout', maskers.stdout.end())
  said('stderr', maskers.stderr.end())
  if (end.kind !== 'exit' && end.isClosed) await sessions.drop(task.class)
  if (end.kind === 'cancelled') return { outcome: 'cancelled' }
  if (end.kind !== 'exit') return { outcome: 'timed-out', reason: `after ${call.timeoutMs / 1000} s` }
  if (end.exit.kind === 'lost') {
    await sessions.drop(task.class)
    return { outcome: 'lost', reason: `the container went away: ${end.exit.reason}` }
  }
  const { code } = end.exit
  if (code !== 0) return { outcome: 'failed', code }
  const { outputs, problem } = collect(task, file.outside, last, maskers.stdout)
  if (problem !== undefined) return { outcome: 'failed', code, reason: problem, isFinal: true }
  return { outcome: 'passed', code, ...(Object.keys(outputs).length > 0 ? { outputs } : {}) }
}

/** What a task that passed gives to those after it, unless it may not. */
function collect(
  task: PlannedTask,
  file: string,
  last: LastLine | undefined,
  masker: Masker,
): { readonly outputs: Readonly<Record<string, string>>; readonly problem?: string } {
  const read = readOutputs(file)
  if (read.problem !== undefined) return { outputs: {}, problem: `what it wrote to $DWF_OUTPUT: ${read.problem}` }
  const outputs = new Map(read.values)
  if (last) {
    const line = last.end()
    const problem = line === undefined ? 'is too long' : badValue(line)
    if (problem !== undefined) return { outputs: {}, problem: `its last line, which is registered, ${problem}` }
    outputs.set(task.workflow!.register!, line!)
  }
  for (const [name, value] of outputs) {
    if (masker.finds(name) || masker.finds(value))
      return { outputs: {}, problem: 'an output of it has a secret in it, and outputs are kept: give it to nobody' }
  }
  return { outputs: Object.fromEntries(outputs) }
}

async function runGate(task: PlannedTask, signal: AbortSignal, { world, tell }: Shared): Promise<TaskResult> {
  const began = world.now()
  tell({ type: 'task-started', run: world.runId, task: task.id, attempt: 1, at: began })
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
    const { path } = log
    const result = {
      id: task.id,
      ms: world.now() - began,
      attempts: 1,
      ...(path === undefined ? {} : { log: path }),
      reason: verdict.summary,
    }
    // A gate that was interrupted has judged nothing, and is not to blame for it.
    if (signal.aborted) return { ...result, outcome: 'cancelled', reason: 'interrupted' }
    if (verdict.kind === 'passed') return { ...result, outcome: 'passed', gate: 'passed' }
    return { ...result, outcome: 'failed', gate: verdict.kind, tail: verdict.shown ?? verdict.lines }
  } finally {
    log.close()
  }
}
