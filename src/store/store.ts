import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Plan } from '../plan/types.ts'
import type { Locks } from '../run/types.ts'
import { failure } from '../util/diagnostics.ts'
import { insertRun, insertTasks, type NewRun, type OpenJournal, openJournal } from './journal.ts'
import { leaseOf, takeLease } from './leases.ts'
import { openLocks } from './locks.ts'
import { databaseName, hasDatabase, openDatabase, storeFailure } from './open.ts'
import { WriteQueue } from './queue.ts'
import { type DeadRun, findDead, settleDead } from './settle.ts'

/** What a run goes on with. */
export interface Resumed {
  readonly id: string
  readonly plan: Plan
  readonly image: string
  readonly options: object
  /** How many sessions the run had when it was looked at. */
  readonly sessions: number
  /** Tasks that stay as they are. */
  readonly kept: ReadonlySet<string>
  readonly at: number
}

/** The runs of a person. */
export interface Store {
  readonly database: DatabaseSync
  /** Absolute path of the database. */
  readonly file: string
  /** Begins a run: it is written together with its first event, or not at all. */
  begin(run: NewRun): OpenJournal
  /** Goes on with a run that nobody has. Written with its first event too, which fails when somebody does. */
  resume(run: Resumed): OpenJournal
  locks(run: string): Locks
  /** Runs whose dwf is gone and that were not settled yet. */
  findDead(): readonly DeadRun[]
  /** Runs whose dwf is gone, marked as interrupted by this call. */
  settleDead(): readonly DeadRun[]
  close(): void
}

/** @param folder `$XDG_STATE_HOME/dwf` */
export async function openStore(folder: string, now: () => number = Date.now): Promise<Store> {
  const database = await openDatabase(folder)
  const file = join(folder, databaseName)
  const queue = new WriteQueue(database, file)
  const guarded = <T>(action: () => T): T => {
    try {
      return action()
    } catch (error) {
      throw storeFailure(error, file)
    }
  }
  return {
    database,
    file,
    begin(run) {
      let token = 0
      const begin = () => {
        token = insertRun(database, run)
      }
      return openJournal(database, queue, { id: run.id, token: () => token, session: () => 1, begin })
    },
    resume(run) {
      let taken = { token: 0, session: 0 }
      const begin = () => {
        taken = takeOver(database, run)
      }
      return openJournal(database, queue, { id: run.id, token: () => taken.token, session: () => taken.session, begin })
    },
    locks: (run) => openLocks(database, queue, run, now),
    findDead: () => guarded(() => findDead(database, now())),
    settleDead: () => guarded(() => settleDead(database, now())),
    close() {
      queue.flush()
      database.close()
    },
  }
}

/** The store where there is one; what only looks makes none. */
export const openStoreIfAny = async (folder: string): Promise<Store | undefined> =>
  hasDatabase(folder) ? openStore(folder) : undefined

function takeOver(database: DatabaseSync, run: Resumed): { readonly token: number; readonly session: number } {
  const lease = leaseOf(database, run.id)
  if (lease)
    throw failure(
      'refused',
      'run-is-alive',
      `run ${run.id} is going on (process ${lease.pid} on ${lease.host})`,
      `dwf status ${run.id} shows it`,
    )
  const taken = database
    .prepare(
      `UPDATE runs SET state = 'running', sessions = sessions + 1, plan = ?, plan_hash = ?, image = ?, options = ?,
         ended_at = NULL WHERE id = ? AND sessions = ? RETURNING sessions`,
    )
    .get(JSON.stringify(run.plan), run.plan.hash, run.image, JSON.stringify(run.options), run.id, run.sessions) as
    | { sessions: number }
    | undefined
  if (!taken)
    throw failure(
      'refused',
      'run-went-on',
      `somebody else went on with run ${run.id} meanwhile`,
      `dwf status ${run.id} shows how it ended`,
    )
  const { sessions } = taken
  insertTasks(database, run.id, run.plan)
  const planned = new Set(run.plan.tasks.map(({ id }) => id))
  const rows = database.prepare('SELECT id FROM tasks WHERE run = ?').all(run.id) as unknown as { id: string }[]
  for (const { id } of rows) {
    if (!planned.has(id)) database.prepare('DELETE FROM tasks WHERE run = ? AND id = ?').run(run.id, id)
    if (run.kept.has(id)) continue
    database.prepare("UPDATE tasks SET state = 'waiting', attempts = 0 WHERE run = ? AND id = ?").run(run.id, id)
    database.prepare('DELETE FROM outputs WHERE run = ? AND task = ?').run(run.id, id)
  }
  return { token: takeLease(database, run.id, run.at), session: sessions }
}
