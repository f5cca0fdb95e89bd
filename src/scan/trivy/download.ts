import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../util/diagnostics.ts'
import { withLock } from '../../util/lock.ts'
import { formatDuration } from '../../util/units.ts'
import { scanFailed } from '../broken.ts'
import { databaseState, isStale } from '../database.ts'
import type { Database } from '../types.ts'
import { type Guarded, isolated } from './isolation.ts'
import { networkOf } from './network.ts'
import type { TrivyProgram } from './program.ts'
import { hasJavaDatabase, said } from './scanner.ts'

/** A database of Trivy's: where it lies, and how Trivy is asked for it. */
const kinds = {
  vulnerabilities: { folder: 'db', only: '--download-db-only', repository: '--db-repository', mirror: 'DWF_TRIVY_DB' },
  java: {
    folder: 'java-db',
    only: '--download-java-db-only',
    repository: '--java-db-repository',
    mirror: 'DWF_TRIVY_JAVA_DB',
  },
} as const

export interface DownloadOptions {
  /** The vulnerability database when not given. */
  readonly kind?: keyof typeof kinds
  /** Fetch it also when the one that is there would do, and over one for tests. */
  readonly isForced?: boolean
  readonly trivy: TrivyProgram
  readonly dir: string
  readonly guarded: Guarded
  readonly env: NodeJS.ProcessEnv
  readonly now: () => number
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

export const wayOut =
  'fetch it where there is a network: trivy image --download-db-only --cache-dir DIR, and name the folder with DWF_TRIVY_CACHE=DIR'

/**
 * Lets Trivy fetch the database beside the old one, and puts it in its place when it is whole. Two that want it at the
 * same time: the second waits, and finds it done. Rejects with a `Failure` (machine-cannot).
 */
export async function downloadDatabase(options: DownloadOptions): Promise<Database> {
  const { dir, timeoutMs = 600_000, signal } = options
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const patience = AbortSignal.timeout(timeoutMs)
  try {
    return await withLock(
      join(dir, '.dwf-download.lock'),
      { signal: signal ? AbortSignal.any([signal, patience]) : patience },
      () => fetchLocked(options, timeoutMs),
    )
  } catch (error) {
    if (!patience.aborted || error instanceof Failure) throw error
    throw scanFailed(
      'database-locked',
      `another dwf is fetching the vulnerability database into ${dir} and does not end`,
      'end it, or wait',
    )
  }
}

async function fetchLocked(options: DownloadOptions, timeoutMs: number): Promise<Database> {
  const { dir, now, isForced = false, kind = 'vulnerabilities' } = options
  const { folder } = kinds[kind]
  const meanwhile = databaseState(dir, now())
  // Never over a test database unasked: somebody put it there on purpose.
  if (!isForced && meanwhile.kind === 'ready' && (meanwhile.test || !isStale(meanwhile))) return meanwhile
  removeLeftovers(dir)
  const fresh = mkdtempSync(join(dir, leftover))
  try {
    await fetchInto(fresh, { ...options, timeoutMs })
    const isWhole = kind === 'java' ? hasJavaDatabase(fresh) : databaseState(fresh, now()).kind === 'ready'
    if (!isWhole) throw scanFailed('database-download', 'Trivy ended without an error and without a database', wayOut)
    replace(join(dir, folder), join(fresh, folder), join(fresh, 'old'))
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return databaseState(dir, now())
}

const leftover = '.dwf-new-'

/** What a download left that was killed: some hundred MiB each. Called by who has the lock. */
function removeLeftovers(dir: string): void {
  for (const name of readdirSync(dir))
    if (name.startsWith(leftover)) rmSync(join(dir, name), { recursive: true, force: true })
}

async function fetchInto(fresh: string, options: DownloadOptions): Promise<void> {
  const { trivy, guarded, env, timeoutMs = 0, signal, kind = 'vulnerabilities' } = options
  const { only, repository } = kinds[kind]
  const mirror = mirrorOf(env, kind)
  const end = await isolated(guarded, (place) => {
    const args = [
      ...['image', only, '--config', place.config, '--cache-dir', fresh, '--quiet', '--skip-version-check'],
      ...['--disable-telemetry', ...(mirror === undefined ? [] : [repository, mirror])],
    ]
    return trivy.run([...args, '--timeout', `${Math.ceil(timeoutMs / 1000) + 60}s`], {
      cwd: place.cwd,
      env: { ...place.env, ...networkOf(env) },
      reads: [],
      writes: [place.folder, fresh],
      network: true,
      timeoutMs,
      ...(signal ? { signal } : {}),
    })
  })
  const what = kind === 'java' ? 'the Java database' : 'the vulnerability database'
  const from = mirror === undefined ? '' : ` from ${mirror}`
  if (end.timedOut)
    throw scanFailed('database-download', `${what} could not be fetched${from} in ${formatDuration(timeoutMs)}`, wayOut)
  if (end.code !== 0)
    throw scanFailed('database-download', `${what} could not be fetched${from}${said(end.stderr)}`, wayOut)
}

/** Where the database comes from is for the person or the machine to say, never for the repository that it judges. */
function mirrorOf(env: NodeJS.ProcessEnv, kind: keyof typeof kinds): string | undefined {
  const { mirror } = kinds[kind]
  const named = env[mirror]
  if (!named) return undefined
  if (/^[a-z0-9][A-Za-z0-9._:/@-]*$/.test(named)) return named
  throw scanFailed(
    'database-mirror',
    `${mirror} is ${JSON.stringify(named)}, no reference of a registry`,
    'such as registry.example/trivy-db:2',
  )
}

/** A scan that has the old files open keeps them. */
function replace(place: string, fresh: string, aside: string): void {
  if (existsSync(place)) renameSync(place, aside)
  renameSync(fresh, place)
}
