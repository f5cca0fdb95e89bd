import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Command, parseCommand } from '../../src/config/commands.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { plan } from '../../src/plan/plan.ts'
import { escapeTaskId } from '../../src/plan/task-id.ts'
import type { Project, StackUnit } from '../../src/project/types.ts'

const node: StackUnit = {
  stack: 'node',
  dir: '',
  manifest: 'package.json',
  toolchains: [],
  packages: [],
  caches: [{ name: 'npm', env: { npm_config_cache: '/cache/npm' } }],
  env: {},
  setup: {
    lockFiles: ['package-lock.json'],
    fetch: ['npm', 'ci', '--ignore-scripts'],
    install: ['npm', 'rebuild'],
    split: true,
    outputs: ['node_modules'],
  },
  tasks: [
    { command: 'build:debug', argv: ['npm', 'run', 'build'] },
    { command: 'test:unit', argv: ['npm', 'test'] },
  ],
  missing: [{ command: 'lint:static', hint: 'add a script "lint" to package.json' }],
  diagnostics: [],
}

function project(...units: StackUnit[]): Project {
  return { root: '/repo', name: 'shop', units, diagnostics: [] }
}

const commands = (...texts: string[]) => texts.map((text) => parseCommand(text) as Command)

async function planned(text: string, asked: string[], units: StackUnit[] = [node], more: object = {}) {
  const { config } = await parseConfig('/repo/devflow.toml', text)
  return plan({ config, project: project(...units), dwf: '1.0.0', commands: commands(...asked), ...more })
}

test('gates come first, then fetch, setup and what needs them', async () => {
  const { plan: made } = await planned('[targets]\npr = ["build:debug", "test:unit", "scan:deps"]', ['check:pr'])
  assert.deepEqual(
    made!.tasks.map((task) => [task.id, task.class]),
    [
      ['scan:deps@project', 'gate'],
      ['setup:fetch@node', 'fetch'],
      ['setup:deps@node', 'offline'],
      ['build:debug@node', 'offline'],
      ['test:unit@node', 'offline'],
    ],
  )
  const [, fetch, , build] = made!.tasks
  assert.equal(fetch!.network, 'egress')
  assert.deepEqual(build!.needs, ['setup:deps@node'])
  assert.deepEqual(build!.after, ['scan:deps@project'])
  assert.deepEqual(made!.watched, [
    '.containerignore',
    '.dockerignore',
    'Dockerfile.devflow',
    'devflow.baseline.json',
    'devflow.lock',
    'devflow.toml',
    'docker-bake.hcl',
    'package-lock.json',
  ])
})

test('asking for what the repository does not have says what to add', async () => {
  const { problems } = await planned('', ['lint'])
  assert.equal(problems![0]!.message, 'nothing in this repository offers "lint:static"')
  assert.equal(problems![0]!.hint, 'node: add a script "lint" to package.json; or describe it as [tasks."lint:static"]')
})

test('a task of devflow.toml takes the place of what the stack offers', async () => {
  const { plan: made } = await planned('[tasks.test]\nrun = "make check"', ['test'])
  assert.deepEqual(
    made!.tasks.map((task) => task.id),
    ['setup:fetch@node', 'setup:deps@node', 'test:unit@project'],
  )
  assert.deepEqual(made!.tasks.at(-1)!.argv, ['sh', '-c', 'make check'])
  assert.equal(made!.tasks.at(-1)!.env.npm_config_cache, '/cache/npm')
})

test('a need that nothing offers, and a circle of needs, are problems at their key', async () => {
  const lost = await planned('[tasks."test:e2e"]\nrun = "x"\nneeds = ["package:artifact"]', ['test:e2e'])
  assert.deepEqual(lost.problems![0]!.path, ['tasks', 'test:e2e', 'needs', 0])
  const round = await planned(
    '[tasks."test:a"]\nrun = "x"\nneeds = ["test:b"]\n[tasks."test:b"]\nrun = "x"\nneeds = ["test:a"]',
    ['test:a'],
  )
  assert.match(round.problems![0]!.message, /go round in a circle: test:a@project → test:b@project → test:a@project/)
})

test('networked tasks, secret tasks and fetches never share a class', async () => {
  const { plan: made } = await planned(
    '[tasks."test:a"]\nrun = "x"\nnetwork = "egress"\n[tasks."test:b"]\nrun = "x"\nsecrets = ["TOKEN"]\n[tasks."test:c"]\nrun = "x"\nnetwork = "egress"\n[tasks."test:d"]\nrun = "x"',
    ['test:a', 'test:b', 'test:c', 'test:d'],
  )
  const classes = made!.tasks
    .filter((task) => task.stack === 'project' || task.kind === 'fetch')
    .map((task) => task.class)
  assert.deepEqual(classes, ['fetch', 'test:a@project', 'test:b@project', 'test:c@project', 'offline'])
})

test('rest arguments reach the task that was asked for, as data', async () => {
  const own = await planned('[tasks.lint]\nrun = "lint it"', ['lint'], [node], { rest: ['$(x)', 'a b'] })
  assert.deepEqual(own.plan!.tasks.at(-1)!.argv, ['sh', '-c', 'lint it "$@"', 'sh', '$(x)', 'a b'])
  const stack = await planned('', ['test'], [node], { rest: ['--watch'] })
  assert.deepEqual(stack.plan!.tasks.at(-1)!.argv, ['npm', 'test', '--watch'])
  assert.deepEqual(stack.plan!.tasks[0]!.argv, ['npm', 'ci', '--ignore-scripts'])
})

test('the same input gives the same hash, one changed flag another, and the source of a value does not matter', async () => {
  const hash = async (text: string, units?: StackUnit[]) => (await planned(text, ['check:pr'], units)).plan!.hash
  const base = await hash('')
  assert.equal(await hash(''), base)
  assert.equal(await hash('[container]\nmemory = "4g"'), base)
  for (const text of [
    '[container]\nmemory = "5g"',
    '[scan]\nseverity = "low"',
    '[container]\nnetwork = "egress"',
    '[setup]\nscripts = "never"',
    '[runtime]\nprofile = "host"',
    '[project]\nname = "other"\n[tasks.test]\nrun = "npm test"',
  ]) {
    assert.notEqual(await hash(text), base, text)
  }
  const flag: StackUnit = { ...node, tasks: node.tasks.map((task) => ({ ...task, argv: [...task.argv, '--x'] })) }
  assert.notEqual(await hash('', [flag]), base)
})

test('no person, path or time is in a plan', async () => {
  const { plan: made } = await planned('', ['check:pr'])
  const text = JSON.stringify(made)
  for (const word of ['/repo', process.env.HOME ?? '/root', String(process.pid)])
    assert.ok(!text.includes(`"${word}`), word)
})

const image = { recipe: 'r', pins: [], packages: [] }
const withCode = '[scan.code.scanners.semgrep]\nrules = "rules"\n'

test('scan:all is every layer that there is, and a note says which there is not; an unknown layer is a problem', async () => {
  const ids = ({ plan }: Awaited<ReturnType<typeof planned>>) => plan!.tasks.map((task) => task.id)
  const all = await planned(withCode, ['scan:all'], [node], { image })
  assert.deepEqual(
    ids(all),
    ['deps', 'image', 'config', 'secrets', 'licenses', 'code'].map((layer) => `scan:${layer}@project`),
  )
  assert.deepEqual(all.plan!.notes, [])
  const some = await planned('', ['scan:all'])
  assert.deepEqual(
    ids(some),
    ['deps', 'config', 'secrets', 'licenses'].map((layer) => `scan:${layer}@project`),
  )
  assert.deepEqual(some.plan!.notes, [
    'scan:all is without image: there is no Dockerfile.devflow',
    'scan:all is without code: devflow.toml names no scanner of code',
  ])
  const wrong = await planned('', ['scan:dep'])
  assert.match(wrong.problems![0]!.hint!, /did you mean "scan:deps"/)
})

test('a layer that has nothing to look at is a problem when it is asked for by name, never a pass', async () => {
  for (const [layer, message] of [
    ['code', 'scan:code has nothing to look at: devflow.toml names no scanner of code'],
    ['image', 'scan:image has nothing to look at: there is no Dockerfile.devflow'],
  ] as const) {
    const { problems } = await planned(`[targets]\npr = ["scan:${layer}"]`, ['check:pr'])
    assert.deepEqual(
      problems!.map(({ code, message, path }) => [code, message, path]),
      [['nothing-to-scan', message, ['targets', 'pr', 0]]],
    )
  }
})

test('images that are named are part of the plan; no other gate takes names', async () => {
  const named = await planned('', ['scan:image'], [node], { rest: ['shop:dev'] })
  assert.deepEqual(named.plan!.tasks[0]!.argv, ['shop:dev'])
  const other = await planned('', ['scan:image'], [node], { rest: ['shop:prod'] })
  assert.notEqual(named.plan!.hash, other.plan!.hash)
  const wrong = await planned('', ['scan:deps'], [node], { rest: ['shop:dev'] })
  assert.equal(wrong.problems![0]!.message, 'scan:deps takes no names: it looks at the repository')
})

test('the policy is part of the plan: a loosened one is another plan', async () => {
  const hash = async (text: string) => (await planned(text, ['scan:deps'])).plan!.hash
  const texts = [
    '',
    '[scan]\nseverity = "critical"',
    '[scan.deps]\nseverity = "critical"',
    '[scan]\nfix_only = true',
    '[scan]\nvex = ["a.json"]',
    '[scan]\nhonor = ["inline"]',
    '[[scan.ignore]]\nlayer = "deps"\nid = "CVE-1"\npackage = "a"\nreason = "r"\nexpires = 2027-01-01',
  ]
  assert.equal(new Set(await Promise.all(texts.map(hash))).size, texts.length)
})

test('every id has one escaped form, fit for a file name, and no two ids share one', () => {
  const id = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }).filter((text) => text.isWellFormed())
  fc.assert(
    fc.property(id, id, (a, b) => {
      assert.match(escapeTaskId(a), /^[A-Za-z0-9_~-][A-Za-z0-9._~-]*$/)
      assert.equal(escapeTaskId(a) === escapeTaskId(b), a === b)
    }),
  )
})

test('a long id is cut for a file name, and stays the only one with its form', () => {
  const long = (end: string) => escapeTaskId(`test:unit@node:${'日本語'.repeat(40)}${end}`)
  assert.ok(long('a').length <= 200)
  assert.notEqual(long('a'), long('b'))
})

test('a task on the host gets nothing that points into what tasks in containers can write', async () => {
  const python: StackUnit = {
    ...node,
    stack: 'python',
    caches: [{ name: 'venv', env: { VIRTUAL_ENV: '/cache/venv/v' }, path: ['v/bin'] }],
  }
  const { plan: made } = await planned(
    '[tasks."test:host"]\nrun = ["make"]\nruntime = "host"\nenv = { A = "1" }\n[tasks."test:inside"]\nrun = ["make"]',
    ['test:host', 'test:inside'],
    [python],
  )
  const of = (command: string) => made!.tasks.find((task) => task.command === command)!
  assert.deepEqual([of('test:host').env, of('test:host').path], [{ A: '1' }, []])
  assert.deepEqual(of('test:inside').path, ['/cache/venv/v/bin'])
})

test('a target without a gate and limits that limit nothing are said', async () => {
  const { plan: made } = await planned('[container]\nmemory = "999t"\n[scan]\nseverity = "critical"\n', ['check:pr'])
  assert.deepEqual(made!.notes, [
    'the limits of containers are set so high that they hardly limit',
    'gates refuse critical findings only',
  ])
})
