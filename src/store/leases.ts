import type { DatabaseSync } from 'node:sqlite'
import { isAlive, type LockHolder, thisProcess } from '../util/lock.ts'

/** How often a run says that it is alive, ms. */
export const heartbeatMs = 5_000

/** A holder on another machine, with which a folder is shared, is only known by its heartbeat: this old is dead, ms. */
const silenceMs = 5 * 60_000

export interface LeaseRow extends LockHolder {
  readonly run: string
  readonly token: number
  readonly heartbeat: number
}

/** On this machine a process is there or is not, whatever the time; elsewhere its heartbeat has to do. */
export function holds(lease: LeaseRow, now: number): boolean {
  if (lease.host === thisProcess().host) return isAlive(lease)
  return now - lease.heartbeat < silenceMs
}

/** Makes this process the one that may write a run. */
export function takeLease(database: DatabaseSync, run: string, now: number): number {
  const { pid, started, host } = thisProcess()
  const { token } = database
    .prepare(
      `INSERT INTO leases (run, token, pid, started, host, heartbeat)
       VALUES (?1, (SELECT sessions FROM runs WHERE id = ?1), ?2, ?3, ?4, ?5) RETURNING token`,
    )
    .get(run, pid, started, host, now) as { token: number }
  return token
}

export const leaseOf = (database: DatabaseSync, run: string): LeaseRow | undefined =>
  database.prepare('SELECT * FROM leases WHERE run = ?').get(run) as LeaseRow | undefined
