import { at, isTable, type Manifest, stringTableAt } from '../project/manifest.ts'
import type { Argv, Setup, Tree } from '../project/types.ts'
import { spanAt } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { type FoundManager, type ManagerName, managers } from './node-managers.ts'
import { inDir, optional } from './unit.ts'

const dependencyTables = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const

/** True when the package names something to install. */
export function hasDependencies(manifest: Manifest): boolean {
  return dependencyTables.some((name) => {
    const table = at(manifest, [name])
    return isTable(table) && Object.keys(table).length > 0
  })
}

/** How each manager installs: without scripts and with network, then scripts without network, or all at once. */
const ways: Readonly<
  Record<ManagerName, { readonly fetch: Argv; readonly rebuild: Argv; readonly online: Argv; readonly note?: string }>
> = {
  npm: { fetch: ['npm', 'ci', '--ignore-scripts'], rebuild: ['npm', 'rebuild'], online: ['npm', 'ci'] },
  // `pnpm fetch` would fill the store only; one install without scripts is the same download and leaves less to do.
  // pnpm 10 and later rebuild only what onlyBuiltDependencies (allowBuilds) of the repository names, and that is right.
  pnpm: {
    fetch: ['pnpm', 'install', '--frozen-lockfile', '--ignore-scripts'],
    rebuild: ['pnpm', 'rebuild'],
    online: ['pnpm', 'install', '--frozen-lockfile'],
  },
  // Yarn 1 can run the scripts of what lies there only by linking all again from its cache; npm does it in place.
  yarn: {
    fetch: ['yarn', 'install', '--frozen-lockfile', '--ignore-scripts', '--non-interactive'],
    rebuild: ['npm', 'rebuild'],
    online: ['yarn', 'install', '--frozen-lockfile', '--non-interactive'],
  },
  'yarn-berry': {
    fetch: ['yarn', 'install', '--immutable', '--mode=skip-build'],
    rebuild: ['yarn', 'rebuild'],
    online: ['yarn', 'install', '--immutable'],
  },
  bun: {
    fetch: ['bun', 'install', '--frozen-lockfile', '--ignore-scripts'],
    rebuild: [],
    online: ['bun', 'install', '--frozen-lockfile'],
    note: 'bun has no way to run the scripts of packages later: those of trustedDependencies do not run',
  },
}

/** Undefined when there is nothing to install. */
export function nodeSetup(
  tree: Tree,
  dir: string,
  manifest: Manifest,
  found: FoundManager,
  isWorkspace: boolean,
): Setup | undefined {
  const hasSomething = hasDependencies(manifest) || isWorkspace
  if (!hasSomething && found.lockFile === undefined) return undefined
  const way = ways[found.manager]
  const rebuild = found.manager === 'pnpm' && isWorkspace ? [...way.rebuild, '--recursive'] : way.rebuild
  const install = withLifecycle(rebuild, manifest, found.manager)
  const config = ['.npmrc', '.yarnrc.yml', '.yarnrc', 'bunfig.toml', 'pnpm-workspace.yaml'].map((name) =>
    inDir(dir, name),
  )
  return {
    lockFiles: [
      ...(found.lockFile === undefined ? [] : [found.lockFile]),
      manifest.file,
      ...config.filter((file) => tree.has(file)),
    ],
    fetch: way.fetch,
    ...optional('install', install.length === 0 ? undefined : install),
    online: way.online,
    split: true,
    outputs: hasSomething ? [inDir(dir, installed(tree, dir, found.manager))] : [],
    ...optional('missingLock', found.lockFile === undefined ? missingLock(manifest, found.manager) : undefined),
    ...optional('note', way.note),
  }
}

/**
 * pnpm and Yarn 2+ run the scripts of the package itself when they rebuild; npm and bun leave them out. `preinstall`
 * guards an install that is already over (`npx only-allow pnpm`), so it only runs where `install` brings it along.
 */
function withLifecycle(rebuild: Argv, manifest: Manifest, manager: ManagerName): Argv {
  if (manager === 'pnpm' || manager === 'yarn-berry') return rebuild
  const scripts = stringTableAt(manifest, ['scripts'])
  const steps = [scripts.install === undefined ? 'postinstall' : 'install', 'prepare']
  const own = steps.filter((name) => scripts[name] !== undefined)
  if (own.length === 0) return rebuild
  const runner = manager === 'bun' ? 'bun' : 'npm'
  const lines = [...(rebuild.length === 0 ? [] : [rebuild.join(' ')]), ...own.map((name) => `${runner} run ${name}`)]
  return ['sh', '-c', lines.join(' && ')]
}

function installed(tree: Tree, dir: string, manager: ManagerName): string {
  if (manager !== 'yarn-berry') return 'node_modules'
  const linker = /^nodeLinker:\s*["']?([a-z-]+)/m.exec(tree.text(inDir(dir, '.yarnrc.yml')) ?? '')?.[1] ?? 'pnp'
  return linker === 'pnp' ? '.pnp.cjs' : 'node_modules'
}

function missingLock(manifest: Manifest, manager: ManagerName): NonNullable<Setup['missingLock']> {
  const table = dependencyTables.find((name) => at(manifest, [name]) !== undefined) ?? 'workspaces'
  return {
    severity: 'error',
    code: 'missing-lock',
    message: `${printable(manifest.file)} has dependencies but no lock file says which versions`,
    where: manifest.span([table]) ?? spanAt(manifest.file, manifest.text, 1),
    hint: `run "${managers[manager].lock}" and commit the lock file`,
  }
}
