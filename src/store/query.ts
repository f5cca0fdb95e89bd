import type { DatabaseSync } from 'node:sqlite'
import type { RunKind, RunState, TaskState } from './journal.ts'
import { columns, runOf, type StoredRun } from './read.ts'

/** Which runs; times are milliseconds since the epoch. What is absent narrows nothing. */
export interface RunFilter {
  /** Absolute path of the project. */
  readonly root?: string
  readonly workflow?: string
  /** One of these. */
  readonly states?: readonly RunState[]
  readonly kind?: RunKind
  readonly tag?: string
  /** Began then or later. */
  readonly since?: number
  /** Began before. */
  readonly until?: number
  /** Took so long at least, or has been running for so long. */
  readonly minMs?: number
}

/** Newest, longest, in the order of the alphabet, or what is not done first. */
export const runOrders = ['time', 'duration', 'title', 'state'] as const
export type RunOrder = (typeof runOrders)[number]

export interface RunQuery extends RunFilter {
  readonly order: RunOrder
  readonly limit: number
  readonly offset: number
}

/** How many tasks of a run are in each state that it has. */
export type TaskCounts = Readonly<Partial<Record<TaskState, number>>>

export interface ListedRun extends StoredRun {
  /** Of all sessions; of one that has no end yet, or that was interrupted, as far as it came. */
  readonly elapsedMs: number
  readonly tasks: TaskCounts
}

/** The sessions that ended are summed up in the row; one that did not is told by the event it began with. */
const elapsed = `CASE WHEN state NOT IN ('running', 'interrupted') THEN ms ELSE ms + MAX(0, COALESCE(ended_at, $now) - COALESCE(
  (SELECT at FROM events WHERE run = runs.id AND type IN ('run-started', 'run-resumed') ORDER BY sequence DESC LIMIT 1),
  started_at)) END`

const newest = 'started_at DESC, id DESC'
const orders: Readonly<Record<RunOrder, string>> = {
  time: newest,
  duration: `elapsed DESC, ${newest}`,
  title: `title, ${newest}`,
  state: `CASE state WHEN 'running' THEN 0 WHEN 'interrupted' THEN 1 WHEN 'failed' THEN 2 WHEN 'timed-out' THEN 3
    WHEN 'cancelled' THEN 4 ELSE 5 END, ${newest}`,
}

type Values = Record<string, string | number>

/** The runs that were asked for, in that order: the whole store is filtered and sorted before any limit. */
export function listRuns(database: DatabaseSync, query: RunQuery, now: number): readonly ListedRun[] {
  const { where, values } = conditions(query)
  const rows = database
    .prepare(
      `SELECT ${columns}, ${elapsed} AS elapsed FROM runs WHERE ${where} ORDER BY ${orders[query.order]} LIMIT $limit OFFSET $offset`,
    )
    .all({ ...values, $now: now, $limit: query.limit, $offset: query.offset }) as unknown as readonly (Parameters<
    typeof runOf
  >[0] & { readonly elapsed: number })[]
  const counts = taskCounts(
    database,
    rows.map(({ id }) => String(id)),
  )
  return rows.map((row) => ({ ...runOf(row), elapsedMs: row.elapsed, tasks: counts.get(String(row.id)) ?? {} }))
}

/** How many runs a filter leaves, without a limit. */
export function countRuns(database: DatabaseSync, filter: RunFilter, now: number): number {
  const { where, values } = conditions(filter)
  const $now: Values = where.includes('$now') ? { $now: now } : {}
  const { count } = database
    .prepare(`SELECT COUNT(*) AS count FROM runs WHERE ${where}`)
    .get({ ...values, ...$now }) as {
    count: number
  }
  return count
}

/** How long a run took, ms: see `ListedRun.elapsedMs`. */
export function elapsedOf(database: DatabaseSync, run: string, now: number): number {
  const row = database.prepare(`SELECT ${elapsed} AS elapsed FROM runs WHERE id = $run`).get({ $run: run, $now: now })
  return (row as { elapsed: number } | undefined)?.elapsed ?? 0
}

function conditions(filter: RunFilter): { readonly where: string; readonly values: Values } {
  const parts: string[] = []
  const values: Values = {}
  const must = (condition: string, name: string, value: string | number | undefined) => {
    if (value === undefined) return
    parts.push(condition)
    values[name] = value
  }
  must('root = $root', '$root', filter.root)
  must('workflow = $workflow', '$workflow', filter.workflow)
  must('kind = $kind', '$kind', filter.kind)
  must('state IN (SELECT value FROM json_each($states))', '$states', filter.states && JSON.stringify(filter.states))
  must('EXISTS (SELECT 1 FROM json_each(tags) WHERE value = $tag)', '$tag', filter.tag)
  must('started_at >= $since', '$since', filter.since)
  must('started_at < $until', '$until', filter.until)
  must(`${elapsed} >= $least`, '$least', filter.minMs)
  return { where: parts.length === 0 ? 'TRUE' : parts.join(' AND '), values }
}

function taskCounts(database: DatabaseSync, runs: readonly string[]): ReadonlyMap<string, TaskCounts> {
  const counts = new Map<string, Partial<Record<TaskState, number>>>()
  const rows = database
    .prepare(
      `SELECT run, state, COUNT(*) AS count FROM tasks WHERE run IN (SELECT value FROM json_each(?))
       GROUP BY run, state ORDER BY run, state`,
    )
    .all(JSON.stringify(runs)) as unknown as readonly { run: string; state: TaskState; count: number }[]
  for (const { run, state, count } of rows) {
    const own = counts.get(run) ?? {}
    own[state] = count
    counts.set(run, own)
  }
  return counts
}
