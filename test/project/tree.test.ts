import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTree } from '../../src/project/tree.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { repository } from './rig.ts'

test('files, folders and texts', (t) => {
  const tree = openTree(repository(t, { 'a/b.txt': 'hello', 'a/c/': '', 'z.txt': '' }))
  assert.deepEqual(tree.list(''), ['a', 'z.txt'])
  assert.deepEqual(tree.list('a'), ['b.txt', 'c'])
  assert.deepEqual(tree.list('nowhere'), [])
  assert.deepEqual(tree.folders('a'), ['c'])
  assert.equal(tree.has('a/b.txt'), true)
  assert.equal(tree.has('a'), false)
  assert.equal(tree.has('a/none'), false)
  assert.equal(tree.isDirectory('a'), true)
  assert.equal(tree.isDirectory(''), true)
  assert.equal(tree.isDirectory('a/b.txt'), false)
  assert.equal(tree.text('a/b.txt'), 'hello')
  assert.equal(tree.text('a'), undefined)
  assert.equal(tree.text('none'), undefined)
})

test('a root that is no folder is refused', (t) => {
  const root = repository(t, { file: '' })
  for (const path of [join(root, 'file'), join(root, 'none'), `${root}/\0`]) {
    assert.throws(
      () => openTree(path),
      (error) => error instanceof Failure && error.kind === 'wrong-input',
    )
  }
})

test('paths that leave the tree, and NUL, are absent', (t) => {
  const root = repository(t, { 'in/a.txt': 'a', 'out.txt': 'secret' })
  const tree = openTree(join(root, 'in'))
  for (const path of ['../out.txt', '/etc/hostname', 'a.txt\0', './a.txt', 'x/../a.txt', 'a.txt/', '..']) {
    assert.equal(tree.has(path), false, path)
    assert.equal(tree.text(path), undefined, path)
    assert.equal(tree.isDirectory(path), false, path)
    assert.deepEqual(tree.list(path), [], path)
  }
})

test('a link inside the repository is followed', (t) => {
  const root = repository(t, { 'real/package.json': '{}' })
  symlinkSync('real/package.json', join(root, 'package.json'))
  symlinkSync('real', join(root, 'folder'))
  const tree = openTree(root)
  assert.equal(tree.text('package.json'), '{}')
  assert.equal(tree.text('folder/package.json'), '{}')
  assert.equal(tree.isDirectory('folder'), true)
  assert.deepEqual(tree.folders(''), ['real'], 'a walk does not enter links')
})

test('a link out of the repository is absent, also in a middle folder', (t) => {
  const root = repository(t, { 'in/a.txt': 'a', 'outside/secret.txt': 'secret', 'inside-not/secret.txt': 'secret' })
  symlinkSync('../outside/secret.txt', join(root, 'in/secret.txt'))
  symlinkSync('../outside', join(root, 'in/folder'))
  symlinkSync(join(root, 'outside/secret.txt'), join(root, 'in/absolute.txt'))
  symlinkSync('../inside-not', join(root, 'in/prefix'))
  symlinkSync('/', join(root, 'in/all'))
  const tree = openTree(join(root, 'in'))
  for (const path of ['secret.txt', 'folder/secret.txt', 'absolute.txt', 'prefix/secret.txt', 'all/etc/passwd']) {
    assert.equal(tree.has(path), false, path)
    assert.equal(tree.text(path), undefined, path)
  }
  assert.equal(tree.isDirectory('folder'), false)
  assert.deepEqual(tree.list('folder'), [])
})

test('dangling links and links in a circle are absent', (t) => {
  const root = repository(t, {})
  symlinkSync('nowhere', join(root, 'dangling'))
  symlinkSync('b', join(root, 'a'))
  symlinkSync('a', join(root, 'b'))
  const tree = openTree(root)
  for (const path of ['dangling', 'a', 'a/x']) {
    assert.equal(tree.has(path), false)
    assert.equal(tree.isDirectory(path), false)
    assert.equal(tree.text(path), undefined)
  }
})

test('a FIFO in place of a manifest does not hang', { timeout: 5000 }, (t) => {
  const root = repository(t, {})
  execFileSync('mkfifo', [join(root, 'package.json')])
  const tree = openTree(root)
  assert.equal(tree.has('package.json'), false)
  assert.equal(tree.text('package.json'), undefined)
})

test('what may not be read is absent', { skip: process.getuid?.() === 0 && 'root may read all' }, (t) => {
  const root = repository(t, { closed: 'x', 'folder/file': 'x' })
  chmodSync(join(root, 'closed'), 0)
  chmodSync(join(root, 'folder'), 0)
  const tree = openTree(root)
  assert.equal(tree.has('closed'), false)
  assert.equal(tree.text('closed'), undefined)
  assert.deepEqual(tree.list('folder'), [])
  chmodSync(join(root, 'folder'), 0o700) // So that it can be cleared away.
})

test('four MiB are read, one byte more is not', (t) => {
  const limit = 4 * 1024 * 1024
  const tree = openTree(repository(t, { fits: Buffer.alloc(limit, 'a'), large: Buffer.alloc(limit + 1, 'a') }))
  assert.equal(tree.text('fits')?.length, limit)
  assert.equal(tree.text('large'), undefined)
  assert.equal(tree.has('large'), true)
})

test('odd names: spaces, unicode, newline, invalid UTF-8, a leading dash', (t) => {
  const root = repository(t, { 'a b.txt': '1', 'é ü.txt': '2', 'line\nbreak': '3', '-rf/x': '4', __proto__: '5' })
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x66, 0xff, 0x6f])]), 'x')
  mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xfe])]))
  const tree = openTree(root)
  assert.equal(tree.text('a b.txt'), '1')
  assert.equal(tree.text('é ü.txt'), '2')
  assert.equal(tree.text('line\nbreak'), '3')
  assert.equal(tree.text('-rf/x'), '4')
  for (const name of tree.list('')) assert.doesNotThrow(() => [tree.has(name), tree.text(name), tree.list(name)])
  assert.equal(tree.has('f\ufffdo'), false)
})
