import type { DatabaseSync } from 'node:sqlite'
import type { Plan } from '../plan/types.ts'
import type { RunKind, RunState, TaskState } from './journal.ts'

/** A run as it is kept; times are milliseconds since the epoch. */
export interface StoredRun {
  readonly id: string
  readonly kind: RunKind
  readonly title: string
  readonly project: string
  readonly root: string
  readonly workflow?: string
  readonly tags: readonly string[]
  readonly planHash: string
  readonly image: string
  readonly dwf: string
  readonly engine?: string
  readonly state: RunState
  readonly sessions: number
  readonly startedAt: number
  readonly endedAt?: number
  /** Of all sessions. */
  readonly ms: number
  readonly importedAt?: number
}

export interface StoredTask {
  readonly id: string
  readonly state: TaskState
  readonly hash: string
  readonly inputs?: string
  /** In its last session. */
  readonly attempts: number
  readonly code?: number
  readonly reason?: string
  readonly gate?: 'passed' | 'refused' | 'broken'
  readonly session?: number
  readonly startedAt?: number
  readonly endedAt?: number
  readonly ms: number
  readonly outputs: Readonly<Record<string, string>>
}

type Row = Readonly<Record<string, string | number | null>>

/** Of a row of runs all that `runOf` reads: not the plan, which may be long. */
export const columns = `id, kind, title, project, root, workflow, tags, plan_hash, image, dwf, engine, state, sessions, started_at,
  ended_at, ms, imported_at`

export function readRun(database: DatabaseSync, id: string): StoredRun | undefined {
  const row = database.prepare(`SELECT ${columns} FROM runs WHERE id = ?`).get(id) as Row | undefined
  return row && runOf(row)
}

/** Runs of which the id begins so. */
export function runsLike(database: DatabaseSync, start: string): readonly StoredRun[] {
  const rows = database
    .prepare(
      `SELECT ${columns} FROM runs WHERE substr(id, 1, length(?1)) = ?1 ORDER BY started_at DESC, id DESC LIMIT 10`,
    )
    .all(start) as unknown as readonly Row[]
  return rows.map(runOf)
}

/** The newest run of a project; undefined where there was none. */
export function lastRun(database: DatabaseSync, root: string): StoredRun | undefined {
  const row = database
    .prepare(
      `SELECT ${columns} FROM runs WHERE root = ? AND imported_at IS NULL ORDER BY started_at DESC, id DESC LIMIT 1`,
    )
    .get(root) as Row | undefined
  return row && runOf(row)
}

/** Tasks of a run in the order of its plan. */
export function readTasks(database: DatabaseSync, run: string): readonly StoredTask[] {
  const outputs = new Map<string, (readonly [string, string])[]>()
  for (const { task, name, value } of database
    .prepare('SELECT task, name, value FROM outputs WHERE run = ? ORDER BY task, name')
    .all(run) as { task: string; name: string; value: string }[])
    outputs.set(task, [...(outputs.get(task) ?? []), [name, value]])
  const rows = database.prepare('SELECT * FROM tasks WHERE run = ? ORDER BY position').all(run) as unknown as Row[]
  return rows.map((row) => taskOf(row, Object.fromEntries(outputs.get(String(row.id)) ?? [])))
}

export interface StoredAttempt {
  readonly task: string
  readonly session: number
  readonly number: number
  readonly state: TaskState
  readonly code?: number
  readonly startedAt: number
  readonly endedAt?: number
}

export function readAttempts(database: DatabaseSync, run: string): readonly StoredAttempt[] {
  const rows = database
    .prepare('SELECT * FROM attempts WHERE run = ? ORDER BY task, session, number')
    .all(run) as unknown as Row[]
  return rows.map((row) => ({
    task: String(row.task),
    session: Number(row.session),
    number: Number(row.number),
    state: row.state as TaskState,
    ...numbers({ code: row.code, endedAt: row.ended_at }),
    startedAt: Number(row.started_at),
  }))
}

/** The plan of a run's last session, and what it was asked for with. */
export function readPlan(database: DatabaseSync, run: string): { readonly plan: Plan; readonly options: unknown } {
  const row = database.prepare('SELECT plan, options FROM runs WHERE id = ?').get(run) as {
    plan: string
    options: string
  }
  return { plan: JSON.parse(row.plan), options: JSON.parse(row.options) }
}

export function runOf(row: Row): StoredRun {
  return {
    id: String(row.id),
    kind: row.kind as RunKind,
    title: String(row.title),
    project: String(row.project),
    root: String(row.root),
    ...(row.workflow === null ? {} : { workflow: String(row.workflow) }),
    tags: JSON.parse(String(row.tags)),
    planHash: String(row.plan_hash),
    image: String(row.image),
    dwf: String(row.dwf),
    ...(row.engine === null ? {} : { engine: String(row.engine) }),
    state: row.state as RunState,
    sessions: Number(row.sessions),
    startedAt: Number(row.started_at),
    ...numbers({ endedAt: row.ended_at, importedAt: row.imported_at }),
    ms: Number(row.ms),
  }
}

function taskOf(row: Row, outputs: Readonly<Record<string, string>>): StoredTask {
  return {
    id: String(row.id),
    state: row.state as TaskState,
    hash: String(row.hash),
    ...(row.inputs === null ? {} : { inputs: String(row.inputs) }),
    attempts: Number(row.attempts),
    ...(row.reason === null ? {} : { reason: String(row.reason) }),
    ...(row.gate === null ? {} : { gate: row.gate as 'passed' | 'refused' | 'broken' }),
    ...numbers({ code: row.code, session: row.session, startedAt: row.started_at, endedAt: row.ended_at }),
    ms: Number(row.ms),
    outputs,
  }
}

/** Those that there are. */
function numbers<K extends string>(
  values: Readonly<Record<K, string | number | null | undefined>>,
): Partial<Record<K, number>> {
  return Object.fromEntries(
    Object.entries(values)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([key, value]) => [key, Number(value)]),
  ) as Partial<Record<K, number>>
}
