import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type PrepareOptions, prepareDatabase } from '../../src/scan/prepare-database.ts'
import { thisProcess } from '../../src/util/lock.ts'
import { codeOf, type DatabaseOptions, failureOf, fakeTrivy, plant, plantDatabase, program, temporary } from './rig.ts'

const hour = 3_600_000
/** Puts a whole database into the folder that it is given, after a moment. */
const delivers = `await0(() => {
  fs.mkdirSync(path.join(cache, 'db'), { recursive: true })
  fs.writeFileSync(path.join(cache, 'db/metadata.json'), JSON.stringify({ Version: 2, UpdatedAt: new Date().toISOString() }))
  fs.writeFileSync(path.join(cache, 'db/trivy.db'), 'y'.repeat(2 << 20))
})
function await0(work) { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300); work() }`

function rig(
  t: TestContext,
  {
    database,
    download = delivers,
    ...more
  }: { database?: DatabaseOptions; download?: string } & Partial<PrepareOptions> = {},
) {
  const dir = join(temporary(t), 'cache')
  if (database) plantDatabase(dir, database)
  const fake = fakeTrivy(temporary(t), { download })
  const env = {
    DWF_TRIVY_CACHE: dir,
    SSL_CERT_FILE: '/ca.pem',
    HTTPS_PROXY: 'http://proxy:1',
    TRIVY_DB_REPOSITORY: 'evil',
    PATH: '/x',
    HOME: '/h',
  }
  const prepare = () => prepareDatabase({ guarded: [temporary(t)], trivy: program(fake.path), env, ...more })
  return { dir, fake, prepare, content: () => readFileSync(join(dir, 'db/trivy.db'), 'utf8')[0] }
}

test('a fresh database is used as it is', async (t) => {
  const { fake, prepare } = rig(t, { database: {} })
  const { database, lines } = await prepare()
  assert.deepEqual([database.kind, lines, fake.calls()], ['ready', [], []])
})

test('one that is absent, damaged or too old is fetched, and put in its place when it is whole', async (t) => {
  for (const database of [undefined, { metadata: 'x' }, { updatedAt: Date.now() - 49 * hour }]) {
    const { dir, fake, prepare, content } = rig(t, database ? { database } : {})
    assert.equal((await prepare()).database.kind, 'ready')
    assert.equal(fake.calls().length, 1)
    assert.equal(content(), 'y')
    assert.deepEqual(readdirSync(dir), ['db'])
  }
})

test('the download has proxies and certificates, and nothing else of the person', async (t) => {
  const { fake, prepare, dir } = rig(t)
  await prepare()
  const { env, argv, cwdEntries } = fake.calls()[0]!
  assert.deepEqual(Object.keys(env).sort(), [
    'AWS_EC2_METADATA_DISABLED',
    'GOOGLE_APPLICATION_CREDENTIALS',
    'HOME',
    'HTTPS_PROXY',
    'PATH',
    'SSL_CERT_FILE',
    'TMPDIR',
  ])
  assert.notEqual(env.HOME, '/h')
  assert.deepEqual(cwdEntries, [])
  assert.deepEqual(argv.slice(0, 2), ['image', '--download-db-only'])
  // Beside the old one: half a download is never what a scan reads.
  assert.match(argv[argv.indexOf('--cache-dir') + 1]!, new RegExp(`^${dir}/.dwf-new-`))
})

test('a download that fails leaves what was there, and is a failure with the reason', async (t) => {
  const downloads = [
    'console.error("2026-11-22T05:33:20Z\\tFATAL\\tno such host"); process.exit(1)',
    '',
    'fs.mkdirSync(path.join(cache, "db")); fs.writeFileSync(path.join(cache, "db/trivy.db"), "half")',
  ]
  for (const download of downloads) {
    const { dir, prepare, content } = rig(t, { download, database: { updatedAt: Date.now() - 49 * hour } })
    assert.equal(await codeOf(prepare()), 'machine-cannot database-download')
    assert.equal(content(), 'x')
    assert.deepEqual(readdirSync(dir), ['db'])
  }
  const { prepare } = rig(t, { download: downloads[0]! })
  assert.equal(
    (await failureOf(prepare())).message,
    'the vulnerability database could not be fetched: FATAL no such host',
  )
})

test('a download takes only so long', async (t) => {
  const { prepare } = rig(t, {
    download: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000)',
    timeoutMs: 1000,
  })
  assert.match((await failureOf(prepare())).message, /could not be fetched in 1\.0 s/)
})

test('offline, nothing is fetched: an old one is used and said, none is a failure', async (t) => {
  const old = rig(t, { offline: true, database: { updatedAt: Date.now() - 100 * hour } })
  assert.deepEqual((await old.prepare()).lines, [
    'the vulnerability database is 4 days old and was used since this run is offline: what became known since is not found',
  ])
  const absent = rig(t, { offline: true })
  assert.equal(await codeOf(absent.prepare()), 'machine-cannot database-absent')
  const damaged = rig(t, { offline: true, database: { metadata: 'x' } })
  assert.equal(await codeOf(damaged.prepare()), 'machine-cannot database-unreadable')
  assert.deepEqual([...old.fake.calls(), ...absent.fake.calls(), ...damaged.fake.calls()], [])
})

test('a test database is never replaced unasked', async (t) => {
  const old = rig(t, { database: { updatedAt: Date.now() - 100 * hour, entries: 17 } })
  const failure = await failureOf(old.prepare())
  assert.equal(failure.diagnostics[0]?.code, 'database-old')
  assert.match(failure.message, /TEST DATABASE \(17 entries\) is 4 days old/)
  assert.deepEqual([old.fake.calls(), old.content()], [[], 'x'])
})

test('a download that brings an old database is refused', async (t) => {
  const download = delivers.replace('new Date()', `new Date(${Date.now() - 100 * hour})`)
  assert.equal(await codeOf(rig(t, { download }).prepare()), 'machine-cannot database-old')
})

test('of two that want it at the same time, one fetches it and the other finds it', async (t) => {
  const { fake, prepare } = rig(t)
  const both = await Promise.all([prepare(), prepare()])
  assert.deepEqual(
    both.map(({ database }) => database.kind),
    ['ready', 'ready'],
  )
  assert.equal(fake.calls().length, 1)
})

test('the lock of a process that is gone does not hold anybody up; that of a living one does', async (t) => {
  const dead = rig(t)
  plant(dead.dir, { '.dwf-download.lock': JSON.stringify({ ...thisProcess(), pid: 2 ** 22 + 1 }) })
  await dead.prepare()
  const held = rig(t, { timeoutMs: 600 })
  plant(held.dir, { '.dwf-download.lock': JSON.stringify(thisProcess()) })
  assert.equal(await codeOf(held.prepare()), 'machine-cannot database-locked')
  assert.deepEqual(held.fake.calls(), [])
  // A number that another process has by now.
  const reused = rig(t, { timeoutMs: 5000 })
  plant(reused.dir, { '.dwf-download.lock': JSON.stringify({ ...thisProcess(), started: 'another boot' }) })
  await reused.prepare()
})
