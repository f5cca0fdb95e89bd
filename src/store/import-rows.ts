import type { DatabaseSync } from 'node:sqlite'
import type { Verdict } from '../run/types.ts'
import { canonicalJson } from '../util/canonical.ts'
import { unreachable } from '../util/diagnostics.ts'
import type { EventRow } from './chain.ts'
import {
  type AttemptRow,
  type ColumnKind,
  type ColumnType,
  columnsOf,
  type OutputRow,
  type RunRow,
  type RunRows,
  type TaskRow,
} from './export-rows.ts'
import type { RunKind, RunState, TaskState } from './journal.ts'

/** A word that is missing here, or one too many, does not compile. */
const words = {
  'kind of run': { check: 1, task: 1, scan: 1, workflow: 1 } satisfies Record<RunKind, 1>,
  'state of a run': {
    running: 1,
    passed: 1,
    failed: 1,
    cancelled: 1,
    'timed-out': 1,
    interrupted: 1,
  } satisfies Record<RunState, 1>,
  'state of a task': {
    waiting: 1,
    running: 1,
    interrupted: 1,
    passed: 1,
    current: 1,
    ignored: 1,
    skipped: 1,
    failed: 1,
    'timed-out': 1,
    lost: 1,
    cancelled: 1,
    'not-run': 1,
  } satisfies Record<TaskState, 1>,
  gate: { passed: 1, refused: 1, broken: 1 } satisfies Record<Verdict['kind'], 1>,
}

/** The last moment that a calendar has, milliseconds since the epoch. */
const lastMoment = 8.64e15
/** Clocks differ, and some of them do not know their zone. */
const dayMs = 86_400_000

/** A value is no row; the message is a sentence that says where. */
export class RowsError extends Error {}

/** What an export has of a run, each value as JSON has it. */
export type UnreadRows = Readonly<
  Record<'run' | 'plan' | 'options' | 'tasks' | 'attempts' | 'outputs' | 'events', unknown>
>

/**
 * Rows as the store keeps them.
 * @param now milliseconds since the epoch: nothing can have happened a day after it
 * @throws RowsError for the first value that is none
 */
export function parseRows(unread: UnreadRows, now: number): RunRows {
  const { tags, ...rest } = fields(unread.run, 'run.json')
  if (!Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string'))
    throw new RowsError('run.json: tags is not a list of texts')
  const run = row<RunRow>({ ...rest, tags: JSON.stringify(tags) }, columnsOf.run, 'run.json', now)
  if (run.state === 'running') throw new RowsError('run.json: a run that is "running" has not ended')
  const rows = {
    run,
    plan: json(unread.plan, 'plan.json'),
    options: json(unread.options, 'options.json'),
    tasks: list<TaskRow>(unread.tasks, columnsOf.tasks, 'tasks.json', now, ({ id }) => id),
    attempts: list<AttemptRow>(unread.attempts, columnsOf.attempts, 'attempts.json', now, (one) =>
      JSON.stringify([one.task, one.session, one.number]),
    ),
    outputs: list<OutputRow>(unread.outputs, columnsOf.outputs, 'outputs.json', now, (one) =>
      JSON.stringify([one.task, one.name]),
    ),
    events: list<EventRow>(unread.events, columnsOf.events, 'events.json', now, ({ sequence }) => String(sequence)),
    isImported: true,
  }
  const foreign = rows.events.findIndex((event) => event.run !== run.id)
  if (foreign >= 0) throw new RowsError(`events.json: row ${foreign + 1} is of another run`)
  return rows
}

function fields(value: unknown, where: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RowsError(`${where}: it is not an object`)
  return value as Readonly<Record<string, unknown>>
}

function json(value: unknown, where: string): string {
  return canonicalJson(fields(value, where))
}

function list<R>(
  value: unknown,
  columns: Readonly<Record<string, ColumnType>>,
  file: string,
  now: number,
  key: (row: R) => string,
): R[] {
  if (!Array.isArray(value)) throw new RowsError(`${file}: it is not a list`)
  const keys = new Set<string>()
  return value.map((one, index) => {
    const where = `${file}: row ${index + 1}`
    const read = row<R>(fields(one, where), columns, where, now)
    if (keys.has(key(read))) throw new RowsError(`${where} is there twice`)
    keys.add(key(read))
    return read
  })
}

/** The columns of a table and no other. */
function row<R>(
  value: Readonly<Record<string, unknown>>,
  columns: Readonly<Record<string, ColumnType>>,
  where: string,
  now: number,
): R {
  const other = Object.keys(value).find((name) => !Object.hasOwn(columns, name))
  if (other !== undefined) throw new RowsError(`${where} has ${JSON.stringify(other)}, which this dwf does not know`)
  for (const [name, type] of Object.entries(columns)) {
    const has = value[name]
    if (has === null && type.endsWith('?')) continue
    const kind = type.replace('?', '') as ColumnKind
    if (!holds(kind, has)) {
      const shown = typeof has === 'string' && Object.hasOwn(words, kind) ? JSON.stringify(has.slice(0, 200)) : name
      throw new RowsError(`${where}: ${shown} is no ${kind}`)
    }
    if (kind === 'time' && (has as number) > now + dayMs) throw new RowsError(`${where}: ${name} is in the future`)
  }
  return value as R
}

function holds(kind: ColumnKind, value: unknown): boolean {
  switch (kind) {
    case 'text':
      return typeof value === 'string'
    case 'number':
      return Number.isSafeInteger(value)
    case 'count':
      return isBetween(value, 0, Number.MAX_SAFE_INTEGER)
    case 'session':
      return isBetween(value, 1, Number.MAX_SAFE_INTEGER)
    case 'duration':
    case 'time':
      return isBetween(value, 0, lastMoment)
    case 'kind of run':
    case 'state of a run':
    case 'state of a task':
    case 'gate':
      return typeof value === 'string' && Object.hasOwn(words[kind], value)
    default:
      return unreachable(kind)
  }
}

const isBetween = (value: unknown, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most

/** Writes the rows of a run that came from elsewhere; the caller is in a transaction. */
export function importRows(database: DatabaseSync, rows: RunRows, at: number): void {
  const { run } = rows
  const insert = (table: string, row: object) => {
    const names = Object.keys(row)
    database
      .prepare(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
      .run(...Object.values(row))
  }
  insert('runs', { ...run, plan: rows.plan, options: rows.options, imported_at: at })
  for (const table of ['tasks', 'attempts', 'outputs'] as const)
    for (const row of rows[table]) insert(table, { run: run.id, ...row })
  for (const event of rows.events) insert('events', event)
}
