import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { contentsOf } from '../../src/scan/content.ts'
import { walkTree } from '../../src/scan/tree.ts'
import { plant, temporary } from './rig.ts'

test('a memo that is damaged is one that is not there', async (t) => {
  const root = plant(temporary(t), { a: 'one', b: 'two' })
  const memo = join(temporary(t), 'contents.json')
  const key = async () => contentsOf(root, await walkTree(root), memo).key
  const expected = await key()
  for (const files of [undefined, null, 7, 'x', [], ['a'], { a: 7 }, { a: null }, { a: ['x'] }, { b: 'x', a: {} }]) {
    writeFileSync(memo, JSON.stringify({ schema: 'dwf.contents/1', files }))
    assert.equal(await key(), expected, JSON.stringify(files))
  }
  for (const text of ['', '{', 'null', '[]', '7', '{"schema":"dwf.contents/1"}', '{"files":{"a":"x"}}']) {
    writeFileSync(memo, text)
    assert.equal(await key(), expected, text)
  }
})
