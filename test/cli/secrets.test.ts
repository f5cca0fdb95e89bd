import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { managerPrefixes, managerVariables, plainVariables } from '../../src/cli/secret-sources.ts'
import { readSecrets } from '../../src/cli/secrets.ts'
import { parseConfig } from '../../src/config/parse.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { longCase } from '../seed.ts'

const value = 'a-value-of-a-secret'
const path = process.env.PATH!

function rig(t: TestContext) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-secrets-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'repository')
  mkdirSync(root)
  const write = (name: string, content: string | Buffer, mode = 0o600) => {
    writeFileSync(join(folder, name), content)
    chmodSync(join(folder, name), mode)
    return join(folder, name)
  }
  const read = async (
    toml: string,
    secrets: readonly string[] = ['TOKEN'],
    { env = {}, signal = new AbortController().signal, timeoutMs = 20_000, tasks = [{ secrets }] } = {},
  ) => {
    const { config } = await parseConfig(join(root, 'devflow.toml'), toml)
    const got = await readSecrets(tasks, config, { PATH: path, HOME: folder, ...env }, { signal, cwd: root, timeoutMs })
    return { ...got, all: tasks.map((task) => got.of(task as never)) }
  }
  const failed = async (...args: Parameters<typeof read>): Promise<Failure> => {
    try {
      await read(...args)
    } catch (error) {
      assert.ok(error instanceof Failure, String(error))
      assert.doesNotMatch(JSON.stringify([error.message, error.diagnostics]), /a-value-of/)
      return error
    }
    throw new Error('it could be read')
  }
  return { folder, root, write, read, failed }
}

const table = (lines: string) => `[secrets.TOKEN]\n${lines}\n`
const prints = (script: string) => table(`command = ["sh", "-c", ${JSON.stringify(script)}]`)

test('a secret without a table is the environment variable of its name', async (t) => {
  const { read, failed } = rig(t)
  const { all, values } = await read('', ['TOKEN'], { env: { TOKEN: value } })
  assert.deepEqual(all, [{ env: { TOKEN: value }, files: {} }])
  assert.deepEqual(values, [value])
  const { kind, diagnostics } = await failed('')
  assert.equal(kind, 'wrong-input')
  assert.deepEqual(diagnostics, [
    {
      severity: 'error',
      code: 'no-secret',
      message: 'the secret TOKEN is not set',
      hint: 'set the environment variable TOKEN for this run; a pull request of a fork or of Dependabot gets no secrets, so such a task belongs into the target main',
    },
  ])
})

test('another variable, a file of the repository, one outside, one of the home folder, a command', async (t) => {
  const { read, write, folder } = rig(t)
  write('repository/token', `${value}\n`)
  write('token', `${value}\r\n`)
  const sources = [
    'env = "OTHER"',
    'file = "token"',
    `file = "${join(folder, 'token')}"`,
    'file = "~/token"',
    `command = ["printf", "%s\\n", "${value}"]`,
  ]
  for (const source of sources) {
    const { all } = await read(table(source), ['TOKEN'], { env: { OTHER: value } })
    assert.deepEqual(all, [{ env: { TOKEN: value }, files: {} }], source)
  }
})

test('as a file: the name stands for a file, and a file has its last line break', async (t) => {
  const { read, write } = rig(t)
  write('repository/key', `${value}\n`)
  const { all, values } = await read(table('file = "key"\nas = "file"'))
  assert.deepEqual(all, [{ env: {}, files: { TOKEN: `${value}\n` } }])
  assert.deepEqual(values, [`${value}\n`])
})

test('a task gets its own secrets and no others; each source is read once', async (t) => {
  const { read, root } = rig(t)
  const command = `command = ["sh", "-c", "echo x >> count; echo ${value}"]`
  const toml = `[secrets.A]\n${command}\n[secrets.B]\n${command}\nas = "file"\n`
  const tasks = [{ secrets: ['A', 'B'] }, { secrets: ['B'] }, { secrets: [] }]
  const { all, values } = await read(toml, [], { tasks })
  assert.deepEqual(all, [
    { env: { A: value }, files: { B: value } },
    { env: {}, files: { B: value } },
    { env: {}, files: {} },
  ])
  assert.deepEqual(values, [value])
  assert.equal(readFileSync(join(root, 'count'), 'utf8'), 'x\n')
  await read(toml, [], { tasks: [{ secrets: [] }] })
  assert.equal(readFileSync(join(root, 'count'), 'utf8'), 'x\n')
})

test('a command sees what password managers go by and nothing else, and has no terminal', async (t) => {
  const { read } = rig(t)
  const env = { OP_SESSION: 'of 1Password', DBUS_SESSION_BUS_ADDRESS: 'unix:', LD_PRELOAD: '/x.so', OTHER: value }
  const { values } = await read(
    prints('env | cut -d= -f1 | sort | tr "\\n" " "; cat; (: < /dev/tty) 2>&1 || true'),
    ['TOKEN'],
    {
      env,
    },
  )
  const [first, ...rest] = values[0]!.split(/ (?=\S*sh:)/)
  assert.deepEqual(
    first!.split(' ').filter((name) => !/^(PWD|OLDPWD|SHLVL|_)$/.test(name) && name !== ''),
    ['DBUS_SESSION_BUS_ADDRESS', 'HOME', 'OP_SESSION', 'PATH'],
  )
  assert.match(rest.join(' '), /\/dev\/tty/)
})

test('a program of the repository is not what was approved, wherever PATH leads', async (t) => {
  const { read, failed, root, folder } = rig(t)
  mkdirSync(join(root, 'bin'))
  writeFileSync(join(root, 'bin/my-vault'), `#!/bin/sh\necho ${value}\n`, { mode: 0o755 })
  symlinkSync(join(root, 'bin'), join(folder, 'linked'))
  const toml = table('command = ["my-vault", "read"]')
  for (const way of [join(root, 'bin'), 'bin', join(folder, 'linked'), '']) {
    const { kind, message } = await failed(toml, ['TOKEN'], { env: { PATH: `${way}:${path}` } })
    assert.equal(kind, 'machine-cannot')
    assert.equal(
      message,
      'the secret TOKEN cannot be had from ["my-vault","read"]: my-vault cannot be started (ENOENT)',
    )
  }
  // Said with its path, it was approved with it.
  assert.deepEqual((await read(table('command = ["./bin/my-vault"]'))).values, [value])
})

test('what a failing command said is shown, without the secrets in it', async (t) => {
  const { failed, write } = rig(t)
  write('repository/token', value)
  const script = 'echo half-of-it-printed; echo "cannot open $(cat token): half-of-it-printed, $OP_TOKEN" >&2; exit 3'
  const error = await failed(`[secrets.OTHER]\nenv = "OTHER"\n${prints(script)}`, ['OTHER', 'TOKEN'], {
    env: { OTHER: value, OP_TOKEN: 'what-signs-in' },
  })
  assert.equal(error.kind, 'machine-cannot')
  const [{ message, where, hint }] = error.diagnostics as [Failure['diagnostics'][number]]
  assert.match(message, /: it ended with exit code 3\n {2}cannot open •{8}: •{8}, •{8}$/)
  assert.equal(where?.line, 4)
  assert.equal(hint, 'it has no terminal and cannot ask: sign in before the run')
})

test('a command that takes too long, is killed or says nothing', async (t) => {
  const { failed } = rig(t)
  assert.match(
    (await failed(prints('sleep 60'), ['TOKEN'], { timeoutMs: 200 })).message,
    /: it took longer than 0.2 s$/,
  )
  assert.match((await failed(prints('kill -9 $$'))).message, /: it was ended by SIGKILL$/)
  assert.match((await failed(prints('echo'))).message, /: it printed nothing$/)
})

test('a command whose child keeps its output open is not waited for', longCase('secret-pipe', { of: 4 }), async (t) => {
  const { failed, root } = rig(t)
  const script = "setsid sh -c 'echo $$ > pid; exec sleep 600' & sleep 0.2; echo"
  try {
    assert.match((await failed(prints(script))).message, /: it printed nothing$/)
  } finally {
    process.kill(Number(readFileSync(join(root, 'pid'), 'utf8')))
  }
})

test('what cannot be a secret, from a file or a command', async (t) => {
  const { failed, write } = rig(t)
  const cases: readonly (readonly [string | Buffer, RegExp])[] = [
    ['seven 7', /^the secret TOKEN is shorter than 8 characters: it could not be told from other text$/],
    ['       7       ', /shorter than 8/],
    [`${value}\0`, /^the secret TOKEN has a NUL in it$/],
    [Buffer.from([...Buffer.from(value), 0xff]), /^the secret TOKEN is not UTF-8 text$/],
    ['x'.repeat(64 * 1024 + 1), /^the secret TOKEN is longer than 64.0 KiB$/],
  ]
  for (const [content, message] of cases) {
    write('repository/bad', content)
    for (const toml of [table('file = "bad"'), prints('cat bad')]) {
      const error = await failed(toml)
      assert.match(error.message, message)
      assert.equal(error.kind, 'wrong-input')
    }
  }
})

test('a file that others may write, a link out of the repository, no file at all', async (t) => {
  const { read, failed, write, root, folder } = rig(t)
  for (const mode of [0o620, 0o602]) {
    const file = write('open', value, mode)
    const error = await failed(table('file = "~/open"'))
    assert.equal(error.kind, 'refused')
    assert.equal(error.message, `the secret TOKEN cannot be read from ${file}: others may write it`)
    assert.equal(error.diagnostics[0]!.hint, `look at it, then: chmod go-w ${file}`)
  }
  const outside = write('outside', value)
  symlinkSync(outside, join(root, 'link'))
  const error = await failed(table('file = "link"'))
  assert.equal(error.kind, 'refused')
  assert.match(error.message, /: it is a link out of the repository$/)
  // Links are usual where secrets are mounted.
  symlinkSync(outside, join(folder, 'link'))
  assert.deepEqual((await read(table('file = "~/link"'))).values, [value])
  spawnSync('mkfifo', [join(folder, 'pipe')])
  for (const name of ['none', 'pipe', 'repository'])
    assert.equal((await failed(table(`file = "~/${name}"`))).kind, 'wrong-input', name)
})

test('a file of somebody else is not believed', {
  skip: process.getuid!() !== 0 && 'only root can make one',
}, async (t) => {
  const { failed, write } = rig(t)
  const file = write('foreign', value)
  spawnSync('chown', ['12345', file])
  const error = await failed(table('file = "~/foreign"'))
  assert.equal(error.kind, 'refused')
  assert.match(error.message, /: it belongs to somebody else$/)
})

test('every secret that cannot be had is named, and the gravest reason decides', async (t) => {
  const { failed, write } = rig(t)
  write('open', value, 0o622)
  const toml = '[secrets.B]\nfile = "~/open"\n[secrets.C]\ncommand = ["false"]\n'
  const error = await failed(toml, ['C', 'A', 'B'])
  assert.equal(error.kind, 'refused')
  assert.deepEqual(
    error.diagnostics.map(({ code, where }) => [code, where?.line]),
    [
      ['no-secret', undefined],
      ['secret-file', 2],
      ['secret-command', 4],
    ],
  )
})

test('a run that is ended while secrets are read says so', async (t) => {
  const { failed } = rig(t)
  for (const [reason, kind] of [
    ['signal', 'interrupted'],
    ['deadline', 'deadline'],
  ]) {
    const stop = new AbortController()
    const reading = failed(prints('sleep 60'), ['TOKEN'], { signal: stop.signal })
    stop.abort(reason)
    assert.equal((await reading).kind, kind)
  }
})

test('configuration.md names every variable that commands see', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
  for (const name of [...plainVariables, ...managerVariables]) assert.ok(page.includes(`\`${name}\``), name)
  for (const prefix of managerPrefixes) assert.match(page, new RegExp(`\`${prefix}\\*?\``), prefix)
})
