import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isInside } from '../../util/paths.ts'
import { withTemporary } from '../../util/temporary.ts'
import { scanFailed } from '../broken.ts'

/** A private place for one call of Trivy, gone afterwards. */
export interface Isolation {
  /** All of it; what a scanner in a container may write. */
  readonly folder: string
  /** Empty: without `--config`, Trivy reads trivy.yaml of its working directory, and .trivyignore whatever happens. */
  readonly cwd: string
  readonly config: string
  readonly ignoreFile: string
  readonly secretConfig: string
  /** The same for images, where Trivy's rules for paths of images are right. */
  readonly secretConfigOfImages: string
  /** A cache without anything in it: then Trivy uses the checks that it was built with, the same on every machine. */
  readonly emptyCache: string
  /** For whatever else the call needs, such as the report. */
  readonly scratch: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * Nobody listens on port 0. Trivy 0.76 downloads the modules that Terraform files name, even with `--offline-scan`
 * (pkg/iac/scanners/terraform/parser/resolvers/remote.go): a repository must not make this machine talk to anyone. The
 * empty PATH keeps it from `git` and `hg`, which the same code would start.
 */
const nowhere = 'http://127.0.0.1:0'

/** A cache that holds nothing but the databases that are there: what else a cache holds could decide what is found. */
export function cacheWith(place: Isolation, databaseDir: string): string {
  for (const name of ['db', 'java-db'])
    if (existsSync(join(databaseDir, name)))
      symlinkSync(realpathSync.native(join(databaseDir, name)), join(place.emptyCache, name))
  return place.emptyCache
}

/** Rules of Trivy that leave out paths of container images: in a repository such a path is one like any other. */
const imagePathRules = ['usr-dirs', 'node.js', 'golang', 'python', 'rubygems', 'wordpress', 'anaconda-log']

/**
 * Folders in which nothing may lie that decides what is found, and nothing is run: the repository, and where a copy of it
 * is scanned the copy, too. What is judged, or the tasks of an earlier run, could have put it there.
 */
export type Guarded = readonly string[]

export function isGuarded(guarded: Guarded, path: string): boolean {
  return guarded.some((folder) => isInside(real(folder), path))
}

/** Calls `use` with a private place outside of what is judged, and removes it whatever happens. */
export function isolated<T>(guarded: Guarded, use: (isolation: Isolation) => Promise<T>): Promise<T> {
  return withTemporary(async (place) => {
    if (isGuarded(guarded, place)) {
      throw scanFailed(
        'scan-folder-in-repository',
        `the folder for temporary files lies in the repository: ${place}`,
        'set TMPDIR to a folder outside of it',
      )
    }
    return use(prepare(place))
  })
}

/** The nearest ancestor that is there with its links resolved, and the rest of the path. */
export function real(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    const parent = join(path, '..')
    return parent === path ? path : join(real(parent), path.slice(parent.length))
  }
}

function prepare(place: string): Isolation {
  const folder = (name: string): string => {
    mkdirSync(join(place, name), { mode: 0o700 })
    return join(place, name)
  }
  const file = (name: string, text: string): string => {
    writeFileSync(join(place, name), text, { mode: 0o600, flag: 'wx' })
    return join(place, name)
  }
  return {
    folder: place,
    cwd: folder('cwd'),
    scratch: folder('scratch'),
    emptyCache: folder('cache'),
    config: file('trivy.yaml', ''),
    ignoreFile: file('trivyignore', ''),
    // Trivy passes over a file of the repository whose path is the end of this one; nobody can guess it.
    secretConfig: file(
      `secret-${randomBytes(8).toString('hex')}.yaml`,
      `disable-allow-rules: [${imagePathRules.join(', ')}]\n`,
    ),
    secretConfigOfImages: file(`secret-${randomBytes(8).toString('hex')}.yaml`, '{}\n'),
    env: {
      HOME: folder('home'),
      TMPDIR: folder('tmp'),
      PATH: folder('path'),
      ...Object.fromEntries(
        ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'].map((name) => [
          name,
          nowhere,
        ]),
      ),
      NO_PROXY: '',
      no_proxy: '',
      // For modules in the stores of AWS and Google, the same code asks the cloud's own metadata service, past any proxy:
      // seconds of waiting on a laptop, credentials in a cloud.
      AWS_EC2_METADATA_DISABLED: 'true',
      GOOGLE_APPLICATION_CREDENTIALS: join(place, 'no-such-file'),
    },
  }
}
