import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { filesOf } from '../../src/cli/workflow.ts'
import { loadConfig } from '../../src/config/load.ts'
import { trustAsk } from '../../src/trust/requests.ts'
import { approve } from '../../src/trust/store.ts'
import { statusApi, token } from './status-api.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')
const sha = '9c1f0e7ab4d25583c6a0f3b1e8d7c4a5b6f70812'

/** A repository whose tasks run on the host, trusted unless it is said otherwise, in the environment of a job of Actions. */
async function job(
  context: TestContext,
  toml: string,
  { files = {}, isTrusted = true }: { files?: Readonly<Record<string, string>>; isTrusted?: boolean } = {},
) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-job-')))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'repo')
  const home = join(folder, 'home')
  mkdirSync(home)
  for (const [path, text] of Object.entries({
    'devflow.toml': `[project]\nname = "shop"\n[runtime]\nprofile = "host"\n${toml}`,
    ...files,
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const { config } = await loadConfig({ cwd: root })
  if (isTrusted) approve(root, trustAsk(config, undefined), 'person', new Date(), { HOME: home })
  const summary = join(folder, 'summary.md')
  writeFileSync(summary, '')
  const env = {
    PATH: process.env.PATH,
    HOME: home,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_REPOSITORY: 'shop/web',
    GITHUB_SHA: sha,
    GITHUB_RUN_ID: '42',
    GITHUB_TOKEN: token,
  }
  const dwf = (args: string, more: NodeJS.ProcessEnv = {}, act?: (child: ChildProcess, said: string) => void) =>
    new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
      const child = spawn(process.execPath, [cli, ...args.split(' ')], {
        cwd: root,
        env: { ...env, ...more },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const said = { stdout: '', stderr: '' }
      for (const stream of ['stdout', 'stderr'] as const)
        child[stream].on('data', (chunk: Buffer) => {
          said[stream] += chunk.toString('utf8')
          act?.(child, said.stdout + said.stderr)
        })
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, ...said }))
    })
  return { root, home, dwf, summary: () => readFileSync(summary, 'utf8') }
}

/** As the runner reads: actions/runner, src/Runner.Common/ActionCommand.cs. */
const commands = (text: string) =>
  text.split(/\r\n|\r|\n/).filter((line) => /^[\s\p{C}]*::/u.test(line) || line.includes('##['))

const evil = String.raw`printf '::set-env name=X::y\nprogress\r::add-mask::z\n##[error]x\n\033[0m::endgroup::\n::half'`

test('in a job: a group for each task, annotations, a summary, and no command of a task', async (context) => {
  const { dwf, summary } = await job(
    context,
    `[tasks."lint:static"]\nrun = '''${evil}; exit 3'''\n[tasks."test:unit"]\nrun = "echo fine"\n` +
      `[tasks."build:debug"]\nrun = '''echo "src/a.c:3:5: error: gone"; echo "src/b.c:1:1: error: no such file"; exit 1'''\n` +
      '[targets]\npr = ["lint:static", "test:unit", "build:debug"]\n',
    { files: { 'src/a.c': 'int x;\n' } },
  )
  const { code, stdout, stderr } = await dwf('check:pr -k -j 3')
  assert.equal(code, 1, stderr)
  assert.deepEqual(commands(stdout), [])
  const own = commands(stderr).map((line) => line.replace(/\d+\.\d s/, 'T'))
  assert.deepEqual(own.filter((line) => !/^::endgroup::$/.test(line)).sort(), [
    '::error file=src/a.c,line=3,col=5,title=build%3Adebug@project::gone',
    '::error title=lint%3Astatic@project::failed (exit 3)%0A│ ::set-env name=X::y%0A│ ::add-mask::z%0A## [error]x%0A│ ::endgroup::%0A│ ::half',
    '::group::✔ test:unit@project  passed  T',
    '::group::✖ build:debug@project  failed (exit 1)  T',
    '::group::✖ lint:static@project  failed (exit 3)  T',
  ])
  assert.equal(own.filter((line) => line === '::endgroup::').length, 3)
  assert.match(stderr, /::group::✔ test:unit@project {2}passed {2}\S+ s\nfine\n::endgroup::\n/)
  // Without opening a group.
  assert.match(stdout, /build:debug@project, its last lines:\n {2}│ src\/a\.c:3:5: error: gone\n/)
  assert.match(summary(), /^## ✖ dwf check:pr: 2 of 3 failed in /)
  assert.match(
    summary(),
    /\| <code>build:debug&#64;&#8203;project<\/code> \| ✖ failed \(exit 1\) \| \S+ s \| 1 \| – \|/,
  )
  assert.match(summary(), /```text\ndwf check:pr\ndwf run lint:static@project\ndwf run build:debug@project\n```/)
  assert.match(summary(), /- trusted: may run every task on this machine/)
})

test('--json and --quiet in a job: no group, and no command of a task', async (context) => {
  const { dwf } = await job(context, `[tasks.test]\nrun = '''${evil}'''\n`)
  const json = await dwf('test --json')
  assert.equal(json.code, 0, json.stderr)
  assert.deepEqual(commands(json.stdout + json.stderr), [])
  const documents = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.ok(documents.some(({ type, text }) => type === 'output' && text.includes('##[error]x')))
  const quiet = await dwf('test -q')
  assert.equal(quiet.stderr, '')
})

const isFast = '[tasks.test]\nrun = "touch ran; env"\n'

/** Everything that a run leaves. */
function textsIn(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n')
}

test('--report CONTEXT: pending, then success; the token is nowhere', async (context) => {
  const { url, asked } = await statusApi(context)
  const { root, home, dwf, summary } = await job(context, isFast)
  const { code, stdout, stderr } = await dwf('test --report ci/test --verbose', { GITHUB_API_URL: url })
  assert.equal(code, 0, stderr)
  assert.deepEqual(
    asked.map(({ path, body }) => [path, body.context, body.state, String(body.description).replace(/[\d.]+ s$/, 'T')]),
    [
      [`/repos/shop/web/statuses/${sha}`, 'ci/test', 'pending', 'dwf test:unit runs'],
      [`/repos/shop/web/statuses/${sha}`, 'ci/test', 'success', 'passed in T'],
    ],
  )
  assert.ok(existsSync(join(root, 'ran')))
  assert.match(stderr, /\nPATH=/)
  assert.ok(!(stdout + stderr + summary() + textsIn(home) + textsIn(root)).includes(token))
})

test('a token that may not: nothing runs, exit 3', async (context) => {
  const { url } = await statusApi(context, () => ({ status: 403, message: 'Resource not accessible by integration' }))
  const { root, dwf } = await job(context, isFast)
  const { code, stderr } = await dwf('test --report ci/test', { GITHUB_API_URL: url })
  assert.equal(code, 3)
  assert.match(
    stderr,
    /^error: 127\.0\.0\.1:\d+ did not take the commit status "ci\/test" \(pending\) for shop\/web at 9c1f0e7ab4d2: HTTP 403, Resource not accessible by integration\n {2}the token lacks "statuses: write"/,
  )
  assert.ok(!existsSync(join(root, 'ran')))
})

test('a result that GitHub does not take is an error, and the run is no success', async (context) => {
  const { url, asked } = await statusApi(context, (_, index) =>
    index === 0 ? {} : { status: 422, message: 'too many' },
  )
  const { dwf } = await job(context, isFast)
  const { code, stdout, stderr } = await dwf('test --report ci/test', { GITHUB_API_URL: url })
  assert.equal(code, 3)
  assert.match(stdout, /passed in/)
  assert.match(stderr, /error: .*"ci\/test" \(success\).*HTTP 422, too many/)
  assert.equal(asked.length, 2)
})

test('a run that fails, is interrupted or cannot begin leaves no status pending', async (context) => {
  const { url, asked } = await statusApi(context)
  const failing = await job(context, '[tasks.test]\nrun = "exit 9"\n')
  assert.equal((await failing.dwf('test --report a', { GITHUB_API_URL: url })).code, 1)
  const long = await job(context, '[tasks.test]\nrun = "sleep 60"\n')
  let isTold = false
  const interrupted = await long.dwf('test --report b', { GITHUB_API_URL: url }, (child, said) => {
    if (!isTold && said.includes('▶ test:unit')) isTold = child.kill('SIGTERM')
  })
  assert.equal(interrupted.code, 143, interrupted.stderr)
  const untrusted = await job(context, isFast, { isTrusted: false })
  assert.equal((await untrusted.dwf('test --report c', { GITHUB_API_URL: url })).code, 4)
  assert.deepEqual(
    asked.map(({ body }) => `${body.context} ${body.state} ${String(body.description).replace(/[\d.]+ s$/, 'T')}`),
    [
      'a pending dwf test:unit runs',
      'a failure 1 of 1 failed in T',
      'b pending dwf test:unit runs',
      'b error cancelled in T',
      'c pending dwf test:unit runs',
      'c error dwf test:unit could not run; its log says why',
    ],
  )
})

test('without a job of Actions or a token it is wrong input, before anything runs', async (context) => {
  const { root, dwf } = await job(context, isFast)
  for (const [more, says] of [
    [{ GITHUB_TOKEN: '' }, 'GITHUB_TOKEN is not set'],
    [{ GITHUB_ACTIONS: '' }, 'this is no job of GitHub Actions'],
  ] as const) {
    const { code, stderr } = await dwf('test --report ci/test', more)
    assert.equal(code, 2, stderr)
    assert.ok(stderr.includes(says), stderr)
  }
  const format = await dwf('test --report html')
  assert.equal(format.code, 2)
  assert.match(format.stderr, /--report must be FORMAT=FILE, not "html"/)
  assert.equal((await dwf('test --report ci/test --dry-run', { GITHUB_TOKEN: '' })).code, 0)
  assert.ok(!existsSync(join(root, 'ran')))
})

test('a path of an output is a file of the repository, and no link out of it', async (context) => {
  const { root } = await job(context, '', {
    files: { 'a.c': '', 'web/a.c': '', 'web/b.c': '', 'c.c': '' },
  })
  writeFileSync(join(root, '../secret.c'), '')
  symlinkSync('../secret.c', join(root, 'link.c'))
  symlinkSync('..', join(root, 'up'))
  const find = filesOf(root, { dir: 'web' })
  assert.deepEqual(
    ['a.c', './b.c', '../c.c', 'c.c', '/workspace/a.c', '/workspace/web/../a.c', `${root}/web/a.c`].map(find),
    ['web/a.c', 'web/b.c', 'c.c', 'c.c', 'a.c', 'a.c', 'web/a.c'],
  )
  for (const way of [
    '/etc/passwd',
    '/workspace/../secret.c',
    '../../secret.c',
    'link.c',
    'up/secret.c',
    'web',
    '',
    '.',
    '/workspace/',
    'x\0',
  ])
    assert.equal(find(way), undefined, way)
  assert.equal(filesOf(root, { dir: '' })('a.c'), 'a.c')
})
