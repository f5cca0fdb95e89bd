import type { RunKind, RunState } from '../../store/journal.ts'
import { countRuns, type ListedRun, listRuns, type RunFilter, runOrders } from '../../store/query.ts'
import { formatDuration } from '../../util/units.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { oneOf, readCount, readDuration, rootOf } from '../looks/options.ts'
import { listedJson } from '../looks/run-json.ts'
import { ago, localTime, readMoment } from '../looks/times.ts'
import type { Output } from '../output.ts'
import { runLook, runStates, tallyOf, tallyText } from '../render/states.ts'
import { type Cell, type Column, table, terminalWidth } from '../render/table.ts'
import { openRunsIfAny } from '../run/store.ts'

export interface RunsOptions {
  readonly all?: boolean
  readonly workflow?: string
  /** One of these. */
  readonly status?: readonly string[]
  readonly kind?: string
  readonly tag?: string
  readonly since?: string
  readonly until?: string
  readonly minDuration?: string
  readonly sort?: string
  readonly limit?: string
  readonly offset?: string
}

const kinds: readonly RunKind[] = ['check', 'task', 'scan', 'workflow']

/** `dwf runs`: the runs of this project, or of all, newest first. */
export async function runs(options: RunsOptions, globals: Globals, output: Output): Promise<number> {
  const now = Date.now()
  const filter = await readFilter(options, globals, now)
  const order = oneOf('--sort', options.sort ?? 'time', runOrders)
  const limit = readCount('--limit', options.limit ?? '20')
  const offset = readCount('--offset', options.offset ?? '0')
  const store = await openRunsIfAny(output)
  try {
    const total = store ? countRuns(store.database, filter, now) : 0
    const found = store ? listRuns(store.database, { ...filter, order, limit, offset }, now) : []
    if (globals.json) output.json({ schema: 'dwf.runs/1', total, runs: found.map(listedJson) })
    else if (found.length > 0) {
      for (const line of runTable(found, now, globals, options.all === true, output)) output.result(line)
      if (found.length < total)
        output.talk(`${found.length} of ${total} runs; --limit ${total} shows all, --offset the next ones`)
    } else output.result(nothing(total, filter, store !== undefined))
    return exitCodes.ok
  } finally {
    store?.close()
  }
}

/** Why the list is empty. */
function nothing(total: number, { root, ...narrowing }: RunFilter, hasStore: boolean): string {
  if (total > 0) return `there are no runs so far back: ${total} fit`
  if (Object.values(narrowing).some((value) => value !== undefined)) return 'no run fits'
  return hasStore && root !== undefined
    ? 'there was no run here yet; dwf runs --all shows those of other projects'
    : 'there was no run here yet'
}

async function readFilter(options: RunsOptions, globals: Globals, now: number): Promise<RunFilter> {
  const { workflow, status, kind, tag, since, until, minDuration } = options
  return {
    ...(options.all ? {} : { root: await rootOf(globals) }),
    ...(workflow === undefined ? {} : { workflow: workflow.replace(/\.toml$/, '') }),
    ...(status === undefined ? {} : { states: status.map((word): RunState => oneOf('--status', word, runStates)) }),
    ...(kind === undefined ? {} : { kind: oneOf('--kind', kind, kinds) }),
    ...(tag === undefined ? {} : { tag }),
    ...(since === undefined ? {} : { since: readMoment('--since', since, now) }),
    ...(until === undefined ? {} : { until: readMoment('--until', until, now, 'end') }),
    ...(minDuration === undefined ? {} : { minMs: readDuration('--min-duration', minDuration, '30m') }),
  }
}

const columns: readonly Column[] = [
  { head: 'run' },
  { head: 'state' },
  { head: 'title', shrinks: true },
  { head: 'when' },
  { head: 'time', isRight: true },
  { head: 'tasks' },
]

function stateCell({ state, importedAt }: ListedRun): Cell {
  const [format, word] = runLook(state)
  return [format, importedAt === undefined ? word : `${word}, imported`]
}

function runTable(
  found: readonly ListedRun[],
  now: number,
  { verbose }: Pick<Globals, 'verbose'>,
  isAll: boolean,
  { style }: Pick<Output, 'style'>,
): readonly string[] {
  const projects: readonly Column[] = isAll ? [{ head: verbose ? 'root' : 'project', shrinks: true }] : []
  const rows = found.map((run): readonly Cell[] => [
    run.id,
    stateCell(run),
    run.title,
    verbose ? `${ago(run.startedAt, now)}, ${localTime(run.startedAt)}` : ago(run.startedAt, now),
    formatDuration(run.elapsedMs),
    tallyText(tallyOf(run.tasks)),
    ...(isAll ? [verbose ? run.root : run.project] : []),
  ])
  return table([...columns, ...projects], rows, style, terminalWidth())
}
