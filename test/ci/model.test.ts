import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse, parseDocument } from 'yaml'
import {
  type Expression,
  either,
  expression,
  type Grant,
  type Job,
  list,
  mapOf,
  plain,
  renderWorkflow,
  renderYaml,
  type Script,
  type Step,
  script,
  type Value,
  type Workflow,
} from '../../src/ci/model/index.ts'
import { hostile } from './hostile.ts'
import { evaluated, expressionsIn, readWorkflow, segments, stringsOf } from './read.ts'

const step: Step = { name: 'x', run: script`true` }
const job: Job = { about: 'a', name: 'j', timeoutMinutes: 1, permissions: {}, steps: [step] }
const workflow: Workflow = {
  file: 'x.yml',
  name: 'x',
  about: [],
  on: { workflow_dispatch: true },
  concurrency: { group: expression`github.ref`, cancel: false },
  jobs: { j: job },
}

test('what must never be forgotten does not compile', () => {
  const word: string = 'x'
  // Never called: the compiler is the test.
  const never = [
    // @ts-expect-error a job has a time limit
    (): Job => ({ about: 'a', name: 'j', permissions: {}, steps: [step] }),
    // @ts-expect-error a job says what it may
    (): Job => ({ about: 'a', name: 'j', timeoutMinutes: 1, steps: [step] }),
    // @ts-expect-error a job has a step
    (): Job => ({ ...job, steps: [] }),
    // @ts-expect-error a job says what it is for
    (): Job => ({ name: 'j', timeoutMinutes: 1, permissions: {}, steps: [step] }),
    // @ts-expect-error a workflow has no job without a limit either
    (): Workflow => ({ ...workflow, jobs: { j: { about: 'a', name: 'j', permissions: {}, steps: [step] } } }),
    // @ts-expect-error a workflow says what a new run does to an old one
    (): Workflow => ({ file: 'x.yml', name: 'x', about: [], on: {}, jobs: {} }),
    // @ts-expect-error a grant has a reason
    (): Grant => ({ access: 'write' }),
    // @ts-expect-error a grant is one of the known ones
    (): Job => ({ ...job, permissions: { 'pull-requests': { access: 'write', why: 'x' } } }),
    // @ts-expect-error a workflow has no trigger that lends its token to others
    (): Workflow => ({ ...workflow, on: { pull_request_target: true } }),
    // @ts-expect-error a trigger has no filter of paths
    (): Workflow => ({ ...workflow, on: { pull_request: { paths: ['src'] } } }),
    // @ts-expect-error nor one for labels, which others can set
    (): Workflow => ({ ...workflow, on: { pull_request: ['labeled'] } }),
    // @ts-expect-error a script takes no values
    (): Script => script`echo ${word}`,
    // @ts-expect-error a script takes no values, even plain ones
    (): Script => script`echo ${plain('x')}`,
    // @ts-expect-error a text is no script
    (): Step => ({ name: 'x', run: `echo ${word}` }),
    // @ts-expect-error an expression takes plain words only
    (): Expression => expression`needs.${word}.result`,
    // @ts-expect-error a text is no expression
    (): Expression => ({ expression: word }),
    // @ts-expect-error a text is no condition
    (): Step => ({ ...step, if: word }),
    // @ts-expect-error an action has a commit and a version
    (): Step => ({ name: 'x', uses: 'actions/checkout@v4' }),
    // @ts-expect-error what is called is a workflow of this repository
    (): Workflow => ({ ...workflow, jobs: { j: { about: 'a', name: 'j', permissions: {}, calls: 'x/y@v1' } } }),
  ]
  assert.equal(never.length, 19)
})

test('a script loses the indent of its place and nothing else', () => {
  assert.equal(
    script`
      if true; then
        echo x

      fi
    `,
    'if true; then\n  echo x\n\nfi\n',
  )
  assert.equal(script`echo x`, 'echo x\n')
  assert.equal(script``, '\n')
  assert.equal(script`printf '%s\n' "a\\b" \`id\` "\${HOME}" $HOME`, 'printf \'%s\\n\' "a\\\\b" `id` "${HOME}" $HOME\n')
  assert.equal(
    script`jq '"\(.key)"' \
  x`,
    'jq \'"\\(.key)"\' \\\n  x\n',
  )
})

test('a plain word can be no part of an expression', () => {
  for (const text of ['a', '_a', 'node', 'task-test_3ae2e', 'dwf.tar', 'sub/dir', 'A1']) assert.equal(plain(text), text)
  for (const text of [
    '',
    ' ',
    'a b',
    "a'",
    'a"',
    'a}}',
    '${{',
    'a\n',
    '\na',
    '-a',
    '.a',
    '/a',
    'a,b',
    'a[0]',
    'a(',
    'é',
    'a*',
    'a|b',
    'a&&b',
    'a!=b',
  ])
    assert.throws(() => plain(text), /is no plain word/, JSON.stringify(text))
  fc.assert(
    fc.property(hostile, (text) => {
      let word: string
      try {
        word = plain(text)
      } catch {
        return
      }
      assert.match(word, /^\w[\w./-]*$/)
      assert.ok(!/[^\x20-\x7e]/.test(word))
    }),
  )
})

test('of expressions, one is made that holds where either does', () => {
  assert.equal(either(expression`a`, expression`b.${plain('c')}`).expression, 'a || b.c')
  assert.equal(expression`contains('\n', x)`.expression, "contains('\\n', x)")
})

/** Where a text of somebody else can stand, and the same of dwf's own for the shape. */
const texts = fc.record({
  name: hostile,
  about: fc.array(hostile, { maxLength: 3 }),
  branch: hostile,
  tag: hostile,
  jobAbout: hostile,
  jobName: hostile,
  why: hostile,
  environment: hostile,
  stepName: hostile,
  env: hostile,
  input: hostile,
  lines: fc.array(hostile, { maxLength: 4 }).map((parts) => parts.join('\n')),
  version: hostile,
  description: hostile,
})
type Texts = typeof texts extends fc.Arbitrary<infer T> ? T : never

const group = expression`format('x-{0}', github.ref)`
const result = expression`needs.first.result != 'x'`
const secret = expression`secrets.TOKEN`

const modelOf = (of: Texts): Workflow => ({
  file: 'x.yml',
  name: of.name,
  about: of.about,
  on: {
    push: { branches: [of.branch, of.tag] },
    workflow_call: { outputs: { one: { description: of.description, value: result } } },
  },
  concurrency: { group, cancel: false },
  jobs: {
    first: {
      about: of.jobAbout,
      name: of.jobName,
      timeoutMinutes: 5,
      environment: of.environment,
      permissions: { contents: { access: 'read', why: of.why }, actions: { access: 'write', why: of.why } },
      steps: [
        { name: of.stepName, run: script`echo "$TEXT"`, env: { TEXT: of.env, TOKEN: secret, COUNT: 3, IS: true } },
        {
          name: of.stepName,
          if: result,
          uses: { name: 'a/b', folder: 'c', sha: '0'.repeat(40), version: of.version },
          with: { text: of.input, lines: of.lines, more: secret },
        },
      ],
    },
    second: { about: of.jobAbout, name: of.jobName, permissions: {}, calls: './.github/workflows/y.yml' },
  },
})

const shapeOf = (of: Texts) => ({
  name: of.name,
  on: {
    push: { branches: [of.branch, of.tag] },
    workflow_call: { outputs: { one: { description: of.description, value: [result.expression] } } },
  },
  permissions: {},
  concurrency: { group: [group.expression], 'cancel-in-progress': false },
  defaults: { run: { shell: 'bash' } },
  jobs: {
    first: {
      name: of.jobName,
      'runs-on': 'ubuntu-24.04',
      'timeout-minutes': 5,
      environment: of.environment,
      permissions: { actions: 'write', contents: 'read' },
      steps: [
        {
          name: of.stepName,
          env: { TEXT: of.env, TOKEN: [secret.expression], COUNT: 3, IS: true },
          run: 'echo "$TEXT"\n',
        },
        {
          name: of.stepName,
          if: result.expression,
          uses: `a/b/c@${'0'.repeat(40)}`,
          with: { text: of.input, lines: of.lines, more: [secret.expression] },
        },
      ],
    },
    second: { name: of.jobName, permissions: {}, uses: './.github/workflows/y.yml' },
  },
})

/** Strings as GitHub has them after it evaluated them; an expression alone is a list of one. */
function after(value: unknown): unknown {
  if (typeof value === 'string') {
    const [one, ...others] = expressionsIn(value)
    if (one === undefined) return evaluated(value)
    assert.deepEqual(others, [])
    assert.equal(segments(value).length, 1, 'an expression stands alone')
    return [one]
  }
  if (Array.isArray(value)) return value.map(after)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, after(one)]))
}

test('whatever the texts are, the file says what the model says', () => {
  fc.assert(
    fc.property(texts, (of) => {
      const text = renderWorkflow(modelOf(of), '1.2.3')
      assert.deepEqual(after(parse(text)), shapeOf(of))
      assert.deepEqual(
        stringsOf(parse(text)).flatMap(expressionsIn).sort(),
        [group, result, secret, secret].map((one) => one.expression).sort(),
      )
    }),
    { numRuns: 400 },
  )
})

test('whatever the comments are, they stay comments, each on its line', () => {
  fc.assert(
    fc.property(texts, (of) => {
      const { jobs } = readWorkflow(renderWorkflow(modelOf(of), '1.2.3'))
      const seen = [...jobs.map(({ about }) => about), ...Object.values(jobs[0]!.why), jobs[0]!.steps[1]!.comment]
      for (const comment of seen) assert.doesNotMatch(comment, /[\n\r\u0085\u2028\u2029]/)
      const words = (text: string) =>
        text
          .split(/[^\w]+/)
          .filter((word) => word !== '')
          .join(' ')
      if (/^[\w .-]*$/.test(of.why))
        for (const why of Object.values(jobs[0]!.why)) assert.equal(words(why), words(of.why))
    }),
    { numRuns: 400 },
  )
})

test('no reader of YAML sees another line than the next one', () => {
  fc.assert(
    fc.property(texts, (of) => {
      const text = renderWorkflow(modelOf(of), '1.2.3')
      assert.doesNotMatch(text, /[\0-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/)
      assert.ok(text.endsWith('\n'))
      const lines = text.split('\n')
      assert.equal(
        lines[0],
        '# Written by dwf 1.2.3 from devflow.toml and devflow.lock: change them, and run "dwf ci:generate".',
      )
      assert.equal(lines[1], '# What is edited here is kept when it is written again.')
      for (const [at, line] of of.about.entries()) {
        assert.match(lines[2 + at]!, /^(#.*)?$/)
        if (/^\w+$/.test(line)) assert.equal(lines[2 + at], `# ${line}`)
      }
      assert.equal(renderWorkflow(modelOf(of), '1.2.3'), text)
    }),
    { numRuns: 400 },
  )
})

test('any other document keeps its texts too, and nothing is evaluated there', () => {
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 3 }), hostile, (folders, one) => {
      const text = renderYaml(
        mapOf([
          ['folders', list(folders)],
          ['one', one],
          ['none', undefined],
        ]),
        { dwf: '1', about: [one] },
      )
      assert.deepEqual(parse(text), { folders, one })
      assert.deepEqual(parseDocument(text).errors, [])
      assert.doesNotMatch(text, /[\0-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/)
    }),
  )
})

test('words are one line for who reads them, and one a line in the file', () => {
  const textOf = (words: readonly string[]) =>
    renderWorkflow(
      { ...workflow, jobs: { j: { ...job, steps: [{ ...step, env: { WORDS: { words }, AFTER: 'x' } }] } } },
      '1',
    )
  assert.match(textOf(['a:443', '*.b:80']), /\n {10}WORDS: >-\n {12}a:443\n {12}\*\.b:80\n {10}AFTER: x\n/)
  const word = fc.oneof(fc.stringMatching(/^[!-"$-~]{1,12}$/), hostile)
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (words) => {
      const isFit = words.length > 0 && words.every((one) => /^[\x21-\x7e]+$/.test(one) && !/#|\$\{\{/.test(one))
      if (!isFit) return assert.throws(() => textOf(words), /is more than a word/)
      const [read] = readWorkflow(textOf(words)).jobs[0]!.steps
      assert.deepEqual(read!.env, { WORDS: words.join(' '), AFTER: 'x' })
    }),
    { numRuns: 300 },
  )
})

test('what looks like another type stays a text', () => {
  const words = [
    'true',
    'no',
    'on',
    'null',
    '~',
    '',
    '1',
    '1e3',
    '0x10',
    '0o7',
    '.inf',
    '2026-11-22',
    '12:30',
    '=',
    '<<',
    '1_000',
  ]
  const env: Record<string, Value> = Object.fromEntries(words.map((word, at) => [`V${at}`, word]))
  const read = readWorkflow(renderWorkflow({ ...workflow, jobs: { j: { ...job, steps: [{ ...step, env }] } } }, '1'))
  assert.deepEqual(Object.values(read.jobs[0]!.steps[0]!.env), words)
})

test('the same model gives the same bytes, in a layout that people read', () => {
  const text = renderWorkflow(
    {
      ...workflow,
      about: ['', 'More.'],
      on: {
        pull_request: [],
        merge_group: true,
        push: { branches: ['main'] },
        schedule: '23 2 * * *',
        workflow_dispatch: true,
      },
      jobs: {
        one: {
          ...job,
          permissions: { packages: { access: 'write', why: 'to push' }, contents: { access: 'read', why: 'to read' } },
        },
        two: {
          ...job,
          needs: ['one'],
          if: expression`!cancelled()`,
          outputs: { x: expression`steps.y.outputs.z` },
          steps: [
            {
              name: 'Get',
              uses: { name: 'a/b', sha: '1'.repeat(40), version: 'v1.2.3' },
              with: { lines: 'a\nb', is: false },
            },
            {
              ...step,
              id: 'y',
              env: { A: '1' },
              run: script`
              a
              b
            `,
            },
          ],
        },
      },
    },
    '1.2.3',
  )
  assert.equal(
    text,
    `# Written by dwf 1.2.3 from devflow.toml and devflow.lock: change them, and run "dwf ci:generate".
# What is edited here is kept when it is written again.

# More.

name: x

on:
  pull_request:
  merge_group:
  push:
    branches: [main]
  schedule:
    - cron: 23 2 * * *
  workflow_dispatch:

permissions: {}

concurrency:
  group: \${{ github.ref }}
  cancel-in-progress: false

defaults:
  run:
    shell: bash

jobs:
  # a
  one:
    name: j
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    permissions:
      contents: read # to read
      packages: write # to push
    steps:
      - name: x
        run: |
          true

  # a
  two:
    name: j
    needs: [one]
    if: "!cancelled()"
    runs-on: ubuntu-24.04
    timeout-minutes: 1
    permissions: {}
    outputs:
      x: \${{ steps.y.outputs.z }}
    steps:
      - name: Get
        uses: a/b@1111111111111111111111111111111111111111 # v1.2.3
        with:
          lines: |-
            a
            b
          is: false
      - name: x
        id: y
        env:
          A: "1"
        run: |
          a
          b
`,
  )
})
