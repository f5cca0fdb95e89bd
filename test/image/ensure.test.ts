import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  dropSubstitute,
  type EnsureOptions,
  ensureImage,
  imageList,
  imageName,
  imageRemove,
  nameComponent,
  readSubstitutes,
  substitutesFor,
  useSubstitute,
} from '../../src/image/index.ts'
import { Failure, failure } from '../../src/util/diagnostics.ts'
import { memoryEngine } from './memory-engine.ts'
import { modelOf } from './models.ts'

function rig(more: Partial<EnsureOptions> = {}) {
  const engine = memoryEngine()
  const stateFolder = join(mkdtempSync(join(tmpdir(), 'dwf-ensure-')), 'dwf')
  const lines: string[] = []
  const options: EnsureOptions = {
    engine,
    model: modelOf(['node@24', 'pnpm']),
    dockerfile: '/repo/Dockerfile.devflow',
    context: '/repo',
    name: 'localhost/dwf/shop',
    fingerprint: 'f'.repeat(64),
    args: { DWF_EPOCH: '2026-11-22' },
    substitutes: [],
    stateFolder,
    onLine: (line) => lines.push(line),
    signal: new AbortController().signal,
    ...more,
  }
  return {
    engine,
    options,
    lines,
    stateFolder,
    [Symbol.dispose]: () => rmSync(join(stateFolder, '..'), { recursive: true, force: true }),
  }
}
const image = `localhost/dwf/shop:${'f'.repeat(16)}`

test('an image is built, proved, and only then has its name', async () => {
  using world = rig()
  const result = await ensureImage(world.options)
  assert.deepEqual(result, { image, fingerprint: 'f'.repeat(64), wasBuilt: true, substitutes: [] })
  assert.deepEqual(world.engine.calls, [
    `build ${image}-unproven`,
    `run ${image}-unproven`,
    "echo '$ /usr/local/libexec/dwf/sh -c '\\''git --version'\\'''; /usr/local/libexec/dwf/sh -c 'git --version' || exit",
    "echo '$ sh -c '\\''node --version && npm --version'\\'''; sh -c 'node --version && npm --version' || exit",
    "echo '$ pnpm --version'; pnpm --version || exit",
    `tag ${image}`,
    `remove ${image}-unproven`,
  ])
  const { labels, args, target } = world.engine.requests[0]!
  assert.deepEqual(labels, { 'dev.dwf.image': '1', 'dev.dwf.fingerprint': 'f'.repeat(64), 'dev.dwf.substitutes': '' })
  assert.deepEqual([args, target], [{ DWF_EPOCH: '2026-11-22' }, 'ci'])
  assert.deepEqual(world.lines, [
    'proves the image: sh, node, pnpm as 1001 on a read-only root, without network',
    'Podman copies its layers for this account now, once',
  ])
  assert.deepEqual(readdirSync(join(world.stateFolder, 'locks')), [])
})

test('what is there is not built again; the tag alone does not count', async () => {
  using world = rig()
  await ensureImage(world.options)
  assert.equal((await ensureImage(world.options)).wasBuilt, false)
  assert.equal(world.engine.requests.length, 1)
  const [own] = [...world.engine.store.values()]
  world.engine.store.set(own!.id, { ...own!, labels: { ...own!.labels, 'dev.dwf.fingerprint': `${'f'.repeat(63)}0` } })
  assert.equal((await ensureImage(world.options)).wasBuilt, true)
})

test('an image with a substitute is another one than the same image without', async () => {
  using world = rig()
  useSubstitute(world.stateFolder, {
    ref: 'docker.io/library/debian:13-slim',
    image: 'localhost/x:1',
    how: 'by hand',
    created: '2026-11-22T00:00:00Z',
  })
  const substitutes = substitutesFor(world.options.model, readSubstitutes(world.stateFolder))
  assert.deepEqual(
    substitutes.map((one) => one.pinned),
    [`docker.io/library/debian:13-slim@${world.options.model.base.digest}`],
  )
  const result = await ensureImage({ ...world.options, substitutes })
  assert.deepEqual(result.substitutes, substitutes)
  assert.deepEqual(world.engine.requests[0]!.substitutes, { [substitutes[0]!.pinned]: 'localhost/x:1' })
  assert.equal(world.lines[0], `in place of ${substitutes[0]!.pinned}: localhost/x:1 (by hand)`)
  assert.equal((await ensureImage({ ...world.options, substitutes })).wasBuilt, false)
  assert.equal((await ensureImage(world.options)).wasBuilt, true)
})

test('a failed smoke run takes the image away and shows what was said', async () => {
  using world = rig()
  world.engine.smoke = { code: 127, output: '$ node --version\nv24\n$ pnpm --version\nsh: 4: pnpm: not found\n' }
  await assert.rejects(ensureImage(world.options), (error) => {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'failed')
    assert.match(error.message, /^the image was built, but in it pnpm --version ended with 127:\n {4}\$ node --version/)
    return true
  })
  assert.equal(world.engine.store.size, 0)
})

test('of two that want the same image one builds and the other waits for it', async () => {
  using world = rig()
  world.engine.onBuild = () => new Promise((resolve) => setTimeout(resolve, 300))
  const results = await Promise.all([
    ensureImage(world.options),
    ensureImage(world.options),
    ensureImage(world.options),
  ])
  assert.equal(world.engine.requests.length, 1)
  assert.deepEqual(results.map((one) => one.wasBuilt).sort(), [false, false, true])
  assert.ok(world.lines.some((line) => line.startsWith(`waits for another dwf (process ${process.pid} on `)))
})

test('without a registry the error names the ways to do without', async () => {
  using world = rig()
  world.engine.onBuild = () =>
    Promise.reject(
      failure(
        'machine-cannot',
        'no-registry',
        'the image could not be built: lookup registry-1.docker.io: no such host',
      ),
    )
  await assert.rejects(ensureImage(world.options), (error) => {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'machine-cannot')
    assert.equal(
      error.diagnostics[0]!.hint,
      'check the network; without a registry: "dwf image base" makes the base image from Debian packages; toolchains = "debian" in [container] takes node from Debian; "dwf image use docker.io/library/node:24-trixie-slim IMAGE" takes a local image for node',
    )
    return true
  })
})

test('an abort ends the wait for another build', async () => {
  using world = rig()
  const controller = new AbortController()
  world.engine.onBuild = () => new Promise((resolve) => setTimeout(resolve, 500))
  const first = ensureImage(world.options)
  const second = ensureImage({ ...world.options, signal: controller.signal })
  setTimeout(() => controller.abort(), 50)
  await assert.rejects(second, (error) => error instanceof Failure && error.kind === 'interrupted')
  await first
})

test('images are listed and removed when they are dwf’s own, all or none', async () => {
  using world = rig()
  await ensureImage(world.options)
  await ensureImage({ ...world.options, fingerprint: 'e'.repeat(64) })
  world.engine.store.set('9'.repeat(64), {
    id: '9'.repeat(64),
    tags: ['docker.io/library/debian:13-slim'],
    created: '',
    size: 1,
    labels: {},
  })
  const images = await imageList(world.engine)
  assert.deepEqual(
    images.map((one) => one.fingerprint),
    ['e'.repeat(64), 'f'.repeat(64)],
  )
  await assert.rejects(
    imageRemove(world.engine, [image, 'docker.io/library/debian:13-slim']),
    (error) => error instanceof Failure && /is no image that dwf built/.test(error.message),
  )
  await assert.rejects(imageRemove(world.engine, ['9'.repeat(64)]), Failure)
  await assert.rejects(imageRemove(world.engine, ['ee']), Failure)
  assert.equal(world.engine.store.size, 3)
  assert.deepEqual(await imageRemove(world.engine, [image], { dryRun: true }), [image])
  assert.equal(world.engine.store.size, 3)
  await imageRemove(world.engine, [image, 'e'.repeat(16)])
  assert.deepEqual([...world.engine.store.keys()], ['9'.repeat(64)])
})

test('substitutes are kept in a private file; a damaged one is an error', () => {
  using world = rig()
  const { stateFolder } = world
  assert.deepEqual(readSubstitutes(stateFolder), [])
  const substitute = {
    ref: 'docker.io/library/node:24-trixie-slim',
    image: 'localhost/n:1',
    how: 'by hand',
    created: '2026-11-22T00:00:00Z',
  }
  useSubstitute(stateFolder, { ...substitute, image: 'localhost/old:1' })
  useSubstitute(stateFolder, substitute)
  assert.deepEqual(readSubstitutes(stateFolder), [substitute])
  const file = join(stateFolder, 'substitutes.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(stateFolder).mode & 0o777, 0o700)
  assert.throws(() => useSubstitute(stateFolder, { ...substitute, ref: `node@sha256:${'0'.repeat(64)}` }), Failure)
  assert.equal(dropSubstitute(stateFolder, substitute.ref), true)
  assert.equal(dropSubstitute(stateFolder, substitute.ref), false)
  for (const damage of [
    '',
    '{',
    'null',
    '[]',
    '{"schema":"dwf.substitutes/1"}',
    '{"schema":"dwf.substitutes/1","substitutes":{"a":{"image":1}}}',
  ]) {
    writeFileSync(file, damage)
    assert.throws(
      () => readSubstitutes(stateFolder),
      (error) => error instanceof Failure && error.kind === 'machine-cannot',
      damage,
    )
  }
})

test('names of projects become names of images that never meet', () => {
  assert.equal(imageName('shop'), 'localhost/dwf/shop')
  assert.equal(imageName('shop', 'example.org/team/x'), 'example.org/team/x')
  const names = [
    'Shop',
    'SHOP',
    'shop-',
    'a b',
    'a  b',
    '日本',
    '日本語',
    '',
    '../x',
    '$(id)',
    '`',
    'a\nb',
    'x'.repeat(300),
    'a__b',
    'a..b',
  ].map(nameComponent)
  assert.equal(new Set(names).size, names.length)
  for (const name of names) assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/)
})
