import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { headOf } from './append.ts'
import { leaseOf } from './leases.ts'
import { inTransaction } from './open.ts'
import { columns, lastRun, readRun, runOf, type StoredRun } from './read.ts'
import { addTombstone, tombstoneOf } from './tombstones.ts'

/** Which runs go; where both are given, only those that both name. */
export interface PruneChoice {
  /** Of every project this many of the newest stay, and as many of those that were imported. */
  readonly keep?: number
  /** Only what ended before this time, milliseconds since the epoch. */
  readonly before?: number
  /** Only this project; undefined for all. */
  readonly root?: string
}

/**
 * Runs that can go, the oldest first. Never one that is going on, and never the newest of a project: what `resume` and
 * `status` mean where nothing is named.
 */
export function prunable(database: DatabaseSync, { keep = 0, before, root }: PruneChoice): readonly StoredRun[] {
  const rows = database
    .prepare(
      `SELECT ${columns}, leases.run IS NOT NULL AS is_held FROM runs LEFT JOIN leases ON leases.run = runs.id
       WHERE ?1 IS NULL OR root = ?1 ORDER BY started_at DESC, id DESC`,
    )
    .all(root ?? null) as unknown as (Parameters<typeof runOf>[0] & { is_held: number })[]
  // Apart, for an import has the root and the time that its file says: it must not push out what was run here.
  const seen = { own: new Map<string, number>(), imported: new Map<string, number>() }
  const going: StoredRun[] = []
  for (const row of rows) {
    const run = runOf(row)
    const isOwn = run.importedAt === undefined
    const counts = isOwn ? seen.own : seen.imported
    const newer = counts.get(run.root) ?? 0
    counts.set(run.root, newer + 1)
    const stays = (isOwn && newer === 0) || newer < keep || run.state === 'running' || row.is_held === 1
    if (!stays && (before === undefined || (run.endedAt ?? run.startedAt) < before)) going.unshift(run)
  }
  return going
}

/**
 * Takes a whole run out of the store and leaves a tombstone; its folder goes when that is on the disk.
 * @returns false where it may not go any more, or is gone
 */
export function pruneRun(database: DatabaseSync, id: string, now: number): boolean {
  return inTransaction(database, () => {
    // It may have been taken up since somebody looked, or have become the newest.
    if (!canGo(database, id)) return false
    const { sequence, hash } = headOf(database, id)
    // One that was pruned before, and came back from an export.
    if (!tombstoneOf(database, id)) addTombstone(database, { run: id, at: now, events: sequence, head: hash })
    database.prepare('DELETE FROM runs WHERE id = ?').run(id)
    return true
  })
}

function canGo(database: DatabaseSync, id: string): boolean {
  const run = readRun(database, id)
  return (
    run !== undefined && run.state !== 'running' && !leaseOf(database, id) && lastRun(database, run.root)?.id !== id
  )
}

/** A folder that waits to be removed. */
const gone = '.gone-'
/** A run has its folder before it has its row, ms. */
const graceMs = 24 * 3_600_000

/** Folders below `folder` that belong to no run: of one that was pruned, or that never came to be. */
export function strayFolders(database: DatabaseSync, folder: string, now: number): readonly string[] {
  return namesIn(folder).filter((name) => {
    const stat = lstatSync(join(folder, name), { throwIfNoEntry: false })
    if (!stat?.isDirectory()) return false
    return name.startsWith(gone) || isStray(database, name, stat.mtimeMs, now)
  })
}

const isStray = (database: DatabaseSync, name: string, mtimeMs: number, now: number): boolean =>
  database.prepare('SELECT 1 FROM runs WHERE id = ?').get(name) === undefined &&
  (tombstoneOf(database, name) !== undefined || now - mtimeMs > graceMs)

/**
 * Removes a folder that belongs to no run. It gets another name while nobody else can give it a row; the rest may take
 * its time, and be finished by the next one who looks.
 * @returns bytes that are free again
 */
export function removeFolder(database: DatabaseSync, folder: string, name: string, now: number): number {
  const path = join(folder, name)
  const out = name.startsWith(gone) ? path : join(folder, `${gone}${name}-${now}`)
  const isOurs = inTransaction(database, () => {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (!stat?.isDirectory() || (path !== out && !isStray(database, name, stat.mtimeMs, now))) return false
    if (path !== out) renameSync(path, out)
    return true
  })
  if (!isOurs) return 0
  const bytes = sizeOf(out)
  rmSync(out, { recursive: true, force: true })
  return bytes
}

/** Bytes of the files below a folder; no link is followed. */
export function sizeOf(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return 0
  if (!stat.isDirectory()) return stat.size
  return namesIn(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/**
 * Gives what deleted rows had back to the disk; until then it can be read in the file.
 * @returns bytes; undefined where a run is going on, which it would hold up
 */
export function compact(database: DatabaseSync): number | undefined {
  if (database.prepare('SELECT 1 FROM leases').get() !== undefined) return undefined
  const size = () => {
    const { bytes } = database
      .prepare('SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size')
      .get() as { bytes: number }
    return bytes
  }
  const before = size()
  try {
    database.exec('VACUUM')
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (error) {
    // Somebody has begun a run.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) return undefined
    throw error
  }
  return Math.max(0, before - size())
}
