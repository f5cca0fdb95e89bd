import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { codeOf, layerGate, pin, plant, temporary } from './rig.ts'

/** The layer with a scanner that ends with 0 and says this; `run` as in devflow.toml, none for one that dwf knows. */
function judge(t: TestContext, name: string, run: object, argv: readonly string[] = [name]) {
  const root = plant(temporary(t), { 'src/a.js': 'a()', 'rules/r.yaml': '' })
  const log = { version: '2.1.0', runs: [{ tool: { driver: { name: 'x' } }, results: [], ...run }] }
  const ended = { code: 0, stdout: JSON.stringify(log), stderr: '', timedOut: false }
  const code = {
    identity: async () => 'image',
    run: async () => ({ workspace: '/workspace', ended }),
  }
  const policy = { code: [{ name, argv, rules: 'rules', timeoutMs: 1000 }] }
  return layerGate({ root, layer: 'code', pin, env: {}, code, policy })
}

const withRules = { tool: { driver: { name: 'x', rules: [{ id: 'r' }] } } }

test('Semgrep and Opengrep name the rules that they ran: without one they did not look', async (t) => {
  for (const name of ['semgrep', 'opengrep']) {
    assert.equal(await codeOf(judge(t, name, {})), 'machine-cannot no-rules-ran')
    assert.equal(
      await codeOf(judge(t, name, { artifacts: [{ location: { uri: 'src/a.js' } }] })),
      'machine-cannot no-rules-ran',
    )
    const { kind, lines } = await judge(t, name, withRules)
    assert.deepEqual([kind, lines], ['passed', []])
    const extension = { tool: { driver: { name: 'x' }, extensions: [{ name: 'pack', rules: [{ id: 'r' }] }] } }
    assert.equal((await judge(t, name, extension)).kind, 'passed')
  }
})

test('a scanner that says nothing of what it looked at passes, and it is said', async (t) => {
  const { kind, lines } = await judge(t, 'mine', {})
  assert.deepEqual([kind, lines], ['passed', ['scanner mine says nothing of what it looked at']])
  assert.deepEqual((await judge(t, 'mine', { artifacts: [{}] })).lines, [])
  assert.deepEqual((await judge(t, 'mine', withRules)).lines, [])
  // A scanner of one's own may have any name, and say as little as any other.
  assert.equal((await judge(t, 'semgrep', {}, ['sh', '-c', 'x'])).kind, 'passed')
})

test('files that the scanner gave up on are lines, twenty of them', async (t) => {
  const notification = (text: string) => ({ descriptor: { id: 'Timeout' }, level: 'warning', message: { text } })
  const notes = (...all: readonly object[]) => ({
    ...withRules,
    invocations: [{ executionSuccessful: true, toolExecutionNotifications: all }],
  })
  const few = await judge(t, 'semgrep', notes(notification('Timeout on src/a.js: \u001b[2J'), notification('no file')))
  assert.equal(few.kind, 'passed')
  assert.deepEqual(few.lines, [
    'scanner semgrep: src/a.js: Timeout on src/a.js: \\u001b[2J',
    'scanner semgrep: no file',
  ])
  const many = await judge(t, 'semgrep', notes(...Array.from({ length: 25 }, (_, index) => notification(`t${index}`))))
  assert.deepEqual(many.lines.slice(19), ['scanner semgrep: t19', 'scanner semgrep: 5 more of such notes'])
})
