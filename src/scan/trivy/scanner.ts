import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ScanLayer } from '../../config/commands.ts'
import { Failure } from '../../util/diagnostics.ts'
import { platform } from '../../util/platform.ts'
import { formatDuration } from '../../util/units.ts'
import { scanFailed } from '../broken.ts'
import { oneLine } from '../text.ts'
import { foldersOfTheirOwn, skippedFolders } from '../tree.ts'
import type { Scanner, ScanReport, ScanRequest, Subject } from '../types.ts'
import { type Part, translate } from './findings.ts'
import { cacheWith, type Guarded, type Isolation, isolated } from './isolation.ts'
import { networkOf } from './network.ts'
import type { CallOptions, TrivyProgram } from './program.ts'
import { readReport } from './report.ts'

/** The layers that Trivy looks at. */
export type TrivyLayer = Exclude<ScanLayer, 'code'>

const scanners: Readonly<Record<TrivyLayer, string>> = {
  deps: 'vuln',
  image: 'vuln,secret',
  config: 'misconfig',
  secrets: 'secret',
  licenses: 'license',
}

/** Files that Trivy can read, under names that it does not look for by itself. */
const filePatterns: Readonly<Partial<Record<TrivyLayer, readonly string[]>>> = {
  deps: ['npm:(^|/)npm-shrinkwrap\\.json$', 'pip:(^|/)requirements[^/]*\\.txt$'],
  licenses: ['npm:(^|/)npm-shrinkwrap\\.json$'],
  // Trivy 0.76 takes every Dockerfile.SOMETHING by itself; this does not depend on it.
  config: ['dockerfile:(^|/)Dockerfile\\.devflow$'],
}

/** Without its Java database Trivy 0.76 fails on an image with one of these, rather than to leave it out. */
const javaArchives = ['**/*.jar', '**/*.war', '**/*.ear', '**/*.par']

export interface TrivyOptions {
  readonly trivy: TrivyProgram
  /** No folder of a call lies in these. */
  readonly guarded: Guarded
  /** The folder that has the databases; without one Trivy refuses to look for vulnerabilities. */
  readonly databaseDir?: string
  /** For images in a registry: the way there. */
  readonly env?: NodeJS.ProcessEnv
}

/**
 * Trivy as a scanner. Each call is one process (and one more for each of `dev`, `proc` and `sys` in the repository) in a
 * private place. The layers do not share a call: three at once take as long as one for all, 2 s against 1.6 s for a small
 * repository with Trivy 0.76, and a missing database or a crash in one analyzer stays a failure of its own gate.
 */
export function trivyScanner(options: TrivyOptions): Scanner {
  const { trivy } = options
  const scan = async (request: ScanRequest): Promise<ScanReport> => {
    const { subject, layer } = request
    const parts: Part[] = []
    // One after the other: the first that fails ends it, and nothing is left running.
    for (const { folder, target } of partsOf(subject)) {
      const report = await isolated(options.guarded, (place) => call(options, { ...request, subject: target }, place))
      parts.push({ folder, report, ...(subject.kind === 'tree' ? {} : { image: nameOf(subject) }) })
    }
    const imageId = parts[0]?.report.ImageID
    return {
      layer,
      scanner: { name: 'trivy', version: trivy.version },
      ...(imageId === undefined ? {} : { imageId }),
      ...translate(parts, layer),
    }
  }
  return { name: 'trivy', version: trivy.version, scan }
}

function partsOf(subject: Subject): readonly { readonly folder: string; readonly target: Subject }[] {
  if (subject.kind !== 'tree') return [{ folder: '', target: subject }]
  const own = foldersOfTheirOwn(subject.root).map((name) => ({
    folder: `${name}/`,
    target: { ...subject, root: join(subject.root, name) },
  }))
  return [{ folder: '', target: subject }, ...own]
}

const nameOf = (subject: Exclude<Subject, { kind: 'tree' }>) =>
  subject.kind === 'archive' ? subject.name : subject.reference

async function call(options: TrivyOptions, request: ScanRequest, place: Isolation) {
  const { trivy, databaseDir, env = {} } = options
  const { subject, timeoutMs, signal } = request
  const layer = request.layer as TrivyLayer
  const output = join(place.scratch, 'report.json')
  const artifact = artifactOf(subject)
  const isRemote = subject.kind === 'registry'
  const needsDatabase = layer === 'deps' || layer === 'image'
  const callOptions: CallOptions = {
    cwd: place.cwd,
    env: isRemote ? { ...place.env, ...networkOf(env) } : place.env,
    reads: [...(isRemote ? [] : [artifact]), ...(needsDatabase && databaseDir ? [databaseDir] : [])],
    writes: [place.folder],
    network: isRemote,
    timeoutMs,
    ...(signal ? { signal } : {}),
  }
  const args = scanArguments({ subject, layer, place, databaseDir, output, timeoutMs })
  const end = await trivy.run(args, callOptions).catch((error) => {
    if (error instanceof Failure) throw error
    throw scanFailed(
      'scanner-does-not-run',
      `${trivy.place} cannot be run: ${oneLine(String(error.message))}`,
      'install Trivy again',
    )
  })
  if (end.timedOut)
    throw scanFailed(
      'scan-timed-out',
      `Trivy was stopped after ${formatDuration(timeoutMs)}`,
      'look for what is large in it',
    )
  if (signal?.aborted) throw scanFailed('scan-cancelled', 'the scan was stopped', 'run it again')
  if (end.code !== 0) {
    const how = end.signal ? `was ended by ${end.signal}` : `failed with exit ${end.code}`
    throw scanFailed('scan-failed', `Trivy ${how}${said(end.stderr)}`, 'run it again; the message is Trivy’s own')
  }
  return readReport(output, { artifact, version: trivy.version })
}

/** What Trivy is given, and calls the artifact in its report. */
export const artifactOf = (subject: Subject) =>
  subject.kind === 'tree' ? subject.root : subject.kind === 'archive' ? subject.path : subject.reference

interface Arguments {
  readonly subject: Subject
  readonly layer: TrivyLayer
  readonly place: Isolation
  readonly databaseDir: string | undefined
  readonly output: string
  readonly timeoutMs: number
}

/** All that decides what is found is said here: Trivy's defaults for it lie in files and variables. */
export function scanArguments({ subject, layer, place, databaseDir, output, timeoutMs }: Arguments): readonly string[] {
  const isTree = subject.kind === 'tree'
  const needsDatabase = layer === 'deps' || layer === 'image'
  return [
    ...[isTree ? 'fs' : 'image', '--scanners', scanners[layer]],
    ...['--format', 'json', '--output', output, '--exit-code', '0', '--quiet'],
    ...['--config', place.config, '--ignorefile', place.ignoreFile],
    ...['--secret-config', isTree ? place.secretConfig : place.secretConfigOfImages],
    ...['--cache-dir', needsDatabase && databaseDir ? cacheWith(place, databaseDir) : place.emptyCache],
    ...['--skip-db-update', '--skip-java-db-update', '--skip-check-update', '--skip-version-check', '--offline-scan'],
    '--disable-telemetry',
    ...['--severity', 'UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL'],
    // Trivy's own limit, later than dwf's: without it, Trivy stops after 5 minutes.
    ...['--timeout', `${Math.ceil(timeoutMs / 1000) + 60}s`],
    // The user, the environment and the history that the image itself states.
    ...(isTree ? [] : ['--image-config-scanners', 'misconfig,secret']),
    ...targetArguments(subject, layer, databaseDir),
  ]
}

/** What of a subject is looked at, and the subject itself: the last of all arguments. */
export function targetArguments(
  subject: Subject,
  layer: TrivyLayer,
  databaseDir: string | undefined,
): readonly string[] {
  const patterns = (filePatterns[layer] ?? []).flatMap((pattern) => ['--file-patterns', pattern])
  if (subject.kind === 'tree') {
    const skipped = skippedFolders.flatMap((folder) => ['--skip-dirs', folder])
    // What builds and tests the project runs with its secrets; npm's own audit counts it too.
    return ['--include-dev-deps', ...skipped, ...patterns, subject.root]
  }
  return [
    ...patterns,
    ...(hasJavaDatabase(databaseDir) ? [] : javaArchives.flatMap((pattern) => ['--skip-files', pattern])),
    ...(subject.kind === 'archive' ? ['--input', subject.path] : ['--image-src', 'remote', '--platform', platform()]),
    ...(subject.kind === 'archive' ? [] : [subject.reference]),
  ]
}

export const hasJavaDatabase = (databaseDir: string | undefined): boolean =>
  databaseDir !== undefined && existsSync(join(databaseDir, 'java-db', 'trivy-java.db'))

/** The last line of what Trivy said, without its time stamp. */
export function said(stderr: string): string {
  const line = stderr
    .trim()
    .split('\n')
    .filter((one) => one.trim() !== '')
    .at(-1)
  return line ? `: ${oneLine(line.replace(/^\d{4}-\d\d-\d\dT\S+\s+/, ''), 400)}` : ''
}
