import { existsSync } from 'node:fs'
import { changedSince } from '../../project/changed-since.ts'
import { heartbeatMs } from '../../store/leases.ts'
import { readPlan, readTasks, type StoredRun } from '../../store/read.ts'
import { Failure, failure } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { type Change, compareRuns } from '../run/earlier.ts'
import { findRun } from '../run/find-run.ts'
import { inputsOf } from '../run/inputs-of.ts'
import type { KeptOptions } from '../run/kept-options.ts'
import { readJobs, readVariables } from '../run/options.ts'
import { openRuns } from '../run/store.ts'
import { runPrepared } from './run.ts'

export interface ResumeOptions {
  /** This task and what needs it run again, done or not. */
  readonly from?: string
  /** What was done and has changed since runs again. */
  readonly acceptChanges?: boolean
  readonly jobs?: string
  /** `NAME=VALUE`, each: on top of those of the run. */
  readonly var?: readonly string[]
}

/** `dwf resume [RUN]`: goes on with a run; what is done and has not changed stays done. */
export async function resume(
  word: string | undefined,
  options: ResumeOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  const store = await openRuns(output)
  try {
    const run = await findRun(store, word, globals)
    const { plan: oldPlan, options: kept } = readPlan(store.database, run.id)
    const before = kept as KeptOptions
    refuseWhatCannot(run, before, options)
    if (!existsSync(run.root))
      throw failure(
        'wrong-input',
        'no-repository',
        `run ${run.id} was in ${run.root}, which is gone`,
        'put the repository there again, or run it anew where it is',
      )
    const variables = { ...before.request.variables, ...readVariables(options.var) }
    const request = { ...before.request, ...(before.request.workflow ? { variables } : {}) }
    const place = { ...globals, cwd: run.root, ...(before.config === undefined ? {} : { config: before.config }) }
    const prepared = await prepare(request, place)
    if (options.from !== undefined && !prepared.plan.tasks.some(({ id }) => id === options.from))
      throw failure(
        'wrong-input',
        'unknown-task',
        `the run has no task ${JSON.stringify(options.from)}`,
        `dwf status ${run.id}`,
      )
    const tasks = readTasks(store.database, run.id)
    const { kept: done, changes } = compareRuns(
      { plan: oldPlan, tasks, image: run.image },
      {
        plan: prepared.plan,
        image: prepared.imageTag,
        inputs: (task) => inputsOf(run.root, task),
        changedFiles: prepared.plan.workflow ? [] : changedSince(run.root, lastSign(run)),
      },
      options.from,
    )
    if (changes.length > 0 && !options.acceptChanges) throw refusal(run, changes)
    if (globals.dryRun) {
      show(prepared, done, output, globals)
      return exitCodes.ok
    }
    const { exit } = await runPrepared(
      prepared,
      { rest: request.rest, keepGoing: before.keepGoing, offline: before.offline },
      { ...place, allowRoot: before.allowRoot || globals.allowRoot },
      output,
      {
        wanted: {
          reports: [],
          statuses: undefined,
          jobs: options.jobs === undefined ? before.jobs : readJobs(options.jobs),
          deadlineMs: before.deadlineMs,
        },
        keeping: {
          runId: run.id,
          store,
          journal: () =>
            store.resume({
              id: run.id,
              plan: prepared.plan,
              image: prepared.imageTag,
              sessions: run.sessions,
              options: { ...before, request },
              kept: new Set(done.keys()),
              at: Date.now(),
            }),
          earlier: { session: run.sessions + 1, kept: done },
        },
      },
    )
    return exit
  } finally {
    if (store.database.isOpen) store.close()
  }
}

function refuseWhatCannot(run: StoredRun, { part }: KeptOptions, options: ResumeOptions): void {
  const cannot = (message: string, hint: string) => failure('wrong-input', 'cannot-resume', message, hint)
  if (run.importedAt !== undefined)
    throw cannot(`run ${run.id} was imported: it belongs to another machine`, 'dwf runs')
  if (part !== undefined) throw cannot(`run ${run.id} is one part of a plan of CI`, 'run the job again')
  if (run.state === 'running')
    throw failure('refused', 'run-is-alive', `run ${run.id} is going on`, `dwf status ${run.id} shows it`)
  if (run.state === 'passed' && options.from === undefined)
    throw cannot(
      `run ${run.id} passed: there is nothing to go on with`,
      '--from TASK runs a task and what needs it again',
    )
}

/** When the run, or what it had started, can have changed a file for the last time. */
const lastSign = ({ state, endedAt, startedAt }: StoredRun): number =>
  state === 'interrupted' ? (endedAt ?? startedAt) + 3 * heartbeatMs : (endedAt ?? startedAt)

function refusal(run: StoredRun, changes: readonly Change[]): Failure {
  return new Failure(
    'refused',
    changes.map(({ task, what }, index) => ({
      severity: 'error' as const,
      code: 'changed-since',
      message: `${task} is done, but this has changed since: ${what.map(printable).join('; ')}`,
      ...(index === changes.length - 1
        ? { hint: `dwf resume ${run.id} --accept-changes runs these and what needs them again` }
        : {}),
    })),
  )
}

function show(prepared: Prepared, done: ReadonlyMap<string, unknown>, output: Output, globals: Globals): void {
  const tasks = prepared.plan.tasks.map(({ id }) => ({ id, stays: done.has(id) }))
  if (globals.json) output.json({ schema: 'dwf.resume/1', plan: prepared.plan.hash, tasks })
  else for (const { id, stays } of tasks) output.result(`${stays ? output.style('dim', 'done') : 'runs'}  ${id}`)
}
