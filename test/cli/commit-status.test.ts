import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { beginStatuses } from '../../src/cli/commit-status.ts'
import { statusTarget } from '../../src/cli/status-target.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { statusApi, token } from './status-api.ts'

const sha = '9c1f0e7ab4d25583c6a0f3b1e8d7c4a5b6f70812'
const head = 'a'.repeat(40)

const env = {
  GITHUB_ACTIONS: 'true',
  GITHUB_TOKEN: token,
  GITHUB_REPOSITORY: 'shop/web',
  GITHUB_SHA: sha,
  GITHUB_RUN_ID: '42',
}

async function api(context: TestContext, answers?: Parameters<typeof statusApi>[1]) {
  const server = await statusApi(context, answers)
  return { ...server, target: statusTarget({ ...env, GITHUB_API_URL: server.url }) }
}

const quick = { env: {}, pauses: [1, 1], timeoutMs: 2_000 }

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'wrong-input')
    return error.diagnostics.map(({ message, hint }) => `${message}\n${hint}`).join('\n')
  }
  return assert.fail('nothing was thrown')
}

function eventFile(context: TestContext, event: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-event-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'event.json')
  writeFileSync(path, typeof event === 'string' ? event : JSON.stringify(event))
  return path
}

test('pending before, the result after, of each context, with the page of the run', async (context) => {
  const { target, asked } = await api(context)
  const statuses = await beginStatuses(['ci/lint', 'ci/test'], target, 'dwf check:pr runs', quick)
  assert.deepEqual(await statuses.end('failure', `2 of 7 failed ${'x'.repeat(200)}`), [])
  assert.deepEqual(asked.map(({ method, path, body }) => [method, path, body.context, body.state]).sort(), [
    ['POST', `/repos/shop/web/statuses/${sha}`, 'ci/lint', 'failure'],
    ['POST', `/repos/shop/web/statuses/${sha}`, 'ci/lint', 'pending'],
    ['POST', `/repos/shop/web/statuses/${sha}`, 'ci/test', 'failure'],
    ['POST', `/repos/shop/web/statuses/${sha}`, 'ci/test', 'pending'],
  ])
  assert.deepEqual(asked[0]!.body, {
    context: 'ci/lint',
    state: 'pending',
    description: 'dwf check:pr runs',
    target_url: 'https://github.com/shop/web/actions/runs/42',
  })
  assert.ok(asked.every(({ authorization }) => authorization === `Bearer ${token}`))
  assert.equal(String(asked[3]!.body.description).length, 140)
})

for (const status of [403, 404]) {
  test(`${status} is said before anything runs, with the way out, and what was taken is not left pending`, async (context) => {
    const { target, asked, url } = await api(context, (_, index) =>
      index === 1 ? { status, message: `Resource not accessible by integration ${token}` } : {},
    )
    await assert.rejects(beginStatuses(['ci/lint', 'ci/test'], target, 'x', quick), (error) => {
      assert.ok(error instanceof Failure)
      assert.equal(error.kind, 'machine-cannot')
      assert.deepEqual(error.diagnostics, [
        {
          severity: 'error',
          code: 'no-status',
          message: `${new URL(url).host} did not take the commit status "ci/test" (pending) for shop/web at 9c1f0e7ab4d2: HTTP ${status}, Resource not accessible by integration ••••••••`,
          hint: 'the token lacks "statuses: write": give the job that permission, or leave out --report ci/test; the token of a pull request from a fork never has it',
        },
      ])
      return true
    })
    assert.deepEqual(
      asked.map(({ body }) => `${body.context} ${body.state}`),
      ['ci/lint pending', 'ci/test pending', 'ci/lint error'],
    )
  })
}

test('what passes by itself is tried again, three times in all', async (context) => {
  const passing = await api(context, (_, index) => (index < 2 ? { status: index === 0 ? 502 : 429 } : {}))
  await beginStatuses(['ci'], passing.target, 'x', quick)
  assert.equal(passing.asked.length, 3)
  const lasting = await api(context, (_, index) => (index === 0 ? {} : { status: 503 }))
  const statuses = await beginStatuses(['ci'], lasting.target, 'x', quick)
  const problems = await statuses.end('success', 'passed')
  assert.match(problems[0]!.message, /"ci" \(success\).*: HTTP 503$/)
  assert.equal(lasting.asked.length, 4)
})

test('a token goes to no other host, and to the new address of a repository on the same', async (context) => {
  const other = await api(context)
  const away = await api(context, () => ({ status: 307, location: `${other.url}/elsewhere` }))
  await assert.rejects(beginStatuses(['ci'], away.target, 'x', quick), /HTTP 307, it leads to 127\.0\.0\.1:\d+$/)
  assert.equal(other.asked.length, 0)
  const moved = await api(context, (path) =>
    path.startsWith('/repos/') ? { status: 301, location: '/repositories/7/statuses' } : {},
  )
  await beginStatuses(['ci'], moved.target, 'x', quick)
  assert.deepEqual(
    moved.asked.map(({ method, path, body }) => [method, path, body.state]),
    [
      ['POST', `/repos/shop/web/statuses/${sha}`, 'pending'],
      ['POST', '/repositories/7/statuses', 'pending'],
    ],
  )
  const round = await api(context, () => ({ status: 301, location: '/again' }))
  await assert.rejects(beginStatuses(['ci'], round.target, 'x', quick), Failure)
  assert.equal(round.asked.length, 4)
})

test('a server that does not answer is not waited for', async (context) => {
  const { target } = await api(context, () => 'never')
  await assert.rejects(
    beginStatuses(['ci'], target, 'x', { ...quick, timeoutMs: 50, pauses: [], env: { HTTPS_PROXY: 'http://proxy' } }),
    (error) => {
      assert.ok(error instanceof Failure)
      assert.match(error.message, /: .*(aborted|timeout)/)
      assert.equal(error.diagnostics[0]!.hint, 'NODE_USE_ENV_PROXY=1 makes it go through the proxy')
      return true
    },
  )
})

test('the commit is the head of the pull request, not the merge that only Actions knows', (context) => {
  const pull = {
    GITHUB_EVENT_NAME: 'pull_request',
    GITHUB_EVENT_PATH: eventFile(context, { pull_request: { head: { sha: head } } }),
  }
  assert.equal(statusTarget(env).sha, sha)
  assert.equal(statusTarget({ ...env, ...pull }).sha, head)
  assert.equal(statusTarget({ ...env, GITHUB_HEAD_SHA: '' }).sha, sha)
  assert.equal(statusTarget({ ...env, ...pull, GITHUB_HEAD_SHA: '' }).sha, head)
  assert.equal(statusTarget({ ...env, ...pull, GITHUB_HEAD_SHA: 'b'.repeat(40) }).sha, 'b'.repeat(40))
  assert.equal(statusTarget({ ...env, GITHUB_EVENT_PATH: eventFile(context, { after: head }) }).sha, sha)
  for (const event of ['{', {}, { pull_request: { head: { sha: '' } } }, { pull_request: { head: { sha: '../x' } } }])
    assert.match(
      messageOf(() => statusTarget({ ...env, ...pull, GITHUB_EVENT_PATH: eventFile(context, event) })),
      /the event file does not say which commit the pull request is of/,
    )
})

test('all that is missing is said at once, and never the token', () => {
  assert.equal(
    messageOf(() => statusTarget({})),
    '--report CONTEXT sets a commit status, and cannot here: this is no job of GitHub Actions; GITHUB_TOKEN is not set; ' +
      'GITHUB_REPOSITORY is not set to OWNER/NAME; GITHUB_SHA is no commit\n' +
      'in a job of GitHub Actions: permissions "statuses: write", and env "GITHUB_TOKEN: ${{ github.token }}" for the step',
  )
  const bad: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
    [{ GITHUB_TOKEN: `${token}\nx` }, /GITHUB_TOKEN has characters that no token has/],
    [{ GITHUB_REPOSITORY: 'shop/web/../../x' }, /GITHUB_REPOSITORY/],
    [{ GITHUB_SHA: '' }, /GITHUB_SHA is no commit/],
    [{ GITHUB_SHA: 'main' }, /GITHUB_SHA is no commit/],
    [{ GITHUB_HEAD_SHA: 'main' }, /GITHUB_HEAD_SHA is no commit/],
    [{ GITHUB_API_URL: 'http://api.example' }, /GITHUB_API_URL is no https address/],
    [{ GITHUB_API_URL: `https://user:${token}@api.example` }, /GITHUB_API_URL is no https address/],
    [{ GITHUB_API_URL: 'x' }, /GITHUB_API_URL is no https address/],
  ]
  for (const [more, said] of bad) {
    const message = messageOf(() => statusTarget({ ...env, ...more }))
    assert.match(message, said)
    assert.ok(!message.includes(token), message)
  }
  assert.equal(
    statusTarget({ ...env, GITHUB_API_URL: 'https://ghe.example/api/v3/' }).api,
    'https://ghe.example/api/v3',
  )
})
