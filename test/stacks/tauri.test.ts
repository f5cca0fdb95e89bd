import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commands, json, said, units } from './rig.ts'

const files = {
  'package.json': json({
    name: 'ui',
    scripts: { tauri: 'tauri', build: 'vite build' },
    devDependencies: { '@tauri-apps/cli': '2' },
  }),
  'pnpm-lock.yaml': '',
  'src-tauri/Cargo.toml': '[package]\nname = "app"\n',
  'src-tauri/Cargo.lock': '',
  'src-tauri/tauri.conf.json': json({ productName: 'Shop' }),
}

test('rust and node stand as such; tauri adds the libraries and the builds of both', (t) => {
  const found = units(t, files)
  assert.deepEqual(
    found.map((one) => [one.stack, one.dir, one.name]),
    [
      ['node', '', 'ui'],
      ['rust', 'src-tauri', 'app'],
      ['tauri', '', 'Shop'],
    ],
  )
  const tauri = found[2]!
  assert.deepEqual(commands(tauri), {
    'build:debug': 'pnpm run tauri build --debug --no-bundle',
    'build:release': 'pnpm run tauri build --no-bundle',
    'package:artifact': 'pnpm run tauri build --bundles deb',
  })
  assert.deepEqual(tauri.tasks[0]?.needs, ['setup:deps'])
  for (const name of [
    'libgtk-3-dev',
    'libwebkit2gtk-4.1-dev',
    'libsoup-3.0-dev',
    'librsvg2-dev',
    'pkg-config',
    'build-essential',
  ]) {
    assert.ok(tauri.packages.includes(name), name)
  }
  assert.deepEqual(
    tauri.caches.map((cache) => cache.name),
    ['cargo', 'pnpm'],
  )
})

test('npm needs two dashes; a package in a workspace uses its manager', (t) => {
  const { 'pnpm-lock.yaml': _, ...others } = files
  const npm = units(t, { ...others, 'package-lock.json': '{}' })[2]!
  assert.equal(commands(npm)['build:release'], 'npm run tauri -- build --no-bundle')
  const nested = Object.fromEntries(Object.entries(others).map(([path, text]) => [`apps/desktop/${path}`, text]))
  const found = units(t, { ...nested, 'package.json': json({ workspaces: ['apps/*'] }), 'bun.lock': '' })
  assert.deepEqual(
    found.map((one) => [one.stack, one.dir]),
    [
      ['node', ''],
      ['rust', 'apps/desktop/src-tauri'],
      ['tauri', 'apps/desktop'],
    ],
  )
  assert.equal(commands(found[2]!)['build:debug'], 'bun run tauri build --debug --no-bundle')
})

test('no script, no tasks; a configuration that cannot be read is said', (t) => {
  const without = units(t, { ...files, 'package.json': json({}) }).at(-1)!
  assert.deepEqual(without.tasks, [])
  assert.deepEqual(without.missing[0], {
    command: 'build:debug',
    hint: 'add a script "tauri": "tauri" to package.json',
  })
  const broken = units(t, { ...files, 'src-tauri/tauri.conf.json': '{' }).at(-1)!
  assert.deepEqual(said(broken), [
    'error manifest-syntax src-tauri/tauri.conf.json:1:2: expected text in double quotes, but the file ends',
  ])
})
