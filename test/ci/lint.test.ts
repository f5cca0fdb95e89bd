import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lintRules, lintSarif, lintWorkflow } from '../../src/ci/lint/index.ts'
import { growsLinearly } from '../growth.ts'
import { known, pin, sha } from './known.ts'

const path = '.github/workflows/ci.yml'
const lint = (text: string) => lintWorkflow(path, text, known)
const marks = (text: string) => lint(text).map(({ code, where }) => `${code} ${where!.line}:${where!.column}`)

const guard = `- uses: ${pin('step-security/harden-runner', 'v2')}
        with:
          egress-policy: block
          allowed-endpoints: github.com:443`

const clean = `name: ci
on:
  pull_request:
  merge_group:
  push:
    branches: [main]
  schedule:
    - cron: 23 2 * * *
permissions: {}
concurrency:
  group: ci-\${{ github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}
jobs:
  build:
    runs-on: ubuntu-24.04
    timeout-minutes: 10
    permissions:
      contents: read # to check out the repository
    steps:
      ${guard}
      - uses: ${pin('actions/checkout', 'v4')}
        with:
          persist-credentials: false
      - run: npm ci
  gate:
    if: always()
    needs: [build]
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {}
    steps:
      ${guard}
      - run: test "$RESULT" = success
`

test('a clean workflow has nothing', () => assert.deepEqual(marks(clean), []))

type Edit = readonly [from: string, to: string]

/** The clean workflow with one thing wrong, at ‹. */
const cases: readonly (readonly [id: string, ...edits: Edit[]])[] = [
  ['DWF-CI-001', ['permissions: {}\nconcurrency', '‹permissions: {contents: read} # to read\nconcurrency']],
  ['DWF-CI-001', ['permissions: {}\nconcurrency', 'concurrency'], ['jobs:', '‹jobs:']],
  ['DWF-CI-002', ['  gate:', '  ‹gate:'], ['    permissions: {}\n    steps', '    steps']],
  ['DWF-CI-003', ['contents: read # to check out the repository', '‹contents: read']],
  ['DWF-CI-003', ['contents: read # to', '‹contents: read #\n      # to']],
  ['DWF-CI-004', ['permissions: {}\n    steps', 'permissions:\n      ‹contents: read # for nothing\n    steps']],
  ['DWF-CI-004', ['contents: read # to', '‹contents: write # to']],
  ['DWF-CI-004', ['permissions: {}\n    steps', 'permissions: ‹read-all\n    steps']],
  ['DWF-CI-004', ['contents: read # to', '‹security-events: write # for nothing\n      contents: read # to']],
  [
    'DWF-CI-004',
    ['contents: read # to', '‹id-token: write # for nothing\n      contents: read # to'],
    ['npm ci', 'make'],
  ],
  ['DWF-CI-005', [` actions/checkout@${sha('a1')} # v4.2.2`, ` ‹actions/checkout@${sha('a1')}`]],
  [
    'DWF-CI-005',
    [`checkout@${sha('a1')} # v4.2.2`, `checkout@${sha('a1')} # pinned`],
    ['uses: actions', 'uses: ‹actions'],
  ],
  ['DWF-CI-006', ['# v4.2.2', '# v4.1.0'], ['uses: actions', 'uses: ‹actions']],
  ['DWF-CI-007', ['- run: npm ci', `- uses: ‹octo/hijacked@${sha('bad')} # v1.0.0`]],
  ['DWF-CI-008', ['        with:\n          persist-credentials: false\n', ''], ['uses: actions', 'uses: ‹actions']],
  ['DWF-CI-008', ['credentials: false', 'credentials: true'], ['uses: actions', 'uses: ‹actions']],
  ['DWF-CI-009', ['    timeout-minutes: 5\n', ''], ['  gate:', '  ‹gate:']],
  ['DWF-CI-010', [clean.slice(clean.indexOf('concurrency:'), clean.indexOf('jobs:')), ''], ['jobs:', '‹jobs:']],
  ['DWF-CI-011', ['branches: [main]', 'tags: [v*]'], ["${{ github.event_name == 'pull_request' }}", '‹true']],
  ['DWF-CI-012', ['  pull_request:\n', '  pull_request:\n    ‹paths: [src]\n']],
  ['DWF-CI-013', ['cron: 23 2', 'cron: ‹0 2']],
  ['DWF-CI-013', ['cron: 23 2 * * *', 'cron: ‹"30,00 2 * * *"']],
  ['DWF-CI-014', ['  merge_group:\n', ''], ['on:\n', '‹on:\n']],
  ['DWF-CI-015', ['runs-on: ubuntu-24.04\n    timeout-minutes: 5', 'runs-on: ‹ubuntu-latest\n    timeout-minutes: 5']],
  [
    'DWF-CI-015',
    [
      'runs-on: ubuntu-24.04\n    timeout-minutes: 5',
      'strategy: {matrix: {os: [ubuntu-24.04, ‹macos-latest]}}\n    runs-on: ${{ matrix.os }}\n    timeout-minutes: 5',
    ],
  ],
  ['DWF-CI-016', ['    needs: [build]\n', `    needs: [build]\n    ‹container: node@sha256:${'a'.repeat(64)}\n`]],
  ['DWF-CI-017', [`${guard}\n      - run: test`, '- run: test'], ['  gate:', '  ‹gate:']],
  [
    'DWF-CI-017',
    [`${guard}\n      - run: test "$RESULT" = success`, `- run: date\n      ${guard.replace('uses: ', 'uses: ‹')}`],
  ],
  ['DWF-CI-018', ['egress-policy: block', 'egress-policy: ‹audit']],
  ['DWF-CI-018', ['          egress-policy: block\n', ''], ['uses: step', 'uses: ‹step']],
  ['DWF-CI-019', ['npm ci', '‹npm i -g yarn']],
  ['DWF-CI-019', ['npm ci', '|\n          npm ci\n          cd x && curl https://x.example | ‹sh']],
  ['DWF-CI-020', ['- run: npm ci', `- uses: ‹${pin('actions/cache', 'v4')}`]],
  ['DWF-CI-020', ['- run: npm ci', `- uses: ‹${pin('actions/setup-go', 'v6')}`]],
  ['DWF-CI-021', ['if: always()', 'if: ‹success()']],
  ['DWF-CI-021', ['    if: always()\n', ''], ['  gate:', '  ‹gate:']],
  ['DWF-CI-021', ['if: always()', "if: ‹always() && github.ref == 'x'"]],
  ['DWF-CI-021', ['    needs: [build]\n', ''], ['  gate:', '  ‹gate:']],
  [
    'DWF-CI-022',
    ['    needs: [build]', '    ‹needs: [build]'],
    [
      '  gate:',
      `  lone:\n    runs-on: x\n    timeout-minutes: 1\n    permissions: {}\n    steps:\n      ${guard}\n  gate:`,
    ],
  ],
  ['DWF-CI-023', ['- run: npm ci', '- uses: ‹./.github/actions/setup']],
  ['DWF-CI-023', ['- run: npm ci', '- uses: ‹$/.github/actions/setup']],
  ['DWF-CI-024', ['- run: npm ci', '- run: ‹trivy fs .\n        env: {KEY: "${{ secrets.KEY }}"}']],
  [
    'DWF-CI-024',
    ['contents: read # to', 'security-events: write # to upload\n      contents: read # to'],
    ['- run: npm ci', `- run: ‹trivy fs .\n      - uses: ${pin('github/codeql-action', 'v3', '/upload-sarif')}`],
  ],
  ['DWF-ACTIONS-001', ['- run: npm ci', '- uses: ‹octo/build@v1']],
  ['DWF-ACTIONS-002', [pin('actions/checkout', 'v4'), '‹actions/checkout@v4']],
  ['DWF-ACTIONS-003', ['- run: npm ci', '- uses: ‹docker://alpine:3']],
  ['DWF-ACTIONS-005', ['npm ci', 'echo ‹${{ github.head_ref }}']],
  ['DWF-ACTIONS-008', ['  merge_group:\n', '  merge_group:\n  ‹pull_request_target:\n']],
]

for (const [index, [id, ...edits]] of cases.entries())
  test(`${id} (${index + 1})`, () => {
    const bad = edits.reduce((text, [from, to]) => {
      assert.ok(text.includes(from), from)
      return text.replace(from, () => to)
    }, clean)
    const at = bad.indexOf('‹')
    const before = bad.slice(0, at).split('\n')
    assert.deepEqual(marks(bad.replace('‹', '')), [`${id} ${before.length}:${before.at(-1)!.length + 1}`], bad)
  })

test('every rule of the house has a case', () => {
  const tried = new Set(cases.map(([id]) => id))
  assert.deepEqual(
    lintRules.map(({ id }) => id).filter((id) => !tried.has(id)),
    [],
  )
  assert.deepEqual(
    lintRules.map(({ id }) => id),
    Array.from({ length: 24 }, (_, index) => `DWF-CI-${String(index + 1).padStart(3, '0')}`),
  )
})

test('what is fine', () => {
  const fine: readonly Edit[] = [
    ['contents: read # to check out the repository', '# to check out the repository\n      contents: read'],
    ['# v4.2.2', '# v4'],
    ['# v4.2.2', '# tag=v4.2.2, see docs'],
    ['needs: [build]', 'needs: build'],
    ['if: always()', 'if: ${{ always() }}'],
    ['- run: npm ci', `- uses: ${pin('actions/cache', 'v4', '/restore')}`],
    ['- run: npm ci', `- uses: ${pin('actions/cache', 'v4')}\n        if: github.event_name != 'pull_request'`],
    ['- run: npm ci', `- uses: ${pin('actions/setup-go', 'v6')}\n        with: {cache: false}`],
    // What an unknown action needs, nobody can say.
    ['contents: read # to', 'issues: write # to\n      contents: read # to check out\n      # to'],
    ['  gate:', '  call:\n    uses: ./.github/workflows/other.yml\n    permissions: {}\n  gate:'],
  ]
  for (const [index, [from, to]] of fine.entries()) {
    const text = clean.replace(from, () => to)
    assert.notEqual(text, clean)
    const expected = index === 8 ? ['DWF-CI-004 18:7'] : index === 9 ? ['DWF-CI-022 33:5'] : []
    assert.deepEqual(marks(text), expected, to)
  }
  const open = clean
    .replace('- run: npm ci', `- uses: octo/any@${sha('bb')} # v1.0.0`)
    .replace('contents: read #', 'issues: write # to label\n      contents: read #')
  assert.deepEqual(marks(open), [])
  // What does not run for changes, or not in merge queues, holds up none of them.
  const lone = (condition: string) =>
    clean.replace(
      '  gate:',
      `  call:\n    if: ${condition}\n    uses: ./.github/workflows/other.yml\n    permissions: {}\n  gate:`,
    )
  for (const condition of [
    "github.event_name == 'push'",
    "${{ github.event_name == 'pull_request' && github.actor == 'x' }}",
    "${{ !cancelled() && github.event_name != 'merge_group' && (a || b) }}",
  ])
    assert.deepEqual(marks(lone(condition)), [], condition)
  for (const condition of [
    "github.event_name != 'push'",
    "github.event_name == 'push' || github.actor == 'x'",
    "(github.event_name == 'push')",
    "contains('github.event_name == ', 'push')",
  ])
    assert.deepEqual(marks(lone(condition)), ['DWF-CI-022 34:5'], condition)
  // The concurrency of what is called would be that of the caller.
  const called = clean
    .replace('  merge_group:\n', '  merge_group:\n  workflow_call:\n')
    .replace(/concurrency:\n.*\n.*\n/, '')
  assert.deepEqual(marks(called), [])
})

const downloads: readonly string[] = [
  'curl -sSf https://x.example | sh',
  'curl x | sudo -E bash -s -- -y',
  'wget -qO- x | tar x | bash',
  'bash <(curl -s x)',
  'sh -c "$(curl -fsSL x)"',
  'eval "$(wget -O- x)"',
  'curl x | python3 -',
  'iwr x | iex',
  'npm install --global yarn',
  'npm i left-pad',
  'pnpm add -g x',
  'yarn global add x',
  'npx cowsay hi',
  'npx -y -p cowsay cowsay',
  'npx cowsay@latest',
  'pnpm dlx x',
  'pip install requests',
  'python -m pip install --upgrade pip',
  'sudo pip3 install -U "x>=1"',
  'uv pip install x==1.2',
  'pipx install build',
  'uvx ruff',
  'go install example.com/x@latest',
  'cargo install ripgrep',
  'cargo install --locked ripgrep',
  'cargo install ripgrep@14.0.0',
  'cargo install --git https://x',
  'gem install bundler',
  'docker run --rm -v "$PWD:/x" -e A alpine:3 true',
  'docker pull alpine',
  'podman run -it --name x alpine sh',
  'A=$(npx cowsay)',
  'if true; then pip install x; fi',
]
const fixed: readonly string[] = [
  'curl -o x https://x.example && sha256sum -c x.sum && sh x',
  'curl x | jq . | sort',
  'curl x | python -m json.tool',
  'curl x | tar xz',
  'echo "curl x | sh"',
  '# npm i -g x',
  'npm ci',
  'npm install',
  'npm run install x',
  'npx --no cowsay',
  'npx cowsay@1.2.3',
  'npm install ./x.tgz',
  'pip install --require-hashes -r requirements.txt',
  'pip install -r requirements.txt -c constraints.txt',
  'pip install -e .[test]',
  'pip install . dist/x.whl',
  'uvx ruff@0.14.0',
  'pipx run build==1.2.0',
  'go install example.com/x@v1.2.3',
  'go install ./cmd/x',
  'cargo install --locked ripgrep@14.0.0',
  'cargo install --locked --version 14.0.0 ripgrep',
  'cargo install --path .',
  `docker run --rm alpine:3@sha256:${'a'.repeat(64)}`,
  'docker run "$IMAGE" true',
  'docker build -t mine . && docker run --rm mine',
  'cat <<EOF\nnpm i -g x\nEOF\necho',
]
const script = (text: string) => clean.replace('- run: npm ci', () => `- run: |\n${text.replace(/^/gm, '          ')}`)

test('what scripts bring in', () => {
  const found = (text: string) => lint(script(text)).map(({ code }) => code)
  for (const text of downloads) assert.deepEqual(found(text), ['DWF-CI-019'], text)
  for (const text of fixed) assert.deepEqual(found(text), [], text)
})

test('what a person reads', () => {
  const text = `on:
  push: {tags: [v*]}
permissions: read-all
jobs:
  ship:
    runs-on: [self-hosted, ubuntu-latest]
    permissions:
      packages: write
    steps:
      - uses: actions/checkout@v4
      - uses: actions/checkout@${sha('a2')} # v4.2.2
      - run: |
          set -e
          curl https://x.example/install | sh
`
  assert.deepEqual(
    lint(text).map(
      ({ severity, code, message, where, hint }) =>
        `${where!.line}:${where!.column}-${where!.endColumn} ${severity} ${code} ${message} → ${hint}`,
    ),
    [
      '3:1-12 error DWF-CI-001 permissions: read-all goes to every job → write permissions: {} at the top, and what each job needs in the job',
      '4:1-5 warning DWF-CI-010 concurrency: not set, so each push adds a run to those before → add concurrency with a group for the workflow and the ref',
      '5:3-7 warning DWF-CI-009 jobs.ship.timeout-minutes: not set → add timeout-minutes to the job: one that hangs runs for six hours',
      '5:3-7 error DWF-CI-017 jobs.ship: no step-security/harden-runner, so whatever runs can send anything to anyone → make step-security/harden-runner with egress-policy: block its first step',
      '6:28-41 warning DWF-CI-015 jobs.ship.runs-on: ubuntu-latest becomes another one some day → name the version: ubuntu-24.04',
      '8:7-15 warning DWF-CI-003 jobs.ship.permissions.packages: write, and no comment says why → put the reason behind the grant: contents: read # to check out the repository',
      '8:7-15 warning DWF-CI-004 jobs.ship.permissions.packages: write, which none of its steps needs → take the grant away, or give it to the job that needs it',
      "10:15-34 error DWF-ACTIONS-002 jobs.ship.steps actions/checkout@v4: not pinned; it is GitHub's own, but a tag can be moved → name the full commit SHA, with the version in a comment: OWNER/NAME@SHA # v1.2.3",
      '10:15-34 error DWF-CI-008 jobs.ship actions/checkout@v4 persist-credentials: not set, so the token stays in .git/config → add persist-credentials: false to the checkout; a step that pushes is given the token by itself',
      `11:15-72 error DWF-CI-006 actions/checkout@${sha('a2')}: the comment says v4.2.2, and the commit is v4.1.0 → find out which of the two is meant, and correct the other`,
      `11:15-72 error DWF-CI-008 jobs.ship actions/checkout@${sha('a2')} persist-credentials: not set, so the token stays in .git/config → add persist-credentials: false to the checkout; a step that pushes is given the token by itself`,
      '14:44-46 error DWF-CI-019 jobs.ship: what a server answers is run as it is → download it at a fixed version, check its checksum, then run it',
    ],
  )
  for (const { where } of lint(text)) assert.equal(where!.text, text.split('\n')[where!.line - 1])
})

test('what cannot be read is one error at its place', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['', '1:1 cannot be read: it is empty'],
    ['on: push\n', '1:1 cannot be read: a workflow has jobs'],
    ['jobs: {}\n---\njobs: {}\n', '3:1 cannot be read: it holds more than one document'],
    ['jobs:\n  a: {}\n  a: {}\n', '3:3 cannot be read: the key "a" is given twice'],
    ['jobs: [', '1:8 cannot be read: '],
    ['[', '1:2 cannot be read: '],
    [`a: ${'['.repeat(200_000)}`, '1:987 cannot be read: '],
  ]
  for (const [text, expected] of cases) {
    const [first, ...rest] = lint(text)
    assert.deepEqual([first?.code, first?.severity, rest], ['DWF-ACTIONS-000', 'error', []])
    const said = `${first!.where!.line}:${first!.where!.column} ${first!.message}`
    assert.ok(said.startsWith(expected), said)
  }
})

test('what is reached by several aliases is one finding', () => {
  const text = `on: push
permissions: {}
concurrency: x
jobs:
  a: &job
    runs-on: x
    timeout-minutes: 1
    permissions: {}
    steps:
      - ${guard.slice(2)}
      - &bad
        uses: octo/build@v1
      - *bad
`
  assert.deepEqual(marks(text), ['DWF-ACTIONS-001 15:15'])
})

test('SARIF for code scanning', () => {
  const diagnostics = lint(
    clean.replace('if: always()', 'if: x').replace('# v4.2.2', '# v4.1.0').replace('  merge_group:\n', ''),
  )
  const { version, runs } = JSON.parse(lintSarif(diagnostics, '1.2.3'))
  const [run] = runs
  assert.equal(version, '2.1.0')
  assert.equal(runs.length, 1)
  assert.deepEqual([run.tool.driver.name, run.tool.driver.version], ['dwf', '1.2.3'])
  assert.deepEqual(
    run.results.map((one: { ruleId: string; ruleIndex: number; level: string }) => [
      one.ruleId,
      run.tool.driver.rules[one.ruleIndex].id,
      one.level,
    ]),
    [
      ['DWF-CI-006', 'DWF-CI-006', 'error'],
      ['DWF-CI-021', 'DWF-CI-021', 'error'],
      ['DWF-CI-014', 'DWF-CI-014', 'warning'],
    ],
  )
  const [{ locations, partialFingerprints }] = run.results
  assert.equal(locations[0].physicalLocation.artifactLocation.uri, '.github/workflows/ci.yml')
  assert.equal(locations[0].physicalLocation.region.startColumn, 15)
  assert.match(partialFingerprints.primaryLocationLineHash, /^[0-9a-f]{64}:1$/)
  for (const rule of run.tool.driver.rules) assert.ok(rule.help.text && rule.fullDescription.text)
  assert.equal(JSON.parse(lintSarif([], '1')).runs[0].results.length, 0)
})

test('no text makes the rules throw', () => {
  const pieces = fc.constantFrom(
    ...['on: push\n', 'jobs:\n', '  a:\n', '    steps:\n', '      - run: ', '      - uses: ', 'a/b@v1', 'permissions:'],
    ...[
      '    permissions:\n',
      '      contents: write',
      ' # x',
      '\n',
      '\r\n',
      '${{ ',
      ' }}',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
    ],
    ...[
      '|\n',
      '          ',
      'docker run ',
      'npx ',
      'curl x | sh',
      '&a ',
      '*a',
      '<<: ',
      '#',
      '\ufeff',
      '---\n',
      '$(',
      '<<E',
    ],
    ...['    needs: ', 'gate', '    if: ', '    with: ', '__proto__', '\u001f', '\\', '`'],
  )
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces, { maxLength: 40 }).map((all) => all.join('')),
    fc.array(pieces, { maxLength: 20 }).map((all) => script(all.join(''))),
  )
  fc.assert(
    fc.property(texts, (text) => {
      for (const { where, message, hint } of lint(text)) {
        assert.ok(where!.line >= 1 && where!.column >= 1 && where!.endColumn > where!.column)
        assert.equal(where!.text, text.split('\n')[where!.line - 1]!.replace(/\r$/, ''))
        assert.doesNotMatch(`${message}${hint}`, /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
      }
    }),
    { numRuns: 1000 },
  )
})

const long = [
  'a',
  '$(',
  '`',
  '"',
  "'",
  '\\',
  '| sh ',
  'npx x;',
  'curl x|',
  '<<A ',
  '<<A\n',
  '#\n',
  ' release',
  '- ',
  '${{',
  'docker run -v ',
]
for (const piece of long)
  test(`long scripts cost no time: ${JSON.stringify(piece)}`, () =>
    growsLinearly(
      piece,
      (size) => script(piece.repeat(size / piece.length)),
      (text) => lint(text),
      { limit: 400_000 },
    ))
