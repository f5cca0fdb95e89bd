import type { DatabaseSync } from 'node:sqlite'
import { hashOfPlan } from '../plan/hash.ts'
import type { Plan } from '../plan/types.ts'
import { isRedacted } from '../util/redact.ts'
import { parseJson } from '../util/text.ts'
import { aboutHash } from './about.ts'
import { type EventRow, genesis, verifyChain } from './chain.ts'
import { columnsOf, exportRows, type RunRows, type TaskRow } from './export-rows.ts'
import { keyOf, replay, type Said, type SaidTask } from './replay.ts'

/** A row that does not fit. */
export interface Misfit {
  /** `event 7`, `task test@node`, `attempt 1 of test@node`, `output tag of build@node`, `run`. */
  readonly where: string
  readonly why: string
}

export interface RunVerdict {
  readonly run: string
  readonly ok: boolean
  readonly events: number
  /** How many events fit, from the first, and the hash of the last of them. */
  readonly fits: number
  readonly head: string
  /** Events that were redacted when the run was exported: their own text cannot be held against their hash. */
  readonly redacted: readonly number[]
  /** The first one is where the run stops to fit. */
  readonly misfits: readonly Misfit[]
  /** Whether the chain goes through the head that was kept outside, and where. */
  readonly outside?: {
    readonly head: string
    readonly event?: number
    /** The first event that the head vouches for: the one after the last redacted one before it; absent for none. */
    readonly from?: number
  }
}

/**
 * Holds a run against its own chain, and its rows against what its events say. Without a head from outside nobody can
 * tell a run from one that was rewritten as a whole.
 * @param outside hash of an event, or at least the first 12 digits of one
 */
export function auditRun(rows: RunRows, outside?: string): RunVerdict {
  const chain = walkChain(rows)
  const misfits = chain.broken ? [chain.broken] : holdRows(rows, replay(rows.events))
  const held = outside === undefined ? undefined : holdHead(chain, outside)
  const strange = held && held.event === undefined
  return {
    run: rows.run.id,
    // A head binds an event to all before it: over one that cannot be held against its hash it says nothing of them.
    ok: misfits.length === 0 && (!held || held.from === 1),
    events: rows.events.length,
    fits: chain.hashes.length,
    head: chain.hashes.at(-1) ?? genesis,
    redacted: chain.redacted,
    misfits: strange
      ? [
          ...misfits,
          { where: 'head', why: `no event that fits has the hash ${outside}: the run was rewritten, or cut` },
        ]
      : misfits,
    ...(held ? { outside: held } : {}),
  }
}

function holdHead(
  { hashes, redacted }: Pick<ReturnType<typeof walkChain>, 'hashes' | 'redacted'>,
  head: string,
): NonNullable<RunVerdict['outside']> {
  const event = hashes.findIndex((hash) => hash.startsWith(head)) + 1
  if (event === 0) return { head }
  const from = 1 + (redacted.findLast((sequence) => sequence <= event) ?? 0)
  return { head, event, ...(from <= event ? { from } : {}) }
}

/** Hashes of the events that fit, and the first one that does not. */
function walkChain({ run, events, isImported }: RunRows) {
  const { hashes, excused, broken } = verifyChain(events, (event) => isImported && isRedactedEvent(event))
  const foreign = events.findIndex((event) => event.run !== run.id)
  const misfit = (sequence: number, why: string): Misfit => ({ where: `event ${sequence}`, why })
  if (foreign >= 0 && foreign < hashes.length)
    return {
      hashes: hashes.slice(0, foreign),
      redacted: excused.filter((sequence) => sequence <= foreign),
      broken: misfit(foreign + 1, `it is of the run ${events[foreign]!.run}`),
    }
  if (events.length === 0) return { hashes, redacted: excused, broken: misfit(1, 'it is missing') }
  return { hashes, redacted: excused, broken: broken && misfit(broken.sequence, broken.why) }
}

const isRedactedEvent = ({ data, task }: EventRow): boolean => isRedacted(data) || isRedacted(task ?? '')

function holdRows(rows: RunRows, said: Said): readonly Misfit[] {
  if (said.unreadable !== undefined)
    return [{ where: `event ${said.unreadable}`, why: 'what it says is not an object in JSON' }]
  return [
    ...holdRun(rows, said),
    ...holdPlan(rows, said),
    ...holdTasks(rows, said),
    ...holdAttempts(rows, said),
    ...holdOutputs(rows, said),
  ]
}

function holdRun({ run }: RunRows, said: Said): readonly Misfit[] {
  const where = 'run'
  const misfits: Misfit[] = []
  if (run.state !== said.state) {
    const isCut = said.state === 'running' && run.ended_at !== null
    misfits.push({
      where,
      why: isCut
        ? `its row says ${run.state}, and no event says that it ended: the last ones are missing`
        : differs('it', run.state, said.state),
    })
  }
  if (run.sessions !== said.sessions)
    misfits.push({ where, why: differs('its sessions are', run.sessions, said.sessions) })
  if (run.ms !== said.ms) misfits.push({ where, why: differs('its time in ms is', run.ms, said.ms) })
  if (said.endedAt !== undefined && run.ended_at !== said.endedAt)
    misfits.push({ where, why: differs('its end is', run.ended_at, said.endedAt) })
  return misfits
}

const differs = (what: string, row: unknown, said: unknown): string =>
  `its row says ${what === 'it' ? '' : `${what} `}${row ?? 'nothing'}, its events say ${said ?? 'nothing'}`

/** The event that began the last session has the hash of all that the run is about. */
function holdPlan({ run, plan: json, options, tasks, isImported }: RunRows, said: Said): readonly Misfit[] {
  const plan = parsedObject(json) as { hash?: unknown; tasks?: unknown } | undefined
  if (!plan || !Array.isArray(plan.tasks)) return [{ where: 'plan', why: 'it is not a plan in JSON' }]
  if (parsedObject(options) === undefined) return [{ where: 'options', why: 'they are not an object in JSON' }]
  const isRewritten = isImported && [json, options, run.title, run.tags].some(isRedacted)
  if (!isRewritten && hashOfPlan(plan as Plan) !== plan.hash)
    return [{ where: 'plan', why: 'it is not what its hash says' }]
  if (plan.hash !== run.plan_hash) return [{ where: 'plan', why: 'it has another hash than the row of its run' }]
  if (!isRewritten && said.about !== aboutHash({ ...run, options }))
    return [{ where: 'run', why: 'its plan, its options or what it is about are not those that its events say' }]
  const planned = new Map(plan.tasks.map((task, position) => [task?.id, { hash: task?.hash, position }]))
  return tasks.flatMap(({ id, hash, position }): Misfit[] => {
    const task = planned.get(id)
    if (!task) return [{ where: `task ${id}`, why: 'the plan has no such task' }]
    return task.hash === hash && task.position === position
      ? []
      : [{ where: `task ${id}`, why: 'its hash or its place is not that of the plan' }]
  })
}

function parsedObject(json: string): object | undefined {
  const value = parseJson(json)
  return typeof value === 'object' && value !== null ? value : undefined
}

function holdTasks({ tasks }: RunRows, said: Said): readonly Misfit[] {
  const rows = new Map(tasks.map((task) => [task.id, task]))
  const missing = [...said.tasks.keys()].filter((id) => !rows.has(id))
  return [
    ...missing.map((id) => ({ where: `task ${id}`, why: 'its row is missing' })),
    ...tasks.flatMap((row): Misfit[] => {
      const task = said.tasks.get(row.id)
      const why = task ? taskDiffers(row, task) : 'no event says that it is of this run'
      return why === undefined ? [] : [{ where: `task ${row.id}`, why }]
    }),
  ]
}

function taskDiffers(row: TaskRow, said: SaidTask): string | undefined {
  if (row.state !== said.state) return differs('it', row.state, said.state)
  const fields: readonly (readonly [string, unknown, unknown])[] = [
    ['its attempts are', row.attempts, said.attempts],
    // What waits or runs may still have what an earlier session left.
    ...(said.endedAt === undefined
      ? []
      : ([
          ['its exit code is', row.code, said.code],
          ['its reason is', row.reason, said.reason],
          ['its gate is', row.gate, said.gate],
          ['its inputs are', row.inputs, said.inputs],
          ['its time in ms is', row.ms, said.ms],
          ['its end is', row.ended_at, said.endedAt],
        ] as const)),
    ...(said.state === 'waiting' ? [] : ([['its session is', row.session, said.session]] as const)),
  ]
  const wrong = fields.find(([, has, says]) => (has ?? undefined) !== says)
  return wrong && differs(...wrong)
}

function holdAttempts({ attempts }: RunRows, said: Said): readonly Misfit[] {
  const keys = new Set(attempts.map(({ task, session, number }) => keyOf(task, session, number)))
  return [
    ...[...said.attempts.keys()]
      .filter((key) => !keys.has(key))
      .map((key) => ({ where: attemptOf(key), why: 'its row is missing' })),
    ...attempts.flatMap((row): Misfit[] => {
      const key = keyOf(row.task, row.session, row.number)
      const attempt = said.attempts.get(key)
      const why = !attempt
        ? 'no event says that it began'
        : row.state !== attempt.state
          ? differs('it', row.state, attempt.state)
          : row.started_at !== attempt.startedAt
            ? differs('its beginning is', row.started_at, attempt.startedAt)
            : attempt.endedAt === undefined
              ? undefined
              : row.ended_at !== attempt.endedAt
                ? differs('its end is', row.ended_at, attempt.endedAt)
                : (row.code ?? undefined) !== attempt.code
                  ? differs('its exit code is', row.code, attempt.code)
                  : undefined
      return why === undefined ? [] : [{ where: attemptOf(key), why }]
    }),
  ]
}

function attemptOf(key: string): string {
  const [task, session, number] = JSON.parse(key)
  return `attempt ${number} of ${task}${session === 1 ? '' : ` in session ${session}`}`
}

function holdOutputs({ outputs }: RunRows, said: Said): readonly Misfit[] {
  const keys = new Set(outputs.map(({ task, name }) => keyOf(task, name)))
  const missing = [...said.outputs.keys()].filter((key) => !keys.has(key))
  return [
    ...missing.map((key) => ({ where: outputOf(key), why: 'its row is missing' })),
    ...outputs.flatMap(({ task, name, value }): Misfit[] => {
      const key = keyOf(task, name)
      const says = said.outputs.get(key)
      if (says === value) return []
      return [{ where: outputOf(key), why: says === undefined ? 'no event says it' : 'its row and its events differ' }]
    }),
  ]
}

function outputOf(key: string): string {
  const [task, name] = JSON.parse(key)
  return `output ${name} of ${task}`
}

/** The events of a run in their order. */
export function readEvents(database: DatabaseSync, run: string): readonly EventRow[] {
  return database
    .prepare(`SELECT ${Object.keys(columnsOf.events).join(', ')} FROM events WHERE run = ? ORDER BY sequence`)
    .all(run) as unknown as EventRow[]
}

/** Every run there is, the oldest first. */
export function auditAll(database: DatabaseSync): readonly RunVerdict[] {
  const ids = database.prepare('SELECT id FROM runs ORDER BY started_at, id').all() as unknown as { id: string }[]
  return ids.flatMap(({ id }) => {
    const rows = exportRows(database, id)
    return rows ? [auditRun(rows)] : []
  })
}
