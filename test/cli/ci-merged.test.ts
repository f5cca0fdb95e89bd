import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { committed, prepared, pull, rig, shop } from './ci-rig.ts'

const bundle = '.github/dwf/dwf.bundle'

test('a change that no later change could be judged by is red before it is merged', async (t) => {
  const one = await pull(t, {}, {})
  const lock = one.lock()
  const cases: readonly (readonly [string, () => void, RegExp])[] = [
    ['another version in the lock', () => one.setLock({ dwf: '9.9.9' }), /names dwf 9\.9\.9, and .* is dwf /],
    ['other bytes', () => one.write({ [bundle]: Buffer.from('x') }), /is not the dwf that devflow\.lock names/],
    ['no dwf', () => one.write({ [bundle]: undefined }), /is not there that devflow\.lock names|is not there/],
    [
      'a link',
      () => {
        one.write({ 'policy.toml': one.read('devflow.toml'), 'devflow.toml': undefined })
        symlinkSync('policy.toml', join(one.root, 'devflow.toml'))
      },
      /devflow\.toml is no plain file in HEAD/,
    ],
  ]
  for (const [name, change, says] of cases) {
    const before = one.git('rev-parse', 'HEAD')
    change()
    one.commit()
    const { status, stderr } = await one.run(['ci:start', '--target', 'pr', '--base', one.base, '--out', `../${name}`])
    assert.equal(status, 2, `${name} ${stderr}`)
    assert.match(stderr, says, name)
    one.git('reset', '--quiet', '--hard', before)
  }
  assert.deepEqual(one.lock(), lock)
  assert.equal((await one.start()).status, 0)
})

test('what counts for a change already is told apart from what counts once it is merged', async (t) => {
  const change = {
    'Dockerfile.devflow': '# mine\n',
    '.github/workflows/mine.yml': 'on: push\njobs: {}\n',
  }
  const one = await pull(t, {}, change)
  one.edit('devflow.toml', (text) => `${text}\n[tasks."test:unit"]\nrun = "true"\n`)
  one.write({ [bundle]: Buffer.from('another') })
  one.setLock({
    bundle: { ...one.lock().bundle!, sha256: createHash('sha256').update('another').digest('hex') },
  })
  one.commit()
  const { status, stderr } = await one.run(['ci:start', '--target', 'pr', '--base', one.base, '--out', '../out'])
  assert.equal(status, 0, stderr)
  for (const says of [
    /this change changes Dockerfile\.devflow, which runs with a network.*That counts already/,
    /this change changes \.github\/workflows\/mine\.yml, which decides what runs\. That counts already/,
    /this change changes what test:unit runs: \["sh","-c","true"\]\. That counts already/,
    /this change replaces dwf itself, under the same version\. It is judged without that/,
  ])
    assert.match(stderr, says)
})

test('the last job of a workflow cannot be edited into one that lets everything pass', async (t) => {
  const edits: Readonly<Record<string, (text: string) => string>> = {
    'another command': (text) => text.replace('dwf.mjs" ci:gate', 'dwf.mjs" ci:plan'),
    'a job less': (text) => text.replace(/(needs: \[changes, .*), scan-image\]/, '$1]'),
    'another name': (text) => text.replace('\n  gate:\n', '\n  verdict:\n'),
  }
  for (const [name, edit] of Object.entries(edits)) {
    const one = await prepared(t)
    one.edit('.github/workflows/ci.yml', edit)
    const before = one.tree()
    const { status, stderr } = await one.run('ci:generate')
    assert.equal(status, 4, name)
    assert.match(stderr, /^\.github\/workflows\/ci\.yml:\d+:\d+ error: /m, name)
    assert.deepEqual(one.tree(), before)
    assert.equal((await one.run('ci:check')).status, 5, name)
  }
})

test('where both changed the same lines, --take decides for one side', async (t) => {
  const conflict = async () => {
    const one = await prepared(t)
    one.edit('.github/workflows/ci.yml', (text) =>
      text.replaceAll('egress-policy: block', 'egress-policy: audit # mine'),
    )
    one.edit('devflow.toml', (text) => `${text}\n[ci]\negress = "audit"\n`)
    return one
  }
  const undecided = await conflict()
  assert.equal((await undecided.run('ci:generate')).status, 4)
  const mine = await conflict()
  await mine.ok('ci:generate --take mine')
  assert.match(mine.read('.github/workflows/ci.yml'), /egress-policy: audit # mine/)
  const dwfs = await conflict()
  await dwfs.ok('ci:generate --take dwf')
  assert.doesNotMatch(dwfs.read('.github/workflows/ci.yml'), /# mine/)
  const wrong = await dwfs.run('ci:generate --take theirs')
  assert.equal(wrong.status, 2)
  assert.match(wrong.stderr, /--take must be mine or dwf, not "theirs"/)
})

test('the workflows run on the branch that the repository has', async (t) => {
  const master = rig(t, shop)
  master.git('init', '--quiet', '--initial-branch=master', '--template=')
  await master.ok('init')
  assert.match(master.read('devflow.toml'), /\[ci\]\n# .*\ndefault_branch = "master"\n/)
  assert.match(master.read('.github/workflows/ci.yml'), /push:\n {4}branches: \[master\]/)
  const cloned = await committed(t)
  cloned.write({
    '.git/refs/remotes/origin/HEAD': 'ref: refs/remotes/origin/trunk\n',
    '.github/dependabot.yml': undefined,
  })
  cloned.write({ 'devflow.lock': undefined, '.github': undefined })
  const { stderr } = await cloned.ok('init')
  assert.match(stderr, /the default branch of origin is trunk; the workflows run on main/)
})

test('a check that is called as the gate is said, whoever wrote it', async (t) => {
  const one = rig(t, { ...shop, '.github/workflows/test.yaml': 'on: push\njobs:\n  gate:\n    runs-on: x\n' })
  const { stderr } = await one.ok('init')
  assert.match(stderr, /^\.github\/workflows\/test\.yaml has a job named gate too/m)
})

test('a workflow that calls one which was removed is said', async (t) => {
  const one = await prepared(t)
  one.write({ '.github/workflows/publish.yml': undefined })
  one.edit('devflow.toml', (text) => `${text}\n[ci]\nowners = ["@shop/security"]\n`)
  const { stderr } = await one.ok('ci:generate')
  assert.match(stderr, /^release\.yml calls \.github\/workflows\/publish\.yml, which you removed/m)
})
