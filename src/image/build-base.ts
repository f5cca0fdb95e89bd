import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Engine } from '../engine/types.ts'
import type { ImagePin } from '../pins/types.ts'
import { failure } from '../util/diagnostics.ts'
import { privateFolder } from '../util/paths.ts'
import { run } from '../util/process.ts'
import { type Substitute, useSubstitute } from './substitutes.ts'

export interface BuildBaseOptions {
  readonly engine: Engine
  /** The pin that the image stands in for; a Debian of another suite is refused. */
  readonly base: ImagePin
  /** YYYY-MM-DD of the lock: every time stamp in the image. */
  readonly epoch: string
  readonly stateFolder: string
  /** For the finished archive, about 150 MB, removed at the end. */
  readonly cacheFolder: string
  /**
   * For the root file system while it grows, about 500 MB; default /var/tmp. Subordinate ids must be able to reach it:
   * mmdebstrap works as one of them, and a home is closed to it.
   */
  readonly temporaryFolder?: string
  /** A mirror; default: what mmdebstrap takes, http://deb.debian.org/debian. */
  readonly mirror?: string
  readonly onLine: (line: string) => void
  readonly signal: AbortSignal
  /** ISO 8601 */
  readonly now: string
}

/** Suites by the number in the tag: mmdebstrap wants the name. */
const suites: Readonly<Record<string, string>> = { '12': 'bookworm', '13': 'trixie' }

/** As in the official slim image: no documentation, manual pages or translations; licences stay. */
const leftOut = [
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/locale/*',
]

/**
 * Makes the base image from Debian packages with mmdebstrap, without root and without an image registry, and records it
 * as the substitute for the pinned one. Its bytes depend only on the state of the Debian archive and the epoch; apt
 * checks the archive's signature with the keys of this machine.
 * @throws Failure('machine-cannot') when mmdebstrap is missing or fails, 'wrong-input' for a base that is no Debian
 */
export async function buildBase(options: BuildBaseOptions): Promise<Substitute> {
  const { engine, base } = options
  const [, number] = /\/debian:(\d+)-slim$/.exec(base.ref) ?? []
  const suite = suites[number ?? '']
  if (suite === undefined) {
    throw failure(
      'wrong-input',
      'not-debian',
      `dwf cannot make ${base.ref} from Debian packages`,
      '"dwf image use REF IMAGE" takes a local image for it',
    )
  }
  const folder = mkdtempSync(join(privateFolder(options.cacheFolder), 'base-'))
  const growing = mkdtempSync(join(options.temporaryFolder ?? '/var/tmp', 'dwf-base-'))
  try {
    chmodSync(growing, 0o711)
    // Without .tar at its end mmdebstrap would make a folder that belongs to subordinate ids.
    const tar = join(folder, 'debian.tar')
    await bootstrap(options, suite, growing, tar)
    const image = `localhost/dwf/substitute/${base.ref.slice(base.ref.lastIndexOf('/') + 1)}`
    options.onLine(`imports it as ${image}`)
    await engine.importImage(tar, image)
    const how = `Debian packages of ${suite} from ${options.mirror ?? 'deb.debian.org'}, made by dwf on this machine`
    const substitute = { ref: base.ref, image, how, created: options.now }
    useSubstitute(options.stateFolder, substitute)
    return substitute
  } finally {
    for (const one of [folder, growing]) remove(one, options.onLine)
  }
}

/** What mmdebstrap left when it was killed belongs to subordinate ids, which this account cannot remove as itself. */
function remove(folder: string, onLine: (line: string) => void): void {
  try {
    rmSync(folder, { recursive: true, force: true })
  } catch {
    onLine(`could not remove ${folder}: podman unshare rm -rf ${folder} does`)
  }
}

async function bootstrap(options: BuildBaseOptions, suite: string, growing: string, tar: string): Promise<void> {
  const argv = [
    'mmdebstrap',
    '--mode=unshare',
    '--format=tar',
    '--variant=minbase',
    '--include=ca-certificates',
    ...leftOut.map((rule) => `--dpkgopt=${rule}`),
    suite,
    tar,
    ...(options.mirror === undefined ? [] : [options.mirror]),
  ]
  const env = {
    ...process.env,
    TMPDIR: growing,
    SOURCE_DATE_EPOCH: String(Date.parse(`${options.epoch}T00:00:00Z`) / 1000),
    LC_ALL: 'C.UTF-8',
  }
  options.onLine(`makes ${suite} from Debian packages with mmdebstrap; about a minute`)
  const finished = await run(argv, { env, signal: options.signal, onLine: options.onLine, keep: 64 * 1024 }).catch(
    (error: Error) => {
      throw failure(
        'machine-cannot',
        'no-mmdebstrap',
        `cannot start mmdebstrap: ${error.message}`,
        'apt-get install mmdebstrap uidmap (as root)',
      )
    },
  )
  if (options.signal.aborted) throw failure('interrupted', 'interrupted', 'making the base image was interrupted')
  if (finished.code !== 0) {
    const said = finished.stderr
      .trim()
      .split('\n')
      .slice(-8)
      .map((line) => `    ${line}`)
      .join('\n')
    throw failure(
      'machine-cannot',
      'mmdebstrap-failed',
      `mmdebstrap ended with ${finished.code}:\n${said}`,
      hintFor(finished.stderr),
    )
  }
}

function hintFor(said: string): string {
  if (/no public key|NO_PUBKEY|keyring|not signed/i.test(said))
    return "the keys of Debian's archive are missing: apt-get install debian-archive-keyring (as root)"
  if (/newuidmap|subuid|unshare|user namespace/i.test(said))
    return 'mmdebstrap needs user namespaces and subordinate ids: dwf doctor says what is missing'
  if (/No space left/i.test(said)) return 'free about 500 MB of space'
  return 'check that a Debian mirror can be reached: http://deb.debian.org/debian'
}
