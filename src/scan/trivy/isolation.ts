import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isInside } from '../../util/paths.ts'
import { scanFailed } from '../broken.ts'

/** A private place for one call of Trivy, gone afterwards. */
export interface Isolation {
  /** Empty: without `--config`, Trivy reads trivy.yaml of its working directory, and .trivyignore whatever happens. */
  readonly cwd: string
  readonly config: string
  readonly ignoreFile: string
  readonly secretConfig: string
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

/** Rules of Trivy that leave out paths of container images: in a repository such a path is one like any other. */
const imagePathRules = ['usr-dirs', 'node.js', 'golang', 'python', 'rubygems', 'wordpress', 'anaconda-log']

/** Calls `use` with a private place outside of the repository, and removes it whatever happens. */
export async function isolated<T>(root: string, use: (isolation: Isolation) => Promise<T>): Promise<T> {
  const place = realpathSync.native(mkdtempSync(join(tmpdir(), 'dwf-scan-')))
  try {
    if (isInside(realpathSync.native(root), place)) {
      throw scanFailed(
        'scan-folder-in-repository',
        `the folder for temporary files lies in the repository: ${place}`,
        'set TMPDIR to a folder outside of it',
      )
    }
    return await use(prepare(place))
  } finally {
    rmSync(place, { recursive: true, force: true })
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
