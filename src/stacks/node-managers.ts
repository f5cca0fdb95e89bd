import { at, type Manifest, stringAt } from '../project/manifest.ts'
import type { Argv, CacheUse, Tree } from '../project/types.ts'
import { type Diagnostic, spanAt } from '../util/diagnostics.ts'
import { listing, printable } from '../util/text.ts'
import { inDir, optional } from './unit.ts'
import { type Mention, npmRange } from './versions.ts'

export type ManagerName = 'npm' | 'pnpm' | 'yarn' | 'yarn-berry' | 'bun'

/** A package manager as a table: how it runs scripts, packs, and where it keeps what it fetched. */
export interface Manager {
  readonly name: ManagerName
  readonly locks: readonly string[]
  readonly run: (script: string) => Argv
  /** The script in all packages of the workspace that have it; undefined where the manager has no such form. */
  readonly everywhere?: (script: string) => Argv
  readonly pack: Argv
  /** What makes the missing lock file. */
  readonly lock: string
  readonly caches: readonly CacheUse[]
  readonly env: Readonly<Record<string, string>>
}

const cache = (name: string, variables: readonly string[]): CacheUse => ({
  name,
  env: Object.fromEntries(variables.map((variable) => [variable, `/cache/${name}`])),
})
const npmCache = cache('npm', ['npm_config_cache'])
const quietNpm = { npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' }

export const managers: Readonly<Record<ManagerName, Manager>> = {
  npm: {
    name: 'npm',
    locks: ['package-lock.json', 'npm-shrinkwrap.json'],
    run: (script) => ['npm', 'run', script],
    everywhere: (script) => ['npm', 'run', script, '--workspaces', '--if-present'],
    pack: ['npm', 'pack'],
    lock: 'npm install --package-lock-only',
    caches: [npmCache],
    env: quietNpm,
  },
  pnpm: {
    name: 'pnpm',
    locks: ['pnpm-lock.yaml'],
    run: (script) => ['pnpm', 'run', script],
    everywhere: (script) => ['pnpm', '--recursive', '--if-present', 'run', script],
    pack: ['pnpm', 'pack'],
    lock: 'pnpm install --lockfile-only',
    // pnpm 10 and older read npm_config_*, 11 reads pnpm_config_*.
    caches: [cache('pnpm', ['npm_config_store_dir', 'pnpm_config_store_dir'])],
    // The version in the image is the one asked for: pnpm must not fetch itself again, as there is no network.
    env: {
      npm_config_manage_package_manager_versions: 'false',
      pnpm_config_manage_package_manager_versions: 'false',
      npm_config_update_notifier: 'false',
      pnpm_config_update_notifier: 'false',
    },
  },
  yarn: {
    name: 'yarn',
    locks: ['yarn.lock'],
    run: (script) => ['yarn', 'run', script],
    pack: ['yarn', 'pack'],
    lock: 'yarn install',
    caches: [cache('yarn', ['YARN_CACHE_FOLDER']), npmCache],
    env: quietNpm,
  },
  'yarn-berry': {
    name: 'yarn-berry',
    locks: ['yarn.lock'],
    run: (script) => ['yarn', 'run', script],
    everywhere: (script) => ['yarn', 'workspaces', 'foreach', '--all', 'run', script],
    pack: ['yarn', 'pack'],
    lock: 'yarn install --mode=update-lockfile',
    caches: [cache('yarn-berry', ['YARN_GLOBAL_FOLDER'])],
    env: { YARN_ENABLE_TELEMETRY: '0' },
  },
  bun: {
    name: 'bun',
    locks: ['bun.lock', 'bun.lockb'],
    run: (script) => ['bun', 'run', script],
    everywhere: (script) => ['bun', 'run', '--filter', '*', script],
    pack: ['bun', 'pm', 'pack'],
    lock: 'bun install --lockfile-only',
    caches: [cache('bun', ['BUN_INSTALL_CACHE_DIR'])],
    env: { DO_NOT_TRACK: '1' },
  },
}

export interface FoundManager {
  readonly manager: ManagerName
  /** Relative to the root. */
  readonly lockFile?: string
  /** The version that `packageManager` names. */
  readonly mention?: Mention
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * Which manager a package uses: `packageManager` where a lock file of it lies beside, else the lock file, since only
 * what it says can be installed. Where the two disagree, or lock files of several lie there, a warning says so.
 */
export function findManager(tree: Tree, dir: string, manifest: Manifest): FoundManager {
  const declared = declaration(manifest)
  const locks = (['pnpm', 'yarn', 'bun', 'npm'] as const).flatMap((name) => {
    const lock = managers[name].locks.map((file) => inDir(dir, file)).find((file) => tree.has(file))
    return lock === undefined ? [] : [{ name: name === 'yarn' ? yarnKind(tree, dir, lock) : name, lock }]
  })
  const match = locks.find((one) => one.name === declared?.name) ?? locks[0]
  const manager = match?.name ?? declared?.name ?? 'npm'
  return {
    manager,
    ...optional('lockFile', match?.lock),
    ...optional('mention', declared?.name === manager ? declared.mention : undefined),
    diagnostics: disagreements(manifest, declared, locks, match),
  }
}

interface Declared {
  readonly name: ManagerName
  readonly mention: Mention
}

/** `packageManager: "pnpm@9.1.0+sha512.…"`, as Corepack reads it, else `devEngines.packageManager`. */
function declaration(manifest: Manifest): Declared | undefined {
  const text = stringAt(manifest, ['packageManager'])
  const match = /^(npm|pnpm|yarn|bun)@(\^?[^+\s]+)(?:\+(\S+))?$/.exec(text ?? '')
  if (match) {
    const [, name, version, integrity] = match
    const mention = { asked: version!, range: npmRange(version!), where: manifest.span(['packageManager']), integrity }
    return { name: kindOf(name!, version!), mention }
  }
  const path = ['devEngines', 'packageManager']
  const name = at(manifest, [...path, 'name'])
  if (name !== 'npm' && name !== 'pnpm' && name !== 'yarn' && name !== 'bun') return undefined
  const version = stringAt(manifest, [...path, 'version']) ?? '*'
  return {
    name: kindOf(name, version),
    mention: { asked: version, range: npmRange(version), where: manifest.span(path) },
  }
}

/** Yarn 2 and later are another program than Yarn 1, under another name in the registry. */
function kindOf(name: string, version: string): ManagerName {
  return name === 'yarn' && !/^[\^~]?1(?:\.|$)/.test(version) && /\d/.test(version)
    ? 'yarn-berry'
    : (name as ManagerName)
}

function yarnKind(tree: Tree, dir: string, lock: string): ManagerName {
  const isBerry = /^__metadata:/m.test(tree.text(lock)?.slice(0, 2000) ?? '') || tree.has(inDir(dir, '.yarnrc.yml'))
  return isBerry ? 'yarn-berry' : 'yarn'
}

function disagreements(
  manifest: Manifest,
  declared: Declared | undefined,
  locks: readonly { readonly name: ManagerName; readonly lock: string }[],
  match: { readonly name: ManagerName; readonly lock: string } | undefined,
): readonly Diagnostic[] {
  if (!match) return []
  const files = locks.map((one) => printable(one.lock))
  if (declared && declared.name !== match.name) {
    return [
      {
        severity: 'warning',
        code: 'manager-disagreement',
        message: `packageManager says ${declared.name}, but the lock file is ${listing(files)}; ${match.name} is taken`,
        ...optional('where', declared.mention.where),
        hint: `run "${managers[declared.name].lock}" and remove ${listing(files)}, or correct packageManager`,
      },
    ]
  }
  if (locks.length < 2 || declared) return []
  return [
    {
      severity: 'warning',
      code: 'manager-disagreement',
      message: `lock files of several package managers lie here: ${listing(files)}; ${match.name} is taken`,
      where: spanAt(manifest.file, manifest.text, 1),
      hint: 'remove the lock files that are not used, or name the manager with "packageManager"',
    },
  ]
}
