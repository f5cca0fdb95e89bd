import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { foldersOfTheirOwn, isFixture, walkTree } from '../../src/scan/tree.ts'
import { plant, temporary } from './rig.ts'

test('a tree is listed without following links, and says what is left out', async (t) => {
  const outside = plant(temporary(t), { 'secret/file': '' })
  const root = plant(temporary(t), {
    'a/b': '',
    '.git/config': '',
    'sub/.git/config': '',
    '.cache/devflow/x': '',
    'sub/.cache/devflow/x': '',
    'node_modules/p/index.js': '',
    'sub/node_modules/p/index.js': '',
  })
  symlinkSync(outside, join(root, 'out'))
  symlinkSync('a', join(root, 'inside'))
  execFileSync('mkfifo', [join(root, 'fifo')])
  assert.deepEqual(await walkTree(root), {
    files: ['a/b', 'sub/.cache/devflow/x'],
    links: ['inside', 'out'],
    unreadable: { files: [], folders: [] },
    skipped: ['.cache/devflow', '.git', '2 node_modules folders', 'sub/.git'],
  })
})

test('what cannot be read is listed as such', async (t) => {
  const root = plant(temporary(t), { 'a/b': '', 'a/c': '', 'd/e': '' })
  const hidden = new Set([join(root, 'a/b'), join(root, 'd')])
  const tree = await walkTree(root, { canRead: (path) => !hidden.has(path) })
  assert.deepEqual(tree.unreadable, { files: ['a/b'], folders: ['d'] })
  assert.deepEqual(tree.files, ['a/c'])
})

test('a root that is not there is an error', async (t) => {
  await assert.rejects(walkTree(join(temporary(t), 'nothing')), /ENOENT/)
})

test('only real folders of the top level need a call of their own', (t) => {
  const root = plant(temporary(t), { 'dev/a': '', 'sub/sys/a': '', proc: '' })
  symlinkSync('sub', join(root, 'sys'))
  assert.deepEqual(foldersOfTheirOwn(root), ['dev'])
})

test('a fixture is what lies in a folder of that name', () => {
  assert.deepEqual(['test/fixtures/x/go.mod', 'testdata/go.mod'].map(isFixture), [true, true])
  assert.deepEqual(['fixtures', 'go.mod', 'my-fixtures/go.mod', 'test/go.mod'].map(isFixture), [
    false,
    false,
    false,
    false,
  ])
})
