import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatDuration } from '../../util/units.ts'
import { scanFailed } from '../broken.ts'
import { lockFileRule } from '../lock-files.ts'
import { shownPath } from '../text.ts'
import { foldersOfTheirOwn, walkTree } from '../tree.ts'
import type { Subject } from '../types.ts'
import { isolated } from './isolation.ts'
import type { TrivyProgram } from './program.ts'
import { artifactOf, said, targetArguments } from './scanner.ts'

export type SbomFormat = 'cyclonedx' | 'spdx'

const formats: Readonly<Record<SbomFormat, string>> = { cyclonedx: 'cyclonedx', spdx: 'spdx-json' }

export interface Sbom {
  /** JSON. */
  readonly text: string
  /** What is not in it, for a person. */
  readonly notes: readonly string[]
}

/**
 * The software bill of materials of a repository or of a saved image, of the same files that the gates look at. Needs no
 * database and no network.
 */
export async function sbom(
  options: {
    readonly trivy: TrivyProgram
    readonly root: string
    readonly timeoutMs: number
    readonly signal?: AbortSignal
  },
  subject: Exclude<Subject, { kind: 'registry' }>,
  format: SbomFormat,
): Promise<Sbom> {
  const { trivy, root, timeoutMs, signal } = options
  return isolated([root], async (place) => {
    const output = join(place.scratch, 'sbom.json')
    const end = await trivy.run(
      [
        ...[subject.kind === 'tree' ? 'fs' : 'image', '--format', formats[format], '--output', output, '--quiet'],
        ...['--config', place.config, '--ignorefile', place.ignoreFile, '--cache-dir', place.emptyCache],
        ...[
          '--skip-db-update',
          '--skip-java-db-update',
          '--skip-version-check',
          '--offline-scan',
          '--disable-telemetry',
        ],
        ...['--timeout', `${Math.ceil(timeoutMs / 1000) + 60}s`],
        ...targetArguments(subject, subject.kind === 'tree' ? 'deps' : 'image', undefined),
      ],
      {
        ...{ cwd: place.cwd, env: place.env, reads: [artifactOf(subject)], writes: [place.folder], timeoutMs },
        ...(signal ? { signal } : {}),
      },
    )
    if (end.timedOut)
      throw scanFailed('scan-timed-out', `Trivy was stopped after ${formatDuration(timeoutMs)}`, 'run it again')
    if (end.code !== 0)
      throw scanFailed(
        'scan-failed',
        `Trivy failed with exit ${end.code}${said(end.stderr)}`,
        'the message is Trivy’s own',
      )
    return { text: checked(output, format), notes: subject.kind === 'tree' ? await leftOut(subject.root) : [] }
  })
}

/**
 * The gates look at `dev`, `proc` and `sys` by themselves, since Trivy does not; but of two lists no one can be made.
 */
async function leftOut(root: string): Promise<readonly string[]> {
  const notes: string[] = []
  for (const name of foldersOfTheirOwn(root)) {
    const { files } = await walkTree(join(root, name))
    const first = files.find(lockFileRule)
    if (first !== undefined)
      notes.push(
        `${shownPath(`${name}/${first}`)}: not in the list, since Trivy leaves out dev, proc and sys at the top; the gates do judge it`,
      )
  }
  return notes
}

/** Trivy 0.76 writes the word of the SPDX text, with a hyphen; the JSON schema of SPDX 2.3 has it with an underscore. */
const inSchema = (text: string): string =>
  text.replaceAll('"primaryPackagePurpose": "OPERATING-SYSTEM"', '"primaryPackagePurpose": "OPERATING_SYSTEM"')

/** Half a list is worse than none. */
function checked(path: string, format: SbomFormat): string {
  try {
    const text = readFileSync(path, 'utf8')
    const value = JSON.parse(text)
    if (format === 'cyclonedx' && value.bomFormat === 'CycloneDX') return text
    if (format === 'spdx' && typeof value.spdxVersion === 'string') return inSchema(text)
  } catch {
    // Said below.
  }
  throw scanFailed('no-report', 'Trivy ended without an error and without a whole list', 'run it again')
}
