import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { holderWord, thisProcess } from '../../src/util/lock.ts'

test('a folder is gone afterwards; what a dead process left goes, what a living one has stays', (t) => {
  const place = mkdtempSync(join(tmpdir(), 'dwf-rig-'))
  t.after(() => rmSync(place, { recursive: true, force: true }))
  const left = (name: string, word?: string) => {
    mkdirSync(join(place, name))
    if (word !== undefined) writeFileSync(join(place, name, '.owner'), word)
  }
  left('dwf-tmp-dead', holderWord({ ...thisProcess(), pid: 2 ** 22 + 1 }))
  left('dwf-tmp-reused', holderWord({ ...thisProcess(), started: 'another boot' }))
  left('dwf-tmp-alive', holderWord(thisProcess()))
  left('dwf-tmp-new')
  left('other-dead', holderWord({ ...thisProcess(), pid: 2 ** 22 + 1 }))
  const script = `const { withTemporary } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/util/temporary.ts'))})
    let seen
    await withTemporary(async (folder) => { seen = folder; (await import('node:fs')).writeFileSync(folder + '/x', '') })
    await withTemporary(async () => { throw new Error('on purpose') }).catch(() => {})
    console.log(seen)`
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: place },
  })
  assert.equal(status, 0, stderr)
  assert.ok(stdout.startsWith(join(place, 'dwf-tmp-')))
  assert.equal(existsSync(stdout.trim()), false)
  const still = ['dwf-tmp-dead', 'dwf-tmp-reused', 'dwf-tmp-alive', 'dwf-tmp-new', 'other-dead'].filter((name) =>
    existsSync(join(place, name)),
  )
  assert.deepEqual(still, ['dwf-tmp-alive', 'dwf-tmp-new', 'other-dead'])
})
