import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import toml from '@iarna/toml'
import { parseTOML } from 'toml-eslint-parser'
import { renderDiagnostic } from '../../src/cli/render/diagnostics.ts'
import { jsonSchema } from '../../src/config/json-schema.ts'
import { parseConfig } from '../../src/config/parse.ts'
import type { Config } from '../../src/config/types.ts'
import { type Diagnostic, Failure } from '../../src/util/diagnostics.ts'

const file = '/repo/devflow.toml'
const plain = Object.assign((_: unknown, text: string) => text, { isTerminal: false })

async function problems(text: string): Promise<string> {
  try {
    await parseConfig(file, text)
  } catch (error) {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'wrong-input')
    return error.diagnostics.map((diagnostic: Diagnostic) => renderDiagnostic(diagnostic, plain, '/repo')).join('\n')
  }
  return 'no problem'
}

async function config(text: string): Promise<Config> {
  return (await parseConfig(file, text)).config
}

test('an unknown key is shown with its place and the key that was meant', async () => {
  assert.equal(
    await problems('[project]\nname = "shop"\n\n[tasks."test:e2e"]\nrun = "x"\nretires = 2\n'),
    [
      'devflow.toml:6:1 error: unknown key "retires" in tasks."test:e2e"',
      '   6 │ retires = 2',
      '     │ ^^^^^^^ did you mean "retries"?',
    ].join('\n'),
  )
})

test('a wrong type underlines the value', async () => {
  assert.equal(
    await problems('[container]\n  pids = "many"\n'),
    [
      'devflow.toml:2:10 error: container.pids must be a whole number from 64 to 1000000, not the string "many"',
      '   2 │   pids = "many"',
      '     │          ^^^^^^',
    ].join('\n'),
  )
})

test('a bad duration and a bad size say what is one', async () => {
  assert.match(
    await problems('[tasks.test]\nrun = "x"\ntimeout = "15x"'),
    /devflow\.toml:3:11 error: tasks\.test\.timeout must be a duration such as "90s"/,
  )
  assert.match(
    await problems('[container]\nmemory = "lots"'),
    /devflow\.toml:2:10 error: container\.memory must be a size such as "512m"/,
  )
})

test('an unknown command in a target, with the one that was meant', async () => {
  assert.match(
    await problems('[targets]\npr = ["test:unit", "tset:unit"]'),
    /devflow\.toml:2:20 error: unknown command "tset:unit", did you mean "test:unit"\?/,
  )
})

test('a circle of targets is named', async () => {
  assert.match(
    await problems('[targets]\na = ["check:b"]\nb = ["check:c"]\nc = ["check:a"]'),
    /targets go round in a circle: a → b → c → a/,
  )
})

test('a target that does not exist, with the one that was meant', async () => {
  assert.match(
    await problems('[targets]\npr = ["test"]\nmain = ["check:rp"]'),
    /devflow\.toml:3:9 error: there is no target "rp"[\s\S]*did you mean "check:pr"\?/,
  )
})

test('a syntax error has its place', async () => {
  assert.match(await problems('[project]\nname = shop\n'), /devflow\.toml:2:8 error: not valid TOML/)
  assert.match(await problems('[project]\nname = "a"\nname = "b"\n'), /devflow\.toml:3:1 error: not valid TOML/)
})

test('dwf’s own commands cannot be tasks, and one command is one task', async () => {
  assert.match(await problems('[tasks."scan:deps"]\nrun = "true"'), /"scan:deps" is dwf's own/)
  assert.match(
    await problems('[tasks.test]\nrun = "a"\n[tasks."test:unit"]\nrun = "b"'),
    /tasks\."test:unit" is the same command as tasks\."test"/,
  )
})

test('values that could leave their place are refused', async () => {
  for (const text of [
    '[project]\nname = "a\\nb"',
    '[container]\nimage = "a b"',
    '[targets]\n"a b" = ["test"]',
    '[tasks.test]\nrun = "x"\nenv = { "A=B" = "x" }',
    '[tasks.test]\nrun = []',
    '[container]\npackages = ["--force"]',
  ]) {
    assert.match(await problems(text), /error: /, text)
  }
})

test('defaults, and where each setting came from', async () => {
  const { container, scan, setup, sources } = await config('[container]\nmemory = "8g"')
  assert.equal(container.memory, 8 * 1024 ** 3)
  assert.equal(container.pids, 2048)
  assert.equal(container.network, 'none')
  assert.equal(scan.severity, 'high')
  assert.equal(setup.scripts, 'offline')
  assert.equal(sources['container.memory'], 'file')
  assert.equal(sources['container.pids'], 'default')
})

test('a string is a shell line, an array is run as it is', async () => {
  const { tasks } = await config(
    '[tasks.test]\nrun = "a | b"\n[tasks.build]\nrun = ["a", "|", "b"]\nneeds = ["test"]\ntimeout = "90s"',
  )
  assert.deepEqual(tasks['test:unit']!.argv, ['sh', '-c', 'a | b'])
  assert.deepEqual(tasks['build:debug']!.argv, ['a', '|', 'b'])
  assert.deepEqual(tasks['build:debug']!.needs, ['test:unit'])
  assert.equal(tasks['build:debug']!.timeoutMs, 90_000)
})

const corpus = join(import.meta.dirname, '../fixtures/predecessor-configurations')
for (const name of readdirSync(corpus)) {
  test(`the predecessor's configuration ${name} loads`, async () => {
    const { config, warnings } = await parseConfig(file, readFileSync(join(corpus, name), 'utf8'))
    assert.deepEqual(
      config.targets.security!.map((command) => command.text),
      ['scan:all'],
    )
    assert.ok(warnings.some((warning) => warning.code === 'self-reference'))
  })
}

test('both parsers read the corpus alike', () => {
  const good = [
    'a = 1',
    'a = "x\\u00e9"',
    "a = 'x'",
    'a = """\nx\n"""',
    'a.b.c = true',
    '[a]\nb = [1, 2]\n[[c]]\nd = 1979-05-27T07:32:00Z',
    '"a b" = { c = 1 }',
    'a = [1, "x"]',
    'a = 0x1f',
    'a = inf',
    '\ta = 1 # c',
    'a = "\\t"',
  ]
  const bad = [
    'a = x',
    'a = ',
    'a = "x',
    '[a\nb = 1',
    'a = 1\na = 2',
    '[a]\n[a]',
    'a = {b = 1, }',
    'a = 01',
    'a = "\\q"',
    'a = 1 b = 2',
    'a = [1',
    '= 1',
    'a = "x\ny"',
    'a.b = 1\n[a]\nb = 2',
  ]
  for (const text of good) {
    assert.doesNotThrow(() => toml.parse(text), text)
    assert.doesNotThrow(() => parseTOML(text, { tomlVersion: '1.0' }), text)
  }
  for (const text of bad) {
    assert.throws(() => toml.parse(text), Error, text)
    assert.throws(() => parseTOML(text, { tomlVersion: '1.0' }), Error, text)
  }
})

test('the JSON Schema knows every key that is accepted', () => {
  // biome-ignore lint/suspicious/noExplicitAny: any JSON Schema
  const schema = jsonSchema() as any
  assert.deepEqual(Object.keys(schema.properties).sort(), [
    'cache',
    'container',
    'extensions',
    'project',
    'runtime',
    'scan',
    'setup',
    'targets',
    'tasks',
  ])
  assert.equal(schema.additionalProperties, false)
  const [task] = Object.values<{ required: string[] }>(schema.properties.tasks.patternProperties)
  assert.deepEqual(task!.required, ['run'])
})
