import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'

/** What others get: the built tree, packed, installed into an empty folder and run there. */
const project = join(import.meta.dirname, '../..')
const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'dwf-package-'))
const installed = join(folder, 'empty/node_modules/dwf')
const dwf = join(folder, 'empty/node_modules/.bin/dwf')
let packed: readonly string[] = []

before(() => {
  for (const made of ['dist/cli.js', 'schema/devflow.schema.json', 'standalone/dwf.mjs.gz', 'THIRD-PARTY-NOTICES.md'])
    assert.ok(existsSync(join(project, made)), `${made} is missing: npm run build`)
  const [report] = JSON.parse(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', folder], project))
  packed = report.files.map(({ path }: { path: string }) => path)
  mkdirSync(join(folder, 'empty'))
  // Without a network and without scripts: what it needs is in it.
  npm(['install', '--ignore-scripts', '--offline', join(folder, report.filename)], join(folder, 'empty'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

function npm(args: readonly string[], cwd: string): string {
  const env = {
    ...process.env,
    npm_config_cache: join(folder, 'npm'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  }
  return execFileSync('npm', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/** The installed dwf, with a home and a state of its own. */
function run(args: readonly string[], cwd: string, node: readonly string[] = [process.execPath]) {
  const home = join(folder, 'home')
  mkdirSync(home, { recursive: true })
  const { status, stdout, stderr } = spawnSync(node[0]!, [...node.slice(1), dwf, ...args], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: home, NO_COLOR: '1' },
  })
  return { status, stdout, stderr }
}

function sample(name: string): string {
  const root = mkdtempSync(join(folder, `${name}-`))
  cpSync(join(project, 'test/fixtures/samples', name), root, { recursive: true })
  return root
}

const text = (path: string) => readFileSync(join(installed, path), 'utf8')

test('the tarball holds what package.json names, whole folders of it, and nothing else', () => {
  const always = ['package.json', 'README.md', 'LICENSE']
  const expected = [...manifest.files, ...always].flatMap((name: string) => {
    const from = join(project, name)
    assert.ok(existsSync(from), `${name} is missing`)
    return /\.[a-z]+$|^[A-Z]+$/.test(name) ? [name] : filesBelow(name)
  })
  assert.deepEqual([...packed].sort(), [...new Set(expected)].sort())
  assert.deepEqual([...new Set(packed.map((path) => path.split('/')[0]!))].sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'SECURITY.md',
    'THIRD-PARTY-NOTICES.md',
    'bin',
    'dist',
    'docs',
    'package.json',
    'schema',
    'standalone',
    'templates',
  ])
})

const filesBelow = (name: string): readonly string[] =>
  readdirSync(join(project, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(project.length + 1))

test('no tests, no database, no source maps, nothing native, no path of the machine that built it', () => {
  for (const path of packed) {
    const isPacked = path === 'standalone/dwf.mjs.gz'
    if (!isPacked)
      assert.doesNotMatch(path, /\.(map|node|ts|gz|db|so|exe|tgz)$|(^|\/)(test|bench|node_modules|\.git)\//, path)
    const content = isPacked ? gunzipSync(readFileSync(join(installed, path))).toString('utf8') : text(path)
    assert.doesNotMatch(content, /sourceMappingURL/, path)
    for (const machine of [project, tmpdir() + '/dwf', process.env.HOME ?? project].filter(
      (one) => one.length > 4 && one !== '/home/dwfuser',
    ))
      assert.ok(!content.includes(machine), `${path} names ${machine}`)
    const found = /(?<![\w.~$}{/-])\/(?:root|work|home(?!\/dwfuser)|Users|builds?|private)\/[^\s"'`)]*/.exec(content)
    assert.equal(found?.[0], undefined, path)
  }
})

test('it has no dependencies and nothing that runs at install', () => {
  const own = JSON.parse(text('package.json'))
  for (const key of ['dependencies', 'optionalDependencies', 'peerDependencies', 'bundleDependencies'])
    assert.equal(own[key], undefined, key)
  for (const script of ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare'])
    assert.equal(own.scripts[script], undefined, script)
  assert.ok(!existsSync(join(installed, 'binding.gyp')))
  assert.deepEqual(readdirSync(join(folder, 'empty/node_modules')).sort(), ['.bin', '.package-lock.json', 'dwf'])
})

test('it imports nothing but itself and Node', () => {
  for (const path of packed.filter((one) => /^(dist|bin)\/.*\.js$/.test(one))) {
    for (const [, from] of text(path).matchAll(
      /^(?:import|export)\b[^'";]*?\bfrom\s*["']([^"']+)["'];?$|\bimport\(["']([^"']+)["']\)/gm,
    ))
      if (from) assert.match(from, /^(node:|\.\.?\/)/, path)
  }
})

test('each bundled package is credited', () => {
  const notices = text('THIRD-PARTY-NOTICES.md')
  for (const name of ['commander', '@iarna/toml', 'handlebars', 'semver', 'toml-eslint-parser'])
    assert.match(notices, new RegExp(`^## ${name.replace('/', '\\/')} \\d`, 'm'))
})

test('dwf --version, init, validate and plan run in a repository beside it', () => {
  const root = sample('node-passing')
  assert.deepEqual(run(['--version'], root), { status: 0, stdout: `${manifest.version}\n`, stderr: '' })
  const init = run(['init', '--json'], root)
  assert.equal(init.status, 0, init.stderr)
  for (const file of ['devflow.toml', 'devflow.lock', 'Dockerfile.devflow', 'docker-bake.hcl', '.dockerignore'])
    assert.ok(existsSync(join(root, file)), file)
  const validate = run(['validate', '--json'], root)
  assert.equal(validate.status, 0, validate.stderr)
  assert.equal(JSON.parse(validate.stdout).ok, true)
  const plan = run(['plan'], root)
  assert.equal(plan.status, 0, plan.stderr)
  assert.match(plan.stdout, /test:unit@node/)
  assert.match(plan.stdout, /scan:deps@project/)
})

test('a mistake is located from the package too', () => {
  const root = mkdtempSync(join(folder, 'mistake-'))
  writeFileSync(join(root, 'devflow.toml'), '[tasks."test:e2e"]\nrun = "x"\nretires = 2\n')
  const { status, stderr } = run(['validate'], root)
  assert.equal(status, 2)
  assert.match(stderr, /devflow\.toml:3:1/)
  assert.match(stderr, /did you mean "retries"/)
})

/** The oldest real Node on this machine that dwf does not support, if there is one. */
function oldNode(): { readonly path: string; readonly version: string } | undefined {
  const folders = new Set([...(process.env.PATH ?? '').split(':'), '/usr/bin', '/usr/local/bin'])
  for (const one of folders) {
    for (const name of ['node14', 'node16', 'node18', 'node20', 'node']) {
      const path = join(one, name)
      if (one === '' || !existsSync(path)) continue
      const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim().replace(/^v/, '')
      const [major, minor] = (version ?? '').split('.').map(Number)
      if (major! < 22 || (major === 22 && minor! < 13)) return { path, version: version! }
    }
  }
  return undefined
}

const old = oldNode()

test('an older Node, a real one, is told so in one line', {
  skip: old ? false : 'no Node older than 22.13 on this machine',
}, (t) => {
  t.diagnostic(`Node ${old!.version}, ${old!.path}`)
  const said = run(['--version'], folder, [old!.path])
  assert.deepEqual(said, { status: 3, stdout: '', stderr: `dwf needs Node 22.13 or newer; this is ${old!.version}\n` })
})

test('an older Node, a pretended one, is told so in one line', () => {
  const preload = join(folder, 'old.cjs')
  for (const version of ['16.20.2', '22.12.0']) {
    writeFileSync(preload, `Object.defineProperty(process.versions, 'node', { value: ${JSON.stringify(version)} })\n`)
    const said = run(['--version'], folder, [process.execPath, '--require', preload])
    assert.deepEqual(said, { status: 3, stdout: '', stderr: `dwf needs Node 22.13 or newer; this is ${version}\n` })
  }
})

/**
 * A Node reads and links the whole file before it runs a line: what it cannot parse or find dies before the check.
 * Modules with top-level await, optional calls and `node:` are read by 14.18 and newer; a default import of a
 * module of Node always links, whatever the module has.
 */
test('what an old Node has to read of dwf is plain', () => {
  const source = text('bin/dwf.js')
  assert.ok(source.startsWith('#!/usr/bin/env node\n'))
  const statements = [...source.matchAll(/^import .*$/gm)].map(([line]) => line)
  for (const line of statements) assert.match(line, /^import \w+ from 'node:\w+'$/)
  assert.doesNotMatch(source, /\?\?=|\|\|=|&&=|\bat\(|#\w+ in |\bwith\s*\{|\bimport\.meta\.(?!url\b)|\busing\b/)
  assert.ok(source.indexOf('process.exit(3)') < source.indexOf('await import('))
})
