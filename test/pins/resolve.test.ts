import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatLock,
  type Lock,
  type Resolution,
  type ResolveOptions,
  resolveToolchains,
  shippedLock,
  shippedPins,
  updateLock,
} from '../../src/pins/index.ts'
import type { ToolchainRequest } from '../../src/project/types.ts'
import { recipeOf, request } from './recipes.ts'

function resolve(requests: readonly ToolchainRequest[], more: Partial<ResolveOptions> = {}): Resolution {
  return resolveToolchains({ requests, recipeOf, toolchains: 'official', ...more })
}
const chosen = (resolution: Resolution) => resolution.toolchains.map((one) => `${one.tool} ${one.version} ${one.from}`)
const said = (resolution: Resolution) =>
  resolution.diagnostics.map(
    (one) =>
      `${one.severity} ${one.where ? `${one.where.file}:${one.where.line}: ` : ''}${one.message}${one.hint ? ` | ${one.hint}` : ''}`,
  )

test('the newest pin that satisfies every request is chosen', () => {
  assert.deepEqual(chosen(resolve([request('node')])), ['node 26.9.0 image'])
  assert.deepEqual(chosen(resolve([request('node', '>=20 <25')])), ['node 24.21.0 image'])
  assert.deepEqual(chosen(resolve([request('node', '>=20'), request('node', '^22'), request('node')])), [
    'node 22.23.2 image',
  ])
  assert.deepEqual(chosen(resolve([request('python', '3.13')])), ['python 3.13.15 image'])
  assert.deepEqual(chosen(resolve([request('java', '>=17 <22')])), ['java 21.0.12+8 image'])
})

test('what a tool needs comes with it and before it', () => {
  assert.deepEqual(chosen(resolve([request('maven'), request('pnpm', '9.15.9')])), [
    'java 25.0.4+8 image'.replace('+8', '+7'),
    'maven 3.9.16 image',
    'node 26.9.0 image',
    'pnpm 9.15.9 package',
  ])
})

test('ranges that exclude each other are an error that names both places', () => {
  assert.deepEqual(said(resolve([request('node', '22', 'a/.nvmrc'), request('node', '24', 'b/.nvmrc')])), [
    'error b/.nvmrc:1: no version of node is both 22 (a/.nvmrc:1) and 24 (b/.nvmrc:1) | one image serves all units: make the two agree',
  ])
})

test('a version without a pin is an error with every way out, never another version', () => {
  const resolution = resolve([request('node', '20', '.nvmrc')])
  assert.deepEqual(chosen(resolution), [])
  assert.deepEqual(said(resolution), [
    'error .nvmrc:1: no pin of node is 20 (.nvmrc:1): pinned is 22.23.2, 24.21.0 and 26.9.0 | change the version in .nvmrc to one that is pinned: 22.23.2, 24.21.0 or 26.9.0; or add a pin of it to "images" in devflow.lock, with a digest that you have checked; or set toolchains = "debian" in [container] of devflow.toml, which brings 20.19.2',
  ])
})

test('in everyday work the lock alone counts; at init and update the shipped pins complete it', () => {
  const { lock } = shippedLock({
    requests: [request('node', '22')],
    recipeOf,
    toolchains: 'official',
    version: '0.1.0',
  })
  assert.deepEqual(chosen(resolve([request('node')], { lock })), ['node 22.23.2 image'])
  const resolution = resolve([request('node', '24', '.nvmrc')], { lock })
  assert.match(
    said(resolution)[0]!,
    /pinned is 22\.23\.2 \| take 24\.21\.0 with "dwf pin update"; or change the version in \.nvmrc/,
  )
  assert.deepEqual(chosen(resolve([request('node', '24')], { lock, complete: true })), ['node 24.21.0 image'])
  assert.deepEqual(
    chosen(resolve([request('node')], { lock, complete: true })),
    ['node 22.23.2 image'],
    'a pin of the lock comes first',
  )
})

test('a lock without a tool that the repository uses is an error, never Debian in silence', () => {
  const { lock } = shippedLock({ requests: [], recipeOf, toolchains: 'official', version: '0.1.0' })
  assert.match(
    said(resolve([request('python')], { lock }))[0]!,
    /^error no pin of python is any version: none is pinned \| take 3\.14\.7 with "dwf pin update"/,
  )
})

test('toolchains = "debian" takes Debian’s version where it satisfies the request, and says so', () => {
  const resolution = resolve([request('python', '3.13', '.python-version')], { toolchains: 'debian' })
  assert.deepEqual(chosen(resolution), ['python 3.13.5 debian'])
  assert.match(
    said(resolution)[0]!,
    /^note \.python-version:1: python is Debian's package .*python3-venv \(3\.13\.5\)$/,
  )
  assert.deepEqual(said(resolve([request('python', '3.12', '.python-version')], { toolchains: 'debian' })), [
    'error .python-version:1: Debian 13 has python 3.13.5, which is not 3.12 (.python-version:1) | set toolchains = "official" in [container] of devflow.toml, which brings 3.12.14; or ask for a version that 3.13.5 satisfies',
  ])
  assert.match(
    said(resolve([request('gradle')], { toolchains: 'debian' })).at(-1)!,
    /^error Debian 13 has no package of gradle \| set toolchains = "official"/,
  )
})

test('a tool without any image comes from Debian', () => {
  assert.deepEqual(chosen(resolve([request('make')])), ['make 4.4.1 debian'])
})

test('a tool of a registry is taken at exactly the version that the repository names', () => {
  const packages = (requests: readonly ToolchainRequest[]) =>
    resolve(requests).toolchains.flatMap((one) => (one.from === 'package' ? [one.pin] : []))
  assert.deepEqual(packages([request('pnpm', '9.1.0')]), [
    { tool: 'pnpm', registry: 'npm', name: 'pnpm', version: '9.1.0' },
  ])
  assert.equal(packages([request('pnpm')])[0]!.version, '11.28.11')
  assert.equal(packages([request('pnpm', '10')])[0]!.version, '10.34.9')
  assert.match(said(resolve([request('pnpm', '8')])).at(-1)!, /^error \.pnpm-version:1: no pin of pnpm is 8/)
  assert.deepEqual(packages([request('yarn-berry', '4.9.1')]), [
    { tool: 'yarn-berry', registry: 'npm', name: '@yarnpkg/cli-dist', version: '4.9.1' },
  ])
})

test('a hash of packageManager is checked against the lock and kept', () => {
  const known = shippedPins.packages.find((pin) => pin.tool === 'pnpm' && pin.version === '9.15.9')!
  const hex = Buffer.from(known.integrity!.slice(7), 'base64').toString('hex')
  const asked = (integrity: string, version = '9.15.9') => resolve([{ ...request('pnpm', version), integrity }])
  assert.deepEqual(said(asked(`sha512.${hex}`)), [])
  assert.match(
    said(asked(`sha512.${'0'.repeat(128)}`))[0]!,
    /^error .*the hash of pnpm 9\.15\.9 is another one than in devflow\.lock/,
  )
  assert.match(said(asked('sha1.00'))[0]!, /^error .*the hash of pnpm is none that dwf can check/)
  const other = asked(`sha512.${'ab'.repeat(64)}`, '9.1.0').toolchains.find((one) => one.tool === 'pnpm')
  assert.equal(
    other?.from === 'package' && other.pin.integrity,
    `sha512-${Buffer.from('ab'.repeat(64), 'hex').toString('base64')}`,
  )
})

test('a tool that no stack knows and a range that is none are errors', () => {
  assert.match(said(resolve([request('cobol')]))[0]!, /^error dwf does not know how to bring "cobol" into an image/)
  assert.match(said(resolve([request('node', 'latest please')]))[0]!, /^error .*is no range of versions of node/)
  assert.deepEqual(chosen(resolve([request('constructor'), request('__proto__')])), [])
})

test('the first lock holds what the repository uses, and nothing of the day it is made on', () => {
  const make = () =>
    shippedLock({
      requests: [request('node', '24'), request('pnpm')],
      recipeOf,
      toolchains: 'official',
      version: '0.1.0',
    }).lock
  assert.deepEqual(
    make().images.map((pin) => pin.tool),
    ['base', 'node'],
  )
  assert.deepEqual(
    make().packages.map((pin) => pin.tool),
    ['pnpm'],
  )
  assert.equal(make().epoch, shippedPins.date)
  assert.equal(formatLock(make()), formatLock(make()))
})

test('an update moves the epoch and old pins, and leaves what it does not know', () => {
  const { lock } = shippedLock({
    requests: [request('node', '24')],
    recipeOf,
    toolchains: 'official',
    version: '0.1.0',
  })
  const digest = `sha256:${'1'.repeat(64)}`
  const old: Lock = {
    ...lock,
    epoch: '2026-01-01',
    images: [
      ...lock.images.filter((pin) => pin.tool === 'base'),
      { tool: 'node', ref: 'docker.io/library/node:24-trixie-slim', digest, version: '24.1.0' },
      { tool: 'zig', ref: 'example.org/zig:1', digest, version: '1.0.0' },
    ],
    tools: [{ name: 'trivy', minimum: '0.80.0', denied: ['0.1.0'] }],
  }
  const options = {
    requests: [request('node', '24')],
    recipeOf,
    toolchains: 'official',
    version: '0.2.0',
    today: '2026-12-01',
  } as const
  const next = updateLock(old, options)
  assert.equal(next.lock.epoch, '2026-12-01')
  assert.equal(next.lock.dwf, '0.2.0')
  assert.deepEqual(next.changes, [{ tool: 'node', from: '24.1.0', to: '24.21.0' }])
  assert.deepEqual(
    next.lock.images.map((pin) => `${pin.tool} ${pin.version}`),
    ['base 13.7.0+20260918', 'node 24.21.0', 'zig 1.0.0'],
  )
  assert.deepEqual(next.lock.tools, [
    { name: 'trivy', minimum: '0.80.0', denied: ['0.1.0', '0.69.4', '0.69.5', '0.69.6'] },
  ])
  const again = updateLock(next.lock, { ...options, today: '2026-11-01' })
  assert.equal(again.lock.epoch, '2026-12-01', 'it never goes back')
  assert.deepEqual(again.changes, [])
  const newer: Lock = {
    ...old,
    images: old.images.map((pin) => (pin.tool === 'node' ? { ...pin, version: '24.99.0' } : pin)),
  }
  assert.deepEqual(updateLock(newer, options).changes, [], 'a newer pin of a person is kept')
  const stuck = updateLock(old, { ...options, requests: [request('node', '20')] })
  assert.ok(
    stuck.lock.images.some((pin) => pin.version === '24.1.0'),
    'what cannot be resolved stays',
  )
})
