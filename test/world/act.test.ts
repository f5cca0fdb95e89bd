import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { longCase } from '../seed.ts'
import { commitMain, pullRequest, type Ran, runWorkflow } from './act.ts'
import { type Repository, sample } from './rig.ts'

/** A pull request on a repository whose main branch has what `dwf init` wrote. */
async function judged(
  t: TestContext,
  change: (repo: Repository) => void,
  env?: Readonly<Record<string, string>>,
): Promise<Ran & { readonly repo: Repository }> {
  const repo = sample(t, 'node-passing')
  const made = await repo.dwf(['init'])
  assert.equal(made.code, 0, made.all)
  commitMain(repo)
  const { event } = pullRequest(repo, () => change(repo))
  const ran = await runWorkflow(t, repo, { event: 'pull_request', payload: event, ...(env ? { env } : {}) })
  return { ...ran, repo }
}

const token = `ghp_${'0123456789abcdefghijABCDEFGHIJ456789'}`

const vulnerable = JSON.stringify({
  name: 'docs',
  lockfileVersion: 3,
  packages: {
    '': { name: 'docs', dependencies: { lodash: '4.17.20' } },
    'node_modules/lodash': { version: '4.17.20', integrity: 'sha512-eA==' },
  },
})

test('a good change is green, and its tests cannot speak to the runner', async (t) => {
  const { code, log, jobs, artifacts } = await judged(t, (repo) =>
    repo.write({
      'sum.test.js': `${repo.read('sum.test.js')}
for (const name of ['GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY', 'GITHUB_TOKEN', 'RUNNER_TEMP'])
  test(name, () => assert.equal(process.env[name], undefined))
`,
    }),
  )
  assert.equal(code, 0, log)
  assert.deepEqual(
    jobs,
    {
      changes: 'success',
      database: 'success',
      gate: 'success',
      image: 'success',
      node: 'success',
      sarif: 'success',
      scan: 'success',
    },
    log,
  )
  assert.match(log, /the whole plan ran: 8 tasks/)
  assert.deepEqual(artifacts, ['database', 'dwf', 'image', 'reports-scan', 'uploaded'])
})

const red: readonly {
  readonly name: string
  readonly change: (repo: Repository) => void
  readonly env?: Readonly<Record<string, string>>
  readonly failed: readonly string[]
  readonly says: RegExp
  /** Much like another one: a sample of these is enough. */
  readonly isLong?: boolean
}[] = [
  {
    name: 'a failing test',
    change: (repo) => repo.write({ 'sum.test.js': "require('node:assert').equal(1, 2)\n" }),
    failed: ['gate', 'node'],
    says: /test:unit@node.*failed/,
  },
  {
    name: 'a lint error',
    isLong: true,
    change: (repo) => repo.write({ 'sum.js': 'module.exports = (a, b) => (\n' }),
    failed: ['gate', 'node'],
    says: /lint:static@node.*failed/,
  },
  {
    name: 'a vulnerable lock file, also with an ignore in the same change',
    change: (repo) =>
      repo.write({
        'docs/package-lock.json': vulnerable,
        'devflow.toml': `${repo.read('devflow.toml')}
[[scan.ignore]]
layer = "deps"
id = "CVE-2021-23337"
package = "lodash"
reason = "let me in"
expires = "${new Date(Date.now() + 86_400_000 * 30).toISOString().slice(0, 10)}"
`,
      }),
    failed: ['gate', 'scan'],
    says: /accepts CVE-2021-23337[\s\S]*scan:deps@project\s+refused/,
  },
  {
    name: 'a secret',
    isLong: true,
    change: (repo) => repo.write({ 'settings.ini': `token = ${token}\n` }),
    failed: ['gate', 'scan'],
    says: /scan:secrets@project\s+refused/,
  },
  {
    name: 'a scanner that is not there',
    isLong: true,
    change: () => {},
    env: { DWF_TRIVY: '/nowhere/trivy' },
    failed: ['database', 'gate'],
    says: /\/nowhere\/trivy/,
  },
  {
    name: 'a task that no job runs',
    change: (repo) => {
      const text = repo.read('.github/workflows/ci.yml')
      const from = text.indexOf('\n  # The tasks of node.')
      const to = text.indexOf('\n  # The gates that look at files')
      assert.ok(from > 0 && to > from)
      const without = `${text.slice(0, from)}${text.slice(to)}`
      repo.write({ '.github/workflows/ci.yml': without.replace(/(needs: \[.*), node/, '$1') })
    },
    failed: ['gate'],
    says: /test:unit@node ran in no job/,
  },
  {
    name: 'a target that the change makes smaller',
    isLong: true,
    change: (repo) => {
      repo.write({
        'devflow.toml': repo.read('devflow.toml').replace('  "test:unit",\n', ''),
        'sum.test.js': "require('node:assert').equal(1, 2)\n",
      })
    },
    failed: ['gate', 'node'],
    says: /takes test:unit out of the target pr[\s\S]*test:unit@node.*failed/,
  },
]

for (const { name, change, env, failed, says, isLong } of red)
  test(`red at the gate: ${name}`, isLong ? longCase(name) : {}, async (t) => {
    const { code, log, jobs } = await judged(t, change, env)
    assert.equal(code, 1, log)
    const bad = Object.keys(jobs).filter((job) => jobs[job] === 'failure')
    assert.deepEqual(bad.sort(), failed, log)
    assert.match(log, says)
  })
