import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { type FileWrite, writeFiles } from '../../src/scaffold/index.ts'
import { Failure } from '../../src/util/diagnostics.ts'

function rig(files: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-write-'))
  const root = join(folder, 'repo')
  mkdirSync(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  /** Everything below the root: path → content, link or folder. */
  const tree = (dir = root): Record<string, string> =>
    Object.fromEntries(
      readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
        const path = join(dir, entry.name)
        const name = path.slice(root.length + 1)
        if (entry.isDirectory()) return [[name, 'folder'], ...Object.entries(tree(path))]
        return [[name, entry.isSymbolicLink() ? 'link' : readFileSync(path, 'utf8')]]
      }),
    )
  return { folder, root, tree, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** `before` and `content` undefined: nothing. */
const write = (path: string, before: string | undefined, content: string | undefined): FileWrite => ({
  path,
  content,
  expected: before === undefined ? undefined : Buffer.from(before),
})

function refused(action: () => void, message: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof Failure, String(error))
    assert.equal(error.kind, 'refused')
    assert.match(error.message, message)
    return true
  })
}

test('files are created, replaced and removed; modes stay', () => {
  using repo = rig({ old: 'a\n', 'x/gone': 'b\n', 'x/stays': 'c\n' })
  chmodSync(join(repo.root, 'old'), 0o755)
  writeFiles(repo.root, [
    write('new/deep', undefined, 'n\n'),
    write('old', 'a\n', 'z\n'),
    write('x/gone', 'b\n', undefined),
    write('never/was', undefined, undefined),
  ])
  assert.deepEqual(repo.tree(), { new: 'folder', 'new/deep': 'n\n', old: 'z\n', x: 'folder', 'x/stays': 'c\n' })
  assert.equal(statSync(join(repo.root, 'old')).mode & 0o777, 0o755)
  assert.equal(statSync(join(repo.root, 'new/deep')).mode & 0o777, 0o644)
})

test('folders that removals leave empty go, below the one that is named and it itself', () => {
  using repo = rig({ 'base/a/b/one': '1', 'base/a/two': '2', 'other/three': '3' })
  const all = { emptyBelow: 'base' }
  writeFiles(repo.root, [write('base/a/b/one', '1', undefined), write('other/three', '3', undefined)], all)
  assert.deepEqual(Object.keys(repo.tree()).sort(), ['base', 'base/a', 'base/a/two', 'other'])
  writeFiles(repo.root, [write('base/a/two', '2', undefined)], all)
  assert.deepEqual(Object.keys(repo.tree()), ['other'])
})

test('what was changed since it was looked at is not touched, and neither is the rest', () => {
  const changes: readonly FileWrite[] = [
    write('changed', 'before', 'new'),
    write('changed', 'before', undefined),
    write('changed', undefined, 'new'),
    write('changed', undefined, undefined),
    write('missing', 'before', 'new'),
    write('missing', 'before', undefined),
  ]
  for (const change of changes) {
    using repo = rig({ old: 'a', changed: 'now' })
    refused(
      () => writeFiles(repo.root, [write('old', 'a', undefined), write('new', undefined, 'n'), change]),
      /^(changed|missing) was changed just now: nothing was written$/,
    )
    assert.deepEqual(repo.tree(), { old: 'a', changed: 'now' })
  }
})

test('nothing is removed through a link, or outside of the root', () => {
  using repo = rig({ 'real/file': 'x', old: 'a' })
  mkdirSync(join(repo.folder, 'outside'))
  writeFileSync(join(repo.folder, 'outside/file'), 'theirs')
  symlinkSync(join(repo.folder, 'outside'), join(repo.root, 'folder'))
  symlinkSync('real', join(repo.root, 'inside'))
  symlinkSync(join(repo.folder, 'outside/file'), join(repo.root, 'link'))
  const before = repo.tree()
  for (const path of [
    'folder/file',
    'inside/file',
    'link',
    '../outside/file',
    'real/../../outside/file',
    '/etc/passwd',
  ])
    refused(
      () => writeFiles(repo.root, [write('old', 'a', undefined), write(path, 'theirs', undefined)]),
      /nothing was written$/,
    )
  assert.deepEqual(repo.tree(), before)
  assert.equal(readFileSync(join(repo.folder, 'outside/file'), 'utf8'), 'theirs')
})

test('an error half-way takes everything back, removals too', () => {
  using repo = rig({ 'base/a/gone': 'a', old: 'b' })
  chmodSync(join(repo.root, 'base/a/gone'), 0o600)
  const before = repo.tree()
  // A name that the file system refuses: it is the last that is put in its place.
  const bad = write(`z/${'n'.repeat(300)}`, undefined, 'x')
  const changes = [write('base/a/gone', 'a', undefined), write('new/er', undefined, 'n'), write('old', 'b', 'c'), bad]
  assert.throws(() => writeFiles(repo.root, changes, { emptyBelow: 'base' }))
  assert.deepEqual(repo.tree(), before)
  assert.equal(statSync(join(repo.root, 'base/a/gone')).mode & 0o777, 0o600)
})

/** Creates, replaces and removes ten files of a megabyte each, as often as it can, until it is killed. */
const writer = `
const { writeFiles } = await import(process.argv[2])
const names = Array.from({ length: 10 }, (_, index) => 'd' + index + '/file')
const [a, b] = ['a', 'b'].map((letter) => letter.repeat(1 << 20))
const step = (from, to) => writeFiles(process.argv[1], names.map((path) => ({ path, content: to, expected: from && Buffer.from(from) })))
process.stdout.write('ready')
for (;;) {
  step(undefined, a)
  step(a, b)
  step(b, undefined)
}`

test('a kill at any moment leaves whole files only, and the next run removes what is left', async () => {
  const module = new URL('../../src/scaffold/index.ts', import.meta.url).href
  for (let round = 0; round < 6; round++) {
    using repo = rig()
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, repo.root, module], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await new Promise((resolve) => setTimeout(resolve, 20 + round * 17))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    for (let index = 0; index < 10; index++) {
      const file = join(repo.root, `d${index}/file`)
      if (existsSync(file)) assert.match(readFileSync(file, 'utf8'), /^(a{1048576}|b{1048576})$/)
    }
    writeFiles(
      repo.root,
      Array.from({ length: 10 }, (_, index) => write(`d${index}/last`, undefined, 'x')),
    )
    assert.deepEqual(
      Object.keys(repo.tree()).filter((name) => name.includes('.dwf-')),
      [],
    )
  }
})
