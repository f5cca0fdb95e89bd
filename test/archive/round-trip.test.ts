import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { contentsOf } from '../../src/archive/contents.ts'
import { logPath, type Manifest } from '../../src/archive/manifest.ts'
import { readExport } from '../../src/archive/read.ts'
import { redactRows } from '../../src/archive/redact-rows.ts'
import { exportFormats, writeExport } from '../../src/archive/write.ts'
import { logFiles } from '../../src/run/log.ts'
import { exportRows } from '../../src/store/export-rows.ts'
import { importRows } from '../../src/store/import-rows.ts'
import { inTransaction } from '../../src/store/open.ts'
import { dropTriggers, temporaryStore } from '../store/made-runs.ts'
import { collect, id, rig } from './rig.ts'

const token = `ghp_${'a1B2'.repeat(9)}`
const withoutCounts = ({ files }: Manifest) => files.map(({ path, bytes, sha256 }) => [path, bytes, sha256])

for (const format of exportFormats) {
  test(`${format}: the same run gives the same bytes, which fit and hold every row and log`, async (t) => {
    const { store, bytes, read, contents } = await rig(t)
    const once = await bytes(format)
    assert.ok(once.equals(await bytes(format)))
    const { manifest, rows, misfits, leftOut } = await read(once)
    assert.deepEqual(misfits, [])
    assert.deepEqual(leftOut, [])
    assert.deepEqual(manifest, (await contents()).manifest)
    const inJson = (all: typeof rows) => ({ ...all, plan: JSON.parse(all!.plan), options: JSON.parse(all!.options) })
    const kept = exportRows(store.database, id)!
    assert.deepEqual(
      JSON.stringify(sorted(inJson(rows))),
      JSON.stringify(sorted(inJson({ ...kept, isImported: true }))),
    )
  })

  test(`${format}: what is imported is exported as the same files, also where a secret was redacted`, async (t) => {
    const { bytes, file, read } = await rig(t, {
      results: { test: { reason: `it said ${token}`, outputs: { DB_PASSWORD: 'x', url: 'https://me:hunter2@db' } } },
      logs: { build: `password=hunter2\n${token}\n` },
    })
    const exported = await bytes(format)
    assert.doesNotMatch(exported.toString('latin1'), /hunter2|ghp_/)
    const { rows, misfits, manifest } = await read(exported)
    assert.deepEqual(misfits, [])
    // Two in the log; the reason, and both outputs, in a row and in the event that says them.
    assert.deepEqual(manifest.redacted, { places: 8, events: [5] })
    const other = await temporaryStore(t)
    inTransaction(other.store.database, () => importRows(other.store.database, rows!, 1))
    const logs = join(other.runs, id, 'logs')
    mkdirSync(logs, { recursive: true })
    await readExport(file, {
      sink: (task, kind) => {
        const chunks: Buffer[] = []
        return {
          write: (chunk) => void chunks.push(chunk),
          end: () => writeFileSync(logFiles(logs, task)[kind], Buffer.concat(chunks)),
        }
      },
    })
    const again = await contentsOf(exportRows(other.store.database, id)!, logs, { dwf: '0.1.0' })
    assert.equal(again.verdict.ok, true)
    assert.deepEqual(again.manifest.redacted.events, [5])
    assert.deepEqual(withoutCounts(again.manifest), withoutCounts(manifest))
  })
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => [key, sorted(one)]),
  )
}

test('names of tasks that are hostile, long or alike each have paths of their own', async (t) => {
  const long = 'x'.repeat(300)
  const tasks = ['a', 'A', 'a/b', 'a~2fb', '../../etc/passwd', '-rf', '..', 'ü\n', long, `${long}y`, 'y'.repeat(90)]
  const { bytes, read } = await rig(t, {
    tasks,
    results: {},
    logs: Object.fromEntries(tasks.map((task) => [task, task])),
  })
  const { manifest, misfits } = await read(await bytes('tar'))
  assert.deepEqual(misfits, [])
  assert.equal(new Set(manifest.files.map(({ path }) => path)).size, 7 + 2 * tasks.length)
})

test('two tasks never share a path, and no path leads anywhere', () => {
  const name = fc.string({ unit: 'binary', minLength: 1 })
  fc.assert(
    fc.property(name, name, (a, b) => {
      fc.pre(a !== b)
      assert.notEqual(logPath(a, 'log'), logPath(b, 'log'))
      assert.match(logPath(a, 'times'), /^logs\/[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,79}\.times$/)
    }),
  )
})

test('a log that is a link is not followed', async (t) => {
  const { runs, folder, contents } = await rig(t)
  writeFileSync(join(folder, 'precious'), 'mine')
  const { log } = logFiles(join(runs, id, 'logs'), 'build')
  unlinkSync(log)
  symlinkSync(join(folder, 'precious'), log)
  const paths = (await contents()).manifest.files.filter(({ task }) => task === 'build').map(({ path }) => path)
  assert.deepEqual(paths, ['logs/build.times'])
})

test('in JSON a log that is long has its size and digest only, and the export fits all the same', async (t) => {
  const { bytes, read } = await rig(t, { logs: { build: 'a'.repeat(1024 * 1024 + 1), test: 'short' } })
  const exported = await bytes('json')
  assert.deepEqual(JSON.parse(exported.toString()).logs[0], { path: 'logs/build.log', task: 'build', encoding: 'none' })
  const { leftOut, misfits } = await read(exported)
  assert.deepEqual(leftOut, ['logs/build.log'])
  assert.deepEqual(misfits, [])
})

test('a log that changes while it is exported ends the export', async (t) => {
  const { contents, runs } = await rig(t)
  const made = await contents()
  writeFileSync(logFiles(join(runs, id, 'logs'), 'build').log, 'other\n')
  await assert.rejects(collect(writeExport(made, 'tar')), {
    kind: 'machine-cannot',
    message: /was changed while it was read$/,
  })
})

test('a run that does not fit is exported as it is, and is not taken for one that does', async (t) => {
  const { store, contents, bytes, read } = await rig(t)
  dropTriggers(store)
  store.database.exec('UPDATE events SET at = at + 1 WHERE sequence = 2')
  assert.equal((await contents()).verdict.ok, false)
  const { misfits } = await read(await bytes('tar'))
  assert.deepEqual(misfits, [{ where: 'event 2', why: 'its hash does not fit what it says and what came before' }])
})

test('an import that cannot finish keeps no row', async (t) => {
  const { bytes, read } = await rig(t)
  const { rows } = await read(await bytes('tar'))
  const { store } = await temporaryStore(t)
  store.database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON events WHEN NEW.sequence = 6 BEGIN SELECT RAISE(ABORT, 'no space'); END",
  )
  assert.throws(() => inTransaction(store.database, () => importRows(store.database, rows!, 1)), {
    message: 'no space',
  })
  for (const table of ['runs', 'tasks', 'attempts', 'outputs', 'events'])
    assert.equal(store.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()!.n, 0)
})

test('an event without a secret stays as it is, byte for byte', async (t) => {
  const { store } = await rig(t)
  const rows = exportRows(store.database, id)!
  const data = '{ "b": 1.0, "a": "\\u0041" }'
  const redacted = redactRows({ ...rows, events: [{ ...rows.events[0]!, data }] })
  assert.equal(redacted.rows.events[0]!.data, data)
  assert.equal(redacted.places.events, 0)
})
