import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { version } from '../../src/cli/version.ts'
import { prepared, project, type Rig, rig, shop } from './ci-rig.ts'

const byNpm = '[ci]\ninstall = "npm"\n'
const sha512 = (bytes: Buffer | string) => `sha512-${createHash('sha512').update(bytes).digest('base64')}`
const integrity = sha512('a package')

interface Asked {
  readonly url: string
  readonly authorization: string | undefined
}

/** A stand-in for the registry of npm on this machine: answers what a test says, and notes what it was asked. */
async function registry(t: TestContext, answer: (url: string) => { status?: number; body: string | Buffer }) {
  const asked: Asked[] = []
  const server = createServer(({ url = '', headers }, response) => {
    asked.push({ url, authorization: headers.authorization })
    const { status = 200, body } = answer(url)
    response.writeHead(status, status === 302 ? { location: String(body) } : {}).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { asked, host, env: { npm_config_registry: `http://${host}` } }
}

const manifest = (dist: unknown) => JSON.stringify({ name: 'dwf', version, dist })

async function refuses(repo: Rig, env: Readonly<Record<string, string>>, said: RegExp): Promise<string> {
  const before = repo.tree()
  const { status, stderr } = await repo.run('ci:generate', env)
  assert.equal(status, 3, stderr)
  assert.match(stderr, said)
  assert.match(stderr, /\n {2}install = "vendored" under \[ci\] keeps dwf in the repository$/m)
  assert.deepEqual(repo.tree(), before)
  return stderr
}

test('without a published hash there is no way by npm, and the other way is named', async (t) => {
  const repo = await prepared(t)
  repo.edit('devflow.toml', (text) => text + byNpm)
  const answers: readonly (readonly [{ status?: number; body: string }, RegExp])[] = [
    [{ status: 404, body: '{}' }, /cannot be pinned by npm: http:\/\/[^ ]+ answers 404: it is not published there/],
    [{ body: 'no JSON' }, /gives no hash of it/],
    [{ body: 'null' }, /gives no hash of it/],
    [{ body: manifest({}) }, /gives no hash of it/],
    [{ body: manifest({ integrity: 7 }) }, /gives no hash of it/],
    [{ body: manifest({ integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }) }, /gives no hash of it/],
    [{ body: manifest({ integrity: 'sha512-x"\n' }) }, /gives no hash of it/],
    [{ status: 302, body: 'http://127.0.0.1:1/' }, /does not answer/],
  ]
  for (const [answer, said] of answers) await refuses(repo, (await registry(t, () => answer)).env, said)
  await refuses(repo, { npm_config_registry: 'http://127.0.0.1:1' }, /does not answer/)
  const { status, stderr } = await repo.run('ci:generate', { npm_config_registry: 'no address' })
  assert.equal(status, 2)
  assert.match(stderr, /npm_config_registry is no address/)
})

test('the hash goes into the package lock and into devflow.lock; after that nobody is asked', async (t) => {
  const repo = await prepared(t)
  repo.edit('devflow.toml', (text) => text + byNpm)
  const { env, asked } = await registry(t, () => ({ body: manifest({ integrity }) }))
  const { stdout } = await repo.ok('ci:generate', env)
  assert.match(stdout, /created {2}\.github\/dwf\/package-lock\.json/)
  assert.deepEqual(asked, [{ url: `/dwf/${version}`, authorization: undefined }])
  assert.deepEqual(JSON.parse(repo.read('.github/dwf/package.json')), {
    name: 'dwf-of-this-repository',
    private: true,
    dependencies: { dwf: version },
  })
  assert.equal(JSON.parse(repo.read('.github/dwf/package-lock.json')).packages['node_modules/dwf'].integrity, integrity)
  const { packages, bundle } = repo.lock()
  assert.deepEqual(
    packages.find(({ tool }) => tool === 'dwf'),
    { tool: 'dwf', registry: 'npm', name: 'dwf', version, integrity },
  )
  assert.equal(bundle, undefined)
  assert.match(repo.read('.github/workflows/ci.yml'), /npm ci --ignore-scripts/)
  assert.doesNotMatch(repo.read('.github/workflows/ci.yml'), /dwf\.bundle/)
  const before = repo.tree()
  await repo.ok('ci:generate', { npm_config_registry: 'http://127.0.0.1:1' })
  await repo.ok('ci:check', { npm_config_registry: 'http://127.0.0.1:1' })
  assert.deepEqual(repo.tree(), before)
  assert.equal(asked.length, 1)
})

test('a password in the address of a registry goes into a header, and into nothing else', async (t) => {
  const repo = await prepared(t)
  repo.edit('devflow.toml', (text) => text + byNpm)
  const { host, asked } = await registry(t, (url) =>
    url.startsWith('/ok') ? { body: manifest({ integrity }) } : { status: 401, body: '' },
  )
  const secret = 'very%20secret'
  for (const address of [`http://me:${secret}@${host}/no`, `http://me:${secret}@127.0.0.1:1`]) {
    const said = await refuses(repo, { npm_config_registry: address }, /cannot be pinned by npm: http:\/\/127/)
    assert.doesNotMatch(said, /secret|me:/)
  }
  const { stdout, stderr } = await repo.ok('ci:generate --json', {
    npm_config_registry: `http://me:${secret}@${host}/ok/`,
  })
  assert.deepEqual(asked.at(-1), {
    url: `/ok/dwf/${version}`,
    authorization: `Basic ${Buffer.from('me:very secret').toString('base64')}`,
  })
  assert.doesNotMatch(stdout + stderr + Object.values(repo.tree()).join(''), /very.{1,3}secret/)
})

const npm = spawnSync('npm', ['--version'], { encoding: 'utf8' })
const withoutNpm = npm.status === 0 ? {} : { skip: 'npm is not on the PATH' }

test('npm itself takes the package that was pinned, and no other bytes of that name', withoutNpm, async (t) => {
  assert.ok(existsSync(join(project, 'dist/cli.js')), 'dist/cli.js is missing: npm run build')
  const repo = rig(t, { ...shop, 'devflow.toml': byNpm })
  const env = { ...repo.env, npm_config_cache: join(repo.outside, 'npm'), npm_config_update_notifier: 'false' }
  const run = (args: readonly string[], cwd: string, more: Readonly<Record<string, string>> = {}) =>
    new Promise<{ code: number; said: string }>((resolve) =>
      execFile('npm', args, { cwd, env: { ...env, ...more } }, (error, stdout, stderr) =>
        resolve({ code: error ? Number(error.code) : 0, said: stdout + stderr }),
      ),
    )
  const packed = await run(['pack', '--json', '--ignore-scripts', '--pack-destination', repo.outside], project)
  assert.equal(packed.code, 0, packed.said)
  const whole = readFileSync(join(repo.outside, `dwf-${version}.tgz`))
  let served = whole
  const { env: here, asked } = await registry(t, (url) =>
    url.endsWith('.tgz') ? { body: served } : { body: manifest({ integrity: sha512(whole) }) },
  )
  await repo.ok('init', here)
  const install = async (name: string) => {
    const folder = join(repo.outside, name)
    mkdirSync(folder)
    for (const file of ['package.json', 'package-lock.json'])
      writeFileSync(join(folder, file), repo.read(`.github/dwf/${file}`))
    const ran = await run(['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0'], folder, {
      ...here,
      npm_config_cache: join(folder, 'cache'),
    })
    return { ...ran, bundle: join(folder, 'node_modules/dwf/standalone/dwf.mjs.gz') }
  }
  const good = await install('good')
  assert.equal(good.code, 0, good.said)
  assert.ok(gunzipSync(readFileSync(good.bundle)).includes('ci:start'))
  assert.ok(asked.some(({ url }) => url === `/dwf/-/dwf-${version}.tgz`))
  served = Buffer.concat([whole, Buffer.from('x')])
  const bad = await install('bad')
  assert.notEqual(bad.code, 0)
  assert.match(bad.said, /EINTEGRITY/)
  assert.ok(!existsSync(bad.bundle))
})
