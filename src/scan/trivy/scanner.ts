import { join } from 'node:path'
import type { ScanLayer } from '../../config/commands.ts'
import { run } from '../../util/process.ts'
import { formatDuration } from '../../util/units.ts'
import { scanFailed } from '../broken.ts'
import { oneLine } from '../text.ts'
import { foldersOfTheirOwn, skippedFolders } from '../tree.ts'
import type { Scanner, ScanReport, ScanRequest } from '../types.ts'
import type { FoundTrivy } from './find.ts'
import { translate } from './findings.ts'
import { type Isolation, isolated } from './isolation.ts'
import { readReport } from './report.ts'

const scanners: Readonly<Record<ScanLayer, string>> = { deps: 'vuln', secrets: 'secret', config: 'misconfig' }

/** Files that Trivy can read, under names that it does not look for by itself. */
const filePatterns: Readonly<Record<ScanLayer, readonly string[]>> = {
  deps: ['npm:(^|/)npm-shrinkwrap\\.json$', 'pip:(^|/)requirements[^/]*\\.txt$'],
  secrets: [],
  // Trivy 0.76 takes every Dockerfile.SOMETHING by itself; this does not depend on it.
  config: ['dockerfile:(^|/)Dockerfile\\.devflow$'],
}

export interface TrivyOptions {
  readonly trivy: FoundTrivy
  /** The cache folder that has the database; only the layer deps reads it, and without one Trivy refuses to work. */
  readonly databaseDir?: string
}

/**
 * Trivy as a scanner. Each call is one process (and one more for each of `dev`, `proc` and `sys` in the repository) in a
 * private place. The layers do not share a call: three at once take as long as one for all, 2 s against 1.6 s for a small
 * repository with Trivy 0.76, and a missing database or a crash in one analyzer stays a failure of its own gate.
 */
export function trivyScanner({ trivy, databaseDir }: TrivyOptions): Scanner {
  const scan = async (request: ScanRequest): Promise<ScanReport> => {
    const { root, layer } = request
    const folders = ['', ...foldersOfTheirOwn(root).map((name) => `${name}/`)]
    // One after the other: the first that fails ends it, and nothing is left running.
    const reports = []
    for (const folder of folders) {
      const target = folder === '' ? root : join(root, folder.slice(0, -1))
      reports.push({
        folder,
        report: await isolated(root, (place) => call(trivy, databaseDir, { ...request, root: target }, place)),
      })
    }
    return { layer, scanner: { name: 'trivy', version: trivy.version }, ...translate(reports, layer) }
  }
  return { name: 'trivy', version: trivy.version, scan }
}

async function call(trivy: FoundTrivy, databaseDir: string | undefined, request: ScanRequest, place: Isolation) {
  const { root, layer, timeoutMs, signal } = request
  const output = join(place.scratch, 'report.json')
  const end = await run([trivy.path, ...scanArguments({ layer, place, databaseDir, output, timeoutMs }), root], {
    cwd: place.cwd,
    env: place.env,
    timeoutMs,
    keep: 256 * 1024,
    ...(signal ? { signal } : {}),
  }).catch((error) => {
    throw scanFailed(
      'scanner-does-not-run',
      `${trivy.path} cannot be run: ${oneLine(String(error.message))}`,
      'install Trivy again',
    )
  })
  if (end.timedOut)
    throw scanFailed(
      'scan-timed-out',
      `Trivy was stopped after ${formatDuration(timeoutMs)}`,
      'look for what is large in the repository',
    )
  if (signal?.aborted) throw scanFailed('scan-cancelled', 'the scan was stopped', 'run it again')
  if (end.code !== 0) {
    const how = end.signal ? `was ended by ${end.signal}` : `failed with exit ${end.code}`
    throw scanFailed('scan-failed', `Trivy ${how}${said(end.stderr)}`, 'run it again; the message is Trivy’s own')
  }
  return readReport(output, { artifact: root, version: trivy.version })
}

interface Arguments {
  readonly layer: ScanLayer
  readonly place: Isolation
  readonly databaseDir: string | undefined
  readonly output: string
  readonly timeoutMs: number
}

/** All that decides what is found is said here: Trivy's defaults for it lie in files and variables. */
export function scanArguments({ layer, place, databaseDir, output, timeoutMs }: Arguments): readonly string[] {
  return [
    ...['fs', '--scanners', scanners[layer], '--format', 'json', '--output', output, '--exit-code', '0', '--quiet'],
    ...['--config', place.config, '--ignorefile', place.ignoreFile, '--secret-config', place.secretConfig],
    ...['--cache-dir', layer === 'deps' && databaseDir ? databaseDir : place.emptyCache],
    ...['--skip-db-update', '--skip-java-db-update', '--skip-check-update', '--skip-version-check', '--offline-scan'],
    '--disable-telemetry',
    // What builds and tests the project runs with its secrets; npm's own audit counts it too.
    '--include-dev-deps',
    ...['--severity', 'UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL'],
    // Trivy's own limit, later than dwf's: without it, Trivy stops after 5 minutes.
    ...['--timeout', `${Math.ceil(timeoutMs / 1000) + 60}s`],
    ...skippedFolders.flatMap((folder) => ['--skip-dirs', folder]),
    ...filePatterns[layer].flatMap((pattern) => ['--file-patterns', pattern]),
  ]
}

/** The last line of what Trivy said, without its time stamp. */
export function said(stderr: string): string {
  const line = stderr
    .trim()
    .split('\n')
    .filter((one) => one.trim() !== '')
    .at(-1)
  return line ? `: ${oneLine(line.replace(/^\d{4}-\d\d-\d\dT\S+\s+/, ''), 400)}` : ''
}
