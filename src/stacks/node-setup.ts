import { at, isTable, type Manifest, stringsAt, stringTableAt } from '../project/manifest.ts'
import type { Argv, Setup, Tree } from '../project/types.ts'
import { spanAt } from '../util/diagnostics.ts'
import { printable, shellQuote } from '../util/text.ts'
import { type FoundManager, type ManagerName, managers } from './node-managers.ts'
import { yamlList } from './node-workspaces.ts'
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
  const install = installWay(tree, dir, manifest, found.manager, isWorkspace)
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
    ...optional('install', install),
    online: way.online,
    split: true,
    outputs: hasSomething ? [inDir(dir, installed(tree, dir, found.manager))] : [],
    ...optional('missingLock', found.lockFile === undefined ? missingLock(manifest, found.manager) : undefined),
    ...optional('note', way.note),
  }
}

/**
 * What runs the scripts, those of the package itself included. Which of them a rebuild runs was seen with npm 11.19 and
 * pnpm 10.34: npm leaves out `prepare`, pnpm none; bun has no rebuild.
 */
function installWay(
  tree: Tree,
  dir: string,
  manifest: Manifest,
  manager: ManagerName,
  isWorkspace: boolean,
): Argv | undefined {
  const scripts = stringTableAt(manifest, ['scripts'])
  const own = (names: readonly string[]): readonly string[] => names.filter((name) => scripts[name] !== undefined)
  const afterwards = [scripts.install === undefined ? 'postinstall' : 'install', 'prepare']
  switch (manager) {
    case 'yarn-berry':
      return ways[manager].rebuild
    case 'pnpm':
      // `npx only-allow pnpm` guards an install that is over by now, and would need the network.
      if (!/\bonly-allow\b/.test(scripts.preinstall ?? ''))
        return [...ways.pnpm.rebuild, ...(isWorkspace ? ['--recursive'] : [])]
      return pnpmWithoutGuard(builtPackages(tree, dir, manifest), own(afterwards), isWorkspace)
    case 'bun':
      return inTurn(own(afterwards).map((name) => ['bun', 'run', name]))
    default:
      return inTurn([ways[manager].rebuild, ...own(['prepare']).map((name) => ['npm', 'run', name])])
  }
}

/** Named packages are rebuilt without the scripts of the root; these then run one by one. */
function pnpmWithoutGuard(
  packages: readonly string[],
  scripts: readonly string[],
  isWorkspace: boolean,
): Argv | undefined {
  const all = isWorkspace ? ['--recursive'] : []
  const rebuild = packages.length === 0 ? [] : [['pnpm', 'rebuild', ...all, '--', ...packages]]
  return inTurn([...rebuild, ...scripts.map((name) => ['pnpm', 'run', name])])
}

/** The packages whose scripts pnpm may run, as the repository says; only what is a package name. */
function builtPackages(tree: Tree, dir: string, manifest: Manifest): readonly string[] {
  const text = tree.text(inDir(dir, 'pnpm-workspace.yaml')) ?? ''
  const allowed = [...text.matchAll(/^ {2,4}["']?((?:@[\w.-]+\/)?[\w.-]+)["']?: true *$/gm)].map((match) => match[1]!)
  const listed = yamlList(text, 'onlyBuiltDependencies')?.list ?? []
  const inManifest = stringsAt(manifest, ['pnpm', 'onlyBuiltDependencies']) ?? []
  const names = [...inManifest, ...listed, ...(/^allowBuilds:/m.test(text) ? allowed : [])]
  return [...new Set(names)].filter((name) => /^(?:@[a-z0-9_.-]+\/)?[a-z0-9_][a-z0-9_.-]*$/i.test(name))
}

/** One after the other; every word is dwf's own or a plain name. */
function inTurn(steps: readonly Argv[]): Argv | undefined {
  if (steps.length < 2) return steps[0]
  return ['sh', '-c', steps.map((step) => step.map(shellQuote).join(' ')).join(' && ')]
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
