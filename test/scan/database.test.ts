import assert from 'node:assert/strict'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { databaseFolder, databaseState, describeDatabase, isStale } from '../../src/scan/database.ts'
import { codeOf, plant, plantDatabase, temporary } from './rig.ts'

const now = Date.parse('2026-11-22T12:00:00Z')
const hour = 3_600_000

test('a database is as old as its own metadata says', (t) => {
  const dir = plantDatabase(temporary(t), { updatedAt: now - 5 * hour })
  const state = databaseState(dir, now)
  assert.deepEqual(state, { kind: 'ready', dir, updatedAt: now - 5 * hour, ageMs: 5 * hour })
  assert.equal(describeDatabase(state), 'vulnerability database of 2026-11-22 07:00 UTC, 5 h old')
  assert.equal(isStale(state), false)
})

test('after 48 hours it is too old', (t) => {
  const dir = plantDatabase(temporary(t), { updatedAt: now - 48 * hour })
  assert.equal(isStale(databaseState(dir, now)), false)
  assert.equal(isStale(databaseState(dir, now + 1)), true)
})

test('no folder and no files are an absent database', (t) => {
  const dir = temporary(t)
  assert.deepEqual(databaseState(dir, now), { kind: 'absent', dir })
  assert.deepEqual(databaseState(join(dir, 'nothing'), now).kind, 'absent')
})

test('what cannot be read is no database', (t) => {
  const reason = (change: (dir: string) => void, metadata?: string) => {
    const dir = plantDatabase(temporary(t), metadata === undefined ? { updatedAt: now } : { metadata })
    change(dir)
    const state = databaseState(dir, now)
    return state.kind === 'unreadable' ? state.reason : state.kind
  }
  const nothing = () => {}
  assert.equal(
    reason((dir) => rmSync(join(dir, 'db/trivy.db'))),
    'trivy.db is missing or empty',
  )
  assert.equal(
    reason((dir) => writeFileSync(join(dir, 'db/trivy.db'), '')),
    'trivy.db is missing or empty',
  )
  assert.equal(
    reason((dir) => rmSync(join(dir, 'db/metadata.json'))),
    'metadata.json is missing',
  )
  for (const metadata of [
    '',
    '{"Version":2',
    '[]',
    'null',
    '{"Version":2}',
    '{"Version":2,"UpdatedAt":7}',
    '{"Version":2,"UpdatedAt":"yesterday"}',
  ]) {
    assert.equal(reason(nothing, metadata), 'metadata.json does not say when it was made', metadata)
  }
  assert.equal(reason(nothing, '{"Version":1,"UpdatedAt":"2026-11-22T00:00:00Z"}'), 'it has schema 1, not 2')
})

test('a database from the future would never grow old', (t) => {
  const dir = plantDatabase(temporary(t), { updatedAt: now + 25 * hour })
  assert.match(
    describeDatabase(databaseState(dir, now)),
    /cannot be read: it says that it was made in the future, at 2026-11-23 13:00 UTC/,
  )
})

test('a test database is known by its file or by its size, and is said aloud', (t) => {
  const marked = plantDatabase(temporary(t), { updatedAt: now, entries: 17, size: 3 * 1024 * 1024 })
  assert.equal(describeDatabase(databaseState(marked, now)), 'TEST DATABASE (17 entries)')
  const small = plantDatabase(temporary(t), { updatedAt: now, size: 65_536 })
  assert.equal(describeDatabase(databaseState(small, now)), 'TEST DATABASE (unknown number of entries)')
  const odd = plant(plantDatabase(temporary(t), { updatedAt: now }), { 'db/test-database.json': 'x' })
  assert.equal(describeDatabase(databaseState(odd, now)), 'TEST DATABASE (unknown number of entries)')
})

test('the database lies outside of the repository', async (t) => {
  const folder = temporary(t)
  const root = plant(join(folder, 'repository'), { keep: '' })
  assert.equal(databaseFolder([root], { XDG_CACHE_HOME: '/somewhere' }), '/somewhere/dwf/trivy')
  assert.equal(databaseFolder([root], { DWF_TRIVY_CACHE: '/else/where' }), '/else/where')
  symlinkSync(root, join(folder, 'link'))
  const code = (env: NodeJS.ProcessEnv) => codeOf((async () => databaseFolder([root], env))())
  assert.equal(await code({ DWF_TRIVY_CACHE: 'cache' }), 'machine-cannot database-path')
  assert.equal(await code({ DWF_TRIVY_CACHE: join(root, 'cache/deep') }), 'machine-cannot database-in-repository')
  assert.equal(await code({ DWF_TRIVY_CACHE: join(folder, 'link/cache') }), 'machine-cannot database-in-repository')
  assert.equal(await code({ XDG_CACHE_HOME: root }), 'machine-cannot database-in-repository')
})
