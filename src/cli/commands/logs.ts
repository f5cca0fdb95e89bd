import { existsSync, fstatSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskId } from '../../plan/types.ts'
import { logFiles } from '../../run/log.ts'
import { readPlan, readTasks, runsLike, type StoredRun, type StoredTask } from '../../store/read.ts'
import type { Store } from '../../store/store.ts'
import { failure } from '../../util/diagnostics.ts'
import { stateFolder } from '../../util/paths.ts'
import { didYouMean } from '../../util/text.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { merged, type Piece, streams, TaskReader } from '../logs/pieces.ts'
import { shower } from '../logs/show.ts'
import { tasksOf } from '../logs/tasks-of.ts'
import { openWayOut } from '../logs/way-out.ts'
import { follow } from '../looks/follow.ts'
import { oneOf, readCount } from '../looks/options.ts'
import { readMoment } from '../looks/times.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../render/events.ts'
import { isWorkflowLog } from '../render/workflow-log.ts'
import { findRun } from '../run/find-run.ts'
import { openRunsIfAny } from '../run/store.ts'

export interface LogsOptions {
  readonly follow?: boolean
  readonly since?: string
  readonly lines?: string
  readonly stream?: string
  readonly attempt?: string
  readonly timestamps?: boolean
}

/** Between two looks at logs that are followed, ms. */
const pollMs = 200

/** `dwf logs [RUN] [TASK]`: what the tasks of a run said, whole. */
export async function logs(
  words: readonly string[],
  options: LogsOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  const wanted = readOptions(options)
  const store = await openRunsIfAny(output)
  try {
    const { run, tasks, isNamed } = await findLogs(store, words, globals)
    const folder = join(stateFolder(), 'runs', run.id, 'logs')
    const isOne = isNamed && tasks.length === 1
    const out = openWayOut()
    const shown = shower(
      {
        form: globals.json ? 'json' : isOne ? (options.timestamps || !takesBytes() ? 'text' : 'bytes') : 'lines',
        timestamps: options.timestamps === true,
        isTamed: process.stdout.isTTY === true,
        ...(wanted.lines === undefined ? {} : { last: wanted.lines }),
      },
      out,
      output.style,
    )
    const readers = tasks.map((task) => ({ task, reader: new TaskReader(folder, task) }))
    const tell = async (isEnd: boolean) => {
      const ended = isEnd ? undefined : endedTasks(store!, run.id)
      const sources = readers.map(({ task, reader }) => reader.pieces(ended?.has(task) ?? true))
      for (const piece of merged(sources)) {
        if (!out.isOpen) return
        if (piece.isLast || wanted.takes(piece)) await shown.add(piece)
      }
      await shown.caughtUp()
    }
    if (options.follow) await follow(store!, run.id, pollMs, output, tell, () => out.isOpen)
    else await tell(true)
    sayMissing(run, tasks, isNamed, folder, readTasks(store!.database, run.id), output)
    return exitCodes.ok
  } finally {
    store?.close()
  }
}

/** Bytes of a task go out as they are but to a terminal, and to the log of a workflow, where lines can be commands. */
const takesBytes = (): boolean =>
  process.stdout.isTTY !== true && (!isWorkflowLog(process.env) || fstatSync(1).isFile())

function readOptions({ since, lines, stream, attempt }: LogsOptions) {
  const from = since === undefined ? undefined : readMoment('--since', since, Date.now())
  const only = stream === undefined ? undefined : oneOf('--stream', stream, streams)
  const number = attempt === undefined ? undefined : readCount('--attempt', attempt)
  return {
    lines: lines === undefined ? undefined : readCount('--lines', lines),
    takes: (piece: Piece): boolean =>
      (from === undefined || piece.at >= from) &&
      (only === undefined || piece.stream === only) &&
      (number === undefined || piece.attempt === number),
  }
}

interface FoundLogs {
  readonly run: StoredRun
  readonly tasks: readonly TaskId[]
  /** Of the words one named a task. */
  readonly isNamed: boolean
}

/** One word is a run, or a task of the last one. @throws Failure('wrong-input') when it is neither */
async function findLogs(
  store: Store | undefined,
  words: readonly string[],
  globals: Pick<Globals, 'cwd' | 'config'>,
): Promise<FoundLogs> {
  const [first, second] = words
  const all = (run: StoredRun): FoundLogs => ({
    run,
    tasks: readPlan(store!.database, run.id).plan.tasks.map(({ id }) => id),
    isNamed: false,
  })
  if (first === undefined) return all(await findRun(store, undefined, globals))
  if (second !== undefined) {
    const run = await findRun(store, first, globals)
    return { run, tasks: named(store!, run, second), isNamed: true }
  }
  if (store && !first.includes('@') && runsLike(store.database, first).length > 0)
    return all(await findRun(store, first, globals))
  const run = await findRun(store, undefined, globals)
  return { run, tasks: named(store!, run, first, 'run and no '), isNamed: true }
}

function named(store: Store, run: StoredRun, word: string, also = ''): readonly TaskId[] {
  const { plan } = readPlan(store.database, run.id)
  const found = tasksOf(plan, word)
  if (found.length > 0) return found
  const near = didYouMean(
    word,
    plan.tasks.map(({ id }) => id),
  )
  throw failure(
    'wrong-input',
    'unknown-task',
    `there is no ${also}task ${JSON.stringify(word)} in run ${run.id}`,
    near ? `did you mean "${near}"?` : `dwf status ${run.id} shows its tasks`,
  )
}

function endedTasks(store: Store, run: string): ReadonlySet<TaskId> {
  const going = ['waiting', 'running']
  return new Set(
    readTasks(store.database, run)
      .filter(({ state }) => !going.includes(state))
      .map(({ id }) => id),
  )
}

/** A log that was asked for and that is not there. */
function sayMissing(
  run: StoredRun,
  tasks: readonly TaskId[],
  isNamed: boolean,
  folder: string,
  stored: readonly StoredTask[],
  output: Output,
): void {
  const missing = tasks.filter((task) => !existsSync(logFiles(folder, task).log))
  if (!isNamed) {
    if (missing.length === tasks.length)
      output.talk(`there are no logs of run ${run.id}: its tasks said nothing, or they were removed (${folder})`)
    return
  }
  for (const task of missing) {
    const found = stored.find(({ id }) => id === task)
    output.talk(`${oneLine(task)} ${whyMissing(found, logFiles(folder, task).log)}`)
  }
}

function whyMissing(task: StoredTask | undefined, file: string): string {
  switch (task?.state) {
    case undefined:
    case 'waiting':
      return 'has not begun'
    case 'running':
      return 'has said nothing so far'
    case 'current':
      return 'was up to date, and did not run'
    case 'skipped':
    case 'not-run':
      return `did not run${task.reason ? `: ${oneLine(task.reason)}` : ''}`
    default:
      return `has no log: it said nothing, or the log was removed (${file})`
  }
}
