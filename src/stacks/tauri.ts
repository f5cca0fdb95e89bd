import { type Manifest, readManifest, stringAt, stringTableAt } from '../project/manifest.ts'
import type { Argv, OfferedTask, StackUnit, Tree } from '../project/types.ts'
import { findManager, managers } from './node-managers.ts'
import type { Stack } from './types.ts'
import { bareUnit, inDir, isBroken, optional } from './unit.ts'
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
  const run = runner(tree, dir)
  const tasks = run ? offered(run) : []
  const name = config && (stringAt(config, ['productName']) ?? stringAt(config, ['package', 'productName']))
  const hint = `add a script "tauri": "tauri" to ${inDir(dir, 'package.json')}`
  return {
    ...bareUnit('tauri', dir, file),
    ...optional('name', name),
    packages,
    tasks,
    missing: missingOf(tasks, { 'build:debug': hint, 'build:release': hint, 'package:artifact': hint }),
    diagnostics: config?.problems ?? [],
  }
}

function offered(run: (...words: readonly string[]) => Argv): readonly OfferedTask[] {
  return [
    { command: 'build:debug', argv: run('build', '--debug', '--no-bundle') },
    { command: 'build:release', argv: run('build', '--no-bundle') },
    // The other bundles download the programs that make them.
    { command: 'package:artifact', argv: run('build', '--bundles', 'deb') },
  ]
}

/** How the application's package.json starts the tauri command; undefined when it has no script for it. */
function runner(tree: Tree, dir: string): ((...words: readonly string[]) => Argv) | undefined {
  const manifest: Manifest | undefined = readManifest(tree, inDir(dir, 'package.json'))
  if (!manifest || stringTableAt(manifest, ['scripts']).tauri === undefined) return undefined
  const { name, run } = managers[findManager(tree, dir, manifest).manager]
  // npm takes what begins with a dash for itself without the two dashes; the others hand them on as they are.
  return (...words) => [...run('tauri'), ...(name === 'npm' ? ['--'] : []), ...words]
}
