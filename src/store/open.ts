import { chmodSync, closeSync, existsSync, lstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { Failure, failure } from '../util/diagnostics.ts'
import { privateFolder } from '../util/paths.ts'
import { migrations } from './schema.ts'

export const databaseName = 'dwf.db'

/** How long a writer waits for another one, ms: a transaction of dwf takes well under one. */
const patience = 10_000

/**
 * The one database of a person, made when it is not there: mode 0600 in a folder that only they can enter, write-ahead
 * log, and every commit on the disk before it counts.
 * @param folder `$XDG_STATE_HOME/dwf`
 * @throws Failure('machine-cannot') when it cannot be opened or written, 'refused' when somebody else could write it
 */
export async function openDatabase(folder: string): Promise<DatabaseSync> {
  const sqlite = await loadSqlite()
  const file = join(folder, databaseName)
  try {
    privateFolder(folder)
    keepPrivate(file)
    const database = new sqlite.DatabaseSync(file, { enableForeignKeyConstraints: true })
    database.exec(`PRAGMA busy_timeout = ${patience}`)
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    migrate(database, file)
    return database
  } catch (error) {
    throw storeFailure(error, file)
  }
}

/** Whether there is a database at all: what only looks must not make one. */
export const hasDatabase = (folder: string): boolean => existsSync(join(folder, databaseName))

/** Node 22 and 24 say that SQLite is experimental each time it is loaded: that one warning is not shown. */
async function loadSqlite(): Promise<typeof import('node:sqlite')> {
  const { emitWarning } = process
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature'))
      (emitWarning as (...all: unknown[]) => void).call(process, warning, ...rest)
  }) as typeof process.emitWarning
  try {
    return await import('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

/** SQLite gives its log and its index the mode of the database. A looser mode is mended; a foreign file is refused. */
function keepPrivate(file: string): void {
  for (const path of [file, `${file}-wal`, `${file}-shm`]) {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (!stat) continue
    if (!stat.isFile() || (process.getuid && stat.uid !== process.getuid()))
      throw failure(
        'refused',
        'store-open',
        `${path} is ${stat.isFile() ? "somebody else's" : 'not a plain file'}: it could have been written by somebody else`,
        'look at it, and move it away',
      )
    if ((stat.mode & 0o077) !== 0) chmodSync(path, 0o600)
  }
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600))
}

function migrate(database: DatabaseSync, file: string): void {
  const version = () => (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version
  if (version() === migrations.length) return
  inTransaction(database, () => {
    // Another process may have done it while this one waited.
    const has = version()
    if (has > migrations.length)
      throw failure(
        'machine-cannot',
        'store-newer',
        `${file} was written by a newer dwf (version ${has} of the store; this one knows ${migrations.length})`,
        'use the newer dwf',
      )
    for (const step of migrations.slice(has)) database.exec(step)
    database.exec(`PRAGMA user_version = ${migrations.length}`)
  })
}

/** All of `action` or nothing of it; writers wait for each other. */
export function inTransaction<T>(database: DatabaseSync, action: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = action()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk may have ended the transaction already.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}

const meanings: Readonly<Record<number, readonly [says: string, hint: string]>> = {
  5: ['another dwf has held it for too long', 'wait for the other one, or end it'],
  6: ['another dwf has held it for too long', 'wait for the other one, or end it'],
  8: ['it cannot be written', 'make the folder and its files writable for this account'],
  10: ['the disk does not answer', 'look at the disk; dwf health says what is left'],
  11: ['it is damaged', 'dwf health says what; restore a backup, or move it away'],
  13: ['no space is left', 'free some: dwf prune:runs --dry-run says what goes'],
  14: ['it cannot be opened', 'make the folder and its files writable for this account'],
  26: ['it is no database', 'move it away'],
}

/** What SQLite says, for a person. Anything else is thrown as it is. */
export function storeFailure(error: unknown, file: string): unknown {
  if (error instanceof Failure) return error
  const { code, errcode, message } = error as { code?: string; errcode?: number; message?: string }
  if (code !== 'ERR_SQLITE_ERROR') return error
  const [says, hint] = meanings[(errcode ?? 0) & 0xff] ?? [message ?? 'it does not work', 'dwf health looks at it']
  return failure('machine-cannot', 'store', `the store of runs cannot be used: ${says} (${file})`, hint)
}
