import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { trustAsk } from '../../src/trust/requests.ts'
import { approvalOf, approve, revoke, trustDiff, trustFile, unapproved } from '../../src/trust/store.ts'
import { Failure } from '../../src/util/diagnostics.ts'

async function ask(toml: string) {
  return trustAsk((await parseConfig('/repo/devflow.toml', toml)).config)
}

function home(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-trust-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return { folder, env: { HOME: folder, XDG_CONFIG_HOME: join(folder, 'config') } }
}

const kinds = async (toml: string) => (await ask(toml)).requests.map(({ kind }) => kind)

test('what needs trust, and what does not', async () => {
  assert.deepEqual(await kinds('[container]\nmemory = "8g"\n[tasks.test]\nrun = "x"'), [])
  assert.deepEqual(await kinds('[runtime]\nprofile = "host"\n[tasks.test]\nrun = "x"'), [
    'host-profile',
    'host-command',
  ])
  assert.deepEqual(await kinds('[tasks.test]\nrun = "x"\nruntime = "host"'), ['host-command'])
  assert.deepEqual(await kinds('[tasks.test]\nrun = "x"\nsecrets = ["A", "B"]\nnetwork = "egress"'), [
    'network',
    'secret',
    'secret',
  ])
  assert.deepEqual(await kinds('[container]\nnetwork = "egress"\nengine = "docker"'), ['engine', 'network'])
  assert.deepEqual(await kinds('[setup]\nscripts = "online"'), ['online-scripts'])
  assert.deepEqual(await kinds('[cache]\nroot = "../elsewhere"'), ['host-path'])
  assert.deepEqual(await kinds('[cache]\nroot = "deep/er"'), [])
  assert.deepEqual(await kinds('[container]\nca_certificates = "/etc/my.pem"'), ['host-path'])
  assert.deepEqual(await kinds('[extensions.x]\nsource = "path"\npath = "./x"\ntrusted = true'), ['extension'])
})

test('a secret says where its value comes from, and what that does on this machine', async () => {
  const says = async (source: string, more = '') =>
    (await ask(`[secrets.T]\n${source}\n[tasks.test]\nrun = ["x"]\nsecrets = ["T"]\n${more}`)).requests.map(
      ({ kind, says, path, task }) => [kind, says, path.join('.'), task],
    )
  const secret = (from: string) => [
    'secret',
    `give the secret T${from} to test:unit, which runs ["x"]`,
    'tasks.test:unit.secrets.0',
    'test:unit',
  ]
  assert.deepEqual(await says('env = "T"'), [secret('')])
  assert.deepEqual(await says('env = "U"'), [secret(' (from the environment variable U)')])
  assert.deepEqual(await says('file = "a b"'), [secret(' (from the file "a b")')])
  for (const path of ['/run/secrets/t', '~/t'])
    assert.deepEqual(await says(`file = "${path}"`), [
      secret(` (from the file "${path}")`),
      ['host-path', `read "${path}" on this machine, to get the secret T for test:unit`, 'secrets.T.file', 'test:unit'],
    ])
  assert.deepEqual(await says('command = ["op", "read"]'), [
    secret(' (from the command ["op","read"])'),
    [
      'host-command',
      'run on this machine, to get the secret T for test:unit: ["op","read"]',
      'secrets.T.command',
      'test:unit',
    ],
  ])
  // One that no task names is not read, and asks for nothing.
  assert.deepEqual(await kinds('[secrets.T]\ncommand = ["x"]'), [])
})

test('another source of a secret is another request', async (t) => {
  const { env } = home(t)
  const of = (source: string) => ask(`[secrets.T]\n${source}\n[tasks.test]\nrun = ["x"]\nsecrets = ["T"]`)
  const sources = ['env = "T"', 'env = "U"', 'file = "t"', 'file = "/t"', 'command = ["t"]', 'command = ["t", ""]']
  for (const source of sources) {
    approve('/repo', await of(source), 'person', new Date(0), env)
    for (const other of sources)
      assert.equal(unapproved('/repo', (await of(other)).requests, env).length > 0, other !== source, other)
  }
})

test('a task on this machine that gets all of its environment says so', async () => {
  const { requests } = await ask('[tasks.test]\nrun = ["x"]\nruntime = "host"\nclean_env = false')
  assert.match(requests[0]!.says, /: \["x"\] with all of your environment$/)
})

test('an approval covers exactly what was shown: another command behind the same key is asked for again', async (t) => {
  const { env } = home(t)
  const first = await ask('[tasks.test]\nrun = "one"\nsecrets = ["TOKEN"]')
  assert.equal(unapproved('/repo', first.requests, env).length, 1)
  approve('/repo', first, 'person', new Date(0), env)
  assert.deepEqual(unapproved('/repo', first.requests, env), [])
  assert.equal(unapproved('/other', first.requests, env).length, 1)
  const changed = await ask('[tasks.test]\nrun = "two"\nsecrets = ["TOKEN"]')
  assert.equal(unapproved('/repo', changed.requests, env).length, 1)
  assert.notEqual(changed.hash, first.hash)
  const { added, gone } = trustDiff(changed, approvalOf('/repo', env))
  assert.match(added[0]!.says, /"two"/)
  assert.match(gone[0]!.says, /"one"/)
  assert.equal(revoke('/repo', env), true)
  assert.equal(unapproved('/repo', first.requests, env).length, 1)
  assert.equal(revoke('/repo', env), false)
})

test('approvals are the person’s own: 0600 in 0700, and a file that others may write is not believed', async (t) => {
  const { env } = home(t)
  const wanted = await ask('[tasks.test]\nrun = "one"\nsecrets = ["TOKEN"]')
  approve('/repo', wanted, 'person', new Date(0), env)
  const file = trustFile('/repo', env)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700)
  chmodSync(file, 0o666)
  assert.throws(
    () => unapproved('/repo', wanted.requests, env),
    (error) => error instanceof Failure && error.kind === 'refused',
  )
})

test('an approval edited by hand to fit other requests approves nothing', async (t) => {
  const { env } = home(t)
  const wanted = await ask('[tasks.test]\nrun = "one"\nsecrets = ["TOKEN"]')
  approve('/repo', wanted, 'person', new Date(0), env)
  const file = trustFile('/repo', env)
  writeFileSync(file, readFileSync(file, 'utf8').replace('\\"one\\"', '\\"two\\"'))
  const changed = await ask('[tasks.test]\nrun = "two"\nsecrets = ["TOKEN"]')
  assert.equal(unapproved('/repo', changed.requests, env).length, 1)
})

test('a repository cannot hold its own approvals, and a damaged file approves nothing', async (t) => {
  const { folder, env } = home(t)
  const wanted = await ask('[tasks.test]\nrun = "one"\nsecrets = ["TOKEN"]')
  assert.throws(
    () => approve(folder, wanted, 'person', new Date(0), env),
    (error) => error instanceof Failure && error.kind === 'refused',
  )
  mkdirSync(join(folder, 'config/dwf'), { recursive: true, mode: 0o700 })
  writeFileSync(join(folder, 'config/dwf/trust.json'), '{"schema":', { mode: 0o600 })
  assert.throws(
    () => unapproved('/repo', wanted.requests, env),
    (error) => error instanceof Failure && error.kind === 'refused',
  )
})

test('another folder or another environment behind an approved command is another request', async (t) => {
  const { env } = home(t)
  for (const more of ['runtime = "host"', 'network = "egress"', 'secrets = ["TOKEN"]']) {
    const wanted = await ask(`[tasks.test]\nrun = ["ls"]\n${more}`)
    approve('/repo', wanted, 'person', new Date(0), env)
    for (const change of ['env = { PATH = "/evil" }', 'dir = "evil"', 'env = { LD_PRELOAD = "./x.so" }']) {
      const changed = await ask(`[tasks.test]\nrun = ["ls"]\n${more}\n${change}`)
      assert.ok(unapproved('/repo', changed.requests, env).length > 0, `${more} ${change}`)
    }
  }
  for (const dir of ['../x', '/etc', 'a/../../b'])
    await assert.rejects(ask(`[tasks.test]\nrun = "x"\ndir = "${dir}"`), Failure)
})
