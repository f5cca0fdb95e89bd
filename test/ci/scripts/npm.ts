import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { fromNpm } from '../../../src/cli/ci/from-npm.ts'
import { version } from '../../../src/cli/version.ts'
import { findTool } from '../../scaffold/tools.ts'
import { skip as lacking, type Runner, runner } from './rig.ts'

const skip = lacking || (findTool('npm') ? false : 'no npm')

/** dwf as npm has it, with a script that must not run. */
function packed(on: Runner, says: string): Buffer {
  const folder = join(on.temp, 'packing/package')
  mkdirSync(join(folder, 'standalone'), { recursive: true })
  const install = `touch ${on.marker}`
  const manifest = { name: 'dwf', version, scripts: { preinstall: install, install, postinstall: install } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(folder, 'standalone/dwf.mjs.gz'), gzipSync(says))
  const file = join(on.temp, 'dwf.tgz')
  spawnSync('tar', ['--create', '--gzip', '--file', file, '--directory', join(on.temp, 'packing'), 'package'])
  return readFileSync(file)
}

const integrityOf = (bytes: Buffer): string => `sha512-${createHash('sha512').update(bytes).digest('base64')}`

/** A registry that gives these bytes for every archive. */
async function registry(t: TestContext, bytes: Buffer): Promise<{ url: string; asked: readonly string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url!)
    if (request.url!.endsWith('.tgz')) response.end(bytes)
    else response.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked }
}

/** A checkout whose base pins dwf by npm. */
async function pinned(on: Runner, bytes: Buffer): Promise<string> {
  const pin = { tool: 'dwf', registry: 'npm' as const, name: 'dwf', version, integrity: integrityOf(bytes) }
  const { files } = await fromNpm({ packages: [pin] }, {})
  on.git('init', '--quiet', '--initial-branch=main')
  // The worst case: npm runs scripts of a package only where its lock says that there are some.
  const worst = (text: string) => text.replace('"resolved"', '"hasInstallScript": true, "resolved"')
  on.write(Object.fromEntries(files.map(({ path, content }) => [path, worst(content)])))
  on.git('add', '--all')
  on.git('commit', '--quiet', '--message=x')
  return on.git('rev-parse', 'HEAD')
}

const quick = { npm_config_fetch_retries: '0', npm_config_update_notifier: 'false' }

test('dwf from npm is the archive of the package lock of the base, and nothing of it runs', { skip }, async (t) => {
  const on = runner(t)
  const bytes = packed(on, 'dwf of npm')
  const { url, asked } = await registry(t, bytes)
  const FROM = await pinned(on, bytes)
  // What a change has in its own folder says nothing here: neither a registry nor that scripts may run.
  on.write({
    '.npmrc': 'registry=http://127.0.0.1:1/\nignore-scripts=false\n',
    'package.json': JSON.stringify({
      name: 'x',
      workspaces: ['.github/dwf'],
      scripts: { preinstall: `touch ${on.marker}` },
    }),
    '.github/dwf/package-lock.json': '{}',
  })
  const { code, stderr, stdout } = await on.run('takeFromNpm', { ...quick, FROM, npm_config_registry: url })
  assert.equal(code, 0, `${stdout}${stderr}`)
  assert.equal(on.read('dwf/dwf.mjs'), 'dwf of npm')
  assert.deepEqual(asked, [`/dwf/-/dwf-${version}.tgz`])
})

test('another archive under the same version is refused', { skip }, async (t) => {
  const on = runner(t)
  const FROM = await pinned(on, packed(on, 'dwf of npm'))
  const { url } = await registry(t, packed(on, 'evil'))
  const { code, stderr } = await on.run('takeFromNpm', { ...quick, FROM, npm_config_registry: url })
  assert.notEqual(code, 0)
  assert.match(stderr, /EINTEGRITY/)
  assert.ok(!on.has('dwf/dwf.mjs'))
})

test('a base without a package lock gives no dwf', { skip }, async (t) => {
  const on = runner(t)
  on.git('init', '--quiet', '--initial-branch=main')
  on.git('commit', '--quiet', '--allow-empty', '--message=x')
  assert.notEqual((await on.run('takeFromNpm', { ...quick, FROM: on.git('rev-parse', 'HEAD') })).code, 0)
  assert.ok(!on.has('dwf/dwf.mjs'))
})
