import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
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
import { type PlannedFile, type ScaffoldOptions, scaffold } from '../../src/scaffold/index.ts'
import { Failure } from '../../src/util/diagnostics.ts'

function rig(files: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-scaffold-'))
  const root = join(folder, 'repo')
  mkdirSync(root)
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  for (const [path, content] of Object.entries(files)) write(path, content)
  const run = (planned: Readonly<Record<string, string>>, more: Partial<ScaffoldOptions> = {}) =>
    scaffold({
      root,
      files: Object.entries(planned).map(([path, content]): PlannedFile => ({ path, content, mode: 0o644 })),
      ...more,
    })
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
  return { folder, root, write, run, tree, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

async function refused(action: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(action, (error) => {
    assert.ok(error instanceof Failure, String(error))
    assert.equal(error.kind, 'refused')
    assert.match(error.message, message)
    return true
  })
}

test('missing files are created, equal ones left, different ones kept', async () => {
  using repo = rig({ same: 'a\n', other: 'mine\n' })
  const results = await repo.run({ same: 'a\n', other: 'b\n', 'deep/er/new': 'c\n' })
  assert.deepEqual(results, [
    { path: 'same', action: 'unchanged' },
    { path: 'other', action: 'kept' },
    { path: 'deep/er/new', action: 'created' },
  ])
  assert.deepEqual(repo.tree(), {
    same: 'a\n',
    other: 'mine\n',
    deep: 'folder',
    'deep/er': 'folder',
    'deep/er/new': 'c\n',
  })
  assert.equal(statSync(join(repo.root, 'deep/er/new')).mode & 0o777, 0o644)
  assert.deepEqual(
    (await repo.run({ 'deep/er/new': 'c\n' })).map((one) => one.action),
    ['unchanged'],
  )
})

test('--dry-run says the same and writes nothing', async () => {
  using repo = rig({ other: 'mine\n' })
  const planned = { other: 'b\n', 'deep/new': 'c\n' }
  assert.deepEqual(
    (await repo.run(planned, { dryRun: true })).map((one) => one.action),
    ['kept', 'created'],
  )
  assert.deepEqual(
    (await repo.run(planned, { dryRun: true, force: true })).map((one) => one.action),
    ['replaced', 'created'],
  )
  assert.deepEqual(repo.tree(), { other: 'mine\n' })
})

test('with force each file that differs is asked for', async () => {
  using repo = rig({ yes: 'mine\n', no: 'mine\n', same: 'x\n' })
  chmodSync(join(repo.root, 'yes'), 0o755)
  const asked: string[] = []
  const ask: ScaffoldOptions['ask'] = async ({ path, before, after }) => {
    asked.push(`${path}: ${before} → ${after}`)
    return path === 'yes'
  }
  const results = await repo.run({ yes: 'new\n', no: 'new\n', same: 'x\n' }, { force: true, ask })
  assert.deepEqual(
    results.map((one) => one.action),
    ['replaced', 'kept', 'unchanged'],
  )
  assert.deepEqual(asked, ['yes: mine\n → new\n', 'no: mine\n → new\n'])
  assert.deepEqual(repo.tree(), { yes: 'new\n', no: 'mine\n', same: 'x\n' })
  assert.equal(statSync(join(repo.root, 'yes')).mode & 0o777, 0o755, 'its mode stays')
})

test('with force and nobody to ask nothing is overwritten', async () => {
  using repo = rig({ a: 'mine\n' })
  await refused(
    repo.run({ a: 'new\n', b: 'x\n' }, { force: true }),
    /^a would be overwritten, and nobody can be asked$/,
  )
  assert.deepEqual(repo.tree(), { a: 'mine\n' })
  assert.deepEqual(
    (await repo.run({ b: 'x\n' }, { force: true })).map((one) => one.action),
    ['created'],
  )
})

test('links are never followed, wherever they are', async () => {
  using repo = rig({ 'real/x': 'x' })
  const outside = join(repo.folder, 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'file'), 'theirs')
  symlinkSync(join(outside, 'file'), join(repo.root, 'target'))
  symlinkSync(join(outside, 'nothing'), join(repo.root, 'dangling'))
  symlinkSync(outside, join(repo.root, 'folder'))
  symlinkSync('real', join(repo.root, 'inside'))
  const before = repo.tree()
  await refused(repo.run({ first: 'x', target: 'x' }), /^target is a link: nothing was written$/)
  await refused(repo.run({ first: 'x', dangling: 'x' }), /^dangling is a link/)
  await refused(repo.run({ first: 'x', 'folder/file': 'x' }), /^folder\/file lies behind folder, which is a link/)
  await refused(repo.run({ first: 'x', 'folder/deep/file': 'x' }), /^folder\/deep\/file lies behind folder/)
  await refused(repo.run({ first: 'x', 'inside/y': 'x' }), /^inside\/y lies behind inside/)
  await refused(repo.run({ first: 'x', '../out': 'x' }), /leaves the repository/)
  await refused(repo.run({ first: 'x', '/etc/x': 'x' }), /leaves the repository/)
  await refused(repo.run({ first: 'x', 'real/../../x': 'x' }), /leaves the repository/)
  assert.deepEqual(repo.tree(), before)
  assert.deepEqual(readdirSync(outside), ['file'])
  assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'theirs')
})

test('what is no file or no folder is in the way', async () => {
  using repo = rig({ 'a/b': 'x', file: 'x' })
  await refused(repo.run({ a: 'x' }), /^a is there and is no file/)
  await refused(repo.run({ 'file/x': 'x' }), /^file\/x needs the folder file, which is a file/)
})

test('a folder where this account may not write is refused before anything is written', {
  skip: process.getuid?.() === 0 ? 'root may write everywhere' : false,
}, async () => {
  using repo = rig({ 'closed/x': 'x' })
  chmodSync(join(repo.root, 'closed'), 0o555)
  await refused(
    repo.run({ first: 'x', 'closed/y': 'y' }),
    /^closed\/y lies in closed, where this account may not write/,
  )
  assert.equal(existsSync(join(repo.root, 'first')), false)
  chmodSync(join(repo.root, 'closed'), 0o755)
})

test('an error half-way leaves the repository as it was', async () => {
  using repo = rig({ old: 'mine\n' })
  const before = repo.tree()
  const sabotage: ScaffoldOptions['ask'] = async () => true
  // A name that the file system refuses: it is the last of four.
  const planned = { old: 'new\n', 'deep/er/new': 'c\n', top: 'x\n', [`z/${'n'.repeat(300)}`]: 'x\n' }
  await assert.rejects(repo.run(planned, { force: true, ask: sabotage }))
  assert.deepEqual(repo.tree(), before)
})

test('a file that appears while it is written is not overwritten, and all is taken back', async () => {
  using repo = rig({ old: 'mine\n' })
  const ask: ScaffoldOptions['ask'] = async () => {
    repo.write('new', 'somebody else was quicker\n')
    return true
  }
  await refused(repo.run({ 'deep/x': 'x', old: 'b\n', new: 'c\n' }, { force: true, ask }), /^new was changed just now/)
  assert.deepEqual(repo.tree(), { old: 'mine\n', new: 'somebody else was quicker\n' })
})

/** Writes ten files of a megabyte each, as often as it can, until it is killed. */
const writer = `
const { scaffold } = await import(process.argv[2])
const { rmSync } = await import('node:fs')
const names = Array.from({ length: 10 }, (_, index) => 'd' + index + '/file')
process.stdout.write('ready')
for (;;) {
  await scaffold({ root: process.argv[1], files: names.map((path) => ({ path, content: 'x'.repeat(1 << 20) + '\\n', mode: 0o644 })) })
  for (const name of names) rmSync(process.argv[1] + '/' + name)
}`

test('a kill at any moment leaves whole files only, and the next run removes what is left', async () => {
  using repo = rig()
  const module = new URL('../../src/scaffold/index.ts', import.meta.url).href
  for (let round = 0; round < 8; round++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, repo.root, module], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await new Promise((resolve) => setTimeout(resolve, 20 + round * 13))
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    for (let index = 0; index < 10; index++) {
      const file = join(repo.root, `d${index}/file`)
      if (existsSync(file)) assert.equal(statSync(file).size, (1 << 20) + 1)
    }
  }
  await repo.run(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`d${index}/last`, 'x\n'])))
  const rest = Object.keys(repo.tree()).filter((name) => name.includes('.dwf-'))
  assert.deepEqual(rest, [])
})

test('temporary names of a live process are left alone', async () => {
  using repo = rig({ [`.dwf-${process.ppid}-0123456789ab`]: 'another dwf at work', '.dwf-x': 'not ours' })
  await repo.run({ a: 'x\n' })
  assert.deepEqual(Object.keys(repo.tree()).sort(), [`.dwf-${process.ppid}-0123456789ab`, '.dwf-x', 'a'].sort())
  assert.ok(lstatSync(join(repo.root, 'a')).isFile())
})
