import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { newFile } from '../../src/util/new-file.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-new-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a new file is private and whole, and has its name only then', async (t) => {
  const folder = folderOf(t)
  const file = join(folder, 'x')
  const said = await newFile(file, (temporary) => {
    assert.equal(readdirSync(folder).includes('x'), false)
    writeFileSync(temporary, 'whole')
    return 'done'
  })
  assert.equal(said, 'done')
  assert.equal(readFileSync(file, 'utf8'), 'whole')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(file).nlink, 1)
  assert.deepEqual(readdirSync(folder), ['x'])
})

test('what is there stays: a file, one that came meanwhile, a link that leads nowhere', async (t) => {
  const folder = folderOf(t)
  const file = join(folder, 'x')
  const isThere = { kind: 'refused', message: `${file} is there already` }
  await assert.rejects(
    newFile(file, () => writeFileSync(file, 'mine')),
    isThere,
  )
  await assert.rejects(
    newFile(file, () => assert.fail('it is known before')),
    isThere,
  )
  assert.equal(readFileSync(file, 'utf8'), 'mine')
  rmSync(file)
  symlinkSync(join(folder, 'nowhere'), file)
  await assert.rejects(
    newFile(file, () => {}),
    isThere,
  )
  assert.deepEqual(readdirSync(folder), ['x'])
})

test('one that cannot be finished leaves nothing', async (t) => {
  const folder = folderOf(t)
  await assert.rejects(
    newFile(join(folder, 'x'), (temporary) => {
      writeFileSync(temporary, 'half')
      throw new Error('no space')
    }),
    { message: 'no space' },
  )
  assert.deepEqual(readdirSync(folder), [])
})
