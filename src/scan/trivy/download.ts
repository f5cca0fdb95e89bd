import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../../util/diagnostics.ts'
import { withLock } from '../../util/lock.ts'
import { run } from '../../util/process.ts'
import { formatDuration } from '../../util/units.ts'
import { scanFailed } from '../broken.ts'
import { databaseState, isStale } from '../database.ts'
import type { Database } from '../types.ts'
import type { FoundTrivy } from './find.ts'
import { isolated } from './isolation.ts'
import { said } from './scanner.ts'

export interface DownloadOptions {
  readonly trivy: FoundTrivy
  readonly dir: string
  readonly root: string
  readonly env: NodeJS.ProcessEnv
  readonly now: () => number
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** What the way to the registry needs, and nothing else of the person's environment. */
const network = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]

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
  const { dir, now } = options
  const meanwhile = databaseState(dir, now())
  // Never over a test database: somebody put it there on purpose.
  if (meanwhile.kind === 'ready' && (meanwhile.test || !isStale(meanwhile))) return meanwhile
  const fresh = mkdtempSync(join(dir, '.dwf-new-'))
  try {
    await fetchInto(fresh, { ...options, timeoutMs })
    const state = databaseState(fresh, now())
    if (state.kind !== 'ready')
      throw scanFailed('database-download', 'Trivy ended without an error and without a database', wayOut)
    replace(join(dir, 'db'), join(fresh, 'db'), join(fresh, 'old'))
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return databaseState(dir, now())
}

async function fetchInto(fresh: string, { trivy, root, env, timeoutMs = 0, signal }: DownloadOptions): Promise<void> {
  const end = await isolated(root, (place) => {
    const { HOME, TMPDIR, PATH } = place.env
    const ways = Object.fromEntries(network.flatMap((name) => (env[name] ? [[name, env[name]]] : [])))
    const argv = [
      trivy.path,
      'image',
      '--download-db-only',
      '--config',
      place.config,
      '--cache-dir',
      fresh,
      '--quiet',
      '--skip-version-check',
      '--disable-telemetry',
    ]
    return run([...argv, '--timeout', `${Math.ceil(timeoutMs / 1000) + 60}s`], {
      cwd: place.cwd,
      env: { HOME, TMPDIR, PATH, ...ways },
      timeoutMs,
      keep: 256 * 1024,
      ...(signal ? { signal } : {}),
    })
  })
  if (end.timedOut)
    throw scanFailed(
      'database-download',
      `the vulnerability database could not be fetched in ${formatDuration(timeoutMs)}`,
      wayOut,
    )
  if (end.code !== 0)
    throw scanFailed('database-download', `the vulnerability database could not be fetched${said(end.stderr)}`, wayOut)
}

/** A scan that has the old files open keeps them. */
function replace(place: string, fresh: string, aside: string): void {
  if (existsSync(place)) renameSync(place, aside)
  renameSync(fresh, place)
}
