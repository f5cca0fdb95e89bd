import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import coerce from 'semver/functions/coerce.js'
import lt from 'semver/functions/lt.js'
import type { ToolPin } from '../../pins/types.ts'
import { Failure } from '../../util/diagnostics.ts'
import { platform } from '../../util/platform.ts'
import { listing } from '../../util/text.ts'
import { scanFailed } from '../broken.ts'
import { oneLine } from '../text.ts'
import { type Guarded, type Isolation, isGuarded, isolated } from './isolation.ts'
import { knownProgram, rememberVersion } from './known-programs.ts'
import { localProgram, programInImage, type ToolRunner, type TrivyProgram } from './program.ts'

export interface FindOptions {
  /** Nothing inside of these is ever run. */
  readonly guarded: Guarded
  readonly pin: ToolPin
  /** To run the image that devflow.lock names, where no program is installed. */
  readonly tools?: ToolRunner
  readonly signal?: AbortSignal
}

const versionTimeoutMs = 30_000

/**
 * The Trivy of this machine: `$DWF_TRIVY`, or the first of PATH, or the image that devflow.lock names. Entries of PATH
 * that are empty, relative or lead into the repository are passed over, since a task or a repository could have planted
 * it. Rejects with a `Failure` (machine-cannot) when there is none, or none that may be used.
 */
export async function findTrivy(env: NodeJS.ProcessEnv, options: FindOptions): Promise<TrivyProgram> {
  const { guarded, pin } = options
  const found = locate(env, guarded)
  if (found.path !== undefined) return installed(found.path, env, options)
  if (pin.image !== undefined && options.tools) return inImage(pin.image, options.tools, options)
  throw scanFailed(
    'scanner-missing',
    `no trivy on PATH${found.passedOver ? '; the one inside the repository is not run' : ''}`,
    'install Trivy (https://trivy.dev), or name it with DWF_TRIVY=/path/of/trivy',
  )
}

async function installed(path: string, env: NodeJS.ProcessEnv, options: FindOptions): Promise<TrivyProgram> {
  const { guarded, pin, signal } = options
  // Read from the file first: a hijacked program must not even be asked for its version.
  const known = await knownProgram(path, env)
  if (known.embedded !== undefined) refuseDenied(path, known.embedded, pin)
  refuseOther(path, known.sha256, pin)
  const program = (version: string) => localProgram(path, version, `sha256:${known.sha256}`)
  const version = known.version ?? (await isolated(guarded, (place) => askVersion(program(''), place, signal)))
  if (known.version === undefined) rememberVersion(path, env, known, version)
  refuseVersion(path, version, pin)
  return program(version)
}

async function inImage(reference: string, tools: ToolRunner, options: FindOptions): Promise<TrivyProgram> {
  const { guarded, pin, signal } = options
  const tag = /:([^:@/]+)@/.exec(reference)?.[1] ?? ''
  refuseDenied(reference, tag.replace(/^v/, ''), pin)
  const image = await tools.ready(reference, signal)
  const version = await isolated(guarded, (place) => askVersion(programInImage(tools, image, ''), place, signal))
  refuseVersion(reference, version, pin)
  return programInImage(tools, image, version)
}

const wanted = (pin: ToolPin) => `Trivy ${pin.minimum} or newer, and none of ${listing(pin.denied)}`

function refuseDenied(place: string, version: string, pin: ToolPin): void {
  if (!pin.denied.includes(version)) return
  throw scanFailed(
    'scanner-denied',
    `${place} is Trivy ${version}, a release that was hijacked`,
    `remove it, treat what it could read as leaked, and install ${wanted(pin)}`,
  )
}

function refuseVersion(place: string, version: string, pin: ToolPin): void {
  refuseDenied(place, version, pin)
  if (lt(version, pin.minimum))
    throw scanFailed(
      'scanner-too-old',
      `${place} is Trivy ${version}`,
      `install ${wanted(pin)}, or name one with DWF_TRIVY`,
    )
}

/** Where devflow.lock names the very program for this platform, no other will do. */
function refuseOther(path: string, sha256: string, pin: ToolPin): void {
  const here = `${platform(process.platform)}:sha256:`
  const named = (pin.checksums ?? []).filter((one) => one.startsWith(here))
  if (named.length === 0 || named.includes(here + sha256)) return
  throw scanFailed(
    'scanner-checksum',
    `${path} is not the Trivy that devflow.lock names: its checksum is ${sha256}`,
    'install the one that is named; where it was replaced on purpose, dwf pin trivy notes the new one',
  )
}

interface Located {
  readonly path?: string
  /** There is one inside the repository. */
  readonly passedOver: boolean
}

function locate(env: NodeJS.ProcessEnv, guarded: Guarded): Located {
  if (env.DWF_TRIVY) return { path: named(env.DWF_TRIVY, guarded), passedOver: false }
  let passedOver = false
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const path = executable(join(folder, 'trivy'))
    if (path === undefined) continue
    if (!isGuarded(guarded, path) && !isGuarded(guarded, folder)) return { path, passedOver }
    passedOver = true
  }
  return { passedOver }
}

function named(name: string, guarded: Guarded): string {
  if (!isAbsolute(name))
    throw scanFailed(
      'scanner-path',
      `DWF_TRIVY is ${JSON.stringify(name)}, not an absolute path`,
      'give the whole path of the program',
    )
  const path = executable(name)
  if (path === undefined)
    throw scanFailed(
      'scanner-missing',
      `DWF_TRIVY names ${name}, which is not a program that can be run`,
      'correct or unset DWF_TRIVY',
    )
  if (isGuarded(guarded, path))
    throw scanFailed(
      'scanner-in-repository',
      `DWF_TRIVY names ${path}, which lies in the repository that it is to judge`,
      'install Trivy outside of it',
    )
  return path
}

function executable(path: string): string | undefined {
  try {
    const real = realpathSync.native(path)
    accessSync(real, constants.X_OK)
    return statSync(real).isFile() ? real : undefined
  } catch {
    return undefined
  }
}

async function askVersion(program: TrivyProgram, place: Isolation, signal: AbortSignal | undefined): Promise<string> {
  const end = await program
    .run(['--version', '--config', place.config, '--cache-dir', place.emptyCache], {
      ...{ cwd: place.cwd, env: place.env, reads: [], writes: [place.folder], timeoutMs: versionTimeoutMs },
      ...(signal ? { signal } : {}),
    })
    .catch((error) => {
      if (error instanceof Failure) throw error
      throw scanFailed(
        'scanner-does-not-run',
        `${program.place} cannot be run: ${oneLine(String(error.message))}`,
        'install Trivy again',
      )
    })
  const version = coerce(/^Version:\s*v?(\d+\.\d+\.\d+\S*)\s*$/m.exec(end.stdout)?.[1] ?? '', {
    includePrerelease: true,
  })?.version
  if (end.code === 0 && version !== undefined) return version
  const said = end.timedOut
    ? `no answer in ${versionTimeoutMs / 1000} s`
    : oneLine(end.stderr || end.stdout) || `exit ${end.code}`
  throw scanFailed('scanner-does-not-run', `${program.place} does not tell its version: ${said}`, 'install Trivy again')
}
