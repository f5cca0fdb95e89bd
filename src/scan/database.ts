import { lstatSync, readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { cacheFolder } from '../util/paths.ts'
import { scanFailed } from './broken.ts'
import { count, minuteOf } from './text.ts'
import { type Guarded, isGuarded, real } from './trivy/isolation.ts'
import type { Database } from './types.ts'

const hour = 3_600_000
/** Trivy's own is built every six hours; one of two days ago misses what became known since. */
export const maxAgeMs = 48 * hour
/** Clocks differ; a database from further ahead would never grow old. */
const aheadMs = 24 * hour
/** A real database has some hundred MiB. */
const testSizeLimit = 1024 * 1024

/** Where the database lies: `$DWF_TRIVY_CACHE`, or `trivy` in the cache folder; never inside the repository. */
export function databaseFolder(guarded: Guarded, env: NodeJS.ProcessEnv = process.env): string {
  const named = env.DWF_TRIVY_CACHE
  if (named && !isAbsolute(named))
    throw scanFailed(
      'database-path',
      `DWF_TRIVY_CACHE is ${JSON.stringify(named)}, not an absolute path`,
      'give the whole path of the folder',
    )
  const dir = named || join(cacheFolder(env), 'trivy')
  if (isGuarded(guarded, real(dir))) {
    throw scanFailed(
      'database-in-repository',
      `the vulnerability database would lie in the repository: ${dir}`,
      'set DWF_TRIVY_CACHE to a folder outside of it',
    )
  }
  return dir
}

/** What is in `dir/db`, by Trivy's own metadata; opens no network and changes nothing. */
export function databaseState(dir: string, now: number): Database {
  const file = lstatSync(join(dir, 'db', 'trivy.db'), { throwIfNoEntry: false })
  const text = read(join(dir, 'db', 'metadata.json'))
  if (!file && text === undefined) return { kind: 'absent', dir }
  const unreadable = (reason: string): Database => ({ kind: 'unreadable', dir, reason })
  if (!file?.isFile() || file.size === 0) return unreadable('trivy.db is missing or empty')
  if (text === undefined) return unreadable('metadata.json is missing')
  const metadata = parse(text)
  const updatedAt = typeof metadata?.UpdatedAt === 'string' ? Date.parse(metadata.UpdatedAt) : Number.NaN
  if (!metadata || Number.isNaN(updatedAt)) return unreadable('metadata.json does not say when it was made')
  if (metadata.Version !== 2) return unreadable(`it has schema ${JSON.stringify(metadata.Version)}, not 2`)
  if (updatedAt > now + aheadMs) return unreadable(`it says that it was made in the future, at ${minuteOf(updatedAt)}`)
  const test = testMark(dir, file.size)
  return { kind: 'ready', dir, updatedAt, ageMs: Math.max(0, now - updatedAt), ...(test ? { test } : {}) }
}

/** Changes whenever a database does, that for Java archives too where there is one. */
export function databaseIdentity(dir: string): string {
  return ['db/trivy.db', 'db/metadata.json', 'java-db/trivy-java.db']
    .map((path) => {
      const stat = lstatSync(join(dir, path), { bigint: true, throwIfNoEntry: false })
      return stat ? [stat.size, stat.mtimeNs, stat.ctimeNs, stat.ino].join(' ') : 'absent'
    })
    .join('; ')
}

function testMark(dir: string, size: number): { readonly entries?: number } | undefined {
  const text = read(join(dir, 'db', 'test-database.json'))
  const entries = text === undefined ? undefined : parse(text)?.entries
  if (Number.isSafeInteger(entries)) return { entries: entries as number }
  return text !== undefined || size < testSizeLimit ? {} : undefined
}

export function isStale(database: Database): boolean {
  return database.kind === 'ready' && database.ageMs > maxAgeMs
}

/** For the summary of a run: which database judged, and how old it is. */
export function describeDatabase(database: Database): string {
  switch (database.kind) {
    case 'absent':
      return `no vulnerability database in ${database.dir}`
    case 'unreadable':
      return `the vulnerability database in ${database.dir} cannot be read: ${database.reason}`
    case 'ready': {
      if (database.test) {
        const { entries } = database.test
        return `TEST DATABASE (${entries === undefined ? 'unknown number of entries' : count(entries, 'entry', 'entries')})`
      }
      return `vulnerability database of ${minuteOf(database.updatedAt)}, ${age(database.ageMs)} old`
    }
  }
}

/** `5 h`, `3 days`. */
export function age(ms: number): string {
  const hours = Math.floor(ms / hour)
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`
}

function read(path: string): string | undefined {
  try {
    return lstatSync(path).size < 64 * 1024 ? readFileSync(path, 'utf8') : ''
  } catch {
    return undefined
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
