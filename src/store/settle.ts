import type { DatabaseSync } from 'node:sqlite'
import { append, headOf } from './append.ts'
import { holds, type LeaseRow } from './leases.ts'
import { inTransaction } from './open.ts'

/** A run whose dwf went away: killed, or lost with its machine. */
export interface DeadRun {
  readonly id: string
  /** Which session of it. */
  readonly session: number
  /** The engine that may still have containers of it. */
  readonly engine?: string
}

/** Runs of owners that are gone, and whose lease is still there: what they left has to be ended first. */
export function findDead(database: DatabaseSync, now: number): readonly DeadRun[] {
  return deadLeases(database, now).map(({ run, token }) => {
    const row = database.prepare('SELECT engine FROM runs WHERE id = ?').get(run) as { engine: string | null }
    return { id: run, session: token, ...(row.engine === null ? {} : { engine: row.engine }) }
  })
}

function deadLeases(database: DatabaseSync, now: number): readonly LeaseRow[] {
  const all = database.prepare('SELECT * FROM leases').all() as unknown as readonly LeaseRow[]
  return all.filter((lease) => !holds(lease, now))
}

/** Marks the runs of dead owners as interrupted, frees their locks, and keeps everything else. */
export function settleDead(database: DatabaseSync, now: number): readonly DeadRun[] {
  const dead = deadLeases(database, now)
  if (dead.length === 0) return []
  return inTransaction(database, () =>
    dead.flatMap((lease): DeadRun[] => {
      const { run, token, pid, host, heartbeat } = lease
      // Another dwf may have settled it while this one waited, and a third may be resuming it.
      const { changes } = database.prepare('DELETE FROM leases WHERE run = ? AND token = ?').run(run, token)
      if (changes === 0) return []
      append(database, headOf(database, run), { type: 'run-interrupted', run, at: now, pid, host })
      const { engine } = database
        .prepare("UPDATE runs SET state = 'interrupted', ended_at = ? WHERE id = ? RETURNING engine")
        .get(heartbeat, run) as { engine: string | null }
      for (const table of ['tasks', 'attempts'])
        database
          .prepare(`UPDATE ${table} SET state = 'interrupted', ended_at = ? WHERE run = ? AND state = 'running'`)
          .run(heartbeat, run)
      database.prepare('DELETE FROM locks WHERE run = ?').run(run)
      return [{ id: run, session: token, ...(engine === null ? {} : { engine }) }]
    }),
  )
}
