import type { DatabaseSync } from 'node:sqlite'
import { auditRun, type RunVerdict } from './audit.ts'
import { exportRows } from './export-rows.ts'
import { holds, type LeaseRow } from './leases.ts'
import { migrations } from './schema.ts'

/** What is wrong inside of the database, in SQLite's words; nothing when all of it can be read. */
export function integrityProblems(database: DatabaseSync): readonly string[] {
  const rows = database.prepare('PRAGMA integrity_check(5)').all() as unknown as readonly { integrity_check: string }[]
  const orphans = database.prepare('PRAGMA foreign_key_check').all() as unknown as readonly { table: string }[]
  return [
    ...rows.map((row) => row.integrity_check).filter((text) => text !== 'ok'),
    ...(orphans.length > 0 ? [`${orphans.length} rows of ${orphans[0]!.table} belong to no run`] : []),
  ]
}

/** Version of the store, and the one that this dwf writes. */
export function storeVersion(database: DatabaseSync): { readonly has: number; readonly knows: number } {
  const { user_version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  return { has: user_version, knows: migrations.length }
}

export interface StaleRun {
  readonly id: string
  readonly title: string
}

/** Runs that wait for somebody. */
export interface StaleRuns {
  /** Still marked as running, and their dwf is gone. */
  readonly gone: readonly StaleRun[]
  /** Interrupted, neither gone on with nor done again since. */
  readonly interrupted: readonly StaleRun[]
}

export function staleRuns(database: DatabaseSync, now: number): StaleRuns {
  const running = database
    .prepare(
      `SELECT runs.id, runs.title, leases.* FROM runs LEFT JOIN leases ON leases.run = runs.id
       WHERE runs.state = 'running' AND runs.imported_at IS NULL ORDER BY runs.started_at DESC, runs.id DESC`,
    )
    .all() as unknown as readonly (StaleRun & (LeaseRow | { readonly run: null }))[]
  const interrupted = database
    .prepare(
      `SELECT id, title FROM runs AS old WHERE state = 'interrupted' AND imported_at IS NULL AND NOT EXISTS (
         SELECT 1 FROM runs WHERE root = old.root AND title = old.title AND state = 'passed' AND started_at > old.started_at
           AND imported_at IS NULL)
       ORDER BY started_at DESC, id DESC`,
    )
    .all() as unknown as readonly StaleRun[]
  const plain = ({ id, title }: StaleRun): StaleRun => ({ id, title })
  return {
    gone: running.filter((row) => row.run === null || !holds(row as LeaseRow, now)).map(plain),
    interrupted: interrupted.map(plain),
  }
}

export interface HeldLock {
  readonly name: string
  readonly run: string
  /** Milliseconds since the epoch. */
  readonly takenAt: number
  /** The dwf of that run is there. */
  readonly isAlive: boolean
}

export function heldLocks(database: DatabaseSync, now: number): readonly HeldLock[] {
  const rows = database
    .prepare(
      `SELECT locks.name, locks.run AS held_by, locks.taken_at, leases.* FROM locks
       LEFT JOIN leases ON leases.run = locks.run ORDER BY locks.name`,
    )
    .all() as unknown as readonly (LeaseRow & { name: string; held_by: string; taken_at: number })[]
  return rows.map((row) => ({
    name: row.name,
    run: row.held_by,
    takenAt: row.taken_at,
    isAlive: row.run !== null && holds(row, now),
  }))
}

/** The part of the runs since then that passed, of those that came to an end of their own; undefined without any. */
export function passRate(database: DatabaseSync, since: number): number | undefined {
  const { passed, ended } = database
    .prepare(
      `SELECT COUNT(*) FILTER (WHERE state = 'passed') AS passed, COUNT(*) AS ended FROM runs
       WHERE state IN ('passed', 'failed', 'timed-out') AND started_at >= ? AND imported_at IS NULL`,
    )
    .get(since) as { passed: number; ended: number }
  return ended === 0 ? undefined : passed / ended
}

/** The newest runs, each held against its own chain. */
export function auditNewest(database: DatabaseSync, count: number): readonly RunVerdict[] {
  const runs = database
    .prepare('SELECT id FROM runs ORDER BY started_at DESC, id DESC LIMIT ?')
    .all(count) as unknown as readonly { id: string }[]
  return runs.map(({ id }) => auditRun(exportRows(database, id)!))
}
