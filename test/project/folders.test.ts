import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findFolders } from '../../src/project/folders.ts'
import { openTree } from '../../src/project/tree.ts'
import { repository } from './rig.ts'

const folders = (root: string): readonly string[] => findFolders(openTree(root)).folders

test('the root and four levels below it, in code-unit order', (t) => {
  const root = repository(t, { 'b/c/d/e/f/': '', 'a/': '', 'Z/': '', 'a-b/': '' })
  assert.deepEqual(folders(root), ['', 'Z', 'a', 'a-b', 'b', 'b/c', 'b/c/d', 'b/c/d/e'])
})

test('what is built, fetched, hidden or a sample is left out', (t) => {
  const names = ['.git', '.github', 'node_modules', 'vendor', 'target', 'dist', 'build', '.venv', 'venv', '__pycache__']
  const more = [
    '.cache',
    '.tox',
    'third_party',
    'testdata',
    'examples',
    'test/fixtures',
    'test/__fixtures__',
    'templates',
  ]
  const files = Object.fromEntries(
    [...names, ...more, 'src', 'packages/template-react'].map((name) => [`${name}/`, '']),
  )
  assert.deepEqual(folders(repository(t, files)), ['', 'packages', 'src', 'test'])
})

test('folders that the root .gitignore names are left out; patterns are left alone', (t) => {
  const ignore = '# c\nlogs\n/generated/\nweb/public/\n!kept\nkept2/\r\n!kept2\n*-out\n'
  const root = repository(t, {
    '.gitignore': ignore,
    ...Object.fromEntries(
      ['logs', 'a/logs', 'generated', 'a/generated', 'web/public', 'kept', 'kept2', 'x-out'].map((name) => [
        `${name}/`,
        '',
      ]),
    ),
  })
  assert.deepEqual(folders(root), ['', 'a', 'a/generated', 'kept', 'kept2', 'web', 'x-out'])
})

test('links to folders are not entered', (t) => {
  const root = repository(t, { 'a/b/': '' })
  symlinkSync('..', join(root, 'a/b/up'))
  assert.deepEqual(folders(root), ['', 'a', 'a/b'])
})

test('a walk through very many folders is cut, with a warning, the nearest first', (t) => {
  const files: Record<string, string> = { 'z/deep/': '' }
  for (let index = 0; index < 1999; index++) files[`a${index}/x/`] = ''
  const found = findFolders(openTree(repository(t, files)))
  assert.equal(found.folders.length, 2000)
  assert.equal(found.folders.includes('a1998'), true)
  assert.equal(found.folders.includes('a0/x'), false)
  assert.deepEqual(
    found.diagnostics.map(({ severity, code }) => [severity, code]),
    [['warning', 'too-many-folders']],
  )
})
