import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const output = join(import.meta.dirname, '../../src/cli/output.ts')
const evil = [
  '::stop-commands::x',
  ' \t::add-mask::a',
  '\u200b::set-env name=A::b',
  'a ##[add-matcher]x',
  'b\r::error::x',
]

/** What dwf says in a process of its own, since it writes to the descriptors and not to a stream that could be replaced. */
function say(what: string, env: NodeJS.ProcessEnv, options = {}) {
  const script = `
    import { openOutput } from ${JSON.stringify(output)}
    const output = openOutput({ json: false, quiet: false, cwd: '/', ...${JSON.stringify(options)} })
    for (const text of ${JSON.stringify(evil)}) { ${what} }`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, NO_COLOR: '1', ...env },
  })
  assert.equal(status, 0, stderr)
  return { stdout, stderr }
}

/** As the runner reads: actions/runner, src/Runner.Common/ActionCommand.cs. */
const commands = (text: string) =>
  text.split(/\r\n|\r|\n/).filter((line) => /^[\s\p{C}]*::/u.test(line) || line.includes('##['))

const inActions = { GITHUB_ACTIONS: 'true' }
const ways: Readonly<Record<string, string>> = {
  result: 'output.result(text)',
  talk: 'output.talk(text)',
  diagnostics: "output.diagnostics([{ severity: 'error', code: 'x', message: text, hint: text }])",
  json: "output.json({ schema: 'x', text })",
}

for (const [name, way] of Object.entries(ways)) {
  test(`${name}: in a workflow nothing that is said is a command to the runner`, () => {
    const { stdout, stderr } = say(way, inActions)
    assert.ok((stdout + stderr).includes('add-mask'))
    assert.deepEqual(commands(stdout + stderr), [])
  })
}

test('JSON means the same in a workflow', () => {
  const { stdout } = say(ways.json!, inActions)
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).text),
    evil,
  )
  const plain = evil.map((text) => `${JSON.stringify({ schema: 'x', text }).replace('\u200b', '\\u200b')}\n`)
  assert.equal(say(ways.json!, {}).stdout, plain.join(''))
})

test('a command is one, also where nothing else is said', () => {
  const { stderr } = say("output.command('::notice::x'); output.talk('y')", inActions, { quiet: true })
  assert.equal(stderr, '::notice::x\n'.repeat(evil.length))
})

test('elsewhere a text is said as it is', () => {
  assert.equal(say(ways.result!, {}).stdout, evil.map((text) => `${text}\n`).join(''))
})
