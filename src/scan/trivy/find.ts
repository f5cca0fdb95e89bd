import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import coerce from 'semver/functions/coerce.js'
import lt from 'semver/functions/lt.js'
import type { ToolPin } from '../../pins/types.ts'
import { isInside } from '../../util/paths.ts'
import { run } from '../../util/process.ts'
import { listing } from '../../util/text.ts'
import { scanFailed } from '../broken.ts'
import { oneLine } from '../text.ts'
import { embeddedVersion } from './embedded-version.ts'
import { type Isolation, isolated } from './isolation.ts'

export interface FoundTrivy {
  /** Absolute, links resolved: nobody can point it elsewhere between the check and the scan. */
  readonly path: string
  readonly version: string
}

export interface FindOptions {
  /** The repository: nothing inside of it is ever run. */
  readonly root: string
  readonly pin: ToolPin
  readonly signal?: AbortSignal
}

const versionTimeoutMs = 30_000

/**
 * The Trivy of this machine: `$DWF_TRIVY`, or the first of PATH. Entries of PATH that are empty, relative or lead into
 * the repository are passed over, since a task or a repository could have planted it.
 * Rejects with a `Failure` (machine-cannot) when there is none, or none that may be used.
 */
export async function findTrivy(env: NodeJS.ProcessEnv, { root, pin, signal }: FindOptions): Promise<FoundTrivy> {
  const path = locate(env, realRoot(root))
  const wanted = `Trivy ${pin.minimum} or newer, and none of ${listing(pin.denied)}`
  const refuseDenied = (version: string) => {
    if (pin.denied.includes(version)) {
      throw scanFailed(
        'scanner-denied',
        `${path} is Trivy ${version}, a release that was hijacked`,
        `remove it, treat what it could read as leaked, and install ${wanted}`,
      )
    }
  }
  // Read from the file first: a hijacked program must not even be asked for its version.
  const embedded = await embeddedVersion(path)
  if (embedded !== undefined) refuseDenied(embedded)
  const version = await isolated(root, (isolation) => askVersion(path, isolation, signal))
  refuseDenied(version)
  if (lt(version, pin.minimum)) {
    throw scanFailed('scanner-too-old', `${path} is Trivy ${version}`, `install ${wanted}, or name one with DWF_TRIVY`)
  }
  return { path, version }
}

function realRoot(root: string): string {
  try {
    return realpathSync.native(root)
  } catch {
    return root
  }
}

function locate(env: NodeJS.ProcessEnv, root: string): string {
  const named = env.DWF_TRIVY
  if (named) {
    if (!isAbsolute(named))
      throw scanFailed(
        'scanner-path',
        `DWF_TRIVY is ${JSON.stringify(named)}, not an absolute path`,
        'give the whole path of the program',
      )
    const path = executable(named)
    if (path === undefined)
      throw scanFailed(
        'scanner-missing',
        `DWF_TRIVY names ${named}, which is not a program that can be run`,
        'correct or unset DWF_TRIVY',
      )
    if (isInside(root, path))
      throw scanFailed(
        'scanner-in-repository',
        `DWF_TRIVY names ${path}, which lies in the repository that it is to judge`,
        'install Trivy outside of it',
      )
    return path
  }
  let passedOver = 0
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue
    const path = executable(join(folder, 'trivy'))
    if (path === undefined) continue
    if (!isInside(root, path) && !isInside(root, folder)) return path
    passedOver++
  }
  const inside = passedOver > 0 ? '; the one inside the repository is not run' : ''
  throw scanFailed(
    'scanner-missing',
    `no trivy on PATH${inside}`,
    'install Trivy (https://trivy.dev), or name it with DWF_TRIVY=/path/of/trivy',
  )
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

async function askVersion(path: string, isolation: Isolation, signal: AbortSignal | undefined): Promise<string> {
  const argv = [path, '--version', '--config', isolation.config, '--cache-dir', isolation.emptyCache]
  const end = await run(argv, {
    cwd: isolation.cwd,
    env: isolation.env,
    timeoutMs: versionTimeoutMs,
    keep: 64 * 1024,
    ...(signal ? { signal } : {}),
  }).catch((error) => {
    throw scanFailed(
      'scanner-does-not-run',
      `${path} cannot be run: ${oneLine(String(error.message))}`,
      'install Trivy again',
    )
  })
  const version = coerce(/^Version:\s*v?(\d+\.\d+\.\d+\S*)\s*$/m.exec(end.stdout)?.[1] ?? '', {
    includePrerelease: true,
  })?.version
  if (end.code !== 0 || version === undefined) {
    const said = end.timedOut
      ? `no answer in ${versionTimeoutMs / 1000} s`
      : oneLine(end.stderr || end.stdout) || `exit ${end.code}`
    throw scanFailed('scanner-does-not-run', `${path} does not tell its version: ${said}`, 'install Trivy again')
  }
  return version
}
