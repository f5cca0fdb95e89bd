import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { trivyScanner } from '../../src/scan/trivy/scanner.ts'
import type { ScanRequest } from '../../src/scan/types.ts'
import {
  codeOf,
  type FakeTrivy,
  failureOf,
  fakeTrivy,
  isAlive,
  plant,
  plantDatabase,
  program,
  temporary,
} from './rig.ts'

function rig(
  test: TestContext,
  scan: string,
  { root = temporary(test), ...request }: Partial<ScanRequest> & { root?: string } = {},
) {
  const fake: FakeTrivy = fakeTrivy(temporary(test), { scan })
  const databaseDir = plantDatabase(temporary(test))
  const scanner = trivyScanner({ trivy: program(fake.path), guarded: [root], databaseDir })
  const subject = { kind: 'tree', root } as const
  return { fake, root, databaseDir, work: scanner.scan({ subject, layer: 'deps', timeoutMs: 20_000, ...request }) }
}

const broken: Readonly<Record<string, readonly [scan: string, code: string]>> = {
  'a crash': ['process.kill(process.pid, "SIGSEGV")', 'scan-failed'],
  'a crash after a whole report': ['report([]); process.kill(process.pid, "SIGKILL")', 'scan-failed'],
  'an error with a whole report': ['report([]); process.exitCode = 1', 'scan-failed'],
  'exit 0 without a report': ['', 'no-report'],
  'an empty report': ['fs.writeFileSync(output, "")', 'report-empty'],
  'half a report': ['report([{ Target: "x", Class: "lang-pkgs" }]); fs.truncateSync(output, 60)', 'report-not-json'],
  'a report that is a link': ['fs.symlinkSync("/dev/null", output)', 'no-report'],
  'a report of another schema': ['report([], { SchemaVersion: 3 })', 'report-schema'],
  'a report without a schema': ['report([], { SchemaVersion: undefined })', 'report-schema'],
  'a report that is a list': ['fs.writeFileSync(output, "[]")', 'report-schema'],
  'results that are no list': ['report({})', 'report-schema'],
  'a result without a target': ['report([{ Class: "config" }])', 'report-schema'],
  'a finding without an id': [
    'report([{ Target: "x", Class: "secret", Secrets: [{ Severity: "LOW" }] }])',
    'report-schema',
  ],
  'a finding that is a text': ['report([{ Target: "x", Class: "secret", Secrets: ["x"] }])', 'report-schema'],
  'a report about another folder': ['report([], { ArtifactName: "/elsewhere" })', 'report-of-another-scan'],
  'a report of another Trivy': ['report([], { Trivy: { Version: "0.1.0" } })', 'report-of-another-scan'],
}
for (const [name, [scan, code]] of Object.entries(broken)) {
  test(`${name} is a failure, not a pass`, async (t) => {
    assert.equal(await codeOf(rig(t, scan).work), `machine-cannot ${code}`)
  })
}

test('what Trivy said is in the failure, printable and on one line', async (t) => {
  const failure = await failureOf(
    rig(t, 'console.error("2026-11-22T05:33:20Z\\tFATAL\\t\\x1b[31mno room"); process.exit(1)').work,
  )
  assert.equal(failure.message, 'Trivy failed with exit 1: FATAL \\u001b[31mno room')
})

test('a scan that takes too long is ended with all its processes', async (t) => {
  const pids = join(temporary(t), 'pids')
  const scan = `const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
    fs.writeFileSync(${JSON.stringify(pids)}, process.pid + ' ' + child.pid)
    process.on('SIGTERM', () => {})
    setInterval(() => {}, 1000)`
  assert.equal(await codeOf(rig(t, scan, { timeoutMs: 1500 }).work), 'machine-cannot scan-timed-out')
  const all = readFileSync(pids, 'utf8').split(' ').map(Number)
  assert.equal(all.length, 2)
  for (let tries = 0; tries < 40 && all.some(isAlive); tries++) await sleep(50)
  assert.deepEqual(all.filter(isAlive), [])
})

test('a cancelled scan is a failure, even with a report', async (t) => {
  const { work } = rig(t, 'report([]); setInterval(() => {}, 1000)', { signal: AbortSignal.timeout(600) })
  assert.equal(await codeOf(work), 'machine-cannot scan-cancelled')
})

test('Trivy runs in a private place that is gone afterwards, with a short environment', async (t) => {
  const hostile = {
    TRIVY_SEVERITY: 'LOW',
    TRIVY_CONFIG: '/tmp/x',
    HTTPS_PROXY: 'http://proxy:1',
    AWS_SECRET_ACCESS_KEY: 'x',
    GOPATH: '/x',
  }
  const before = { ...process.env }
  Object.assign(process.env, hostile)
  t.after(() => {
    for (const key of Object.keys(hostile)) delete process.env[key]
    Object.assign(process.env, before)
  })
  const { fake, root, work } = rig(t, 'report([])')
  await work
  const [call] = fake.calls()
  assert.ok(call)
  const { HOME, PATH, TMPDIR, GOOGLE_APPLICATION_CREDENTIALS, ...rest } = call.env
  const nowhere = 'http://127.0.0.1:0'
  assert.deepEqual(
    { ...rest },
    {
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      ALL_PROXY: nowhere,
      http_proxy: nowhere,
      https_proxy: nowhere,
      all_proxy: nowhere,
      NO_PROXY: '',
      no_proxy: '',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  )
  assert.deepEqual(call.cwdEntries, [])
  const place = dirname(call.cwd)
  assert.match(place, /dwf-tmp-/)
  for (const path of [HOME, PATH, TMPDIR, GOOGLE_APPLICATION_CREDENTIALS]) assert.equal(dirname(path!), place)
  assert.equal(existsSync(place), false)
  assert.equal(existsSync(root), true)
})

test('the arguments leave nothing to the defaults that a file or a variable could set', async (t) => {
  const { fake, root, work } = rig(t, 'report([])')
  await work
  const { argv, files, cwd } = fake.calls()[0]!
  const value = (name: string) => argv[argv.indexOf(name) + 1]
  const flags = [
    '--skip-version-check',
    '--offline-scan',
    '--skip-db-update',
    '--skip-check-update',
    '--quiet',
    '--disable-telemetry',
    '--include-dev-deps',
  ]
  assert.deepEqual(
    flags.filter((flag) => !argv.includes(flag)),
    [],
  )
  assert.deepEqual(['--format', '--scanners', '--exit-code'].map(value), ['json', 'vuln', '0'])
  assert.equal(value('--severity'), 'UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL')
  assert.equal(value('--timeout'), '80s')
  assert.equal(argv.at(-1), root)
  assert.deepEqual([files.config, files.ignorefile], ['', ''])
  for (const name of ['--config', '--ignorefile', '--secret-config', '--output', '--cache-dir'])
    assert.ok(value(name)!.startsWith(dirname(cwd)))
  const skipped = argv.filter((_, index) => argv[index - 1] === '--skip-dirs')
  assert.deepEqual(skipped, ['**/.git', '.cache/devflow', '**/node_modules'])
})

test('of the database folder a scan sees the databases only, and a layer that needs none sees nothing', async (t) => {
  const scan = `require('node:fs').writeFileSync(path.join(root, 'seen'), fs.readdirSync(value('--cache-dir')).join())
    report([])`
  for (const [layer, seen] of [
    ['deps', 'db'],
    ['secrets', ''],
    ['config', ''],
    ['licenses', ''],
  ] as const) {
    const root = temporary(t)
    await rig(t, scan, { layer, root }).work
    assert.equal(readFileSync(join(root, 'seen'), 'utf8'), seen, layer)
  }
})

test('nobody can guess the name of the file that Trivy passes over as its own', async (t) => {
  const names = new Set<string>()
  for (let time = 0; time < 2; time++) {
    const { fake, work } = rig(t, 'report([])', { layer: 'secrets' })
    await work
    const { argv } = fake.calls()[0]!
    names.add(argv[argv.indexOf('--secret-config') + 1]!.split('/').at(-1)!)
  }
  assert.equal(names.size, 2)
})

test('dev, proc and sys are folders like any other, unless they are links', async (t) => {
  const root = plant(temporary(t), { 'dev/a': '', 'sys/b': '', 'other/c': '' })
  symlinkSync('/proc', join(root, 'proc'))
  const scan =
    'report([{ Target: "x/Dockerfile", Class: "config", Type: "dockerfile", Misconfigurations: [{ ID: "D", Severity: "LOW" }] }])'
  const { fake, work } = rig(t, scan, { root, layer: 'config' })
  const report = await work
  assert.deepEqual(
    fake.calls().map(({ argv }) => argv.at(-1)),
    [root, join(root, 'dev'), join(root, 'sys')],
  )
  assert.deepEqual(
    report.findings.map(({ where }) => where.file),
    ['x/Dockerfile', 'dev/x/Dockerfile', 'sys/x/Dockerfile'],
  )
  assert.deepEqual(
    report.targets.map(({ file }) => file),
    ['x/Dockerfile', 'dev/x/Dockerfile', 'sys/x/Dockerfile'],
  )
})

test('a folder for temporary files inside of the repository is refused, and left as it was', async (t) => {
  const root = plant(temporary(t), { 'tmp/keep': '' })
  const fake = fakeTrivy(temporary(t))
  const before = process.env.TMPDIR
  process.env.TMPDIR = join(root, 'tmp')
  t.after(() => {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  })
  const scanner = trivyScanner({ trivy: program(fake.path), guarded: [root] })
  const work = scanner.scan({ subject: { kind: 'tree', root }, layer: 'config', timeoutMs: 5000 })
  assert.equal(await codeOf(work), 'machine-cannot scan-folder-in-repository')
  assert.deepEqual([fake.calls(), readdirSync(join(root, 'tmp'))], [[], ['keep']])
})
