import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { EventRow } from './chain.ts'
import type { RunKind, RunState } from './journal.ts'

/** Of the row of a run what is its own: not its plan and its options, and not how it came here. */
export interface RunRow {
  readonly id: string
  readonly kind: RunKind
  readonly title: string
  readonly project: string
  readonly root: string
  readonly workflow: string | null
  /** JSON. */
  readonly tags: string
  readonly plan_hash: string
  readonly image: string
  readonly dwf: string
  readonly engine: string | null
  readonly state: RunState
  readonly sessions: number
  readonly started_at: number
  readonly ended_at: number | null
  readonly ms: number
}

export interface TaskRow {
  readonly id: string
  readonly position: number
  readonly state: string
  readonly hash: string
  readonly inputs: string | null
  readonly attempts: number
  readonly code: number | null
  readonly reason: string | null
  readonly gate: string | null
  readonly session: number | null
  readonly started_at: number | null
  readonly ended_at: number | null
  readonly ms: number
}

export interface AttemptRow {
  readonly task: string
  readonly session: number
  readonly number: number
  readonly state: string
  readonly code: number | null
  readonly started_at: number
  readonly ended_at: number | null
}

export interface OutputRow {
  readonly task: string
  readonly name: string
  readonly value: string
}

/** All that the database has of one run, by the names of its columns. */
export interface RunRows {
  readonly run: RunRow
  /** JSON, as it is kept. */
  readonly plan: string
  /** JSON, as it is kept. */
  readonly options: string
  readonly tasks: readonly TaskRow[]
  readonly attempts: readonly AttemptRow[]
  readonly outputs: readonly OutputRow[]
  readonly events: readonly EventRow[]
  /** It came from a file: an event may have been redacted on its way. */
  readonly isImported: boolean
}

/**
 * What a column holds, `?` where it may be empty. count: a number from 0; session: from 1; duration: milliseconds; time:
 * milliseconds since the epoch; the others are words.
 */
export type ColumnKind =
  | 'text'
  | 'number'
  | 'count'
  | 'session'
  | 'duration'
  | 'time'
  | 'kind of run'
  | 'state of a run'
  | 'state of a task'
  | 'gate'
export type ColumnType = ColumnKind | `${ColumnKind}?`
type Columns<R> = { readonly [K in keyof R]: ColumnType }

const run: Columns<RunRow> = {
  id: 'text',
  kind: 'kind of run',
  title: 'text',
  project: 'text',
  root: 'text',
  workflow: 'text?',
  tags: 'text',
  plan_hash: 'text',
  image: 'text',
  dwf: 'text',
  engine: 'text?',
  state: 'state of a run',
  sessions: 'session',
  started_at: 'time',
  ended_at: 'time?',
  ms: 'duration',
}
const tasks: Columns<TaskRow> = {
  id: 'text',
  position: 'count',
  state: 'state of a task',
  hash: 'text',
  inputs: 'text?',
  attempts: 'count',
  code: 'number?',
  reason: 'text?',
  gate: 'gate?',
  session: 'session?',
  started_at: 'time?',
  ended_at: 'time?',
  ms: 'duration',
}
const attempts: Columns<AttemptRow> = {
  task: 'text',
  session: 'session',
  number: 'count',
  state: 'state of a task',
  code: 'number?',
  started_at: 'time',
  ended_at: 'time?',
}
const outputs: Columns<OutputRow> = { task: 'text', name: 'text', value: 'text' }
const events: Columns<EventRow> = {
  run: 'text',
  sequence: 'count',
  at: 'time',
  type: 'text',
  task: 'text?',
  data: 'text',
  hash: 'text',
}

/** What is exported and imported of each table; a column that is not named here stays at home. */
export const columnsOf = { run, tasks, attempts, outputs, events } as const

/** Undefined where there is no such run. All is of one moment, also while somebody writes. */
export function exportRows(database: DatabaseSync, id: string): RunRows | undefined {
  return atOneMoment(database, () => {
    const names = (columns: object) => Object.keys(columns).join(', ')
    const all = <R>(sql: string, ...values: SQLInputValue[]) => database.prepare(sql).all(...values) as unknown as R[]
    const [row] = all<RunRow & { plan: string; options: string; imported_at: number | null }>(
      `SELECT ${names(run)}, plan, options, imported_at FROM runs WHERE id = ?`,
      id,
    )
    if (!row) return undefined
    const { plan, options, imported_at, ...own } = row
    return {
      run: own,
      plan,
      options,
      tasks: all<TaskRow>(`SELECT ${names(tasks)} FROM tasks WHERE run = ? ORDER BY position, id`, id),
      attempts: all<AttemptRow>(
        `SELECT ${names(attempts)} FROM attempts WHERE run = ? ORDER BY task, session, number`,
        id,
      ),
      outputs: all<OutputRow>(`SELECT ${names(outputs)} FROM outputs WHERE run = ? ORDER BY task, name`, id),
      events: all<EventRow>(`SELECT ${names(events)} FROM events WHERE run = ? ORDER BY sequence`, id),
      isImported: imported_at !== null,
    }
  })
}

function atOneMoment<T>(database: DatabaseSync, read: () => T): T {
  if (database.isTransaction) return read()
  database.exec('BEGIN')
  try {
    return read()
  } finally {
    database.exec('ROLLBACK')
  }
}
