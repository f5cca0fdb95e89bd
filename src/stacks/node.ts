import { at, type Manifest, readManifest, stringAt, stringTableAt } from '../project/manifest.ts'
import type { OfferedTask, StackUnit, Tree } from '../project/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { findManager, type Manager, managers } from './node-managers.ts'
import { nodeRequests } from './node-requests.ts'
import { everywhere, scriptTasks } from './node-scripts.ts'
import { hasDependencies, nodeSetup } from './node-setup.ts'
import { readWorkspaces, type Workspaces } from './node-workspaces.ts'
import type { Stack } from './types.ts'
import { bareUnit, inDir, isBelow, isBroken, optional } from './unit.ts'
import { isOddCommand, missingOf, type UsualCommand } from './vocabulary.ts'

/** JavaScript and TypeScript with npm, pnpm, Yarn or Bun: one unit for each package.json that no workspace covers. */
export const node: Stack = {
  name: 'node',
  detect: (tree, folders) => {
    const roots: { dir: string; workspaces: Workspaces }[] = []
    const units: StackUnit[] = []
    for (const dir of folders) {
      const manifest = readManifest(tree, inDir(dir, 'package.json'))
      if (!manifest) continue
      const root = roots.findLast((one) => isBelow(dir, one.dir))
      if (root?.workspaces.covers(dir.slice(root.dir === '' ? 0 : root.dir.length + 1))) continue
      if (dir !== '' && !isBroken(manifest) && isIncidental(tree, dir, manifest, root !== undefined)) continue
      const workspaces = readWorkspaces(tree, dir, manifest)
      if (workspaces) roots.push({ dir, workspaces })
      units.push(isBroken(manifest) ? broken(dir, manifest) : unit(tree, folders, dir, manifest, workspaces))
    }
    return units
  },
}

/**
 * Many package.json files are no project of their own: markers (`{"type": "module"}`), templates and tests of tools.
 * Below a workspace only a lock file of its own makes one that the workspace does not list a unit.
 */
function isIncidental(tree: Tree, dir: string, manifest: Manifest, isInWorkspace: boolean): boolean {
  if (findManager(tree, dir, manifest).lockFile !== undefined) return false
  return (
    isInWorkspace ||
    /(?:^|\/)tests?\//.test(dir) ||
    (!hasDependencies(manifest) && at(manifest, ['scripts']) === undefined)
  )
}

function broken(dir: string, manifest: Manifest): StackUnit {
  return { ...bareUnit('node', dir, manifest.file), diagnostics: manifest.problems }
}

function unit(
  tree: Tree,
  folders: readonly string[],
  dir: string,
  manifest: Manifest,
  workspaces: Workspaces | undefined,
): StackUnit {
  const found = findManager(tree, dir, manifest)
  const manager = managers[found.manager]
  const scripts = stringTableAt(manifest, ['scripts'])
  const name = stringAt(manifest, ['name'])
  const members = workspaces ? memberScripts(tree, folders, dir, workspaces) : []
  const own = scriptTasks(scripts, manager)
  const spread = everywhere(own, members, manager)
  const tasks = [...own, ...spread, ...packageTask(manifest, manager, own)]
  const requests = nodeRequests(tree, dir, manifest, found)
  const setup = nodeSetup(tree, dir, manifest, found, workspaces !== undefined)
  return {
    stack: 'node',
    dir,
    manifest: manifest.file,
    manager: manager.name,
    ...optional('name', name === '' ? undefined : name),
    toolchains: requests.toolchains,
    packages: compilers(tree, found.lockFile),
    caches: manager.caches,
    env: { CI: 'true', ...withoutHooks(scripts), ...manager.env },
    ...optional('setup', setup),
    tasks,
    missing: missingOf(tasks, hints(manifest)),
    diagnostics: [
      ...manifest.problems,
      ...(workspaces?.diagnostics ?? []),
      ...found.diagnostics,
      ...requests.diagnostics,
      ...oddScripts(manifest, scripts),
    ],
  }
}

function memberScripts(
  tree: Tree,
  folders: readonly string[],
  dir: string,
  workspaces: Workspaces,
): readonly Readonly<Record<string, string>>[] {
  return folders
    .filter((one) => isBelow(one, dir) && workspaces.covers(one.slice(dir === '' ? 0 : dir.length + 1)))
    .flatMap((one) => readManifest(tree, inDir(one, 'package.json')) ?? [])
    .map((one) => stringTableAt(one, ['scripts']))
}

/** A private package is not packed; what has no name or version cannot be. */
function packageTask(manifest: Manifest, manager: Manager, own: readonly OfferedTask[]): readonly OfferedTask[] {
  if (own.some((task) => task.command === 'package:artifact') || at(manifest, ['private']) === true) return []
  const isComplete = stringAt(manifest, ['name']) && stringAt(manifest, ['version'])
  return isComplete ? [{ command: 'package:artifact', argv: manager.pack }] : []
}

/** Packages that compile something when they are installed name these; they need a compiler and Python in the image. */
function compilers(tree: Tree, lockFile: string | undefined): readonly string[] {
  const lock = lockFile === undefined ? '' : (tree.text(lockFile) ?? '')
  const isNative =
    /(?:node_modules\/|^ *\/?"?|["/])(?:node-gyp|node-gyp-build|node-addon-api|nan|prebuild-install)["@:]/m.test(lock)
  return isNative ? ['g++', 'make', 'python3'] : []
}

/** Programs that write hooks into .git, which is read-only for tasks, and what tells them to leave it. */
const hookManagers = [
  { pattern: /\bhusky\b/, env: { HUSKY: '0' } },
  { pattern: /\bsimple-git-hooks\b/, env: { SKIP_INSTALL_SIMPLE_GIT_HOOKS: '1' } },
  { pattern: /\blefthook\b/, env: { LEFTHOOK: '0' } },
]

function withoutHooks(scripts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const bodies = ['prepare', 'postinstall', 'install'].map((name) => scripts[name] ?? '')
  const used = hookManagers.filter(({ pattern }) => bodies.some((body) => pattern.test(body)))
  return Object.assign({}, ...used.map(({ env }) => env))
}

function oddScripts(manifest: Manifest, scripts: Readonly<Record<string, string>>): readonly Diagnostic[] {
  return Object.keys(scripts)
    .filter(isOddCommand)
    .slice(0, 10)
    .map((name) => ({
      severity: 'note',
      code: 'script-not-offered',
      message: `the script ${JSON.stringify(printable(name))} is not offered as a command: its name is no plain word`,
      ...optional('where', manifest.span(['scripts', name])),
      hint: 'use letters, digits, ".", "_", "-" and ":" after the first ":"',
    }))
}

function hints(manifest: Manifest): Readonly<Partial<Record<UsualCommand, string>>> {
  const script = (name: string): string => `add a script "${name}" to ${manifest.file}`
  const isPrivate = at(manifest, ['private']) === true
  const pack = isPrivate ? script('package:artifact') : `give ${manifest.file} a name and a version`
  return {
    'fmt:check': script('fmt:check'),
    'fmt:fix': script('fmt'),
    'lint:static': script('lint'),
    'build:debug': script('build'),
    'build:release': script('build'),
    'test:unit': script('test'),
    'test:integration': script('test:integration'),
    'package:artifact': pack,
  }
}
