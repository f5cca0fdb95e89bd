import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRuled, ownRules } from '../../../src/scan/rules/index.ts'
import { growsLinearly } from '../../growth.ts'
import { look } from './rig.ts'

const paths = ['compose.yml', 'docker-bake.hcl', 'docker-bake.json', '.github/workflows/a.yml', 'a/action.yml']

test('which files the rules look at', () => {
  const yes =
    'compose.yml compose.yaml compose.prod.yml a/compose.yaml docker-compose.yml docker-compose.override.yaml docker-compose-dev.yml docker-bake.hcl x/docker-bake.json docker-bake.override.hcl docker-bake.override.json ci.bake.hcl .github/workflows/a.yml .github/workflows/b.yaml action.yml a/b/action.yaml'
  const no =
    'compose.json xcompose.yml bake.hcl docker-bake.toml .github/workflows/a/b.yml x/.github/workflows/a.yml .github/dependabot.yml actions.yml reaction.yml main.tf composer.yml'
  assert.deepEqual(
    yes.split(' ').filter((path) => !isRuled(path)),
    [],
  )
  assert.deepEqual(no.split(' ').filter(isRuled), [])
})

test('every file that is looked at is a target, and no other', async () => {
  const files = ['b/compose.yml', 'README.md', 'action.yml', '.github/workflows/x.yml'].map((path) => ({
    path,
    text: '',
  }))
  assert.deepEqual((await ownRules(files)).targets, [
    { file: '.github/workflows/x.yml', kind: 'config', type: 'workflow', packages: 0 },
    { file: 'action.yml', kind: 'config', type: 'action', packages: 0 },
    { file: 'b/compose.yml', kind: 'config', type: 'compose', packages: 0 },
  ])
  assert.deepEqual(await ownRules([]), { targets: [], findings: [] })
})

test('the parser is loaded with the first file that needs it', () => {
  const script = `
    const { ownRules } = await import(${JSON.stringify(new URL('../../../src/scan/rules/index.ts', import.meta.url).href)})
    const { createRequire } = await import('node:module')
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('/node_modules/yaml/'))
    await ownRules([{ path: 'docker-bake.hcl', text: '' }])
    const before = loaded()
    await ownRules([{ path: 'compose.yml', text: 'a: b' }])
    process.stdout.write(before + ' ' + loaded())
  `
  const cwd = new URL('../../..', import.meta.url).pathname
  assert.equal(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', cwd }),
    'false true',
  )
})

test('bombs are findings', async () => {
  const levels = Array.from(
    { length: 30 },
    (_, index) => `l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`).join(', ')}]\n`,
  ).join('')
  const merges = Array.from(
    { length: 400 },
    (_, index) => `m${index + 1}: &m${index + 1}\n  <<: *m${index}\n  k${index}: 1\n`,
  ).join('')
  const many = Array.from({ length: 3000 }, () => '  - *big').join('\n')
  const bombs: readonly (readonly [string, string])[] = [
    [`l0: &l0 [x]\n${levels}`, 'it holds more than 200000 values, aliases followed'],
    [
      `m0: &m0 {}\n${merges}${merges.replaceAll('m', 'n').replace('*n0', '*m400')}`,
      'its aliases stand for too many values',
    ],
    [`big: &big [${'x, '.repeat(300)}]\nall:\n${many}\n`, 'it holds more than 200000 values, aliases followed'],
    [`a: ${'['.repeat(100)}${']'.repeat(100)}`, 'it is nested deeper than 64'],
    [`a: ${'['.repeat(200_000)}`, ''],
    [`a: ${'{a: '.repeat(50_000)}`, ''],
    ['- '.repeat(50_000), ''],
    ['? '.repeat(50_000), ''],
    [`a: "${'x'.repeat(1024 * 1024)}"`, 'it is larger than 1 MiB'],
    [`a: '${"''".repeat(500_000)}'`, ''],
    [`? ${'k'.repeat(1025)}\n: 1`, 'a key is longer than 1024 characters'],
    [Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join('\n'), ''],
  ]
  for (const [text, why] of bombs)
    for (const path of ['compose.yml', '.github/workflows/a.yml']) {
      const findings = await look(path, text)
      assert.ok(findings.length <= 1)
      if (why) assert.equal(findings[0]?.title, `cannot be read, so nobody knows what is in it: ${why}`)
    }
})

const workflow = (step: string, job = ''): string =>
  `on: [pull_request_target, issue_comment]\njobs:\n  a:\n    runs-on: x\n${job}    steps:\n      - ${step}\n`
const quoted = (piece: string, size: number, end = ''): string =>
  JSON.stringify(piece.repeat(size / piece.length) + end)

/** Where a long text of a repository can stand. */
const places: Readonly<Record<string, readonly [path: string, file: (text: string) => string]>> = {
  image: ['compose.yml', (text) => `services:\n  a:\n    image: ${text}\n`],
  volumes: ['compose.yml', (text) => `services:\n  a:\n    volumes: [${text}]\n`],
  ports: ['compose.yml', (text) => `services:\n  a:\n    ports: [${text}]\n`],
  devices: ['compose.yml', (text) => `services:\n  a:\n    devices: [${text}]\n`],
  environment: ['compose.yml', (text) => `services:\n  a:\n    environment: {A_TOKEN: ${text}}\n`],
  container: ['.github/workflows/a.yml', (text) => workflow('run: x', `    container: ${text}\n`)],
  if: ['.github/workflows/a.yml', (text) => workflow('run: x', `    if: ${text}\n`)],
  run: ['.github/workflows/a.yml', (text) => workflow(`run: ${text}`)],
  uses: ['.github/workflows/a.yml', (text) => workflow(`uses: ${text}`)],
  context: ['docker-bake.hcl', (text) => `target "a" {\n  context = ${text}\n  cache-to = [${text}]\n}\n`],
}
const long: readonly (readonly [piece: string, end?: string])[] = [
  ['a'],
  ['${'],
  ['${A:-'],
  ['${{ '],
  [':'],
  ['/'],
  ['/', 'x'],
  [' '],
  [' ', 'x'],
  ['|| true; '],
  [';true#\u2028'],
  ['trivy '],
  [';A='],
  ['A=b '],
  ["'"],
  ['a.'],
  ['$'],
  ['0-'],
  ['\\\\'],
  ['git fetch '],
  ['gh pr '],
  ['@'],
  ['\n'],
]
for (const [place, [path, file]] of Object.entries(places))
  test(`long lines cost no time: ${place}`, async () => {
    for (const [piece, end = ''] of long)
      await growsLinearly(
        JSON.stringify([piece, end]),
        (size) => file(quoted(piece, size, end)),
        (text) => look(path, text),
        { limit: 400_000 },
      )
  })

const many = (size: number, one: (index: number) => string): string =>
  Array.from({ length: size / one(0).length }, (_, index) => one(index)).join('')

/** Many of one thing and many of another, of which each could be looked at for each. */
const crowds: Readonly<Record<string, readonly [path: string, make: (size: number) => string, from?: number]>> = {
  'steps that are aliases, between a checkout and an upload': [
    '.github/workflows/a.yml',
    (size) =>
      workflow(
        `&c {uses: actions/checkout@v4}\n${many(size, () => '      - *c\n')}      - {uses: actions/upload-artifact@v4}`,
      ),
    400_000,
  ],
  'a long script that many steps run': [
    '.github/workflows/a.yml',
    (size) => workflow(`{run: &r ${quoted(';A=b', size / 2)}}\n${many(size / 2, () => '      - run: *r\n')}`),
  ],
  'expressions in one script': [
    '.github/workflows/a.yml',
    (size) => workflow(`run: "${many(size, () => '${{ github.head_ref }} ')}"`),
  ],
  'every secret, again and again': [
    '.github/workflows/a.yml',
    (size) => workflow(`run: "${many(size, () => '${{tojson(secrets)}}')}"`),
  ],
  'expressions that name one of many variables': [
    '.github/workflows/a.yml',
    (size) =>
      workflow(
        `run: "${many(size / 2, () => '${{env.Z}}')}"`,
        `    env:\n${many(size / 2, (index) => `      k${index}: 1\n`)}      z: x\n`,
      ),
  ],
  'expressions that name a variable of many expressions': [
    '.github/workflows/a.yml',
    (size) =>
      workflow(
        `run: "${many(size / 2, () => '${{env.Z}}')}"`,
        `    env: {z: "${many(size / 2, (index) => '${{a' + index + '}}')}"}\n`,
      ),
  ],
  'expressions that name one of many inputs': [
    '.github/workflows/a.yml',
    (size) =>
      `on: {workflow_call: {inputs: {${many(size / 2, (index) => `k${index}: {type: number}, `)}}}}\njobs:\n  a:\n    steps:\n      - run: "${many(size / 2, () => '${{inputs.k1}}')}"\n`,
    400_000,
  ],
  'a path with many parts, of many values': [
    '.github/workflows/a.yml',
    (size) => workflow(`run: "\${{ (${many(size / 2, (index) => `a${index}||`)}b)${'.x'.repeat(size / 4)} }}"`),
  ],
  'findings below long names': [
    '.github/workflows/a.yml',
    (size) => {
      const names = Array.from({ length: 50 }, (_, index) => `{${'k'.repeat(1000)}${index}: `).join('')
      const inner = many(size, (index) => `k${index}: "\${{tojson(secrets)}}", `)
      return workflow('run: x', `    with: ${names}{${inner}}${'}'.repeat(50)}\n`)
    },
  ],
  'ranges of ports': ['compose.yml', (size) => `services:\n  a:\n    ports: [${many(size, () => '1-65535, ')}]\n`],
}
for (const [name, [path, make, from = 65_536]] of Object.entries(crowds))
  test(`crowds cost no time: ${name}`, () =>
    growsLinearly(name, make, (text) => look(path, text), { limit: 900_000, from }))

test('a range of ports names the databases in it', async () => {
  const findings = await look('compose.yml', 'services:\n  a:\n    ports: ["3000-6500:3000-6500", "1-65535:70000"]\n')
  assert.deepEqual(
    findings.filter(({ id }) => id === 'DWF-COMPOSE-019').map(({ title }) => title.slice(0, 36)),
    ['services.a.ports 3306 (MySQL): a dat'],
  )
})

test('hostile names stay texts', async () => {
  const name = '"__proto__"'
  const evil = '"a\\n\\e[2Jb\\u202e"'
  const findings = (
    await Promise.all([
      look(
        'compose.yml',
        `services:\n  ${name}: {privileged: true, __proto__: {pid: host}, constructor: x}\n  ${evil}: {privileged: true}\n`,
      ),
      look(
        '.github/workflows/a.yml',
        `on: push\njobs:\n  ${name}:\n    steps: [{uses: a/b@v1}]\n  ${evil}:\n    steps: [{uses: a/b@v1}]\n`,
      ),
      look(
        'docker-bake.json',
        '{"target": {"__proto__": {"network": "host"}, "a\\nb\\u001b[2J": {"network": "host"}}}',
      ),
      look(
        'docker-bake.hcl',
        'target "__proto__" { network = "host" }\ntarget "a\\nb\\u001b" { network = constructor }\n',
      ),
    ])
  ).flat()
  assert.equal(findings.filter(({ id }) => /COMPOSE-001|ACTIONS-001|BAKE-002/.test(id)).length, 7)
  for (const finding of findings)
    assert.doesNotMatch(finding.title, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
})

test('no text makes the rules throw', async () => {
  const pieces = fc.constantFrom(
    'services:\n',
    '  a:\n',
    '    image: ',
    'volumes:\n',
    '      - ',
    'jobs:\n',
    '    steps:\n',
    '      - run: ',
    'on: ',
    'uses: ',
    '${{ ',
    ' }}',
    'x',
    ': ',
    '\n',
    '&a ',
    '*a',
    '<<: ',
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '|\n',
    '? ',
    '- ',
    '!!binary ',
    '!x ',
    '%YAML 1.1\n---\n',
    '---\n',
    '...\n',
    '#',
    '\t',
    'target "a" {\n',
    'args = ',
    'null',
    '~',
    '\ufeff',
    '__proto__',
    'environment',
    'privileged: true\n',
    'extends: ',
    'include: ',
  )
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), texts, async (path, text) => {
      const { targets, findings } = await ownRules([{ path, text }])
      assert.equal(targets.length, 1)
      for (const { title, where, severity } of findings) {
        assert.doesNotMatch(title, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
        assert.ok(title.length <= 240 && where.line! >= 1 && where.column! >= 1 && severity)
      }
    }),
    { numRuns: 500 },
  )
})

test('structures of any shape are read or refused', async () => {
  const keys =
    'services volumes image build privileged environment ports extends include jobs steps run uses with on if env container permissions secrets runs-on strategy matrix runs using target args contexts network variable default configs'.split(
      ' ',
    )
  const key = fc.oneof(fc.constantFrom(...keys), fc.string())
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...paths.filter((path) => !path.endsWith('.hcl'))),
      fc.object({
        key,
        maxDepth: 6,
        maxKeys: 5,
        values: [
          fc.string(),
          fc.boolean(),
          fc.integer(),
          fc.constant(null),
          fc.constantFrom('host', 'root', 'a/b@v1', '/etc:/x'),
        ],
      }),
      async (path, value) => {
        await ownRules([{ path, text: JSON.stringify(value) }])
      },
    ),
  )
})
