import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ScanLayer } from '../../src/config/commands.ts'
import {
  codeOf,
  type DatabaseOptions,
  fakeTrivy,
  gatesOf,
  type LayerOptions,
  layerGate,
  pin,
  plant,
  plantDatabase,
  temporary,
  text,
} from './rig.ts'

interface Rig {
  readonly files?: Readonly<Record<string, string>>
  readonly scan?: string
  readonly database?: DatabaseOptions
  readonly more?: Partial<LayerOptions>
  readonly links?: Readonly<Record<string, string>>
}

function rig(
  t: TestContext,
  layer: ScanLayer,
  { files = {}, links = {}, scan = 'report([])', database = {}, more = {} }: Rig = {},
) {
  const root = plant(temporary(t), files)
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(root, path))
  const fake = fakeTrivy(temporary(t), { scan })
  const env = { DWF_TRIVY: fake.path, DWF_TRIVY_CACHE: plantDatabase(temporary(t), database) }
  return { fake, root, judge: () => layerGate({ root, layer, severity: 'high', pin, env, offline: true, ...more }) }
}

const lock = '{"packages":{"node_modules/a":{"version":"1"}}}'
const npm = (file: string) =>
  `{ Target: ${JSON.stringify(file)}, Class: 'lang-pkgs', Type: 'npm', Packages: [{ Name: 'a' }] }`

test('nothing to judge passes, and says that it was nothing', async (t) => {
  const deps = await rig(t, 'deps', { files: { 'package.json': '{"dependencies":{"a":"1"}}' } }).judge()
  assert.match(
    deps.summary,
    /^0 findings; limit high; 0 packages in 0 lock files; vulnerability database of .*, 1 h old$/,
  )
  assert.deepEqual(
    [deps.kind, deps.lines],
    ['passed', ['package.json: it has dependencies and no lock file that Trivy reads; they are not judged']],
  )
  const config = await rig(t, 'config').judge()
  assert.equal(text(config), 'passed\n0 findings; limit high; 0 configuration files')
  const secrets = await rig(t, 'secrets', { files: { a: '', b: '' } }).judge()
  assert.equal(text(secrets), 'passed\n0 findings; limit high; a tree of 2 files')
})

test('a finding at the limit refuses', async (t) => {
  const scan = `report([{ Target: 'Dockerfile', Class: 'config', Type: 'dockerfile', Misconfigurations: [{ ID: 'DS-0002', Title: 'root', Severity: 'HIGH', Status: 'FAIL' }] }])`
  const verdict = await rig(t, 'config', { files: { Dockerfile: 'FROM x' }, scan }).judge()
  assert.equal(
    text(verdict),
    'refused\n1 finding, 1 high; limit high; 1 configuration file\nrefused\n  Dockerfile\n    high  DS-0002  root',
  )
})

test('a lock file that the report does not speak of breaks the gate', async (t) => {
  const files = { 'package-lock.json': lock, 'sub/package-lock.json': lock }
  const whole = await rig(t, 'deps', {
    files,
    scan: `report([${npm('package-lock.json')}, ${npm('sub/package-lock.json')}])`,
  }).judge()
  assert.match(text(whole), /^passed\n0 findings; limit high; 2 packages in 2 lock files/)
  const verdict = await rig(t, 'deps', { files, scan: `report([${npm('package-lock.json')}])` }).judge()
  assert.equal(verdict.kind, 'broken')
  assert.match(
    verdict.summary,
    /^1 file not judged, the first: sub\/package-lock\.json: it holds packages, and the report says nothing about it/,
  )
  assert.equal(verdict.diagnostics[0]?.severity, 'error')
})

test('a lock file that is a link breaks the gate', async (t) => {
  const verdict = await rig(t, 'deps', {
    files: { 'locks/other.json': lock },
    links: { 'package-lock.json': 'locks/other.json' },
  }).judge()
  assert.equal(verdict.kind, 'broken')
  assert.match(verdict.lines[0]!, /^package-lock\.json: a lock file that is a link/)
})

test('an empty lock file needs no mention, and a broken one among fixtures is a line', async (t) => {
  const files = { 'package-lock.json': '{"packages":{"":{}}}', 'test/fixtures/x/package-lock.json': '{' }
  const verdict = await rig(t, 'deps', { files }).judge()
  assert.equal(verdict.kind, 'passed')
  assert.deepEqual(verdict.lines, [
    'test/fixtures/x/package-lock.json: it holds packages, and the report says nothing about it',
  ])
})

test('a lock file of another folder does not stand for a manifest, one above does', async (t) => {
  const manifest = '{"dependencies":{"a":"1"}}'
  const scan = `report([${npm('a/package-lock.json')}])`
  const files = {
    'a/package-lock.json': lock,
    'a/package.json': manifest,
    'a/packages/w/package.json': manifest,
    'ab/package.json': manifest,
  }
  const { lines } = await rig(t, 'deps', { files, scan }).judge()
  assert.deepEqual(lines, [
    'ab/package.json: it has dependencies and no lock file that Trivy reads; they are not judged',
  ])
})

test('a folder that cannot be listed breaks every gate', async (t) => {
  // Deeper than a path can be long: not even root can list it by its path, as Trivy would have to.
  for (const layer of ['deps', 'secrets', 'config'] as const) {
    const { root, judge } = rig(t, layer)
    const deep = 'i=0; while [ $i -lt 20 ]; do mkdir "$1" && cd -P "$1" || exit 1; i=$((i+1)); done'
    execFileSync('sh', ['-c', deep, 'sh', 'x'.repeat(250)], { cwd: root })
    const verdict = await judge()
    execFileSync('rm', ['-rf', root])
    assert.equal(verdict.kind, 'broken', layer)
    assert.match(verdict.summary, /^1 file not judged, the first: x+.*: a folder that cannot be read/)
  }
})

test('Dockerfile.devflow must have been looked at; another Dockerfile may be a template', async (t) => {
  const verdict = await rig(t, 'config', { files: { 'Dockerfile.devflow': 'FROM x', 'sub/Dockerfile': 'x' } }).judge()
  assert.equal(verdict.kind, 'broken')
  assert.deepEqual(verdict.lines, [
    'Dockerfile.devflow: a Dockerfile that the report says nothing about',
    'sub/Dockerfile: a Dockerfile that the report says nothing about',
  ])
  const link = await rig(t, 'config', { links: { 'Dockerfile.devflow': '/etc/passwd' } }).judge()
  assert.equal(link.kind, 'broken')
})

test('a scanner that does not find the planted secret is blind', async (t) => {
  // Says that it looked, in a report that is whole.
  const blind = fakeTrivy(temporary(t), { scan: 'report([])' })
  const { writeFileSync, readFileSync } = await import('node:fs')
  writeFileSync(blind.path, readFileSync(blind.path, 'utf8').replace("'settings.conf'))", "'never'))"))
  const env = { DWF_TRIVY: blind.path }
  const work = layerGate({ root: temporary(t), layer: 'secrets', severity: 'high', pin, env })
  assert.equal(await codeOf(work), 'machine-cannot scanner-blind')
})

test('ignore comments mean nothing, and are counted', async (t) => {
  // Reports what it finds in the file that it is given, so that the test sees what Trivy sees.
  const scan = `const text = fs.readFileSync(path.join(root, 'sub/Dockerfile'), 'utf8')
    report([{ Target: 'sub/Dockerfile', Class: 'config', Misconfigurations: [{ ID: text.includes('trivy:ignore') ? 'ignored' : 'seen', Severity: 'HIGH', Status: 'FAIL' }] }])`
  const { judge, root, fake } = rig(t, 'config', {
    files: { 'sub/Dockerfile': '#trivy:ignore:DS-0002\nUSER root\n' },
    scan,
  })
  const verdict = await judge()
  assert.deepEqual(verdict.lines, [
    'refused',
    '  sub/Dockerfile',
    '    high  seen  seen',
    '1 comment with trivy:ignore or tfsec:ignore had no effect',
    '  sub/Dockerfile:1',
  ])
  assert.notEqual(fake.calls()[0]!.argv.at(-1), root)
})

test('a file that is too large to take its comments out of breaks the gate, honoured or not', async (t) => {
  for (const inline of [false, true]) {
    const honor = { inline, suppressions: false, files: [], semgrep: [] }
    const { judge, root } = rig(t, 'config', { files: { 'main.tf': '#trivy:ignore:x' }, more: { policy: { honor } } })
    truncateSync(
      join(plant(root, { 'app.dockerfile': '# trivy:ignore:DS-0002\n' }), 'app.dockerfile'),
      65 * 1024 * 1024,
    )
    const verdict = await judge()
    assert.equal(verdict.kind, 'broken')
    assert.match(verdict.summary, /^1 file not judged, the first: app\.dockerfile: too large to take its comments out/)
  }
})

test('a test database is in the summary of every verdict of deps', async (t) => {
  const database = { entries: 17, size: 100 }
  const remark = /; TEST DATABASE \(17 entries\)$/
  assert.match((await rig(t, 'deps', { database }).judge()).summary, remark)
  const broken = await rig(t, 'deps', { database, files: { 'go.mod': 'module x\nrequire a v1\n' } }).judge()
  assert.equal(broken.kind, 'broken')
  assert.match(broken.summary, remark)
  const high = `report([{ Target: 'a', Class: 'lang-pkgs', Vulnerabilities: [{ VulnerabilityID: 'C', PkgName: 'a', Severity: 'HIGH' }] }])`
  const refused = await rig(t, 'deps', { database, scan: high }).judge()
  assert.equal(refused.kind, 'refused')
  assert.match(refused.summary, remark)
})

test('without a database deps cannot judge, and the other layers do not need one', async (t) => {
  const env = { DWF_TRIVY: fakeTrivy(temporary(t)).path, DWF_TRIVY_CACHE: temporary(t) }
  const judge = (layer: ScanLayer) =>
    layerGate({ root: temporary(t), layer, severity: 'high', pin, env, offline: true })
  assert.equal(await codeOf(judge('deps')), 'machine-cannot database-absent')
  assert.deepEqual([(await judge('config')).kind, (await judge('secrets')).kind], ['passed', 'passed'])
})

test('an old database is used offline only, and the verdict says so', async (t) => {
  const database = { updatedAt: Date.now() - 72 * 3_600_000 }
  const offline = await rig(t, 'deps', { database }).judge()
  assert.equal(offline.kind, 'passed')
  assert.match(offline.lines.join('\n'), /is 3 days old and was used since this run is offline/)
  assert.equal(
    await codeOf(rig(t, 'deps', { database, more: { offline: false } }).judge()),
    'machine-cannot database-download',
  )
})

test('what is left out is said', async (t) => {
  const files = { '.git/x': '', '.cache/devflow/x': '', 'node_modules/a/x': '' }
  const { lines } = await rig(t, 'config', { files, links: { out: '/etc' } }).judge()
  assert.deepEqual(lines, ['not looked at: .cache/devflow, .git, a node_modules folder', '1 link not followed'])
})

test('a failure of the machine never becomes a pass', async (t) => {
  const root = join(temporary(t), 'gone')
  const verdict = await layerGate({
    root,
    layer: 'config',
    severity: 'high',
    pin,
    env: { DWF_TRIVY: fakeTrivy(temporary(t)).path },
  })
  assert.equal(verdict.kind, 'broken')
  assert.match(verdict.summary, /^the gate could not run: ENOENT/)
  assert.equal(await codeOf(rig(t, 'config', { scan: 'process.exit(1)' }).judge()), 'machine-cannot scan-failed')
})

test('the gates of a run look for the scanner once, and fail together when there is none', async (t) => {
  const { run } = await gatesOf({ root: temporary(t), env: { PATH: '' } })
  const { signal } = new AbortController()
  const codes = await Promise.all(
    (['deps', 'secrets', 'config'] as const).map((layer) => codeOf(run({ layer, subjects: [] }, signal))),
  )
  assert.deepEqual(new Set(codes), new Set(['machine-cannot scanner-missing']))
})
