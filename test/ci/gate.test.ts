import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CiStart, missingFrom, type Needs, readNeeds, readStart } from '../../src/ci/index.ts'

const plan = 'a'.repeat(64)
const tasks = [
  { id: 'test:unit@node', hash: 'h1', part: 'node' },
  { id: 'build:debug@node', hash: 'h2', part: 'node' },
  { id: 'test:unit@go', hash: 'h3', part: 'go' },
  { id: 'scan:deps@project', hash: 'h4', part: 'scan' },
  { id: 'scan:config@project', hash: 'h5', part: 'scan' },
]
const start: CiStart = {
  schema: 'dwf.ci/1',
  dwf: '1.0.0',
  target: 'pr',
  commands: ['check:pr'],
  plan,
  tasks,
  loosened: [],
}
const parts = ['node', 'go', 'scan'] as const
const hashesOf = (part: string) => tasks.filter((task) => task.part === part).map(({ hash }) => hash)
const report = (part: string, passed: readonly unknown[], of: unknown = plan) =>
  JSON.stringify({ schema: 'dwf.part/1', plan: of, part, passed })

/** A job by how it ended and what it says, and whether that is good: an oracle of its own. */
const states: Readonly<Record<string, readonly [isGood: boolean, job: (part: string) => Needs[string] | undefined]>> = {
  good: [true, (part) => ({ result: 'success', outputs: { report: report(part, hashesOf(part)) } })],
  'says more than it ran': [
    true,
    (part) => ({
      result: 'success',
      outputs: {
        report: report(
          part,
          tasks.map(({ hash }) => hash),
        ),
      },
    }),
  ],
  'without a report': [false, () => ({ result: 'success', outputs: {} })],
  'without outputs': [false, () => ({ result: 'success' })],
  'without one task': [
    false,
    (part) => ({ result: 'success', outputs: { report: report(part, hashesOf(part).slice(1)) } }),
  ],
  'of another plan': [false, (part) => ({ result: 'success', outputs: { report: report(part, hashesOf(part), 'b') } })],
  'of another schema': [
    false,
    (part) => ({
      result: 'success',
      outputs: { report: report(part, hashesOf(part)).replace('dwf.part/1', 'dwf.part/2') },
    }),
  ],
  'no JSON': [false, () => ({ result: 'success', outputs: { report: '{' } })],
  'not a list': [
    false,
    (part) => ({
      result: 'success',
      outputs: { report: JSON.stringify({ schema: 'dwf.part/1', plan, part, passed: 'h1 h2 h3 h4 h5' }) },
    }),
  ],
  'failed with a good report': [
    false,
    (part) => ({ result: 'failure', outputs: { report: report(part, hashesOf(part)) } }),
  ],
  'cancelled with a good report': [
    false,
    (part) => ({ result: 'cancelled', outputs: { report: report(part, hashesOf(part)) } }),
  ],
  'skipped with a good report': [
    false,
    (part) => ({ result: 'skipped', outputs: { report: report(part, hashesOf(part)) } }),
  ],
  absent: [false, () => undefined],
}

test('the gate is green where every part says that it ran, and red for all other combinations', () => {
  const names = Object.keys(states)
  let green = 0
  for (const node of names)
    for (const go of names)
      for (const scan of names) {
        const chosen = [node, go, scan]
        const jobs = parts.flatMap((part, at) => {
          const job = states[chosen[at]!]![1](part)
          return job ? [[part, job] as const] : []
        })
        const needs: Needs = { changes: { result: 'success', outputs: { sha256: 'x' } }, ...Object.fromEntries(jobs) }
        const missing = missingFrom(start, readNeeds(JSON.stringify(needs)))
        assert.equal(
          missing.length === 0,
          chosen.every((name) => states[name]![0]),
          chosen.join(', '),
        )
        green += missing.length === 0 ? 1 : 0
      }
  assert.equal(green, 8)
})

test('it says what is missing and where', () => {
  const good = Object.fromEntries(parts.map((part) => [part, states.good![1](part)!]))
  assert.deepEqual(missingFrom(start, good), [])
  assert.deepEqual(missingFrom(start, { ...good, go: { result: 'failure' } }), [
    'job go: failure',
    'test:unit@go did not pass in job go',
  ])
  assert.deepEqual(missingFrom(start, { ...good, go: { result: 'success', outputs: { report: '?' } } }), [
    'job go does not say what it ran',
    'test:unit@go did not pass in job go',
  ])
  assert.deepEqual(
    missingFrom(start, {
      ...good,
      go: { result: 'success', outputs: { report: report('go', ['h3'], 'b'.repeat(64)) } },
    }),
    ['job go ran another plan: bbbbbbbbbbbb, not aaaaaaaaaaaa', 'test:unit@go did not pass in job go'],
  )
  const { go, ...others } = good
  assert.deepEqual(missingFrom(start, others), ['test:unit@go ran in no job: "dwf ci:generate" writes the job go'])
  assert.deepEqual(missingFrom(start, { ...good, database: { result: 'cancelled' } }), ['job database: cancelled'])
  assert.deepEqual(missingFrom({ ...start, tasks: [] }, good), ['the plan has no task'])
})

test('a job cannot speak for another one', () => {
  const all = tasks.map(({ hash }) => hash)
  const forged = { result: 'success', outputs: { report: report('scan', all) } }
  const scan = { result: 'success', outputs: {} }
  const missing = missingFrom(start, { node: forged, go: forged, scan, image: forged })
  assert.deepEqual(missing, [
    'scan:deps@project did not pass in job scan',
    'scan:config@project did not pass in job scan',
  ])
})

test('a job more that did not pass makes it red whatever else there is', () => {
  const good = Object.fromEntries(parts.map((part) => [part, states.good![1](part)!]))
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('failure', 'cancelled', '', 'Success', 'neutral'), (name, result) => {
      fc.pre(name !== '__proto__')
      assert.ok(missingFrom(start, { ...good, [name]: { result } }).length > 0)
    }),
  )
})

test('what is not the output of the first job, or not needs, is refused', () => {
  assert.deepEqual(readStart(JSON.stringify(start)), start)
  const wrong: readonly unknown[] = [
    null,
    [],
    'x',
    { ...start, schema: 'dwf.ci/2' },
    { ...start, plan: undefined },
    { ...start, tasks: 'x' },
    { ...start, tasks: [{ id: 'x', hash: 'h' }] },
    { ...start, tasks: [null] },
    { ...start, commands: undefined },
  ]
  for (const one of wrong) assert.throws(() => readStart(JSON.stringify(one)), /not what "dwf ci:start" writes/)
  for (const text of ['null', '[]', '3', '{"a":null}', '{"a":{}}', '{"a":{"result":1}}', '[{"result":"success"}]'])
    assert.throws(() => readNeeds(text), /it is not toJSON\(needs\)/, text)
  for (const text of ['', '{']) assert.throws(() => readNeeds(text), SyntaxError)
})
