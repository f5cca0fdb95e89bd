import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asked, commands, said, unit, units } from './rig.ts'

const crate = '[package]\nname = "shop"\nversion = "0.1.0"\n'
const lock =
  'version = 4\n\n[[package]]\nname = "openssl-sys"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n'

test('a crate', (t) => {
  const found = unit(t, { 'Cargo.toml': crate, 'Cargo.lock': lock, 'tests/a.rs': '', '.cargo/config.toml': '' })
  assert.equal(found.name, 'shop')
  assert.deepEqual(commands(found), {
    'fmt:check': 'cargo fmt --all -- --check',
    'fmt:fix': 'cargo fmt --all',
    'lint:static': 'cargo clippy --locked --offline --all-targets -- -D warnings',
    'build:debug': 'cargo build --locked --offline',
    'build:release': 'cargo build --release --locked --offline',
    'test:unit': 'cargo test --locked --offline',
    'test:integration': 'cargo test --locked --offline --test *',
    'package:artifact': 'cargo package --locked --offline',
  })
  assert.deepEqual(found.setup, {
    lockFiles: ['Cargo.lock', 'Cargo.toml', '.cargo/config.toml'],
    fetch: ['cargo', 'fetch', '--locked'],
    online: ['cargo', 'fetch', '--locked'],
    split: true,
    outputs: ['/cache/cargo/registry'],
  })
  assert.deepEqual(found.caches, [{ name: 'cargo', env: { CARGO_HOME: '/cache/cargo' } }])
  assert.deepEqual(found.packages, ['libssl-dev', 'pkg-config'])
  assert.deepEqual(found.missing, [])
})

test('no Cargo.lock, no tests folder, not published', (t) => {
  const found = unit(t, { 'Cargo.toml': `${crate}publish = false\n[dependencies]\na = "1"\n` })
  assert.equal(found.setup?.missingLock?.hint, 'run "cargo generate-lockfile" and commit Cargo.lock, of a library too')
  assert.equal(found.setup?.missingLock?.where?.line, 5)
  assert.deepEqual(found.missing, [
    { command: 'test:integration', hint: 'add tests to tests/' },
    {
      command: 'package:artifact',
      hint: 'cargo packages one crate: give Cargo.toml a [package] that may be published',
    },
  ])
})

test('a workspace is one unit; what it excludes or what is its own workspace is another', (t) => {
  const found = units(t, {
    'Cargo.toml': '[workspace]\nmembers = ["crates/*"]\nexclude = ["tools/x"]\n',
    'Cargo.lock': '',
    'crates/a/Cargo.toml': crate,
    'crates/a/tests/it/main.rs': '',
    'path-dependency/Cargo.toml': crate,
    'tools/x/Cargo.toml': crate,
    'own/Cargo.toml': `${crate}[workspace]\n`,
    'fuzz/Cargo.toml': `${crate}[package.metadata]\ncargo-fuzz = true\n[workspace]\n`,
  })
  assert.deepEqual(
    found.map((one) => one.dir),
    ['', 'own', 'tools/x'],
  )
  assert.equal(commands(found[0]!)['test:integration'], 'cargo test --workspace --locked --offline --test *')
  assert.equal(commands(found[0]!)['package:artifact'], undefined)
})

test('default-members are the choice of the project', (t) => {
  const found = unit(t, { 'Cargo.toml': '[workspace]\nmembers = ["a"]\ndefault-members = ["a"]\n', 'Cargo.lock': '' })
  assert.equal(commands(found)['build:debug'], 'cargo build --locked --offline')
})

test('versions: rust-toolchain.toml, rust-toolchain, rust-version', (t) => {
  const of = (files: Record<string, string>) => asked(unit(t, { 'Cargo.toml': crate, ...files }))
  assert.deepEqual(of({ 'rust-toolchain.toml': '[toolchain]\nchannel = "1.85.0"\n' }), [
    'rust 1.85.0 rust-toolchain.toml:2:1-8',
  ])
  assert.deepEqual(of({ 'rust-toolchain.toml': '[toolchain]\nchannel = "stable"\n' }), [
    'rust * rust-toolchain.toml:2:1-8',
  ])
  assert.deepEqual(of({ 'rust-toolchain': '1.85\n' }), ['rust 1.85 rust-toolchain:1:1-5'])
  assert.deepEqual(of({ 'rust-toolchain': '[toolchain]\nchannel = "1.85"\n' }), ['rust 1.85 rust-toolchain:2:1-8'])
  assert.deepEqual(of({ 'Cargo.toml': `${crate}rust-version = "1.80"\n` }), ['rust >=1.80.0 Cargo.toml:4:1-13'])
  const inherited =
    '[workspace.package]\nrust-version = "1.81"\n[workspace]\n[package]\nname = "a"\nrust-version.workspace = true\n'
  assert.deepEqual(of({ 'Cargo.toml': inherited }), ['rust >=1.81.0 Cargo.toml:2:1-13'])
  assert.deepEqual(of({ '.tool-versions': 'rust 1.84.1\n' }), ['rust 1.84.1 .tool-versions:1:6-12'])
})

test('versions: disagreement, nightly, targets', (t) => {
  const found = unit(t, {
    'Cargo.toml': `${crate}rust-version = "1.90"\n`,
    'rust-toolchain.toml': '[toolchain]\nchannel = "1.85.0"\ntargets = ["wasm32-wasip1"]\n',
  })
  assert.deepEqual(said(found), [
    'note rust-targets rust-toolchain.toml:3:1: the image has the compiler for its own platform only, not for wasm32-wasip1',
    'warning toolchain-disagreement rust-toolchain.toml:2:1: no version of rust is both 1.85.0 (rust-toolchain.toml) and 1.90 (Cargo.toml); the first is taken',
  ])
  const nightly = unit(t, { 'Cargo.toml': crate, 'rust-toolchain': 'nightly-2026-01-01\n' })
  assert.deepEqual(said(nightly), [
    'warning rust-channel rust-toolchain:1:1: the channel nightly-2026-01-01 has no official image; a stable compiler is taken',
  ])
})

test('manifests that cannot be read', (t) => {
  const found = unit(t, { 'Cargo.toml': '[package]\nname = \n' })
  assert.deepEqual(
    [found.tasks, found.diagnostics[0]?.code, found.diagnostics[0]?.where?.line],
    [[], 'manifest-syntax', 2],
  )
  assert.deepEqual(said(unit(t, { 'Cargo.toml': '[package]\nname = 5\n', 'Cargo.lock': '' })), [
    'error manifest-type Cargo.toml:2:1: package.name must be text, not a number',
  ])
})
