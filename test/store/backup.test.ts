import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { auditRun } from '../../src/store/audit.ts'
import { backupDatabase, checkCopy } from '../../src/store/backup.ts'
import { exportRows } from '../../src/store/export-rows.ts'
import { openStore } from '../../src/store/store.ts'
import { makeRun, temporaryStore } from './made-runs.ts'

test('a copy is private, whole, and can be opened as a store, also when it was made under a run', async (t) => {
  const { store, runs, folder } = await temporaryStore(t)
  await makeRun(store, runs, { id: 'r1' })
  await makeRun(store, runs, { id: 'r2', at: 2, ends: false })
  const state = join(folder, 'other')
  mkdirSync(state, { mode: 0o700 })
  const file = join(state, 'dwf.db')
  const { bytes } = await backupDatabase(store.database, file)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(file).size, bytes)
  assert.deepEqual(readdirSync(state), ['dwf.db'])
  const copy = await openStore(state)
  assert.deepEqual(exportRows(copy.database, 'r1'), exportRows(store.database, 'r1'))
  assert.equal(auditRun(exportRows(copy.database, 'r2')!).ok, true)
  assert.throws(() => copy.database.exec('DELETE FROM events'), { message: /never deleted/ })
  copy.close()
  await makeRun(store, runs, { id: 'r3', at: 3 })
})

test('a file that is there stays as it is, and a folder that is not there is said', async (t) => {
  const { store, folder } = await temporaryStore(t)
  const file = join(folder, 'mine.db')
  writeFileSync(file, 'mine')
  await assert.rejects(backupDatabase(store.database, file), { kind: 'refused', message: `${file} is there already` })
  assert.equal(readFileSync(file, 'utf8'), 'mine')
  await assert.rejects(backupDatabase(store.database, join(folder, 'no/where.db')), {
    kind: 'wrong-input',
    message: `there is no folder ${join(folder, 'no')}`,
  })
  assert.deepEqual(readdirSync(folder).sort(), ['mine.db', 'state'])
})

test('a copy that is damaged is no copy', async (t) => {
  const { store, runs, folder } = await temporaryStore(t)
  await makeRun(store, runs, { id: 'r1', results: { test: { outputs: { a: 'x'.repeat(50_000) } } } })
  const file = join(folder, 'copy.db')
  await backupDatabase(store.database, file)
  const bytes = readFileSync(file)
  bytes.fill(0xff, 4096, 4096 * 4)
  const damaged = join(folder, 'damaged.db')
  writeFileSync(damaged, bytes)
  assert.throws(() => checkCopy(store.database, damaged), { kind: 'machine-cannot', message: /^the copy is damaged: / })
  // The store itself goes on.
  await makeRun(store, runs, { id: 'r2', at: 2 })
  assert.ok(existsSync(file))
})

test('a store with rows that belong to no run gives no copy', async (t) => {
  const { store, runs, folder } = await temporaryStore(t)
  await makeRun(store, runs, { id: 'r1' })
  store.database.exec("PRAGMA foreign_keys = OFF; INSERT INTO outputs VALUES ('gone', 'a', 'b', 'c')")
  await assert.rejects(backupDatabase(store.database, join(folder, 'copy.db')), {
    kind: 'machine-cannot',
    message: 'the copy is damaged: it has rows that belong to no run',
  })
  assert.deepEqual(readdirSync(folder), ['state'])
})
