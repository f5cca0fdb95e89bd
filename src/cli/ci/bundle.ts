import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { BundlePin, Lock } from '../../pins/index.ts'
import type { FileWrite } from '../../scaffold/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { sha256Of } from '../../util/files.ts'
import { version } from '../version.ts'

export const bundlePath = '.github/dwf/dwf.bundle'

/**
 * dwf as a file of the repository. The one that is there stays as long as it is what devflow.lock names, in the version that
 * it names: nothing but a new version changes it.
 * @throws Failure('refused') for a file that somebody changed, 'machine-cannot' where this dwf does not have its own file
 */
export function vendored(
  lock: Pick<Lock, 'bundle'>,
  read: (path: string) => Buffer | undefined,
): { readonly pin: BundlePin; readonly writes: readonly FileWrite[]; readonly notes: readonly string[] } {
  const there = read(bundlePath)
  const { bundle } = lock
  if (bundle?.path === bundlePath && bundle.version === version) {
    const own = ownBundle()
    const isOwn = own !== undefined && sha256Of(own) === bundle.sha256
    if (there && sha256Of(there) === bundle.sha256)
      return { pin: bundle, writes: [], notes: own && !isOwn ? [otherBuild] : [] }
    if (isOwn && !there) return { pin: bundle, writes: [write(own, undefined)], notes: [] }
    throw failure(
      'refused',
      'other-bundle',
      `${bundlePath} ${there ? 'is not the dwf' : 'is not there: it would be another dwf than the one'} that devflow.lock names`,
      'take it back from git; or remove it, and "bundle" from devflow.lock, and run "dwf ci:generate"',
    )
  }
  const own = ownBundle()
  if (!own)
    throw failure(
      'machine-cannot',
      'no-bundle',
      'this dwf does not have itself as one file',
      'run it from its package, or from a checkout after npm run build; "dwf init --no-ci" writes all but the workflows',
    )
  const pin: BundlePin = { path: bundlePath, version, sha256: sha256Of(own) }
  return { pin, writes: there && sha256Of(there) === pin.sha256 ? [] : [write(own, there)], notes: [] }
}

const otherBuild = `${bundlePath} says dwf ${version} as this one does, and is another: somebody else built it`

const write = (content: Buffer, expected: Buffer | undefined): FileWrite => ({ path: bundlePath, content, expected })

/** Of the package that this program runs from. */
function ownBundle(): Buffer | undefined {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const file = join(folder, 'standalone', 'dwf.mjs.gz')
    if (existsSync(file)) return readFileSync(file)
  }
  return undefined
}
