import { scanFailed } from './broken.ts'
import { age, databaseFolder, databaseState, describeDatabase, isStale } from './database.ts'
import { downloadDatabase, wayOut } from './trivy/download.ts'
import type { Guarded } from './trivy/isolation.ts'
import type { TrivyProgram } from './trivy/program.ts'
import type { Database } from './types.ts'

export interface PrepareOptions {
  readonly guarded: Guarded
  readonly trivy: TrivyProgram
  readonly env?: NodeJS.ProcessEnv
  /** Use what is there, however old, and fetch nothing. */
  readonly offline?: boolean
  readonly now?: () => number
  readonly timeoutMs?: number
  /** Told that something takes a while. */
  readonly note?: (text: string) => void
  readonly signal?: AbortSignal
}

export interface Prepared {
  readonly database: Database & { readonly kind: 'ready' }
  /** What a person must know of it beyond `describeDatabase`. */
  readonly lines: readonly string[]
}

/**
 * A database that may judge: there, readable and not older than 48 hours. Fetches one where there is none or the one
 * there is too old or damaged. Offline, an old one does, and a line says how old it is. Rejects with a `Failure`.
 */
export async function prepareDatabase(options: PrepareOptions): Promise<Prepared> {
  const { guarded, trivy, env = process.env, offline = false, now = Date.now } = options
  const dir = databaseFolder(guarded, env)
  const found = databaseState(dir, now())
  if (found.kind === 'ready' && !isStale(found)) return { database: found, lines: [] }
  if (found.kind === 'ready' && offline) {
    return {
      database: found,
      lines: [
        `the vulnerability database is ${age(found.ageMs)} old and was used since this run is offline: what became known since is not found`,
      ],
    }
  }
  if (offline)
    throw scanFailed(`database-${found.kind}`, `${describeDatabase(found)}, and an offline run fetches none`, wayOut)
  if (found.kind === 'ready' && found.test) {
    throw scanFailed(
      'database-old',
      `the ${describeDatabase(found)} is ${age(found.ageMs)} old, and is not replaced by a real one unasked`,
      `remove ${dir}/db, or make it anew`,
    )
  }
  const { timeoutMs, signal } = options
  options.note?.(`fetches the vulnerability database into ${dir}`)
  const database = await downloadDatabase({
    trivy,
    dir,
    guarded,
    env,
    now,
    ...(timeoutMs ? { timeoutMs } : {}),
    ...(signal ? { signal } : {}),
  })
  if (database.kind !== 'ready') throw scanFailed(`database-${database.kind}`, describeDatabase(database), wayOut)
  if (isStale(database))
    throw scanFailed(
      'database-old',
      `the newest vulnerability database to be had is ${age(database.ageMs)} old`,
      wayOut,
    )
  return { database, lines: [] }
}
