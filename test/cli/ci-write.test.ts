import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cli, prepared, type Rig, rig, shop, treeOf } from './ci-rig.ts'

const audit = '\n[ci]\negress = "audit"\n'
const files = (tree: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(tree).filter(([path, text]) => text !== 'folder' && !/(^|\/)\.dwf-/.test(path)))

/** Starts ci:generate, and kills it so many milliseconds after its first file has appeared. */
async function killed({ root, env }: Rig, ms: number): Promise<void> {
  const child = spawn(process.execPath, [cli, 'ci:generate'], { cwd: root, env, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const folder = join(root, '.github/workflows')
  while (child.exitCode === null && !readdirSync(folder).some((name) => name.startsWith('.dwf-')))
    await new Promise((resolve) => setTimeout(resolve, 1))
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
  child.kill('SIGKILL')
  await ended
}

test('a kill in the middle of writing leaves each file old or new, and the next run ends what was begun', async (t) => {
  const repo = await prepared(t)
  repo.edit('.github/workflows/ci.yml', (text) => text.replace('\njobs:\n', '\njobs:\n  # A word of mine.\n'))
  repo.edit('devflow.toml', (text) => text + audit)
  const old = files(repo.tree())
  const other = rig(t, {}, repo.root)
  await other.ok('ci:generate')
  const next = files(other.tree())
  assert.notDeepEqual(next, old)
  for (const ms of [0, 15]) {
    const one = rig(t, {}, repo.root)
    await killed(one, ms)
    const left = files(one.tree())
    assert.deepEqual(Object.keys(left), Object.keys(next), `${ms} ms`)
    for (const [path, text] of Object.entries(left)) assert.ok(text === old[path] || text === next[path], path)
    await one.ok('ci:generate')
    assert.deepEqual(one.tree(), other.tree(), `${ms} ms`)
  }
})

test('wherever the writing was ended, the next run ends it: no edit is lost, and none is asked for', async (t) => {
  const repo = await prepared(t)
  repo.edit('.github/workflows/ci.yml', (text) => text.replace('\njobs:\n', '\njobs:\n  # A word of mine.\n'))
  repo.edit('devflow.toml', (text) => text + audit)
  const other = rig(t, {}, repo.root)
  const { writes } = JSON.parse((await other.ok('ci:generate --json')).stdout)
  assert.ok(writes.length > 10)
  for (const path of writes.slice(0, -1)) {
    repo.write({ [path]: other.read(path) })
    const one = rig(t, {}, repo.root)
    await one.ok('ci:generate')
    assert.deepEqual(one.tree(), other.tree(), `after ${path}`)
  }
})

test('a link in place of .github or of a file in it is refused, and nothing is written behind it', async (t) => {
  for (const folder of ['.github', '.github/workflows', '.github/dwf']) {
    for (const words of ['init', 'ci:generate', 'ci:check']) {
      const repo = words === 'init' ? rig(t, shop) : await prepared(t)
      const target = join(repo.outside, 'elsewhere')
      if (words === 'init') {
        mkdirSync(target)
        if (folder !== '.github') mkdirSync(join(repo.root, '.github'))
      } else renameSync(join(repo.root, folder), target)
      symlinkSync(target, join(repo.root, folder))
      const [before, behind] = [repo.tree(), treeOf(target)]
      const { status, stderr } = await repo.run(words)
      assert.equal(status, 4, `${words} ${folder} ${stderr}`)
      assert.match(stderr, /which is a link: nothing was written/)
      assert.deepEqual([repo.tree(), treeOf(target)], [before, behind])
    }
  }
  const repo = await prepared(t)
  renameSync(join(repo.root, '.github/workflows/ci.yml'), join(repo.outside, 'ci.yml'))
  repo.write({ '.github/dwf/base/.github/workflows/ci.yml': undefined })
  symlinkSync('../../../ci.yml', join(repo.root, '.github/workflows/ci.yml'))
  const before = repo.tree()
  const { status, stderr } = await repo.run('ci:generate')
  assert.equal(status, 4, stderr)
  assert.match(stderr, /\.github\/workflows\/ci\.yml is a link: nothing was written/)
  assert.deepEqual(repo.tree(), before)
  assert.ok(existsSync(join(repo.outside, 'ci.yml')))
})

test('a file where a folder must be, and a folder where a file must be, are refused', async (t) => {
  for (const [path, content] of [
    ['.github', 'x'],
    ['.github/workflows/ci.yml/x', 'x'],
    ['.github/dwf/dwf.bundle/x', 'x'],
  ] as const) {
    const repo = rig(t, { ...shop, [path]: content })
    const before = repo.tree()
    const { status, stderr } = await repo.run('init')
    assert.equal(status, 4, `${path} ${stderr}`)
    assert.match(stderr, /nothing was written/)
    assert.deepEqual(repo.tree(), before)
  }
})
