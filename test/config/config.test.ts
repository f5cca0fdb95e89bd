import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import toml from '@iarna/toml'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parseTOML } from 'toml-eslint-parser'
import { renderDiagnostic } from '../../src/cli/render/diagnostics.ts'
import { jsonSchema } from '../../src/config/json-schema.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { secretOf } from '../../src/config/secrets.ts'
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

test('a licence and an ignored id may have blanks, as findings have them; nothing that leaves its line', async () => {
  const names = [
    'SEE LICENSE IN LICENSE',
    'Apache 2.0',
    'MIT AND Zlib',
    'Licença',
    '(MIT OR ISC)',
    `${'x'.repeat(239)}…`,
  ]
  const schema = new Ajv2020({ strict: false, validateFormats: false }).compile(jsonSchema())
  const ignore = (key: string, name: string) =>
    `[[scan.ignore]]\nlayer = "licenses"\n${key} = ${JSON.stringify(name)}\npackage = "a"\nreason = "x"\nexpires = "2027-01-01"`
  const list = (key: string, name: string) => `[scan.licenses]\n${key} = [${JSON.stringify(name)}]`
  const texts = (name: string) => [
    list('allow', name),
    list('deny', name),
    ...['id', 'rule'].map((key) => ignore(key, name)),
  ]
  for (const name of names)
    for (const text of texts(name)) {
      assert.equal(await problems(text), 'no problem', text)
      assert.ok(schema(toml.parse(text)), text)
    }
  const wrong = [
    '',
    ' ',
    ' a',
    'a ',
    'a  b',
    'a\tb',
    'a\nb',
    'a\r',
    'a\u0000',
    'a\u202eb',
    'a\u00a0b',
    'a\u2028b',
    'x'.repeat(241),
  ]
  for (const name of wrong)
    for (const text of texts(name)) {
      assert.match(await problems(text), /cannot be the string/, text)
      assert.ok(!schema(toml.parse(text)), text)
    }
  assert.match(await problems(ignore('id', 'CVE-1').replace('"a"', '"a b"')), /package cannot be the string/)
})

test('[scan] in full: layers, ignores, licences, scanners of code', async () => {
  const { config } = await parseConfig(
    '/repo/devflow.toml',
    `[scan]
severity = "medium"
fix_only = true
vex = ["vex/shop.json"]
honor = ["inline", ".trivyignore"]
[[scan.ignore]]
layer = ["deps", "image"]
id = "CVE-2021-23337"
package = "lodash"
reason = "no user input reaches it"
expires = 2027-03-31
by = "ada"
[scan.image]
severity = "critical"
fix_only = false
[scan.licenses]
allow = ["MIT"]
[scan.code.scanners.semgrep]
rules = "rules"
[scan.code.scanners.mine]
run = "scan > $DWF_SARIF"
timeout = "2m"
`,
  )
  const { layers, ...scan } = config.scan
  assert.deepEqual(
    Object.entries(layers).map(([name, { severity, fixOnly }]) => [name, severity, fixOnly]),
    [
      ['deps', 'medium', true],
      ['image', 'critical', false],
      ['config', 'medium', true],
      ['secrets', 'medium', true],
      ['licenses', 'critical', true],
      ['code', 'medium', true],
    ],
  )
  assert.deepEqual(scan.ignore, [
    {
      layers: ['deps', 'image'],
      id: 'CVE-2021-23337',
      package: 'lodash',
      reason: 'no user input reaches it',
      expires: '2027-03-31',
      by: 'ada',
    },
  ])
  assert.deepEqual(scan.honor, { inline: true, suppressions: false, files: ['.trivyignore'], semgrep: [] })
  assert.deepEqual(scan.licenses, { allow: ['MIT'], deny: [], unknown: 'report' })
  assert.deepEqual(
    scan.code.map(({ name, argv, timeoutMs }) => [name, argv.slice(0, 4), timeoutMs]),
    [
      ['semgrep', ['semgrep', 'scan', '--config', './rules'], 600_000],
      ['mine', ['sh', '-c', 'scan > $DWF_SARIF'], 120_000],
    ],
  )
})

test('what is wrong in [scan] is said at its place', async () => {
  const ignore = (...lines: string[]) =>
    problems(['[[scan.ignore]]', 'layer = "deps"', 'reason = "r"', 'expires = 2027-01-01', ...lines].join('\n'))
  assert.match(await ignore('package = "a"'), /:1:\d+ .*names either an id or a rule/)
  assert.match(await ignore('id = "C"', 'rule = "D"', 'path = "**"'), /names either an id or a rule/)
  assert.match(await ignore('id = "C"'), /says where it holds/)
  assert.match(await ignore('id = "C"', 'path = "../x"'), /cannot be the string "..\/x"/)
  assert.match(
    await problems('[[scan.ignore]]\nlayer = "deps"\nid = "C"\npackage = "a"\nexpires = 2027-01-01'),
    /needs the key "reason"/,
  )
  assert.match(
    await problems('[[scan.ignore]]\nlayer = "deps"\nid = "C"\npackage = "a"\nreason = " "\nexpires = 2027-01-01'),
    /reason cannot be/,
  )
  assert.match(
    await problems('[[scan.ignore]]\nlayer = "deps"\nid = "C"\npackage = "a"\nreason = "r"'),
    /needs the key "expires"/,
  )
  assert.match(
    await problems('[[scan.ignore]]\nlayer = "deps"\nid = "C"\npackage = "a"\nreason = "r"\nexpires = "2027-02-30"'),
    /must be a day such as 2027-03-31/,
  )
  assert.match(await problems('[scan.code.scanners.mine]\nrules = "x"'), /scanner "mine" needs run/)
  assert.match(await problems('[scan.code.scanners.semgrep]'), /scanner "semgrep" needs rules/)
  assert.match(await problems('[scan.licenses]\nallow = ["MIT"]\ndeny = ["MIT"]'), /"MIT" is both allowed and denied/)
  assert.match(await problems('[scan]\nhonor = ["/etc/x"]'), /honor\[0\] cannot be/)
  assert.match(
    await problems('[scan]\nhonor = ["trivy.yaml"]'),
    /"trivy.yaml" cannot be honoured[\s\S]*said in \[scan\]/,
  )
  assert.match(await problems('[scan]\nhonor = ["x"]'), /known are "inline"/)
})

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

test('a task says how it is tried again, what it takes and what it is made from', async () => {
  const { tasks } = await config(`[tasks."test:plain"]
run = "x"
[tasks."test:e2e"]
run = "x"
retries = 4
retry_delay = "500ms"
retry_backoff = "exponential"
retry_max_delay = "1m"
retry_jitter = 0.25
total_timeout = "1h"
weight = 3
concurrency = "shop/data-base.1"
inputs = ["src/**", "package.json"]
runtime = "host"
clean_env = false
`)
  const { retryDelay, totalMs, weight, concurrency, inputs, cleanEnv } = tasks['test:e2e']!
  assert.deepEqual(
    { retryDelay, totalMs, weight, concurrency, inputs, cleanEnv },
    {
      retryDelay: { delayMs: 500, factor: 2, maxDelayMs: 60_000, jitter: 0.25 },
      totalMs: 3_600_000,
      weight: 3,
      concurrency: 'shop/data-base.1',
      inputs: ['src/**', 'package.json'],
      cleanEnv: false,
    },
  )
  assert.deepEqual(tasks['test:plain'], {
    command: 'test:plain',
    argv: ['sh', '-c', 'x'],
    needs: [],
    dir: '',
    retries: 0,
    retryDelay: { delayMs: 0, factor: 1, maxDelayMs: 3_600_000, jitter: 0 },
    weight: 1,
    inputs: [],
    env: {},
    cleanEnv: true,
    secrets: [],
  })
})

test('what a task cannot say of its attempts, its weight and its files', async () => {
  const wrong = (line: string) => problems(`[tasks.test]\nrun = "x"\n${line}`)
  for (const line of [
    'retry_delay = "soon"',
    'retry_backoff = "linear"',
    'retry_jitter = 1.5',
    'retry_max_delay = "0s"',
    'total_timeout = 5',
    'weight = 0',
    'weight = 1000',
    'weight = 1.5',
    'concurrency = ""',
    'concurrency = "a b"',
    `concurrency = "${'x'.repeat(101)}"`,
    'inputs = ["/etc/passwd"]',
    'inputs = ["../x"]',
    'inputs = ["a/../../x"]',
    'clean_env = "no"',
  ])
    assert.match(await wrong(line), /^devflow\.toml:3:\d+ error: /, line)
  assert.equal(
    await wrong('clean_env = false'),
    [
      'devflow.toml:3:1 error: tasks."test" runs in a container, which never sees the environment of this machine',
      '   3 │ clean_env = false',
      '     │ ^^^^^^^^^ name what it needs in env or secrets; only a task with runtime = "host" can have all of it',
    ].join('\n'),
  )
  assert.equal(await wrong('clean_env = false\n[runtime]\nprofile = "host"'), 'no problem')
})

test('a secret comes from its own environment variable, or from where its table says', async () => {
  const all = await config(`[secrets.A]
env = "OTHER"
[secrets.B]
file = "~/.keys/b"
as = "file"
[secrets.C]
command = ["op", "read", "op://c"]
`)
  assert.deepEqual(secretOf(all, 'A'), { source: { kind: 'env', name: 'OTHER' }, as: 'env' })
  assert.deepEqual(secretOf(all, 'B'), { source: { kind: 'file', path: '~/.keys/b' }, as: 'file' })
  assert.deepEqual(secretOf(all, 'C'), { source: { kind: 'command', argv: ['op', 'read', 'op://c'] }, as: 'env' })
  for (const name of ['D', 'toString', '__proto__'])
    assert.deepEqual(secretOf(all, name), { source: { kind: 'env', name }, as: 'env' })
})

test('a secret has one source, and none that is a shell line or leads out unseen', async () => {
  const schema = new Ajv2020({ strict: false, validateFormats: false }).compile(jsonSchema())
  assert.equal(
    await problems('[secrets.TOKEN]\nas = "file"'),
    [
      'devflow.toml:1:10 error: the secret TOKEN comes from nowhere: it needs one of env, file and command',
      '   1 │ [secrets.TOKEN]',
      '     │          ^^^^^ for the environment variable of its name, write env = "TOKEN"',
    ].join('\n'),
  )
  assert.equal(
    await problems('[secrets.TOKEN]\nenv = "A"\ncommand = ["a"]'),
    [
      'devflow.toml:3:1 error: the secret TOKEN comes from env and command: it needs one of env, file and command',
      '   3 │ command = ["a"]',
      '     │ ^^^^^^^',
    ].join('\n'),
  )
  for (const text of [
    '[secrets.PATH]\nenv = "A"',
    '[secrets."A-B"]\nenv = "A"',
    '[secrets.A]\nenv = "A=B"',
    '[secrets.A]\nfile = "../x"',
    '[secrets.A]\nfile = "a/../../x"',
    '[secrets.A]\nfile = "~other/x"',
    '[secrets.A]\nfile = ""',
    '[secrets.A]\ncommand = "op read x"',
    '[secrets.A]\ncommand = []',
    '[secrets.A]\ncommand = ["a\\u0000"]',
    '[secrets.A]\nenv = "B"\nas = "stdin"',
  ]) {
    assert.match(await problems(text), /error: /, text)
    assert.ok(!schema(toml.parse(text)), text)
  }
  for (const path of ['/run/secrets/x', '~/x', 'deep/er', '..x', '/a/../b']) {
    const text = `[secrets.A]\nfile = ${JSON.stringify(path)}`
    assert.equal(await problems(text), 'no problem', path)
    assert.ok(schema(toml.parse(text)), path)
  }
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
    'ci',
    'container',
    'extensions',
    'project',
    'runtime',
    'scan',
    'secrets',
    'setup',
    'targets',
    'tasks',
  ])
  assert.equal(schema.additionalProperties, false)
  const [task] = Object.values<{ required: string[] }>(schema.properties.tasks.patternProperties)
  assert.deepEqual(task!.required, ['run'])
})
