import { scanFailed } from './broken.ts'
import { age, databaseFolder, databaseState, describeDatabase, isStale } from './database.ts'
import { downloadDatabase, wayOut } from './trivy/download.ts'
import type { FoundTrivy } from './trivy/find.ts'
import type { Database } from './types.ts'

export interface PrepareOptions {
  readonly root: string
  readonly trivy: FoundTrivy
  readonly env?: NodeJS.ProcessEnv
  /** Use what is there, however old, and fetch nothing. */
  readonly offline?: boolean
  readonly now?: () => number
  readonly timeoutMs?: number
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
  const { root, trivy, env = process.env, offline = false, now = Date.now } = options
  const dir = databaseFolder(root, env)
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
  const database = await downloadDatabase({
    trivy,
    dir,
    root,
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
