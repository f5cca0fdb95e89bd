import { readManifest, stringAt, stringTableAt } from '../project/manifest.ts'
import type { OfferedTask, StackUnit, Tree } from '../project/types.ts'
import { findManager, type Manager, managers } from './node-managers.ts'
import type { Stack } from './types.ts'
import { above, bareUnit, inDir, isBroken, optional } from './unit.ts'
import { missingOf } from './vocabulary.ts'

/**
 * Tauri: what the desktop application needs beyond its rust and node units, which stand on their own. The unit's folder
 * is the one that holds `src-tauri`.
 */
export const tauri: Stack = {
  name: 'tauri',
  detect: (tree, folders) =>
    folders.flatMap((dir) => {
      const file = ['tauri.conf.json', 'Tauri.toml', 'tauri.conf.json5']
        .map((name) => inDir(dir, `src-tauri/${name}`))
        .find((name) => tree.has(name))
      const crate = readManifest(tree, inDir(dir, 'src-tauri/Cargo.toml'))
      return file === undefined || !crate ? [] : [unit(tree, dir, file)]
    }),
}

/** What https://v2.tauri.app/start/prerequisites names for Debian, but what only its own development uses. */
const packages = [
  'build-essential',
  'file',
  'libayatana-appindicator3-dev',
  'libgtk-3-dev',
  'librsvg2-dev',
  'libsoup-3.0-dev',
  'libssl-dev',
  'libwebkit2gtk-4.1-dev',
  'libxdo-dev',
  'pkg-config',
]

function unit(tree: Tree, dir: string, file: string): StackUnit {
  // JSON5 allows what JSON does not: dwf reads nothing from it but the name, so it is left alone.
  const config = file.endsWith('5') ? undefined : readManifest(tree, file)
  if (config && isBroken(config)) return { ...bareUnit('tauri', dir, file), packages, diagnostics: config.problems }
  const manager = managerOf(tree, dir)
  const tasks = manager ? tauriTasks(manager) : []
  const name = config && (stringAt(config, ['productName']) ?? stringAt(config, ['package', 'productName']))
  const hint = `add a script "tauri": "tauri" to ${inDir(dir, 'package.json')}`
  return {
    ...bareUnit('tauri', dir, file),
    ...optional('name', name),
    packages,
    caches: [{ name: 'cargo', env: { CARGO_HOME: '/cache/cargo' } }, ...(manager?.caches ?? [])],
    env: { CI: 'true', ...manager?.env },
    tasks,
    missing: missingOf(tasks, { 'build:debug': hint, 'build:release': hint, 'package:artifact': hint }),
    diagnostics: config?.problems ?? [],
  }
}

/** The manager of the application's package.json, or that of the workspace above it; undefined without its script. */
function managerOf(tree: Tree, dir: string): Manager | undefined {
  const manifest = readManifest(tree, inDir(dir, 'package.json'))
  if (!manifest || stringTableAt(manifest, ['scripts']).tauri === undefined) return undefined
  const candidates = [dir, ...above(dir)].flatMap((folder) => {
    const found = readManifest(tree, inDir(folder, 'package.json'))
    return found ? [findManager(tree, folder, found)] : []
  })
  const { manager } = candidates.find((one) => one.lockFile !== undefined) ?? candidates[0]!
  return managers[manager]
}

/** npm takes what begins with a dash for itself without the two dashes; the others hand them on as they are. */
function tauriTasks({ name, run }: Manager): readonly OfferedTask[] {
  const build = (...words: readonly string[]): OfferedTask['argv'] => [
    ...run('tauri'),
    ...(name === 'npm' ? ['--'] : []),
    'build',
    ...words,
  ]
  // The rust and node units install; this one has no setup of its own.
  const needs = ['setup:deps']
  return [
    { command: 'build:debug', argv: build('--debug', '--no-bundle'), needs },
    { command: 'build:release', argv: build('--no-bundle'), needs },
    // The other bundles download the programs that make them.
    { command: 'package:artifact', argv: build('--bundles', 'deb'), needs },
  ]
}
