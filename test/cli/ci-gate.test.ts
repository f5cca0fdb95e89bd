import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { rig } from './ci-rig.ts'

const plan = 'a'.repeat(64)
const other = 'b'.repeat(64)
const start = {
  schema: 'dwf.ci/1',
  dwf: '1',
  target: 'pr',
  commands: ['check:pr'],
  plan,
  tasks: [
    { id: 'test:unit@node', hash: '1', part: 'node' },
    { id: 'scan:deps@project', hash: '2', part: 'scan' },
  ],
  loosened: [],
}
const report = (part: string, passed: readonly unknown[], more: object = {}) =>
  JSON.stringify({ schema: 'dwf.part/1', plan, part, passed, ...more })
const job = (text?: string, result = 'success') => ({ result, outputs: text === undefined ? {} : { report: text } })
const good = {
  changes: { result: 'success', outputs: { parts: '["node","scan"]' } },
  node: job(report('node', ['1'])),
  scan: job(report('scan', ['2'])),
}

/** The last job has no repository: a folder with what the first one wrote, and the results of the others. */
function gate(t: TestContext, written: unknown = start) {
  const repo = rig(t, { 'out/start.json': typeof written === 'string' ? written : JSON.stringify(written) })
  return {
    ...repo,
    judge: (needs: unknown, words = '', more = {}) =>
      repo.run(`ci:gate --from out${words && ` ${words}`}`, {
        ...(needs === undefined ? {} : { NEEDS: typeof needs === 'string' ? needs : JSON.stringify(needs) }),
        ...more,
      }),
  }
}

test('the gate passes when the jobs together ran the whole plan', async (t) => {
  const { judge, outside } = gate(t)
  const summary = join(outside, 'summary.md')
  const { status, stdout, stderr } = await judge(good, '', { GITHUB_STEP_SUMMARY: summary, GITHUB_ACTIONS: 'true' })
  assert.equal(status, 0, stderr)
  assert.equal(stdout, `✔ the whole plan ran: 2 tasks, plan ${plan.slice(0, 12)}\n`)
  assert.equal(stderr, '')
  assert.match(readFileSync(summary, 'utf8'), /^## ✔ the whole plan ran\n/)
  const document = JSON.parse((await judge(good, '--json')).stdout)
  assert.deepEqual(document, { schema: 'dwf.gate/1', ok: true, plan, missing: [], loosened: [] })
})

test('whatever the results of the jobs say, nothing but the whole plan passes', async (t) => {
  const { judge } = gate(t)
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [{}, /test:unit@node ran in no job: "dwf ci:generate" writes the job node/],
    [{ ...good, node: job(undefined, 'skipped') }, /test:unit@node did not pass in job node/],
    [{ ...good, node: job(report('node', ['1']), 'failure') }, /job node: failure/],
    [{ ...good, node: job(report('node', ['1']), 'cancelled') }, /job node: cancelled/],
    [{ ...good, node: job(report('node', ['1']), 'Success') }, /job node: Success/],
    [{ ...good, another: job(undefined, 'failure') }, /job another: failure/],
    [{ ...good, node: job(report('node', [])) }, /test:unit@node did not pass in job node/],
    [{ ...good, node: job() }, /test:unit@node did not pass in job node/],
    [{ ...good, node: job('') }, /test:unit@node did not pass in job node/],
    [{ ...good, node: job('{') }, /job node does not say what it ran/],
    [{ ...good, node: job('null') }, /job node does not say what it ran/],
    [{ ...good, node: job('[]') }, /job node does not say what it ran/],
    [{ ...good, node: job(report('node', [1])) }, /job node does not say what it ran/],
    [{ ...good, node: job(report('node', ['1'], { schema: 'dwf.part/2' })) }, /job node does not say what it ran/],
    [
      { ...good, node: job(report('node', ['1'], { plan: other })) },
      /job node ran another plan: bbbbbbbbbbbb, not aaaaaaaaaaaa/,
    ],
    // A job speaks for itself: what runs the code of a change cannot say that a gate passed.
    [
      { ...good, node: job(report('scan', ['1', '2'])), scan: job(undefined, 'skipped') },
      /scan:deps@project did not pass in job scan/,
    ],
    [{ ...good, scan: undefined, node: job(report('node', ['1', '2'])) }, /scan:deps@project ran in no job/],
    [
      { ...good, evil: job(report('node', ['1'])), node: job(undefined, 'skipped') },
      /test:unit@node did not pass in job node/,
    ],
    [{ ...good, '::error::x\u001b[2J\n': job(undefined, '::stop-commands::x') }, /stop-commands/],
  ]
  for (const [needs, said] of cases) {
    const { status, stdout, stderr } = await judge(needs, '', { GITHUB_ACTIONS: 'true' })
    assert.equal(status, 1, JSON.stringify(needs))
    assert.match(stdout, said)
    assert.match(stdout, /did not pass\n$/)
    assert.match(stderr, /^::error title=gate::/)
    assert.doesNotMatch(stdout + stderr, /^::(stop|error::x)|\u001b/m)
    assert.equal(JSON.parse((await judge(needs, '--json')).stdout).ok, false)
  }
  const none = gate(t, { ...start, tasks: [] })
  assert.match((await none.judge(good)).stdout, /the plan has no task/)
})

test('what cannot be read is wrong input, and never a pass', async (t) => {
  const { judge, run } = gate(t)
  for (const needs of [undefined, '', 'null', '[]', '"x"', '{', '{"node":1}', '{"node":{}}', '{"node":null}']) {
    const { status, stderr } = await judge(needs)
    assert.equal(status, 2, `${needs}`)
    assert.match(
      stderr,
      /^error: the variable NEEDS cannot be read: .*\n {2}in the job: env: NEEDS: \$\{\{ toJSON\(needs\) \}\}$/m,
    )
  }
  const { tasks, loosened, commands, plan: _, ...rest } = start
  const wrong = [
    '',
    '{',
    'null',
    '[]',
    { ...start, schema: 'dwf.ci/2' },
    { ...start, tasks: [{ id: 'x' }] },
    { ...start, tasks: {} },
  ]
  const lacking = [
    { ...rest, tasks, loosened, commands },
    { ...rest, plan, loosened, commands },
    { ...rest, plan, tasks, commands },
    { ...rest, plan, tasks, loosened },
    { ...start, loosened: [7] },
    { ...start, commands: [{}] },
  ]
  for (const text of [...wrong, ...lacking]) {
    const { status, stderr } = await gate(t, text).judge(good)
    assert.equal(status, 2, JSON.stringify(text))
    assert.match(stderr, /start\.json cannot be read/)
  }
  for (const words of [
    'ci:gate',
    'ci:gate --from nothing',
    'ci:gate --from out/start.json',
    'ci:gate scan --from out',
    'ci:gate --from out --any-version',
  ])
    assert.equal((await run(words, { NEEDS: JSON.stringify(good) })).status, 2, words)
})

test('what a change would loosen stands in the summary, as text', async (t) => {
  const { judge, outside } = gate(t, { ...start, loosened: ['accepts <b>x</b> | [a](b)\n## y'] })
  const summary = join(outside, 'summary.md')
  const { status } = await judge(good, '', { GITHUB_STEP_SUMMARY: summary })
  assert.equal(status, 0)
  const text = readFileSync(summary, 'utf8')
  assert.match(text, /### Loosens the policy, once it is merged\n\n- this change accepts/)
  assert.doesNotMatch(text, /<b>|^## y|\[a\]\(b\)/m)
})
