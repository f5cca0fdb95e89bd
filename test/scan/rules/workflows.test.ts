import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codeInputs, runsScanner, swallowed } from '../../../src/scan/rules/scanners.ts'
import { holds, look, marks } from './rig.ts'

const sha = '0123456789abcdef0123456789abcdef01234567'
const digest = `sha256:${'a'.repeat(64)}`
const workflow = (job: string, on = 'push') =>
  `on: ${on}\npermissions: {}\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 5\n${job}`
const steps = (text: string, on = 'push') => workflow(`    steps:\n${text}`, on)
const run = (text: string, on = 'push') => steps(`      - run: ${text}\n`, on)

const table: readonly (readonly [string, string, string])[] = [
  ['001', steps('      - uses: ‹a/b@v1\n'), steps(`      - uses: a/b@${sha}\n      - uses: ./c\n`)],
  ['001', steps(`      - uses: ‹a/b/c@${sha.slice(0, 12)}\n`), steps('      - uses: actions/checkout@v4\n')],
  ['001', steps('      - uses: ‹a/b\n'), steps('      - uses: $/c\n')],
  ['001', steps('      - parallel:\n          - uses: ‹a/b@main\n'), steps('      - parallel:\n          - run: x\n')],
  [
    '001',
    'on: push\njobs:\n  a:\n    uses: ‹o/r/.github/workflows/x.yml@v1\n',
    'on: push\njobs:\n  a:\n    uses: ./.github/workflows/x.yml\n',
  ],
  ['002', steps('      - uses: ‹actions/checkout@v4\n'), steps(`      - uses: actions/checkout@${sha}\n`)],
  ['002', steps('      - uses: ‹github/codeql-action/init@main\n'), steps('      - uses: a/b@v1\n')],
  ['003', steps('      - uses: ‹docker://alpine:3\n'), steps(`      - uses: docker://alpine:3@${digest}\n`)],
  ['004', workflow('    container: ‹node:24\n'), workflow(`    container: node:24@${digest}\n`)],
  [
    '004',
    workflow('    services:\n      db:\n        image: ‹postgres:18\n'),
    workflow('    services:\n      db:\n        image: ${{ matrix.image }}\n'),
  ],
  ['005', run('echo "‹${{ github.head_ref }}"'), run('echo "$REF"')],
  [
    '005',
    run('|\n          echo a ${{ github.sha }}\n          echo ‹${{ github.event.issue.title }}'),
    run('echo ${{ github.event.issue.number }}'),
  ],
  [
    '005',
    steps(
      '      - uses: actions/github-script@v8\n        with:\n          script: f(`‹${{ github.event.comment.body }}`)\n',
    ),
    steps('      - uses: a/b@v1\n        with:\n          title: ${{ github.event.comment.body }}\n'),
  ],
  [
    '005',
    steps('      - env: {T: "${{ github.event.issue.title }}"}\n        run: echo ‹${{ env.T }}\n'),
    steps('      - env: {T: "${{ github.event.issue.title }}"}\n        run: echo "$T"\n'),
  ],
  ['005', run('echo ‹${{ toJSON(github.event) }}'), run("echo ${{ contains(github.event.issue.title, 'a') }}")],
  ['006', run('echo ‹${{ github.ref_name }}'), run('echo ${{ github.sha }}')],
  [
    '006',
    run('echo ‹${{ inputs.x }}', '{workflow_dispatch: {inputs: {x: {type: string}}}}'),
    run('echo ${{ inputs.x }}', '{workflow_dispatch: {inputs: {x: {type: choice}}}}'),
  ],
  [
    '007',
    steps(
      '      - uses: actions/checkout@v4\n        with:\n          ref: ‹${{ github.event.pull_request.head.sha }}\n',
      'pull_request_target',
    ),
    steps(
      '      - uses: actions/checkout@v4\n        with:\n          ref: ${{ github.event.pull_request.head.sha }}\n',
      'pull_request',
    ),
  ],
  [
    '007',
    steps(
      '      - uses: actions/checkout@v4\n        with: {ref: ‹"${{ github.event.workflow_run.head_sha }}"}\n',
      '{workflow_run: {workflows: [a]}}',
    ),
    steps('      - uses: actions/checkout@v4\n', 'pull_request_target'),
  ],
  ['007', run('‹gh pr checkout 1', '[issue_comment]'), run('gh pr view 1', '[issue_comment]')],
  ['008', 'on:\n  ‹pull_request_target:\njobs: {}\n', 'on:\n  pull_request:\njobs: {}\n'],
  ['009', 'on: push\npermissions: ‹write-all\njobs: {}\n', 'on: push\npermissions: read-all\njobs: {}\n'],
  ['009', workflow('    permissions: ‹write-all\n'), workflow('    permissions: {contents: write}\n')],
  ['010', 'on: push\njobs:\n  ‹a:\n    runs-on: x\n', 'on: push\njobs:\n  a:\n    permissions: {}\n'],
  [
    '011',
    'on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@v1\n    ‹secrets: inherit\n',
    'on: push\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@v1\n    secrets: {A: "${{ secrets.A }}"}\n',
  ],
  [
    '012',
    steps('      - uses: a/b@v1\n        with:\n          all: ‹${{ toJson( secrets ) }}\n'),
    steps('      - uses: a/b@v1\n        with:\n          all: ${{ toJson(github.sha) }}\n'),
  ],
  ['013', 'on: push\njobs:\n  ‹a:\n    runs-on: x\n', 'on: push\njobs:\n  a:\n    uses: ./.github/workflows/x.yml\n'],
  [
    '014',
    'on: pull_request\njobs:\n  a:\n    ‹runs-on: [self-hosted, linux]\n',
    'on: push\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n',
  ],
  [
    '014',
    'on: [pull_request]\njobs:\n  a:\n    strategy: {matrix: {os: [x, self-hosted]}}\n    ‹runs-on: ${{ matrix.os }}\n',
    'on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-24.04\n',
  ],
  ['015', workflow('    container:\n      image: ‹node\n'), workflow('    container:\n      image: node:24\n')],
  [
    '016',
    steps('      - uses: ‹actions/checkout@v4\n      - uses: actions/upload-artifact@v4\n        with: {path: dist}\n'),
    steps(
      '      - uses: actions/checkout@v4\n        with: {persist-credentials: false}\n      - uses: actions/upload-artifact@v4\n',
    ),
  ],
  [
    '017',
    steps('      - if: ‹${{ a }} && b\n        run: x\n'),
    steps("      - if: ${{ github.actor == 'x' }}\n        run: x\n"),
  ],
  ['017', workflow('    if: ‹|\n      ${{ a }}\n'), workflow('    if: a && b\n')],
  ['018', steps('      - run: dwf check:pr\n        ‹continue-on-error: true\n'), steps('      - run: dwf check:pr\n')],
  [
    '018',
    steps('      - uses: aquasecurity/trivy-action@v1\n        ‹continue-on-error: ${{ true }}\n'),
    steps('      - uses: a/upload@v1\n        continue-on-error: true\n'),
  ],
  [
    '018',
    workflow('    ‹continue-on-error: true\n    steps:\n      - run: npx dwf scan\n'),
    workflow('    continue-on-error: true\n    steps:\n      - run: make\n'),
  ],
  ['018', run('‹npm audit || true'), run('npm audit || echo bad && exit 1')],
  [
    '018',
    run('‹|\n          set -e\n          trivy fs \\\n            --exit-code 1 . || :'),
    run('|\n          rm x || true\n          trivy fs .'),
  ],
  [
    '019',
    steps('      - uses: ‹actions/cache@v4\n', 'pull_request_target'),
    steps('      - uses: actions/cache/restore@v4\n', 'pull_request_target'),
  ],
  [
    '019',
    steps('      - uses: ‹docker/build-push-action@v6\n        with: {cache-to: "type=gha"}\n', 'pull_request_target'),
    steps('      - uses: actions/cache@v4\n', 'pull_request'),
  ],
  [
    '020',
    steps('      - uses: ‹actions/setup-node@v4\n        with: {cache: npm}\n', 'release'),
    steps('      - uses: actions/setup-node@v4\n', 'release'),
  ],
  [
    '020',
    steps('      - uses: ‹actions/cache/restore@v4\n', '{push: {tags: [v*]}}'),
    steps('      - uses: actions/cache@v4\n', '{push: {branches: [main]}}'),
  ],
  [
    '021',
    steps('      - run: x\n        env:\n          ‹ACTIONS_ALLOW_UNSECURE_COMMANDS: true\n'),
    steps('      - run: x\n        env: {ACTIONS_ALLOW_UNSECURE_COMMANDS: false}\n'),
  ],
  [
    '022',
    workflow('    container:\n      image: a\n      credentials:\n        password: ‹hunter2\n'),
    workflow('    container:\n      image: a\n      credentials:\n        password: ${{ secrets.P }}\n'),
  ],
]
for (const [number, bad, good] of table) {
  const id = `DWF-ACTIONS-${number}`
  test(`${id}: ${JSON.stringify(bad.slice(-70))}`, () => holds('.github/workflows/ci.yml', id, bad, good))
}

const action = (text: string) => `name: x\nruns:\n  using: composite\n  steps:\n${text}`
const actionTable: readonly (readonly [string, string, string])[] = [
  ['001', action('    - uses: ‹a/b@v1\n'), action(`    - uses: a/b@${sha}\n`)],
  ['003', 'runs:\n  using: docker\n  image: ‹docker://a:1\n', 'runs:\n  using: docker\n  image: Dockerfile\n'],
  [
    '006',
    action('    - run: echo ‹${{ inputs.x }}\n      shell: bash\n'),
    action('    - run: echo "$X"\n      shell: bash\n      env: {X: "${{ inputs.x }}"}\n'),
  ],
  ['018', action('    - run: ‹semgrep ci || true\n'), action('    - run: semgrep ci\n')],
]
for (const [number, bad, good] of actionTable) {
  const id = `DWF-ACTIONS-${number}`
  test(`${id} in an action: ${JSON.stringify(bad.slice(-50))}`, () => holds('tools/setup/action.yml', id, bad, good))
}

test('what a person reads', async () => {
  const findings = await look(
    '.github/workflows/ci.yml',
    'on: [pull_request_target]\njobs:\n  b:\n    runs-on: x\n    steps:\n      - uses: a/b/c@v1.2\n      - run: echo ${{ github.head_ref }}\n  c:\n    runs-on: x\n    permissions: {}\n    timeout-minutes: 1\n',
  )
  assert.deepEqual(
    findings.map(({ id, severity, title, where }) => `${id} ${severity} ${where.line}:${where.column} ${title}`),
    [
      'DWF-ACTIONS-008 low 1:6 on.pull_request_target: it runs with rights and secrets on the word of a pull request',
      "DWF-ACTIONS-010 medium 3:3 permissions of 1 of 2 jobs: no permissions: the token may do what the repository's settings say",
      'DWF-ACTIONS-013 low 3:3 jobs 1 of 2: no timeout-minutes: one that hangs runs for six hours',
      'DWF-ACTIONS-001 high 6:15 jobs.b.steps a/b/c@v1.2: not pinned: its owner, or who takes over the account, can put other code under the same name',
      'DWF-ACTIONS-005 high 7:19 jobs.b.steps github.head_ref: anyone can choose this text, and it becomes part of a program',
    ],
  )
})

test('severities that depend on the place', async () => {
  const of = async (text: string, id: string) =>
    (await look('.github/workflows/ci.yml', text)).filter((one) => one.id === id).map(({ severity }) => severity)
  const inherit = (uses: string) => `on: push\njobs:\n  a:\n    uses: ${uses}\n    secrets: inherit\n`
  assert.deepEqual(await of(inherit('./.github/workflows/x.yml'), 'DWF-ACTIONS-011'), ['low'])
  assert.deepEqual(await of(inherit(`o/r/.github/workflows/x.yml@${sha}`), 'DWF-ACTIONS-011'), ['medium'])
  const upload = (path: string) =>
    steps(
      `      - uses: actions/checkout@v4\n      - uses: actions/upload-artifact@v4\n        with: {path: "${path}"}\n`,
    )
  assert.deepEqual(await of(upload('.'), 'DWF-ACTIONS-016'), ['medium'])
  assert.deepEqual(await of(upload('dist'), 'DWF-ACTIONS-016'), ['low'])
  const checkout = (on: string) => run('gh pr checkout 1', on)
  assert.deepEqual(await of(checkout('pull_request_target'), 'DWF-ACTIONS-007'), ['critical'])
  assert.deepEqual(await of(checkout('issue_comment'), 'DWF-ACTIONS-007'), ['high'])
})

test('what cannot be read refuses; an action.yml that is no action is left alone', async () => {
  const cases: readonly (readonly [string, string])[] = [
    ['on: push\n', 'a workflow has jobs'],
    ['- a\n', 'a workflow is a map'],
    ['jobs:\n  a: b\n', 'jobs.a is no map'],
    ['jobs:\n  a:\n    steps: {}\n', 'jobs.a.steps is no list'],
    ['jobs:\n  a:\n    steps: [b]\n', 'jobs.a.steps holds something that is no step'],
  ]
  for (const [text, why] of cases) {
    const [finding] = await look('.github/workflows/x.yaml', text)
    assert.deepEqual(
      [finding?.id, finding?.severity, finding?.title],
      ['DWF-ACTIONS-000', 'unknown', `cannot be read, so nobody knows what is in it: ${why}`],
    )
  }
  assert.deepEqual(await look('ansible/action.yml', '- hosts: all\n'), [])
  assert.deepEqual(marks(await look('action.yaml', 'a: [')), ['DWF-ACTIONS-000 1:5'])
})

test('scanners are found at the start of a command only', () => {
  const yes = [
    'trivy fs .',
    'sudo trivy image x',
    'npx dwf scan:all',
    './bin/dwf check:pr',
    'A=b trivy fs',
    'x && grype dir:.',
    'if ! trivy fs; then',
    'cargo audit',
    'docker scout cves',
    'time /usr/local/bin/gosec ./...',
  ]
  const no = [
    'echo trivy',
    'curl -o trivy https://x',
    'trivy --version',
    'apt-get install trivy',
    '# dwf scan',
    'npm run dwf-x',
    'cd dwf',
    'trivyx fs',
    'npm install',
  ]
  assert.deepEqual(
    yes.filter((line) => runsScanner(line) === undefined),
    [],
  )
  assert.deepEqual(
    no.filter((line) => runsScanner(line) !== undefined),
    [],
  )
  assert.ok(swallowed('trivy fs . || true') && swallowed('trivy fs .; exit 0') && !swallowed('trivy fs . || exit 1'))
  assert.ok([...codeInputs].every(([name]) => name === name.toLowerCase()))
})
