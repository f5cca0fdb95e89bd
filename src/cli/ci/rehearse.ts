import { join } from 'node:path'
import type { Lock, PackagePin } from '../../pins/index.ts'
import { readRegular } from '../../project/files.ts'
import { failure } from '../../util/diagnostics.ts'
import { sha256Of } from '../../util/files.ts'
import { withTemporary } from '../../util/temporary.ts'
import { exportPolicy } from '../policy.ts'
import type { Workspace } from '../workspace.ts'

/**
 * Does with a change what the next change will do with it once it is merged: what cannot be read then is refused now, while
 * something else still judges. Else one green change could make all later ones red, its own repair too.
 * @throws Failure('wrong-input')
 */
export async function rehearse({ project, lock }: Workspace, env: NodeJS.ProcessEnv): Promise<void> {
  await withTemporary((folder) => exportPolicy(project.root, 'HEAD', join(folder, 'policy'), env))
  const npm = lock?.packages.find(({ tool }) => tool === 'dwf')
  if (lock && npm) requirePackage(lock, npm, project.root)
  const bundle = lock?.bundle
  if (!bundle) return
  const bytes = readRegular(join(project.root, bundle.path))
  const found = bytes && sha256Of(bytes)
  if (found !== bundle.sha256)
    throw failure(
      'wrong-input',
      'other-bundle',
      `${bundle.path} ${found === undefined ? 'is not there' : 'is not the dwf'} that devflow.lock names: no later change could be judged`,
      'run "dwf ci:generate", and commit all that it writes',
    )
  if (lock.dwf !== bundle.version)
    throw failure(
      'wrong-input',
      'other-version',
      `devflow.lock names dwf ${lock.dwf}, and ${bundle.path} is dwf ${bundle.version}: no later change could be judged`,
      'run "dwf ci:generate" with the new dwf, and commit all that it writes',
    )
}

/** What `npm ci` would install for the next change. */
function requirePackage(lock: Lock, pin: PackagePin, root: string): void {
  const file = '.github/dwf/package-lock.json'
  const text = readRegular(join(root, file))?.toString('utf8')
  const found = text === undefined ? undefined : packageIn(text)
  if (found?.version === lock.dwf && pin.version === lock.dwf && found.integrity === pin.integrity) return
  throw failure(
    'wrong-input',
    'other-package',
    `${file} does not install the dwf that devflow.lock names: no later change could be judged`,
    'run "dwf ci:generate", and commit all that it writes',
  )
}

function packageIn(text: string): { readonly version?: unknown; readonly integrity?: unknown } | undefined {
  try {
    return JSON.parse(text)?.packages?.['node_modules/dwf']
  } catch {
    return undefined
  }
}
