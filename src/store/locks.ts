import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Locks, LockToken } from '../run/types.ts'
import { holds, leaseOf } from './leases.ts'
import { inTransaction, storeFailure } from './open.ts'
import type { WriteQueue } from './queue.ts'

/** Between two looks at a lock that somebody has, ms. */
const pollMs = 200

/**
 * Locks of one run. A lock belongs to a run as long as that run's dwf is there; whoever takes it next gets a higher
 * token, so that a holder that was taken for dead cannot end what it began.
 */
export function openLocks(database: DatabaseSync, queue: WriteQueue, run: string, now: () => number): Locks {
  return {
    async take(name, { signal, onWait }) {
      let hasSaid = false
      for (;;) {
        signal.throwIfAborted()
        const taken = busyIsTaken(queue.file, () => tryTake(database, name, run, now()))
        if (typeof taken === 'object') return taken
        if (!hasSaid && taken !== undefined) onWait(taken)
        hasSaid ||= taken !== undefined
        await sleep(pollMs, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    },
    release: ({ name, token }) =>
      queue.add(() => {
        database.prepare('DELETE FROM locks WHERE name = ? AND run = ? AND token = ?').run(name, run, token)
      }),
  }
}

/** A store that somebody holds for long is asked again. */
function busyIsTaken<T>(file: string, ask: () => T): T | undefined {
  try {
    return ask()
  } catch (error) {
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) return undefined
    throw storeFailure(error, file)
  }
}

/** The lock, or the run that has it. */
function tryTake(database: DatabaseSync, name: string, run: string, now: number): LockToken | string {
  return inTransaction(database, () => {
    const holder = database.prepare('SELECT run FROM locks WHERE name = ?').get(name) as { run: string } | undefined
    if (holder && holder.run !== run) {
      const lease = leaseOf(database, holder.run)
      if (lease && holds(lease, now)) return holder.run
    }
    const { last } = database
      .prepare(
        `INSERT INTO lock_tokens (name, last) VALUES (?, 1)
         ON CONFLICT (name) DO UPDATE SET last = last + 1 RETURNING last`,
      )
      .get(name) as { last: number }
    database
      .prepare('INSERT OR REPLACE INTO locks (name, run, token, taken_at) VALUES (?, ?, ?, ?)')
      .run(name, run, last, now)
    return { name, token: last }
  })
}
