import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { copyTree } from '../../src/scan/copy-tree.ts'
import { findInlineIgnores } from '../../src/scan/inline-ignores.ts'
import { copyInside, readInside } from '../../src/scan/read.ts'
import { plant, temporary } from './rig.ts'

/** A repository in which things became links after they had been listed. */
function swapped(t: TestContext): { readonly root: string; readonly files: readonly string[] } {
  const outside = plant(temporary(t), { 'a.yaml': 'outside trivy:ignore:x', 'deep/a.yaml': 'outside' })
  const files = ['folder/a.yaml', 'folder/deep/a.yaml', 'link.yaml', 'gone.yaml', 'pipe.yaml', 'a folder']
  const root = plant(temporary(t), { 'real.yaml': 'inside' })
  symlinkSync(outside, join(root, 'folder'))
  symlinkSync(join(outside, 'a.yaml'), join(root, 'link.yaml'))
  execFileSync('mkfifo', [join(root, 'pipe.yaml')])
  mkdirSync(join(root, 'a folder'))
  return { root, files }
}

test('nothing outside of the repository is read, however a path leads there', (t) => {
  const { root, files } = swapped(t)
  assert.deepEqual(
    files.map((file) => readInside(root, file)),
    files.map(() => undefined),
  )
  assert.equal(readInside(root, 'real.yaml'), 'inside')
  assert.deepEqual(findInlineIgnores(root, files), [])
})

test('nothing outside of the repository is copied, and what could not be is told', (t) => {
  const { root, files } = swapped(t)
  const to = temporary(t)
  assert.deepEqual(copyTree(root, [...files, 'real.yaml'], to), files)
  assert.deepEqual(readdirSync(to), ['real.yaml'])
})

test('a copy has every byte, and never takes the place of a file', (t) => {
  const root = plant(temporary(t), { 'a/large': 'dwf '.repeat(1_000_000), 'a/empty': '' })
  chmodSync(join(root, 'a/empty'), 0o400)
  const to = temporary(t)
  assert.deepEqual(copyTree(root, ['a/large', 'a/empty'], to), [])
  assert.equal(readFileSync(join(to, 'a/large'), 'utf8'), 'dwf '.repeat(1_000_000))
  assert.equal(statSync(join(to, 'a/empty')).size, 0)
  assert.throws(() => copyInside(root, 'a/empty', join(to, 'a/large')), { code: 'EEXIST' })
  assert.ok(statSync(join(to, 'a/large')).size > 0)
})

test('a folder that is swapped again and again never lets a file of outside in', async (t) => {
  const outside = plant(temporary(t), { 'secret.txt': 'outside' })
  const root = plant(temporary(t), { 'folder/secret.txt': 'inside' })
  const to = temporary(t)
  const script = `const { renameSync } = require('node:fs'); const [a, b, c] = process.argv.slice(1)
    for (;;) { try { renameSync(a, c); renameSync(b, a); renameSync(a, b); renameSync(c, a) } catch {} }`
  symlinkSync(outside, join(root, 'other'))
  const { spawn } = await import('node:child_process')
  const paths = ['folder', 'other', 'aside'].map((name) => join(root, name))
  const child = spawn(process.execPath, ['-e', script, ...paths])
  t.after(() => child.kill('SIGKILL'))
  let copied = 0
  const end = Date.now() + 1_500
  for (let index = 0; Date.now() < end; index++) {
    const target = join(to, String(index))
    if (!copyInside(root, 'folder/secret.txt', target)) continue
    copied++
    assert.equal(readFileSync(target, 'utf8'), 'inside')
  }
  assert.ok(copied > 0 && existsSync(to))
})
