import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { RecordedEvent } from '../run/types.ts'
import { canonicalJson } from '../util/canonical.ts'
import { genesis, hashAfter } from './chain.ts'

/** The end of a run's chain. */
export interface Head {
  readonly sequence: number
  readonly hash: string
}

export function headOf(database: DatabaseSync, run: string): Head {
  const last = database
    .prepare('SELECT sequence, hash FROM events WHERE run = ? ORDER BY sequence DESC LIMIT 1')
    .get(run) as Head | undefined
  return last ?? { sequence: 0, hash: genesis }
}

/** Adds an event to the end of its run's chain; the new end. */
export function append(database: DatabaseSync, head: Head, event: RecordedEvent): Head {
  const { run, at, type, ...data } = event
  const { task = null, ...rest } = data as { task?: string }
  const row = { run, sequence: head.sequence + 1, at, type, task, data: canonicalJson(said(rest)) }
  const hash = hashAfter(head.hash, row)
  inserting(database).run(row.run, row.sequence, row.at, row.type, row.task, row.data, hash)
  return { sequence: row.sequence, hash }
}

/** Prepared once: it is what a run writes most. */
function inserting(database: DatabaseSync): StatementSync {
  let statement = inserts.get(database)
  if (!statement) {
    statement = database.prepare(
      'INSERT INTO events (run, sequence, at, type, task, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    inserts.set(database, statement)
  }
  return statement
}

const inserts = new WeakMap<DatabaseSync, StatementSync>()

/** The lines of a log stay in the log, and the tasks of a run have events of their own. */
function said(data: object): object {
  if (!('result' in data)) return data
  const { tail, log, id, tasks, ...result } = data.result as Record<string, unknown>
  return { ...data, result }
}
