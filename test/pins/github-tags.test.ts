import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gitTags, readTags } from '../../src/pins/git-tags.ts'
import { githubTags } from '../../src/pins/index.ts'
import { type Diagnostic, Failure } from '../../src/util/diagnostics.ts'

/** A real repository my/action in a folder of its own, with a lightweight and an annotated tag. */
function repository(t: TestContext) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-tags-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'my/action')
  mkdirSync(root, { recursive: true })
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' },
    }).trim()
  git('init', '--quiet')
  git('commit', '--quiet', '--allow-empty', '-m', 'one')
  git('tag', 'v1.0.0')
  git('commit', '--quiet', '--allow-empty', '-m', 'two')
  git('tag', '--annotate', '-m', 'two', 'v1.1.0')
  git('tag', 'v1')
  return { folder, base: pathToFileURL(folder).href, of: (name: string) => git('rev-parse', name) }
}

interface Request {
  readonly url: string | undefined
  readonly authorization: string | undefined
}

/** A stand-in for the releases API of GitHub. */
async function releasesApi(t: TestContext, status: number, body: unknown) {
  const requests: Request[] = []
  const server = createServer((request, response) => {
    requests.push({ url: request.url, authorization: request.headers.authorization })
    response.writeHead(status, { 'content-type': 'application/json', 'x-ratelimit-remaining': '0' })
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  t.after(() => server.close())
  return { api: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const env = { PATH: process.env.PATH }
const options = { env, protocol: 'file', timeoutMs: 30_000 }

/** The failure of a promise, as its kind and message. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail('it worked'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof Failure, String(error))
  return `${error.kind}: ${error.message}`
}

test('tags of a real repository come with their commits, annotated ones too', async (t) => {
  const { base, of } = repository(t)
  assert.deepEqual(await gitTags('my/action', { ...options, base }), [
    { name: 'v1', sha: of('HEAD') },
    { name: 'v1.0.0', sha: of('v1.0.0') },
    { name: 'v1.1.0', sha: of('HEAD'), object: of('v1.1.0') },
  ])
  assert.notEqual(of('v1.1.0'), of('HEAD'))
})

test('nothing that a configuration of git names is run or followed', async (t) => {
  const { folder, base } = repository(t)
  const evil = join(folder, 'evil')
  const marker = join(folder, 'ran')
  writeFileSync(evil, `#!/bin/sh\ntouch '${marker}'\n`)
  chmodSync(evil, 0o755)
  const configuration = `[url "ext::${evil} "]\n\tinsteadOf = ${base}\n[core]\n\tfsmonitor = ${evil}\n\tpager = ${evil}\n\tsshCommand = ${evil}\n\taskPass = ${evil}\n[credential]\n\thelper = !${evil}\n[protocol]\n\tallow = always\n`
  writeFileSync(join(folder, '.gitconfig'), configuration)
  mkdirSync(join(folder, 'here/.git/objects'), { recursive: true })
  mkdirSync(join(folder, 'here/.git/refs'))
  writeFileSync(join(folder, 'here/.git/HEAD'), 'ref: refs/heads/main\n')
  writeFileSync(join(folder, 'here/.git/config'), configuration)
  const before = process.cwd()
  process.chdir(join(folder, 'here'))
  t.after(() => process.chdir(before))
  const hostile = {
    ...env,
    HOME: folder,
    GIT_CONFIG_GLOBAL: join(folder, '.gitconfig'),
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `url.ext::${evil}.insteadOf`,
    GIT_CONFIG_VALUE_0: base,
    GIT_SSH_COMMAND: evil,
    GIT_ASKPASS: evil,
    GIT_PROXY_COMMAND: evil,
    GIT_ALLOW_PROTOCOL: 'ext:file',
  }
  assert.equal((await gitTags('my/action', { ...options, env: hostile, base })).length, 3)
  assert.equal(existsSync(marker), false)
})

test('no transport but the one that is named is used', async (t) => {
  const { base, folder } = repository(t)
  assert.match(
    await failureOf(gitTags('my/action', { ...options, base, protocol: 'https' })),
    /^machine-cannot: git cannot list the tags of my\/action: fatal: transport 'file' not allowed$/,
  )
  const helper = `ext::touch ${join(folder, 'ran')} #`
  assert.match(await failureOf(gitTags('my/action', { ...options, base: helper })), /transport 'ext' not allowed/)
  assert.equal(existsSync(join(folder, 'ran')), false)
})

test('what is no owner/name is no address', async (t) => {
  const { base } = repository(t)
  for (const name of ['../action', 'my/..', '--upload-pack=x', 'my/action/x', 'my/action?x', 'my/act ion'])
    assert.match(await failureOf(gitTags(name, { ...options, base })), /^wrong-input: .* is not owner\/name$/, name)
})

test('a repository that is not there, and a git that hangs, are failures that say so', async (t) => {
  const { base, folder } = repository(t)
  assert.match(await failureOf(gitTags('my/other', { ...options, base })), /^machine-cannot: git cannot list the tags/)
  const git = join(folder, 'git')
  writeFileSync(git, '#!/bin/sh\nexec sleep 60\n')
  chmodSync(git, 0o755)
  const hanging = { ...options, env: { PATH: `${folder}${delimiter}${process.env.PATH}` }, base }
  assert.match(
    await failureOf(gitTags('my/action', { ...hanging, timeoutMs: 200 })),
    /^machine-cannot: git cannot list the tags of my\/action: no answer within 0\.2 s$/,
  )
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 100)
  await failureOf(gitTags('my/action', { ...hanging, signal: stop.signal }))
  assert.match(
    await failureOf(gitTags('my/action', { ...options, env: { PATH: folder + 'x' }, base })),
    /git cannot be run/,
  )
})

test('what git says is read line by line, and odd lines are left out', () => {
  const sha = 'a'.repeat(40)
  const other = 'b'.repeat(40)
  const text = `${sha}\trefs/tags/v1\n${other}\trefs/tags/v1^{}\nwarning: x\n${sha}\trefs/heads/main\n${'a'.repeat(64)}\trefs/tags/v2\n${sha}\trefs/tags/v\u001b[2J\n${other}\trefs/tags/v3`
  assert.deepEqual(readTags(text), [
    { name: 'v1', sha: other, object: sha },
    { name: 'v3', sha: other },
  ])
})

test('releases bring dates; the token goes into the header and nowhere else', async (t) => {
  const { base } = repository(t)
  const { api, requests } = await releasesApi(t, 200, [
    { tag_name: 'v1.1.0', published_at: '2026-11-01T00:00:00Z', prerelease: true },
    { tag_name: 'v1.0.0', published_at: '2026-10-01T00:00:00Z' },
    { tag_name: 'v2.0.0', published_at: null, draft: true },
    null,
    'x',
    { tag_name: 3 },
  ])
  const said: Diagnostic[] = []
  const remote = githubTags({ ...options, base, api, token: 'secret-token', warn: (one) => said.push(one) })
  const tags = await remote.tags('my/action')
  assert.deepEqual(
    tags.map(({ name, publishedAt, isPrerelease }) => [name, publishedAt, isPrerelease]),
    [
      ['v1', undefined, undefined],
      ['v1.0.0', Date.UTC(2026, 9, 1), false],
      ['v1.1.0', Date.UTC(2026, 10, 1), true],
    ],
  )
  assert.deepEqual(requests, [{ url: '/repos/my/action/releases?per_page=100', authorization: 'Bearer secret-token' }])
  assert.equal(said.length, 0)
  assert.doesNotMatch(JSON.stringify(tags), /secret-token/)
  await githubTags({ ...options, base, api, warn: (one) => said.push(one) }).tags('my/action')
  assert.equal(requests[1]!.authorization, undefined)
})

test('without dates the tags come all the same, and what is missing is said', async (t) => {
  const { base } = repository(t)
  const said: string[] = []
  const warn = ({ message, hint }: Diagnostic) => said.push(`${message}${hint ? ` | ${hint}` : ''}`)
  const limited = await releasesApi(t, 403, { message: 'API rate limit exceeded' })
  const tags = await githubTags({ ...options, base, api: limited.api, warn }).tags('my/action')
  assert.deepEqual(
    tags.map(({ publishedAt }) => publishedAt),
    [undefined, undefined, undefined],
  )
  const refused = await releasesApi(t, 401, {})
  await githubTags({ ...options, base, api: refused.api, token: 'secret-token', warn }).tags('my/action')
  const proxied = { ...options, env: { ...env, https_proxy: 'http://127.0.0.1:9' }, base, warn }
  await githubTags({ ...proxied, api: 'http://127.0.0.1:1' }).tags('my/action')
  assert.deepEqual(said.slice(0, 2), [
    'GitHub does not tell the releases of my/action: HTTP 403 | a GITHUB_TOKEN raises the limit',
    'GitHub does not tell the releases of my/action: HTTP 401 | GITHUB_TOKEN is not valid for api.github.com',
  ])
  assert.match(
    said[2]!,
    /^GitHub does not tell the releases of my\/action: .+ \| NODE_USE_ENV_PROXY=1 makes it go through the proxy$/,
  )
  assert.doesNotMatch(said.join(), /secret-token/)
})
