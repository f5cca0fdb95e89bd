import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ActionPin, formatLock, type Lock, parseLock, shippedPins } from '../../src/pins/index.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')
const shipped = (name: string) => shippedPins.actions.find((pin) => pin.name === name)!
const old: ActionPin = {
  name: 'actions/checkout',
  version: 'v7.0.0',
  sha: '9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0',
}
const denied: ActionPin = {
  name: 'aquasecurity/setup-trivy',
  version: 'v0.2.5',
  sha: '8afa9b9f9183b4e00c46e2b82d34047e3c177bd0',
}
const bundle = { path: '.github/dwf/dwf.mjs', version: '0.1.0', sha256: 'c'.repeat(64) }

/** A repository that dwf has set up, with these parts in its lock; git is not on its PATH. */
function repo(t: TestContext, parts: Partial<Lock> = {}) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-pin-')))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  writeFileSync(join(root, 'package.json'), '{"name":"x","engines":{"node":"24"},"scripts":{"test":"true"}}')
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: '/nonexistent', HOME: root, NO_COLOR: '1' },
    })
    return { status, stdout, stderr }
  }
  const file = join(root, 'devflow.lock')
  const lock = () => parseLock(readFileSync(file, 'utf8'), file)
  assert.equal(run('init').status, 0)
  writeFileSync(file, formatLock({ ...lock(), ...parts }))
  return { root, run, lock, text: () => readFileSync(file, 'utf8') }
}

test('pin ls shows actions and the bundle too', (t) => {
  const { run } = repo(t, { actions: [old], bundle, generated: [{ path: 'a.yml', sha256: 'd'.repeat(64) }] })
  const { status, stdout } = run('pin', 'ls')
  assert.equal(status, 0)
  const lines = stdout.split('\n')
  assert.match(lines[0]!, /^epoch \d{4}-/)
  assert.deepEqual(lines.slice(-3), [
    `actions/checkout@${old.sha} v7.0.0`,
    `.github/dwf/dwf.mjs 0.1.0 sha256:${bundle.sha256}`,
    '',
  ])
  const json = JSON.parse(run('pin', 'ls', '--json').stdout)
  assert.equal(json.schema, 'dwf.pins/1')
  assert.deepEqual([json.actions, json.bundle, json.generated.length], [[old], bundle, 1])
})

test('pin check is content with what is newest', (t) => {
  const { run } = repo(t, { actions: [shipped('actions/checkout')] })
  const { status, stdout, stderr } = run('pin', 'check', '--offline')
  assert.equal(status, 0, stderr)
  assert.equal(stdout, 'devflow.lock: 0 denied, 0 moved, 0 outdated\n')
  assert.equal(stderr, 'note: actions/checkout could not be refreshed: nobody was asked (--offline)\n')
})

test('pin check names what is outdated, at its place, and passes', (t) => {
  const { run, text } = repo(t, { actions: [old] })
  const line =
    text()
      .split('\n')
      .findIndex((one) => one.includes('actions/checkout')) + 1
  const { status, stdout, stderr } = run('pin', 'check', '--offline')
  assert.equal(status, 0, stderr)
  assert.match(stdout, /0 denied, 0 moved, 1 outdated/)
  assert.match(
    stderr,
    new RegExp(`^devflow\\.lock:${line}:35 note: actions/checkout v7\\.0\\.0: v7\\.0\\.1 may be taken$`, 'm'),
  )
  assert.match(stderr, /\^{9} dwf pin update actions\/checkout$/m)
})

test('pin check: a moved tag is exit 1, a denied pin exit 4, and both are shown', (t) => {
  const moved = { ...shipped('actions/checkout'), sha: 'a'.repeat(40) }
  const only = repo(t, { actions: [moved] }).run('pin', 'check', '--offline', '--quiet')
  assert.equal(only.status, 1)
  assert.match(only.stderr, /^devflow\.lock:\d+:\d+ error: actions\/checkout v7\.0\.1 is the commit 3d3c42e5/)
  const { run } = repo(t, { actions: [moved, denied] })
  const { status, stdout, stderr } = run('pin', 'check', '--offline')
  assert.equal(status, 4)
  assert.match(stdout, /1 denied, 1 moved/)
  assert.match(stderr, /error: aquasecurity\/setup-trivy v0\.2\.5 \(8afa9b9[0-9a-f]*\) must not run: GHSA-69fq/)
  assert.match(stderr, /error: actions\/checkout v7\.0\.1 is the commit/)
  const json = JSON.parse(run('pin', 'check', '--offline', '--json').stdout)
  assert.deepEqual([json.schema, json.ok, json.exit], ['dwf.pin-check/1', false, 4])
  const seen = json.diagnostics.map(
    (one: { code: string; where?: { file: string } }) => `${one.code} ${one.where !== undefined}`,
  )
  assert.deepEqual(seen.slice(0, 2), ['denied-action true', 'tag-moved true'])
})

test('pin check that could ask nobody does not pass unless it was told to', (t) => {
  const { run } = repo(t, { actions: [shipped('actions/checkout')] })
  const { status, stderr } = run('pin', 'check')
  assert.equal(status, 3)
  assert.match(stderr, /^error: actions\/checkout could not be refreshed: git cannot be run: /m)
})

test('pin update --offline moves to what came with dwf, and says what it did not ask', (t) => {
  const { run, lock, text } = repo(t, { actions: [old, denied, { ...old, name: 'my/action' }], bundle })
  const before = text()
  const dry = run('pin', 'update', '--offline', '--dry-run')
  assert.equal(dry.status, 0, dry.stderr)
  assert.equal(text(), before)
  const { status, stdout, stderr } = run('pin', 'update', '--offline')
  assert.equal(status, 0, stderr)
  assert.equal(stdout, dry.stdout)
  assert.match(stdout, /^actions\/checkout: v7\.0\.0 → v7\.0\.1\naquasecurity\/setup-trivy: v0\.2\.5 → v0\.2\.6$/m)
  assert.match(
    stderr,
    /^warning: actions\/checkout, aquasecurity\/setup-trivy and my\/action could not be refreshed: nobody was asked \(--offline\)$/m,
  )
  assert.match(stderr, /no registry was asked/)
  assert.match(stderr, /the workflows must follow: dwf ci:generate/)
  assert.deepEqual(
    lock().actions.map(({ name, version }) => `${name} ${version}`),
    ['actions/checkout v7.0.1', 'aquasecurity/setup-trivy v0.2.6', 'my/action v7.0.0'],
  )
  assert.deepEqual(lock().bundle, bundle)
})

test('pin update of names moves those alone, and brings in an action that is known', (t) => {
  const { run, lock } = repo(t, { actions: [old], epoch: '2020-01-01' })
  const { status, stderr, stdout } = run('pin', 'update', 'docker/login-action', '--offline')
  assert.equal(status, 0, stderr)
  assert.equal(stdout, 'docker/login-action: new → v4.6.0\n')
  assert.doesNotMatch(stderr, /registry/)
  assert.equal(lock().epoch, '2020-01-01')
  assert.deepEqual(lock().actions, [old, shipped('docker/login-action')])
})

test('pin update of a name that nothing can be done for', (t) => {
  const { run, text } = repo(t, { actions: [old] })
  const before = text()
  const unknown = run('pin', 'update', 'nobody/knows', '--offline')
  assert.equal(unknown.status, 3)
  assert.match(unknown.stderr, /^error: no version of the action nobody\/knows was found that may be taken$/m)
  for (const [words, said] of [
    ['update nod --offline', /nothing of the name "nod" is pinned here\n {2}did you mean "node"\?/],
    ['update a/b/c --offline', /nothing of the name "a\/b\/c" is pinned here/],
    ['update --offline --cooldown soon', /--cooldown must be a duration such as 7d, not "soon"/],
    ['check node', /pin check takes no names/],
    ['chek', /unknown action "chek"\n {2}did you mean "check"\?/],
  ] as const) {
    const { status, stderr } = run('pin', ...words.split(' '))
    assert.equal(status, 2, `${words}\n${stderr}`)
    assert.match(stderr, said)
  }
  assert.equal(text(), before)
})

test('pin update --json has what changed and what was not refreshed', (t) => {
  const { run } = repo(t, { actions: [old] })
  const json = JSON.parse(run('pin', 'update', 'actions/checkout', '--json', '--dry-run').stdout)
  assert.deepEqual(json.changes, [{ tool: 'actions/checkout', from: 'v7.0.0', to: 'v7.0.1' }])
  assert.equal(json.schema, 'dwf.pin-update/1')
  assert.equal(json.written, false)
  assert.equal(json.notRefreshed[0].name, 'actions/checkout')
  assert.match(json.notRefreshed[0].why, /git cannot be run/)
  assert.equal(json.diagnostics.at(-1).code, 'not-refreshed')
})

test('help of pin names its actions, with examples', (t) => {
  const { run } = repo(t)
  assert.equal(run('help', 'pin').stdout, readFileSync(join(import.meta.dirname, '../fixtures/help/pin.txt'), 'utf8'))
})
