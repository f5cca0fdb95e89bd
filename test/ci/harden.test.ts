import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { hardenWorkflow } from '../../src/ci/harden/index.ts'
import { lintWorkflow } from '../../src/ci/lint/index.ts'
import { growsLinearly } from '../growth.ts'
import { known, sha } from './known.ts'

const path = '.github/workflows/ci.yml'
const harden = (text: string) => hardenWorkflow(path, text, known)

const folder = join(import.meta.dirname, '../fixtures')
const fixtures = readdirSync(folder)
  .filter((name) => name.startsWith('harden-'))
  .map((name) => {
    const read = (file: string) => readFileSync(join(folder, name, file), 'utf8')
    return { name: name.slice('harden-'.length), before: read('before.yml'), after: read('after.yml') }
  })

/** What is done to a workflow is done when it is done, and nothing that was there is gone. */
function holds(before: string): string {
  const { text, changes } = harden(before)
  const again = harden(text)
  assert.equal(again.text, text)
  assert.deepEqual(again.changes, [])
  assert.equal(changes.length === 0, text === before)
  assert.ok(isWithin(before, text), `${before}\n--- became ---\n${text}`)
  assert.deepEqual(without(parse(text), parse(before)), comparable(parse(before)))
  return text
}

/** Everything of the old text is in the new one in its order, tags that became commits aside. */
function isWithin(before: string, after: string): boolean {
  let at = 0
  for (const piece of before.replace(/@[\w.]+/g, '@').split(/(?<=[\s{},'"@])/)) {
    const found = after.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return true
}

const tags = (text: string): string => text.replace(/@[\w.]+$/, '@')
/** Refs left out, and inputs that are empty. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? tags(value) : value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, of]) => key !== 'with' || Object.keys(of ?? {}).length > 0)
      .map(([key, of]) => [key, comparable(of)]),
  )
}

/** Of what was parsed only that which the other has, too. */
function without(value: unknown, old: unknown): unknown {
  if (Array.isArray(value) && Array.isArray(old)) return value.map((item, index) => without(item, old[index]))
  if (typeof value !== 'object' || value === null) return comparable(value)
  const kept = Object.entries(value).filter(([key]) => Object.hasOwn((old ?? {}) as object, key))
  return comparable(
    Object.fromEntries(kept.map(([key, of]) => [key, without(of, (old as Record<string, unknown>)[key])])),
  )
}

for (const { name, before, after } of fixtures)
  test(`fixture ${name}`, () => {
    assert.equal(harden(before).text, after)
    holds(before)
  })

test('line ends stay what they are', () => {
  const crlf = (text: string) => text.replace(/\n/g, '\r\n')
  for (const { before, after, name } of fixtures) assert.equal(harden(crlf(before)).text, crlf(after), name)
})

const lines = ({ changes, undecided }: ReturnType<typeof harden>) => ({
  changes: changes.map(({ code, message, where }) => `${where.line}:${where.column} ${code} ${message}`),
  undecided: undecided.map(
    ({ severity, code, message, where }) => `${where!.line}:${where!.column} ${severity} ${code} ${message}`,
  ),
})
const of = (name: string) => fixtures.find((fixture) => fixture.name === name)!.before

test('what was changed, and what a person has to decide', () => {
  const c = sha('a1').slice(0, 12)
  assert.deepEqual(lines(harden(of('token-in-use'))), {
    changes: [
      '6:3 timeout-minutes jobs.test: timeout-minutes: 60',
      '6:3 job-permissions jobs.test: permissions: contents: read',
      `9:15 pin-action actions/checkout@v4 is pinned to ${c}, v4.2.2`,
      '9:15 persist-credentials jobs.test actions/checkout@v4: persist-credentials: false',
      '11:3 timeout-minutes jobs.comment: timeout-minutes: 60',
      '17:3 timeout-minutes jobs.push: timeout-minutes: 60',
      `20:15 pin-action actions/checkout@v4 is pinned to ${c}, v4.2.2`,
      '24:3 timeout-minutes jobs.unknown: timeout-minutes: 60',
      `27:15 pin-action actions/checkout@v4 is pinned to ${c}, v4.2.2`,
      `31:11 pin-action octo/release-flow/.github/workflows/release.yml@v1 is pinned to ${sha('f3').slice(0, 12)}, v1.5.0`,
      '33:3 timeout-minutes jobs.tags: timeout-minutes: 60',
      '33:3 job-permissions jobs.tags: permissions: contents: write',
    ],
    undecided: [
      '5:1 warning concurrency-unknown concurrency: not set, and a run that publishes must not be left out for a later one',
      '11:3 warning permissions-unknown jobs.comment.permissions: not set, and what the job needs is not known: its script uses gh pr',
      '17:3 warning permissions-unknown jobs.push.permissions: not set, and what the job needs is not known: its script uses git push',
      '20:15 warning credentials-unknown jobs.push actions/checkout@v4 leaves the token in .git/config: a later script uses git push',
      '24:3 warning permissions-unknown jobs.unknown.permissions: not set, and what the job needs is not known: nobody knows what octo/does-things@v1 needs',
      '27:15 warning credentials-unknown jobs.unknown actions/checkout@v4 leaves the token in .git/config: nobody knows whether octo/does-things@v1 pushes or fetches',
      '28:15 warning action-unknown octo/does-things@v1: the commit is not known',
      '30:3 warning permissions-unknown jobs.other.permissions: not set, and what the job needs is not known: it calls another workflow',
    ],
  })
  assert.deepEqual(lines(harden(of('denied-and-unknown'))).undecided, [
    '4:1 warning concurrency-unknown concurrency: not set, and runs for issues have no ref of their own',
    '5:3 warning permissions-unknown jobs.a.permissions: not set, and what the job needs is not known: nobody knows what octo/hijacked@v1 needs',
    '8:15 error action-denied octo/hijacked@v1 must not run: its tags were moved in March',
    '9:15 warning action-unknown octo/never-heard@v3: the commit is not known',
    '10:15 warning action-unknown actions/checkout@main: it is no version, so it may move',
    '10:15 warning credentials-unknown jobs.a actions/checkout@main leaves the token in .git/config: nobody knows whether docker://alpine:3 pushes or fetches',
    '11:15 warning image-unknown docker://alpine:3 has no digest',
    '12:15 warning action-unknown actions/checkout: it has no version',
    '14:11 warning action-unknown slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@v2.1.0: it only works when it is named by its tag',
  ])
})

test('what is hardened passes the rules about pins, time limits and permissions', () => {
  const rules = /^DWF-(CI-(001|002|003|004|005|006|007|008|009|010|011)|ACTIONS-(001|002|003|010|013|016))$/
  for (const name of [
    'two-spaces',
    'four-spaces',
    'unindented-lists',
    'flow-maps',
    'flow-steps',
    'images',
    'no-last-line-end',
  ]) {
    const { text, undecided } = harden(of(name))
    // Of runs that publish none may be left out for a later one: their group is a person's to decide.
    const isOpen = undecided.length > 0
    assert.deepEqual(
      undecided.map(({ code }) => code),
      isOpen ? ['concurrency-unknown'] : [],
      name,
    )
    const left = lintWorkflow(path, text, known).filter(({ code }) => rules.test(code))
    assert.deepEqual(
      left.map(({ code }) => code),
      isOpen ? ['DWF-CI-010'] : [],
      name,
    )
  }
})

test('what cannot be edited is refused at its place, and stays as it is', () => {
  const job = 'jobs:\n  a:\n    runs-on: x\n    steps:\n'
  const cases: readonly (readonly [string, string])[] = [
    [`on: push\n${job}      - &c\n        uses: actions/checkout@v4\n      - *c\n`, '7:9 workflow-not-editable'],
    [`on: push\nx: &e {A: b}\n${job}      - run: x\n`, '2:7 workflow-not-editable'],
    [`on: push\n${job}      - run: x\n        run: y\n`, '7:9 DWF-ACTIONS-000'],
    [`on: push\n${job}      - run: "x\n`, '7:1 DWF-ACTIONS-000'],
    ['on: push\n', '1:1 DWF-ACTIONS-000'],
    ['', '1:1 DWF-ACTIONS-000'],
    ['a: b\n---\nc: d\n', '3:1 DWF-ACTIONS-000'],
  ]
  for (const [text, expected] of cases) {
    const result = harden(text)
    assert.equal(result.text, text)
    assert.deepEqual(result.changes, [])
    assert.deepEqual(
      result.undecided.map(({ code, severity, where }) => `${where!.line}:${where!.column} ${code} ${severity}`),
      [`${expected} error`],
    )
  }
})

const inJob = (steps: string, on = 'push', job = '') =>
  `on: ${on}\npermissions: {}\nconcurrency: x\njobs:\n  a:\n    runs-on: x\n    timeout-minutes: 1\n${job}    steps:\n${steps.replace(/^/gm, '      ')}\n`
const grants = (steps: string, on = 'push', job = '') => {
  const text = inJob(steps, on, job).replace('permissions: {}\n', '')
  const found = harden(text).changes.find(({ code }) => code === 'job-permissions')
  return found?.message.replace('jobs.a: permissions: ', '')
}

test('what jobs are granted', () => {
  const login =
    '- uses: docker/login-action@v3\n  with: {registry: ghcr.io, username: x, password: "${{ github.token }}"}'
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['- run: make', '{}'],
    ['- uses: actions/checkout@v4', 'contents: read'],
    ['- uses: actions/checkout@v4\n  with: {token: "${{ secrets.PAT }}"}', '{}'],
    ['- uses: actions/checkout@v4\n  with: {token: "${{ secrets.PAT || github.token }}"}', 'contents: read'],
    ['- uses: Actions/Checkout@v4', 'contents: read'],
    [`${login}\n- uses: docker/build-push-action@v6\n  with: {push: true, context: .}`, 'packages: write'],
    [`${login}\n- uses: docker/build-push-action@v6\n  with: {push: false, context: .}`, 'packages: read'],
    ['- uses: docker/build-push-action@v6', 'contents: read'],
    ['- uses: github/codeql-action/upload-sarif@v3', 'actions: read, contents: read, security-events: write'],
    ['- uses: actions/labeler@v6', 'contents: read, pull-requests: write'],
    ['- uses: peter-evans/create-pull-request@v7', 'contents: write, pull-requests: write'],
    ['- uses: actions/dependency-review-action@v4', 'contents: read'],
    ['- uses: pypa/gh-action-pypi-publish@v1', 'id-token: write'],
    ['- uses: pypa/gh-action-pypi-publish@v1\n  with: {password: "${{ secrets.PYPI }}"}', '{}'],
    ['- run: gh release download v1\n  env: {GH_TOKEN: "${{ github.token }}"}', 'contents: read'],
    ['- run: gh release create v1 && ./notify\n  env: {GH_TOKEN: "${{ github.token }}"}', undefined],
    ['- run: gh api /x', undefined],
    ['- run: ./x\n  env: {T: "${{ secrets.GITHUB_TOKEN }}"}', undefined],
    ['- run: ./x\n  env: {T: "${{ toJSON(secrets) }}"}', undefined],
    ["- run: ./x\n  env: {T: \"${{ secrets[format('{0}', 'A')] }}\"}", undefined],
    ['- run: ./x\n  env: {T: "${{ secrets.OTHER }}"}', '{}'],
    ['- run: npm run release', undefined],
    ['- run: cargo build --release && ls target/release', '{}'],
    ['- run: git push origin x', undefined],
    ['- uses: ./.github/actions/x', undefined],
    ['- uses: octo/any@v1', undefined],
    ['- uses: docker://alpine:3', undefined],
    ['- uses: actions/github-script@v8\n  with: {script: x}', undefined],
    ['- uses: gradle/actions/setup-gradle@v5\n  with: {dependency-graph: generate-and-submit}', undefined],
  ]
  for (const [steps, expected] of cases) assert.equal(grants(steps), expected, steps)
  assert.equal(grants('- run: make', 'push', '    env: {T: "${{ github.token }}"}\n'), undefined)
  assert.equal(grants('- uses: actions/checkout@v4', 'workflow_call'), undefined)
  assert.equal(grants('- run: make', 'workflow_call'), '{}')
})

test('a job is never granted more than it had', () => {
  const under = (top: string) =>
    harden(inJob('- uses: github/codeql-action/upload-sarif@v3').replace('permissions: {}', `permissions: ${top}`))
      .changes.find(({ code }) => code === 'job-permissions')
      ?.message.replace('jobs.a: permissions: ', '')
  assert.equal(under('{}'), '{}')
  assert.equal(under('read-all'), 'actions: read, contents: read, security-events: read')
  assert.equal(under('write-all'), 'actions: read, contents: read, security-events: write')
  assert.equal(under('{contents: write, security-events: write}'), 'contents: read, security-events: write')
})

test('the token stays in .git/config where a later step may want it', () => {
  const checkout = '- uses: actions/checkout@v4\n'
  const keeps = (steps: string) => harden(inJob(steps)).undecided.some(({ code }) => code === 'credentials-unknown')
  const kept = [
    `${checkout}- run: git push`,
    `${checkout}- run: git -C x fetch --tags`,
    `${checkout}- run: make publish`,
    `${checkout}- uses: ./x`,
    `${checkout}- uses: octo/any@v1`,
    `${checkout}- uses: stefanzweifel/git-auto-commit-action@v7`,
    `${checkout}  with: {persist-credentials: true}`,
    `${checkout}  with: "\${{ fromJSON('{}') }}"`,
  ]
  for (const steps of kept) assert.ok(keeps(steps), steps)
  const forgotten = [
    `- run: git push\n${checkout}`,
    `${checkout}- run: git log && git diff`,
    `${checkout}- uses: actions/setup-node@v4`,
    `${checkout}- run: cargo test --release`,
    `${checkout}  with: {persist-credentials: false}\n- run: git push`,
  ]
  for (const steps of forgotten) assert.ok(!keeps(steps), steps)
})

test('concurrency only where it loses no run that matters', () => {
  const result = (on: string, job = '') => {
    const text = inJob('- run: make', on, job).replace('concurrency: x\n', '')
    const after = harden(text)
    return after.undecided.find(({ code }) => code === 'concurrency-unknown')?.message ?? parse(after.text).concurrency
  }
  const group = '${{ github.workflow }}-${{ github.ref }}'
  const pulls = { group, 'cancel-in-progress': "${{ github.event_name == 'pull_request' }}" }
  assert.deepEqual(result('[push, pull_request]'), pulls)
  assert.deepEqual(result('{push: {branches: [main], tags: [v*]}}'), pulls)
  assert.deepEqual(result('{push: {tags: [v*]}}'), { group, 'cancel-in-progress': false })
  assert.deepEqual(result('release'), { group, 'cancel-in-progress': false })
  assert.equal(
    result('workflow_call'),
    'concurrency: not set, and the group would be that of the workflow that calls it',
  )
  assert.equal(
    result('[push, issue_comment]'),
    'concurrency: not set, and runs for issue_comment have no ref of their own',
  )
  assert.equal(
    result('{workflow_dispatch: {inputs: {a: {type: string}}}}'),
    'concurrency: not set, and each run may be asked for something else',
  )
  assert.equal(
    result('push', '    concurrency: x\n'),
    'concurrency: not set, and jobs.a has a group of its own, which may be the same',
  )
})

const refs = ['actions/checkout@v4', 'actions/setup-node@v4', 'octo/any@v1', 'actions/cache/restore@v4', './x']
const scripts = ['make', 'git push', 'gh release create v1', 'npm run build -- --release']

/** A workflow in some layout that people use. */
const workflows = fc
  .record({
    unit: fc.constantFrom(2, 3, 4),
    dash: fc.constantFrom('- ', '-   '),
    isIndented: fc.boolean(),
    quote: fc.constantFrom('', "'", '"'),
    isSpaced: fc.boolean(),
    remark: fc.constantFrom('', ' # why', '   # v4 # again', '  '),
    top: fc.constantFrom('', 'permissions: {}\n', 'permissions:\n  contents: read\n', '# All of it.\n'),
    head: fc.constantFrom('', '# Head\n', '---\n', '\ufeff', 'name: "a # b"\n'),
    job: fc.constantFrom('', 'timeout-minutes: 5', 'permissions: {}', 'name: >-\n{}folded\n{}text', 'if: |\n{}true\n'),
    eol: fc.constantFrom('\n', '\r\n'),
    hasLastEnd: fc.boolean(),
    jobs: fc.array(
      fc.array(
        fc.record({
          uses: fc.constantFrom('', ...refs),
          run: fc.constantFrom(...scripts),
          form: fc.constantFrom('block', 'flow', 'named'),
          inputs: fc.constantFrom('', 'none', 'block', 'flow', 'empty', 'comment'),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map((of) => {
    const level = (depth: number) => ' '.repeat(of.unit * depth)
    const dashAt = of.isIndented ? level(3) : level(2)
    const keyAt = dashAt + ' '.repeat(of.dash.length)
    const step = ({ uses, run, form, inputs }: (typeof of.jobs)[number][number]): string => {
      const value = `${of.quote}${uses}${of.quote}`
      if (form === 'flow') {
        const given = inputs === 'flow' ? ', with: {path: x}' : inputs === 'empty' ? ', with: {}' : ''
        return `${dashAt}${of.dash}{${uses ? `uses: ${value}${given}` : `run: ${JSON.stringify(run)}`}}${of.remark}\n`
      }
      const name = form === 'named' ? `name: step\n${keyAt}` : ''
      if (!uses)
        return `${dashAt}${of.dash}${name}run: |\n${keyAt}${level(1)}${run}\n\n${keyAt}${level(1)}# uses: a@v1\n`
      const below = `${keyAt}${level(1)}`
      const given = {
        '': '',
        none: `${keyAt}with:\n`,
        block: `${keyAt}with:\n${below}path: x\n`,
        flow: `${keyAt}with: { path: x }\n`,
        empty: `${keyAt}with: {}\n`,
        comment: `${keyAt}with: # these\n${below}# the path\n${below}path: |\n${below}${level(1)}x\n`,
      }[inputs]
      return `${dashAt}${of.dash}${name}uses: ${value}${of.remark}\n${given}`
    }
    const jobs = of.jobs.map((steps, index) => {
      const extra = of.job === '' ? '' : `${level(2)}${of.job.replaceAll('{}', level(3))}\n`
      const blank = of.isSpaced ? '\n' : ''
      return `${blank}${level(1)}# Job ${index}\n${level(1)}job-${index}:${of.remark}\n${extra}${level(2)}runs-on: ubuntu-24.04${of.remark}\n${level(2)}steps:\n${steps.map(step).join('')}`
    })
    const text = `${of.head}on: [push]\n${of.isSpaced ? '\n' : ''}${of.top}jobs:\n${jobs.join('')}`
    const whole = of.hasLastEnd ? text : text.trimEnd()
    return whole.replaceAll('\n', of.eol)
  })

test('whatever the layout: done once, nothing gone, the same meaning', () => {
  fc.assert(
    fc.property(workflows, (before) => {
      const after = holds(before)
      assert.equal(after.replaceAll('\r\n', '').includes('\n'), before.replaceAll('\r\n', '').includes('\n'))
      assert.ok(harden(before).undecided.every(({ severity }) => severity === 'warning'))
      const left = lintWorkflow(path, after, known).map(({ code }) => code)
      assert.ok(!left.includes('DWF-CI-009') && !left.includes('DWF-ACTIONS-002'), after)
    }),
    { numRuns: 1500 },
  )
})

test('no text makes it throw, or is half changed', () => {
  const pieces = fc.constantFrom(
    ...['on: push\n', 'jobs:\n', '  a:\n', '    steps:\n', '    - uses: ', 'actions/checkout@v4', '      with:', '\n'],
    ...[
      '\r\n',
      '\r',
      '{',
      '}',
      '[',
      ']',
      ', ',
      ': ',
      '"',
      "'",
      '|\n',
      '? ',
      '- ',
      '#',
      ' # x',
      '\t',
      '&a ',
      '*a',
      '<<: ',
    ],
    ...['!!str ', '---\n', '...\n', '%YAML 1.1\n', '\ufeff', '__proto__', 'uses: ', 'permissions:', '    runs-on: x\n'],
  )
  const base = 'on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - run: x\n'
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 30 }).map((all) => all.join('')),
    fc
      .array(fc.tuple(fc.nat(base.length), pieces), { maxLength: 4 })
      .map((all) => all.reduce((text, [at, piece]) => text.slice(0, at) + piece + text.slice(at), base)),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const result = harden(text)
      assert.equal(harden(result.text).text, result.text)
      if (result.changes.length === 0) assert.equal(result.text, text)
    }),
    { numRuns: 2000 },
  )
})

test('many jobs cost no more than each of them', () =>
  growsLinearly(
    'jobs',
    (size) =>
      `on: push\njobs:\n${Array.from({ length: size / 80 }, (_, index) => `  a${index}:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - run: x\n`).join('')}`,
    (text) => harden(text),
    { limit: 500_000 },
  ))
