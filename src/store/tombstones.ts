import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { Misfit } from './audit.ts'
import { genesis } from './chain.ts'

/** What stays of a run that was pruned. */
export interface Tombstone {
  /** From 1, without a gap. */
  readonly position: number
  readonly run: string
  readonly at: number
  readonly events: number
  /** Hash of the run's last event: an export of it can be held against this. */
  readonly head: string
  readonly hash: string
}

/** Hash of a tombstone and of all before it: SHA-256, hex. */
const hashAfter = (before: string, { position, run, at, events, head }: Omit<Tombstone, 'hash'>): string =>
  createHash('sha256')
    .update(JSON.stringify([before, position, run, at, events, head]))
    .digest('hex')

export const readTombstones = (database: DatabaseSync): readonly Tombstone[] =>
  database
    .prepare('SELECT position, run, at, events, head, hash FROM tombstones ORDER BY position')
    .all() as unknown as Tombstone[]

export const tombstoneOf = (database: DatabaseSync, run: string): Tombstone | undefined =>
  database.prepare('SELECT position, run, at, events, head, hash FROM tombstones WHERE run = ?').get(run) as
    | Tombstone
    | undefined

/** Adds one behind the others; the caller is in a transaction. */
export function addTombstone(database: DatabaseSync, stone: Pick<Tombstone, 'run' | 'at' | 'events' | 'head'>): void {
  const last = database.prepare('SELECT position, hash FROM tombstones ORDER BY position DESC LIMIT 1').get() as
    | Pick<Tombstone, 'position' | 'hash'>
    | undefined
  const row = { ...stone, position: (last?.position ?? 0) + 1 }
  database
    .prepare('INSERT INTO tombstones (position, run, at, events, head, hash) VALUES (?, ?, ?, ?, ?, ?)')
    .run(row.position, row.run, row.at, row.events, row.head, hashAfter(last?.hash ?? genesis, row))
}

export interface TombstonesVerdict {
  readonly ok: boolean
  readonly tombstones: number
  /** Hash of the last one that fits. */
  readonly head: string
  readonly misfits: readonly Misfit[]
}

export function auditTombstones(stones: readonly Tombstone[]): TombstonesVerdict {
  let head = genesis
  for (const [index, stone] of stones.entries()) {
    const why =
      stone.position !== index + 1
        ? 'it is missing'
        : hashAfter(head, stone) === stone.hash
          ? undefined
          : 'its hash does not fit what it says and what came before'
    if (why !== undefined)
      return { ok: false, tombstones: stones.length, head, misfits: [{ where: `tombstone ${index + 1}`, why }] }
    head = stone.hash
  }
  return { ok: true, tombstones: stones.length, head, misfits: [] }
}
