import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { codeOf, layerGate, pin, plant, temporary } from '../scan/rig.ts'
import { treeOf } from './ci-rig.ts'

const base = {
  'rules/a.yaml': 'base a',
  'rules/deep/b.yaml': 'base b',
  '.semgrepignore': 'base',
  'sub/.semgrepignore': 'base',
}
const source = { 'src/a.js': 'a()' }

interface Options {
  readonly policy?: Readonly<Record<string, string>>
  readonly rules?: string
  readonly semgrep?: readonly string[]
}

/** What a scanner is given of a change, under the policy of a base. */
async function given(t: TestContext, change: Readonly<Record<string, string>>, options: Options = {}) {
  const { policy = base, rules = 'rules', semgrep = ['.semgrepignore', 'sub/.semgrepignore'] } = options
  const root = plant(temporary(t), { ...source, ...change })
  const policyRoot = plant(temporary(t), policy)
  const state = temporary(t)
  let seen: Readonly<Record<string, string>> = {}
  let runs = 0
  const log = { version: '2.1.0', runs: [{ tool: { driver: { name: 'x', rules: [{ id: 'r' }] } }, results: [] }] }
  const code = {
    identity: async () => 'image',
    run: async (_: unknown, tree: string) => {
      seen = Object.fromEntries(Object.entries(treeOf(tree)).filter(([, text]) => text !== 'folder'))
      runs++
      return { workspace: '/workspace', ended: { code: 0, stdout: JSON.stringify(log), stderr: '', timedOut: false } }
    },
  }
  const judge = () =>
    layerGate({
      ...{ root, layer: 'code', pin, env: { XDG_STATE_HOME: state }, code, policyRoot },
      policy: {
        code: [{ name: 'semgrep', argv: ['semgrep'], rules, timeoutMs: 1000 }],
        honor: { inline: false, suppressions: false, files: [], semgrep },
      },
    })
  return { judge, seen: () => seen, runs: () => runs, root, policyRoot }
}

test('rules and ignore files are those of the base, whatever a change makes of them', async (t) => {
  const changes: readonly Readonly<Record<string, string>>[] = [
    base,
    {},
    Object.fromEntries(Object.keys(base).map((path) => [path, 'change'])),
    { 'rules/a.yaml': 'change' },
    { '.semgrepignore': '*', 'sub/.semgrepignore': '*' },
  ]
  for (const change of changes) {
    const one = await given(t, change)
    const { kind, lines } = await one.judge()
    assert.equal(kind, 'passed')
    assert.deepEqual(one.seen(), { ...source, ...base })
    assert.deepEqual(
      lines,
      [
        '.semgrepignore: honoured, what it names was not looked at',
        'sub/.semgrepignore: honoured, what it names was not looked at',
      ].sort((a, b) => (lines.indexOf(a) < lines.indexOf(b) ? -1 : 1)),
    )
  }
  // A rule that a change adds counts at once.
  const more = await given(t, { ...base, 'rules/c.yaml': 'change' })
  await more.judge()
  assert.deepEqual(more.seen(), { ...source, ...base, 'rules/c.yaml': 'change' })
})

test('the path of the rules may be written in any way', async (t) => {
  for (const rules of ['./rules', 'rules/', 'rules//', './/rules/./']) {
    const one = await given(t, { 'rules/a.yaml': 'change' }, { rules })
    await one.judge()
    assert.equal(one.seen()['rules/a.yaml'], 'base a', rules)
  }
  const file = await given(t, { 'rules/a.yaml': 'change' }, { rules: 'rules/a.yaml' })
  await file.judge()
  assert.equal(file.seen()['rules/a.yaml'], 'base a')
})

test('an ignore file that the base does not honour has no effect, wherever it is', async (t) => {
  const policy = { ...base, 'rules/.semgrepignore': 'base' }
  const one = await given(t, { 'rules/.semgrepignore': '*', 'deep/.semgrepignore': '*' }, { policy, semgrep: [] })
  const { lines } = await one.judge()
  assert.deepEqual(one.seen(), {
    ...source,
    'rules/a.yaml': 'base a',
    'rules/deep/b.yaml': 'base b',
    '.semgrepignore': '',
  })
  assert.deepEqual([...lines].sort(), ['deep/.semgrepignore had no effect', 'rules/.semgrepignore had no effect'])
})

test('what stands in the way of a rule of the base breaks the gate', async (t) => {
  for (const change of [{ rules: 'a file' }, { 'rules/a.yaml/x': 'a folder' }]) {
    const one = await given(t, change)
    const verdict = await one.judge().catch((error: unknown) => ({ kind: String(error) }))
    assert.notEqual(verdict.kind, 'passed')
    assert.equal(one.runs(), 0)
  }
  const linked = await given(t, {})
  mkdirSync(join(linked.root, 'elsewhere'))
  symlinkSync('elsewhere', join(linked.root, 'rules'))
  await linked.judge()
  assert.equal(linked.seen()['rules/a.yaml'], 'base a')
  assert.deepEqual(readdirSync(join(linked.root, 'elsewhere')), [])
  const none = await given(t, {}, { policy: { '.semgrepignore': '', 'sub/.semgrepignore': '' } })
  assert.equal(await codeOf(none.judge()), 'machine-cannot no-rules')
})

test('what was found by other rules of the base is not found again', async (t) => {
  const one = await given(t, base)
  await one.judge()
  await one.judge()
  assert.equal(one.runs(), 1)
  plant(one.policyRoot, { 'rules/a.yaml': 'later' })
  await one.judge()
  assert.equal(one.runs(), 2)
  assert.equal(one.seen()['rules/a.yaml'], 'later')
  rmSync(join(one.policyRoot, 'rules/a.yaml'))
  await one.judge()
  assert.equal(one.runs(), 3)
  assert.equal(readFileSync(join(one.root, 'rules/a.yaml'), 'utf8'), 'base a')
})
