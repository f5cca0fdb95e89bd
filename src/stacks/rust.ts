import { at, type Manifest, readManifest, stringAt, stringsAt, tableAt } from '../project/manifest.ts'
import type { OfferedTask, Setup, StackUnit, Tree } from '../project/types.ts'
import { spanAt } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { globTest } from './node-workspaces.ts'
import { nativeLibraries } from './rust-libraries.ts'
import { rustRequests } from './rust-requests.ts'
import type { Stack } from './types.ts'
import { bareUnit, inDir, isBelow, isBroken, optional } from './unit.ts'
import { missingOf } from './vocabulary.ts'

/** Rust with cargo: one unit for each Cargo.toml that is no member of a workspace above it. */
export const rust: Stack = {
  name: 'rust',
  detect: (tree, folders) => {
    const workspaces: Manifest[] = []
    return folders.flatMap((dir) => {
      const manifest = readManifest(tree, inDir(dir, 'Cargo.toml'))
      if (!manifest) return []
      if (isBroken(manifest)) return [{ ...bareUnit('rust', dir, manifest.file), diagnostics: manifest.problems }]
      if (workspaces.some((one) => isMember(one, dir, manifest)) || isFuzzing(manifest)) return []
      if (at(manifest, ['workspace']) !== undefined) workspaces.push(manifest)
      return [unit(tree, folders, dir, manifest)]
    })
  },
}

const folderOf = (manifest: Manifest): string => manifest.file.replace(/\/?Cargo\.toml$/, '')

/** Cargo refuses a crate below a workspace that is neither its member, nor excluded, nor a workspace of its own. */
function isMember(workspace: Manifest, dir: string, manifest: Manifest): boolean {
  const root = folderOf(workspace)
  if (!isBelow(dir, root) || at(manifest, ['workspace']) !== undefined) return false
  const path = dir.slice(root === '' ? 0 : root.length + 1)
  const excluded = stringsAt(workspace, ['workspace', 'exclude']) ?? []
  const members = stringsAt(workspace, ['workspace', 'members']) ?? []
  const isListed = members.some((pattern) => globTest(pattern)(path))
  return isListed || !excluded.some((folder) => path === folder || isBelow(path, folder.replace(/\/$/, '')))
}

/** What `cargo fuzz init` writes: it needs a nightly compiler and is run by cargo-fuzz alone. */
function isFuzzing(manifest: Manifest): boolean {
  return at(manifest, ['package', 'metadata', 'cargo-fuzz']) === true
}

function unit(tree: Tree, folders: readonly string[], dir: string, manifest: Manifest): StackUnit {
  const requests = rustRequests(tree, dir, manifest)
  const lockFile = inDir(dir, 'Cargo.lock')
  const lock = tree.text(lockFile)
  const tasks = rustTasks(tree, folders, dir, manifest)
  return {
    stack: 'rust',
    dir,
    manifest: manifest.file,
    manager: 'cargo',
    ...optional('name', stringAt(manifest, ['package', 'name'])),
    toolchains: requests.toolchains,
    packages: nativeLibraries(lock ?? ''),
    caches: [{ name: 'cargo', env: { CARGO_HOME: '/cache/cargo' } }],
    env: { CARGO_TERM_COLOR: 'always' },
    setup: setup(tree, dir, manifest, lockFile, lock),
    tasks,
    missing: missingOf(tasks, {
      'test:integration': `add tests to ${printable(inDir(dir, 'tests'))}/`,
      'package:artifact': `cargo packages one crate: give ${manifest.file} a [package] that may be published`,
    }),
    diagnostics: [...manifest.problems, ...requests.diagnostics],
  }
}

function rustTasks(tree: Tree, folders: readonly string[], dir: string, manifest: Manifest): readonly OfferedTask[] {
  const isWorkspace = at(manifest, ['workspace']) !== undefined
  // default-members names the crates that build everywhere: where it is there, cargo's own choice is the project's.
  const isAll = isWorkspace && at(manifest, ['workspace', 'default-members']) === undefined
  const locked = [...(isAll ? ['--workspace'] : []), '--locked', '--offline']
  const hasTests = folders.some(
    (folder) =>
      (folder === dir || isBelow(folder, dir)) &&
      tree.has(inDir(folder, 'Cargo.toml')) &&
      tree
        .list(inDir(folder, 'tests'))
        .some((name) => name.endsWith('.rs') || tree.has(inDir(folder, `tests/${name}/main.rs`))),
  )
  const hasPackage = at(manifest, ['package']) !== undefined
  const publish = at(manifest, ['package', 'publish'])
  const isPacked = hasPackage && publish !== false && !(Array.isArray(publish) && publish.length === 0)
  return [
    { command: 'fmt:check', argv: ['cargo', 'fmt', '--all', '--', '--check'] },
    { command: 'fmt:fix', argv: ['cargo', 'fmt', '--all'] },
    { command: 'lint:static', argv: ['cargo', 'clippy', ...locked, '--all-targets', '--', '-D', 'warnings'] },
    { command: 'build:debug', argv: ['cargo', 'build', ...locked] },
    { command: 'build:release', argv: ['cargo', 'build', '--release', ...locked] },
    { command: 'test:unit', argv: ['cargo', 'test', ...locked] },
    ...(hasTests ? [{ command: 'test:integration', argv: ['cargo', 'test', ...locked, '--test', '*'] }] : []),
    ...(isPacked ? [{ command: 'package:artifact', argv: ['cargo', 'package', '--locked', '--offline'] }] : []),
  ]
}

function setup(tree: Tree, dir: string, manifest: Manifest, lockFile: string, lock: string | undefined): Setup {
  const config = ['.cargo/config.toml', '.cargo/config']
    .map((name) => inDir(dir, name))
    .filter((file) => tree.has(file))
  const hasDependencies = ['dependencies', 'dev-dependencies', 'build-dependencies', 'workspace', 'target'].some(
    (name) => Object.keys(tableAt(manifest, [name]) ?? {}).length > 0,
  )
  const outputs = [
    ...(/^source = "(?:registry|sparse)/m.test(lock ?? '') ? ['/cache/cargo/registry'] : []),
    ...(/^source = "git/m.test(lock ?? '') ? ['/cache/cargo/git'] : []),
  ]
  const missing = {
    severity: 'error',
    code: 'missing-lock',
    message: `${printable(manifest.file)} has no Cargo.lock that says which versions to use`,
    where:
      manifest.span([hasDependencies && at(manifest, ['dependencies']) ? 'dependencies' : 'package']) ??
      spanAt(manifest.file, manifest.text, 1),
    hint: 'run "cargo generate-lockfile" and commit Cargo.lock, of a library too',
  } as const
  return {
    lockFiles: [...(lock === undefined ? [] : [lockFile]), manifest.file, ...config],
    // Build scripts and macros run when the crate is built, which has no network: there is no second half.
    fetch: ['cargo', 'fetch', '--locked'],
    online: ['cargo', 'fetch', '--locked'],
    split: true,
    outputs,
    // Every command of the unit says --locked, which fails without a lock file, also where nothing is depended on.
    ...(lock === undefined ? { missingLock: missing } : {}),
  }
}
