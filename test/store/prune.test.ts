import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { headOf } from '../../src/store/append.ts'
import { compact, prunable, pruneRun, removeFolder, strayFolders } from '../../src/store/prune.ts'
import { auditTombstones, readTombstones } from '../../src/store/tombstones.ts'
import { makeRun, temporaryStore } from './made-runs.ts'

const day = 86_400_000
const now = 1_800_000_000_000

test('the newest of a project stays, and so does what is going on; keep and before both have to let a run go', async (t) => {
  const { store, runs } = await temporaryStore(t)
  const made = [
    { id: 'a1', root: '/a', at: now - 9 * day },
    { id: 'a2', root: '/a', at: now - 8 * day, ends: false },
    { id: 'a3', root: '/a', at: now - 7 * day },
    { id: 'a4', root: '/a', at: now - 2 * day },
    { id: 'a5', root: '/a', at: now - day },
    { id: 'b1', root: '/b', at: now - 9 * day },
  ]
  for (const one of made) await makeRun(store, runs, one)
  const ids = (choice: Parameters<typeof prunable>[1]) => prunable(store.database, choice).map(({ id }) => id)
  assert.deepEqual(ids({ keep: 0 }), ['a1', 'a3', 'a4'])
  assert.deepEqual(ids({ keep: 2 }), ['a1', 'a3'])
  assert.deepEqual(ids({ before: now - 3 * day }), ['a1', 'a3'])
  assert.deepEqual(ids({ keep: 3, before: now - 8.5 * day, root: '/a' }), ['a1'])
  assert.deepEqual(ids({ root: '/b' }), [])
  store.database.exec("UPDATE runs SET imported_at = 1 WHERE id IN ('a5', 'b1')")
  assert.deepEqual(ids({}), ['a1', 'b1', 'a3', 'a5'])
})

test('what was imported is counted apart: it pushes out nothing that was run here', async (t) => {
  const { store, runs } = await temporaryStore(t)
  for (const [index, id] of ['own1', 'own2', 'own3', 'in1', 'in2', 'in3'].entries())
    await makeRun(store, runs, { id, at: now + index * day })
  store.database.exec("UPDATE runs SET imported_at = 1 WHERE id LIKE 'in%'")
  const ids = (keep: number) => prunable(store.database, { keep }).map(({ id }) => id)
  assert.deepEqual(ids(2), ['own1', 'in1'])
  assert.deepEqual(ids(1), ['own1', 'own2', 'in1', 'in2'])
  assert.deepEqual(ids(0), ['own1', 'own2', 'in1', 'in2', 'in3'])
})

test('a run that goes leaves a tombstone with its last head, and nothing else', async (t) => {
  const { store, runs } = await temporaryStore(t)
  const { database } = store
  await makeRun(store, runs, { id: 'r1', at: 1, results: { test: { outputs: { a: 'b' } } } })
  await makeRun(store, runs, { id: 'r2', at: 2 })
  await makeRun(store, runs, { id: 'r3', at: 3 })
  const heads = ['r1', 'r2'].map((id) => headOf(database, id).hash)
  assert.equal(pruneRun(database, 'r1', now), true)
  assert.equal(pruneRun(database, 'r2', now), true)
  const stones = readTombstones(database)
  assert.deepEqual(
    stones.map(({ hash: _hash, ...stone }) => stone),
    heads.map((head, index) => ({ position: index + 1, run: `r${index + 1}`, at: now, events: 6, head })),
  )
  assert.equal(auditTombstones(stones).ok, true)
  for (const table of ['tasks', 'attempts', 'outputs', 'events'])
    assert.deepEqual(
      database
        .prepare(`SELECT DISTINCT run FROM ${table}`)
        .all()
        .map((row) => row.run),
      table === 'outputs' ? [] : ['r3'],
    )
})

test('a run that was taken up or became the newest since somebody looked stays', async (t) => {
  const { store, runs } = await temporaryStore(t)
  const { database } = store
  await makeRun(store, runs, { id: 'r1', at: 1, ends: false })
  await makeRun(store, runs, { id: 'r2', at: 2 })
  assert.equal(pruneRun(database, 'r1', now), false)
  assert.equal(pruneRun(database, 'r2', now), false)
  assert.equal(pruneRun(database, 'r0', now), false)
  assert.deepEqual(readTombstones(database), [])
})

test('a prune that cannot finish changes nothing', async (t) => {
  const { store, runs } = await temporaryStore(t)
  const { database } = store
  await makeRun(store, runs, { id: 'r1', at: 1 })
  await makeRun(store, runs, { id: 'r2', at: 2 })
  database.exec("CREATE TRIGGER full BEFORE DELETE ON attempts BEGIN SELECT RAISE(ABORT, 'no space'); END")
  assert.throws(() => pruneRun(database, 'r1', now), { message: 'no space' })
  assert.deepEqual(readTombstones(database), [])
  assert.equal(database.prepare("SELECT count(*) AS n FROM events WHERE run = 'r1'").get()!.n, 6)
})

test('folders go that belong to no run: of one that was pruned at once, of one that never came to be after a day', async (t) => {
  const { store, runs, folder } = await temporaryStore(t)
  const { database } = store
  await makeRun(store, runs, { id: 'r1', at: 1, logs: { build: 'a'.repeat(1000) } })
  await makeRun(store, runs, { id: 'r2', at: 2, logs: { build: 'b' } })
  pruneRun(database, 'r1', now)
  const outside = join(folder, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'precious'), '')
  for (const name of ['young', 'old', '.import-x', '.gone-r0-1']) mkdirSync(join(runs, name))
  for (const name of ['young', 'r1', '.import-x', '.gone-r0-1']) utimesSync(join(runs, name), now / 1000, now / 1000)
  for (const name of ['old', 'r2']) utimesSync(join(runs, name), now / 1000, (now - 2 * day) / 1000)
  symlinkSync(outside, join(runs, 'old', 'link'))
  symlinkSync(outside, join(runs, 'a-link'))
  utimesSync(join(runs, 'old'), now / 1000, (now - 2 * day) / 1000)
  const strays = strayFolders(database, runs, now)
  assert.deepEqual([...strays].sort(), ['.gone-r0-1', 'old', 'r1'])
  assert.ok(removeFolder(database, runs, 'r1', now) >= 1000)
  for (const name of ['.gone-r0-1', 'old']) removeFolder(database, runs, name, now)
  assert.deepEqual(readdirSync(runs).sort(), ['.import-x', 'a-link', 'r2', 'young'])
  assert.ok(existsSync(join(outside, 'precious')))
})

test('a folder that has a row again by the time it should go stays', async (t) => {
  const { store, runs } = await temporaryStore(t)
  await makeRun(store, runs, { id: 'r1', at: 1, logs: { build: 'a' } })
  utimesSync(join(runs, 'r1'), 1, 1)
  assert.equal(removeFolder(store.database, runs, 'r1', now), 0)
  assert.ok(existsSync(join(runs, 'r1')))
})

test('what deleted rows had is given back, unless a run is going on', async (t) => {
  const { store, runs } = await temporaryStore(t)
  const { database } = store
  await makeRun(store, runs, { id: 'r1', at: 1, results: { test: { outputs: { a: 'x'.repeat(200_000) } } } })
  await makeRun(store, runs, { id: 'r2', at: 2 })
  pruneRun(database, 'r1', now)
  assert.ok(compact(database)! > 200_000)
  await makeRun(store, runs, { id: 'r3', at: 3, ends: false })
  assert.equal(compact(database), undefined)
})
