import assert from 'node:assert/strict'
import { test } from 'node:test'
import { part, task } from '../run/rig.ts'
import { looksRig, newRun, plan, tell, wholeRun } from './looks-rig.ts'

const at = Date.parse('2026-11-20T10:00:00.000Z')

test('green against red: what differs, and nothing else', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const secret = 'hunter2-hunter2'
  const env = { CI: '1', OLD: 'x', TOKEN: 'first-value' }
  const old = plan([task('lint@node'), task('test@node', { needs: ['lint@node'], argv: ['npm', 'test'], env })])
  const fresh = plan([
    task('lint@node'),
    task('test@node', { argv: ['npm', 'run', 'test'], env: { CI: '1', NEW: 'y', TOKEN: secret }, timeoutMs: 5000 }),
    task('e2e@node'),
  ])
  await wholeRun(store, newRun('green', root, at, { plan: old }), { outputs: { tag: 'v1' } })
  await wholeRun(store, newRun('red', root, at, { plan: fresh, image: 'beef', dwf: '0.2.0' }), {
    outcome: 'failed',
    code: 3,
    attempts: 2,
    ms: 2600,
    outputs: { tag: `v2${'x'.repeat(100)}` },
  })
  assert.deepEqual(dwf(['diff', 'green', 'red']), {
    status: 1,
    stdout: `a  green  check:pr  passed  2026-11-20 10:00:00
b  red  check:pr  failed  2026-11-20 10:00:00

run
  state: passed → failed
  dwf: 0.1.0 → 0.2.0
  image: f00d → beef
  plan: ${old.hash} → ${fresh.hash}

test@node  1.0 s → 2.6 s  slower
  state: passed → failed
  exit code: nothing → 3
  attempts: 1 → 2
  argv: ["npm","test"] → ["npm","run","test"]
  needs: ["lint@node"] → []
  timeoutMs: 10000 → 5000
  env OLD: set → nothing
  env TOKEN: set → set to something else
  env NEW: nothing → set
  output tag: v1 → v2${'x'.repeat(77)}…

e2e@node  only in b

1 task is the same
they differ
`,
    stderr: '',
  })
  const { status, stdout } = dwf(['diff', 'green', 'red', '--json'])
  const { schema, same, tasks } = JSON.parse(stdout)
  assert.deepEqual({ status, schema, same }, { status: 1, schema: 'dwf.diff/1', same: false })
  assert.deepEqual(
    tasks.map((one: { id: string; in: string; isFarApart: boolean }) => [one.id, one.in, one.isFarApart]),
    [
      ['lint@node', 'both', false],
      ['test@node', 'both', true],
      ['e2e@node', 'b', false],
    ],
  )
  assert.doesNotMatch(stdout, /hunter2|first-value/)
})

test('variables, and environments with variables in them, of a workflow', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const made = (region: string, text: string) =>
    plan(
      [part('lint@node', { templates: { URL: [{ text }] }, register: 'tag' }), task('test@node')],
      {},
      { variables: { region } },
    )
  await wholeRun(store, newRun('one', root, at, { plan: made('eu', 'https://user:pass@a') }))
  await wholeRun(store, newRun('two', root, at, { plan: made('us', 'https://user:pass@b') }))
  const { stdout } = dwf(['diff', 'one', 'two'])
  assert.match(stdout, /\nvariables\n {2}region: eu → us\n/)
  assert.match(stdout, /\nlint@node {2}1\.0 s → 1\.0 s\n {2}env URL: set → set to something else\n/)
  assert.doesNotMatch(stdout + dwf(['diff', 'one', 'two', '--json']).stdout, /pass@/)
})

test('the same but for times is the same, also when one took far longer', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  await wholeRun(store, newRun('one', root, at), { ms: 50 })
  await wholeRun(store, newRun('two', root, at + 1000), { ms: 120 })
  await wholeRun(store, newRun('three', root, at + 2000), { ms: 5000 })
  assert.deepEqual(dwf(['diff', 'one', 'two']), {
    status: 0,
    stdout: `a  one  check:pr  passed  2026-11-20 10:00:00
b  two  check:pr  passed  2026-11-20 10:00:01

2 tasks are the same
the same but for times
`,
    stderr: '',
  })
  const { status, stdout } = dwf(['diff', 'three', 'one'])
  assert.equal(status, 0)
  assert.match(stdout, /\ntest@node {2}5\.0 s → 0\.1 s {2}faster\n/)
})

test('inspect tells all of a run, and where its files are', async (t) => {
  const { dwf, open, root, state, log } = looksRig(t)
  const store = await open()
  const tasks = [part('build', { register: 'tag' }), task('test@node', { needs: ['build'] })]
  const planned = plan(tasks, {}, { variables: { region: 'eu' } })
  const run = tell(
    store,
    newRun('r1', root, at, {
      kind: 'workflow',
      title: 'deploy',
      workflow: 'w',
      tags: ['night'],
      plan: planned,
    }),
  )
  await run.begin(at, ['build', 'test@node'])
  await run.start('build', at)
  const retried = { type: 'task-retried', run: 'r1', at: at + 500, task: 'build', attempt: 1 } as const
  await run.journal.record({ ...retried, outcome: 'failed', code: 7, delayMs: 0 })
  await run.start('build', at + 600, 2)
  await run.end('build', at + 1600, { attempts: 2, outputs: { tag: 'v1\u001b[2J' } })
  await run.end('test@node', at + 1700, { outcome: 'skipped', attempts: 0, ms: 0, reason: 'its condition says no' })
  run.journal.usesEngine('podman')
  await run.finish(at + 2000, {})
  const said = log('r1', 'build')
  said.write('stdout', Buffer.from('x'), at)
  said.close()
  const head = run.journal.head()
  assert.equal(
    dwf(['inspect']).stdout,
    `deploy  run r1  passed
kind      workflow
project   shop
root      ${root}
workflow  w (workflows/w.toml)
tags      night
began     2026-11-20 10:00:00
ended     2026-11-20 10:00:02
took      2.0 s
sessions  1
dwf       0.1.0
engine    podman
image     f00d
plan      ${planned.hash}
audit     ${head} (7 events)
folder    ${state}/runs/r1
store     ${state}/dwf.db

options
  jobs  2

variables
  region  eu

✔ build  passed, 2 attempts  1.0 s
    command  build
    hash     build
    attempt  1: failed (exit 7), 2026-11-20 10:00:00, 0.5 s
    attempt  2: passed, 2026-11-20 10:00:00, 1.0 s
    output   tag = "v1\\u001b[2J"
    log      ${state}/runs/r1/logs/build.log
– test@node  skipped
    reason   its condition says no
    command  test@node
    needs    build
    hash     test@node
`,
  )
  const json = JSON.parse(dwf(['inspect', '--json']).stdout)
  assert.equal(json.schema, 'dwf.inspect/1')
  assert.deepEqual(json.audit, { events: 7, head })
  assert.deepEqual(json.options, { schema: 'dwf.options/1', jobs: 2 })
  assert.deepEqual(json.tasks[0].attempts, [
    {
      session: 1,
      number: 1,
      state: 'failed',
      code: 7,
      endedAt: '2026-11-20T10:00:00.500Z',
      startedAt: '2026-11-20T10:00:00.000Z',
    },
    {
      session: 1,
      number: 2,
      state: 'passed',
      endedAt: '2026-11-20T10:00:01.600Z',
      startedAt: '2026-11-20T10:00:00.600Z',
    },
  ])
  assert.equal(json.tasks[0].log, `${state}/runs/r1/logs/build.log`)
  assert.equal('log' in json.tasks[1], false)
})
