import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { readDuration } from '../../src/workflows/duration.ts'
import { findWorkflow, listWorkflows } from '../../src/workflows/find.ts'
import { sourceOf } from '../../src/workflows/problems.ts'
import { parseWorkflow, readWorkflow } from '../../src/workflows/read.ts'
import type { Workflow } from '../../src/workflows/types.ts'
import { growsLinearly } from '../growth.ts'

const folder = join(import.meta.dirname, '../fixtures/workflows-that-people-write')

async function read(name: string) {
  const { workflow, diagnostics } = await readWorkflow(findWorkflow(name, [folder]).file, { name, root: folder })
  return {
    workflow,
    warnings: diagnostics.map(({ where, message }) => `${where?.line}:${where?.column} ${message}`),
    task: (id: string) => workflow.tasks.find((one) => one.id === id)!,
  }
}

async function parsed(text: string): Promise<Workflow> {
  return (await parseWorkflow('/x/w.toml', text, { name: 'w', root: folder })).workflow
}

test('workflows that people write are taken, and a plan can carry them as JSON', async () => {
  const names = listWorkflows([folder]).map(({ name }) => name)
  assert.deepEqual(names, ['backup', 'ci', 'deploy', 'docs', 'migrate', 'pipeline', 'release', 'team/nightly'])
  const found: Record<string, readonly string[]> = {}
  for (const name of names) {
    const { workflow, warnings } = await read(name)
    if (warnings.length > 0) found[name] = warnings
    assert.deepEqual(JSON.parse(JSON.stringify(workflow)), workflow)
    assert.equal(workflow.name, name)
  }
  assert.deepEqual(found, {
    pipeline: ['5:3 triggers are read and start nothing: dwf has no service that waits'],
    release: ['30:98 "{{json .RepoTags}}" stays as it is: it names no variable of the workflow'],
  })
})

test('nodes come by level and then by id, handlers last', async () => {
  const { workflow } = await read('deploy')
  assert.deepEqual(
    workflow.tasks.map(({ id, isHandler }) => (isHandler ? `(${id})` : id)),
    [
      'version',
      'build[arch=amd64,os=darwin]',
      'build[arch=amd64,os=linux]',
      'build[arch=arm64,os=darwin]',
      'build[arch=arm64,os=linux]',
      'smoke',
      'rollout',
      '(collect-logs)',
      '(roll-back)',
      '(unlock)',
    ],
  )
})

test('a task with a matrix: its nodes, names, needs and references', async () => {
  const { workflow, task } = await read('deploy')
  const node = task('build[arch=arm64,os=linux]')
  assert.deepEqual(node.matrix, { arch: 'arm64', os: 'linux' })
  assert.equal(node.register, 'digest_linux_arm64')
  assert.deepEqual(node.needs, ['version'])
  assert.deepEqual(node.references, [
    { variable: 'os', env: 'DWF_VALUE_1' },
    { variable: 'arch', env: 'DWF_VALUE_2' },
    { variable: 'version', env: 'DWF_VALUE_3' },
  ])
  assert.equal(
    node.script,
    'GOOS="${DWF_VALUE_1}" GOARCH="${DWF_VALUE_2}" go build -o "out/${DWF_VALUE_1}-${DWF_VALUE_2}/app" -ldflags "-X main.version=${DWF_VALUE_3}" ./cmd/app && sha256sum "out/${DWF_VALUE_1}-${DWF_VALUE_2}/app" | cut -d\' \' -f1',
  )
  assert.deepEqual(task('rollout').needs, [...workflow.matrices[0]!.nodes, 'smoke'])
  assert.deepEqual(task('smoke').needs, ['build[arch=amd64,os=linux]'])
  assert.deepEqual(workflow.matrices, [
    {
      base: 'build',
      nodes: workflow.tasks.slice(1, 5).map(({ id }) => id),
      limit: 2,
      failFast: true,
    },
  ])
  assert.deepEqual(workflow.wanted, { env: ['rollout', 'roll-back'] })
  assert.deepEqual(
    [workflow.onFailure, workflow.always, workflow.concurrency, workflow.network],
    ['roll-back', 'unlock', 'deploy', 'none'],
  )
})

test('what a task says of time, retries and where it runs', async () => {
  const { task, workflow } = await read('backup')
  const { timeoutMs, totalMs, retries, retryDelay, cleanEnv } = task('copy')
  assert.deepEqual(
    { timeoutMs, totalMs, retries, retryDelay, cleanEnv },
    {
      timeoutMs: 900_000,
      totalMs: 3_600_000,
      retries: 5,
      retryDelay: { delayMs: 60_000, factor: 2, maxDelayMs: 600_000, jitter: 0.2 },
      cleanEnv: true,
    },
  )
  assert.equal(task('prune').ignoreFailure, true)
  assert.deepEqual([workflow.runtime, workflow.network], ['host', 'egress'])
  assert.equal((await read('migrate')).task('plan').timeoutMs, 120_500)
})

test('env has texts and variables, and each is wanted or before', async () => {
  const { task, workflow } = await read('pipeline')
  assert.deepEqual(task('publish').env, {
    DAY: [{ variable: 'day' }],
    LABEL: [{ text: 'orders=' }, { variable: 'rows_orders' }],
  })
  assert.deepEqual(workflow.wanted.source_forced, ['publish'])
  assert.equal(workflow.triggers, 2)
  assert.equal(task('transform').dir, 'etl')
  assert.deepEqual(task('transform').inputs, ['etl/**/*.py', 'etl/*.sql'])
  const empty = await parsed('[tasks.a]\ncmd = "x"\nenv = { A = "", B = "{{.x}}{{ json }}" }')
  assert.deepEqual(empty.tasks[0]!.env, { A: [{ text: '' }], B: [{ variable: 'x' }, { text: '{{ json }}' }] })
})

test('include adds to what it does not change, and is a node of its own otherwise, as in GitHub Actions', async () => {
  const { workflow } = await read('release')
  assert.deepEqual(
    workflow.tasks.filter(({ base }) => base === 'test').map(({ matrix }) => matrix),
    [
      { flags: '', node: '24', os: 'alpine' },
      { flags: '--coverage', node: '24', os: 'debian' },
      { flags: '--legacy', node: '22', os: 'debian' },
    ],
  )
  // The example of GitHub's documentation, "Expanding or adding matrix configurations".
  const fruits = await parsed(
    `[tasks.a]\ncmd = "x"\n[tasks.a.matrix]\nfruit = ["apple", "pear"]\nanimal = ["cat", "dog"]\ninclude = [${[
      '{ color = "green" }',
      '{ color = "pink", animal = "cat" }',
      '{ fruit = "apple", shape = "circle" }',
      '{ fruit = "banana" }',
      '{ fruit = "banana", animal = "cat" }',
    ].join(', ')}]`,
  )
  assert.deepEqual(
    fruits.tasks.map(({ id }) => id),
    [
      'a[animal=cat,color=pink,fruit=apple,shape=circle]',
      'a[animal=cat,color=pink,fruit=pear]',
      'a[animal=cat,fruit=banana]',
      'a[animal=dog,color=green,fruit=apple,shape=circle]',
      'a[animal=dog,color=green,fruit=pear]',
      'a[fruit=banana]',
    ],
  )
  const only = await parsed('[tasks.a]\ncmd = "x"\nmatrix = { include = [{ a = "1" }, { a = "2", b = "3" }] }')
  assert.deepEqual(
    only.tasks.map(({ id }) => id),
    ['a[a=1]', 'a[a=2,b=3]'],
  )
  const axis = await parsed('[tasks.a]\ncmd = "x"\nmatrix = { include = ["x", "y"], exclude = ["z"] }')
  assert.deepEqual(
    axis.tasks.map(({ id }) => id),
    ['a[exclude=z,include=x]', 'a[exclude=z,include=y]'],
  )
})

test('names that JavaScript gives to objects change nothing in dwf', async () => {
  const workflow = await parsed(
    '[tasks.__proto__]\ncmd = "echo {{.toString}} {{.__proto__}}"\nmatrix = { __proto__ = ["x"] }\nenv = { __proto__ = "y" }\n[tasks.b]\ncmd = "x"\ndepends_on = ["__proto__"]',
  )
  assert.deepEqual(
    workflow.tasks.map(({ id, needs }) => [id, needs]),
    [
      ['__proto__[__proto__=x]', []],
      ['b', ['__proto__[__proto__=x]']],
    ],
  )
  assert.deepEqual(Object.entries(workflow.tasks[0]!.matrix!), [['__proto__', 'x']])
  assert.deepEqual(Object.entries(workflow.tasks[0]!.env), [['__proto__', [{ text: 'y' }]]])
  assert.deepEqual(Object.entries(workflow.wanted), [['toString', ['__proto__[__proto__=x]']]])
  const before = Object.getOwnPropertyNames(Object)
  for (const text of [
    '[constructor]\npolluted = "x"',
    '[[constructor]]\npolluted = "x"',
    '[tasks."\\u0063onstructor"]\npolluted = "x"',
    '[tasks.\'constructor\']\npolluted = "x"',
    'tasks.a.env = { constructor = { polluted = "x" } }',
    '["__d\\u0065fineGetter__"]\npolluted = "x"',
    'tasks.constructor.polluted = "x"',
    '[tasks.a]\nvalueOf.polluted = "x"',
  ])
    await assert.rejects(parsed(text), /cannot be a key$/, text)
  assert.deepEqual(Object.getOwnPropertyNames(Object), before)
  assert.equal('polluted' in Object.prototype.valueOf, false)
  assert.equal((await parsed('[tasks.a]\ncmd = "grep constructor \\u0041"')).tasks.length, 1)
})

test('a BOM and line ends of Windows change nothing', async () => {
  const text = '[tasks.a]\ncmd = """\ntrue\nfalse"""\n'
  const plain = await parsed(text)
  assert.equal(plain.tasks[0]!.script, 'true\nfalse')
  assert.deepEqual(await parsed(`\ufeff${text.replaceAll('\n', '\r\n')}`), plain)
})

test('durations of Go', () => {
  const durations: Readonly<Record<string, number | undefined>> = {
    '1h30m': 5_400_000,
    '1.5s': 1500,
    '100ms': 100,
    '2m0.5s': 120_500,
    '.5s': 500,
    '1.s': 1000,
    '0': 0,
    '0s': 0,
    '300us': 1,
    '5µs': 1,
    '0.1s0.2s': 300,
    '1d': 86_400_000,
    '365d': 31_536_000_000,
    '366d': undefined,
    '': undefined,
    '5': undefined,
    '-1s': undefined,
    '1 s': undefined,
    s: undefined,
    '1x': undefined,
  }
  for (const [text, ms] of Object.entries(durations)) assert.equal(readDuration(text), ms, text)
})

test('the source of a string is found unit by unit', async () => {
  const { parseTOML, getStaticTOMLValue } = await import('toml-eslint-parser')
  const piece = fc.oneof(
    fc.constantFrom('\\n', '\\"', '\\\\', '\\u00e9', '\\U0001F600', 'a', ' ', 'é', '😀', "'", '\t'),
  )
  const long = fc.oneof(piece, fc.constantFrom('\n', '\\\n  \n ', '"'))
  const basic = fc.array(piece, { maxLength: 12 }).map((parts) => `"${parts.join('')}"`)
  const multi = fc.array(long, { maxLength: 12 }).map((parts) => `"""\n${parts.join('').replace(/"+$/, '')}"""`)
  fc.assert(
    fc.property(fc.oneof(basic, multi), (source) => {
      const text = `x = ${source}`
      let value: string
      try {
        value = (getStaticTOMLValue(parseTOML(text)) as { x: string }).x
      } catch {
        fc.pre(false)
        return
      }
      const places = sourceOf(text, 4, value)
      assert.ok(places, text)
      assert.equal(places.length, value.length + 1)
      for (const [index, at] of places.slice(0, -1).entries())
        assert.ok(text[at] === '\\' || text[at] === value[index] || /[\ud800-\udfff]/.test(value[index]!), text)
    }),
  )
})

/** A chain in which each asks for the value of the one before and of the first. */
const chain = (length: number) =>
  Array.from(
    { length },
    (_, index) =>
      `[tasks.t${index}]\ncmd = "echo x${index ? ` {{.v${index - 1}}} {{.v0}}` : ''}"\nregister = "v${index}"\n${index ? `depends_on = ["t${index - 1}"]\n` : ''}`,
  ).join('')

test('the longest workflow is read, and time grows with the file', async () => {
  const workflow = await parsed(chain(9_999))
  assert.equal(workflow.tasks.at(-1)!.id, 't9998')
  await growsLinearly(
    'a wide workflow',
    (size) =>
      chain(20)
        .replaceAll('depends_on', '#')
        .replaceAll(/ \{\{[^"]*/g, '') +
      Array.from({ length: size / 64 }, (_, index) => `[tasks.w${index}]\ncmd = "echo {{.given}}"\n`).join(''),
    parsed,
    { limit: 1 << 18 },
  )
})
