import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import type { JsonReport } from '../../src/report/index.ts'
import { problemsOf } from '../report/schemas.ts'
import { pushDatabase, registry } from './registry.ts'
import { type Repository, repository, tasks, world } from './rig.ts'

const podman = (...args: readonly string[]) => execFileSync('podman', args, { encoding: 'utf8', stdio: 'pipe' }).trim()

/** In two parts, so that this file is not itself a finding. It opens nothing. */
const token = `${'gh'}p_${'qR7sT2uV9wX4yZ1aB6cD3eF8gH5jK0mN7pQ2'}`
const lockOf = (version: string, license = 'MIT') =>
  JSON.stringify(
    {
      name: 'shop',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: {
        '': { name: 'shop', version: '1.0.0', dependencies: { lodash: version } },
        'node_modules/lodash': {
          version,
          license,
          resolved: 'https://registry.npmjs.org/x.tgz',
          integrity: 'sha512-eA==',
        },
      },
    },
    undefined,
    1,
  )
const manifest = (version: string) =>
  JSON.stringify({ name: 'shop', version: '1.0.0', dependencies: { lodash: version } })
const digest = `sha256:${'0123456789abcdef'.repeat(4)}`

const clean = {
  'package.json': manifest('4.17.21'),
  'package-lock.json': lockOf('4.17.21'),
  Dockerfile: `FROM docker.io/library/debian:13-slim@${digest}\nUSER 1001\nHEALTHCHECK CMD ["true"]\n`,
}
const dirty = {
  'package.json': manifest('4.17.20'),
  'package-lock.json': lockOf('4.17.20', 'AGPL-3.0-only'),
  Dockerfile: 'FROM debian:latest\nUSER root\n',
  'compose.yaml': 'services:\n  web:\n    image: nginx\n    privileged: true\n',
  'settings.ini': `token = ${token}\n`,
}

/** Runs gates and gives what they found. */
async function found(repo: Repository, args: readonly string[], options: Parameters<Repository['dwf']>[1] = {}) {
  const file = join(repo.root, '../report.json')
  rmSync(file, { force: true })
  const ended = await repo.dwf([...args, '--report', `json=${file}`], options)
  const report: JsonReport | undefined = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  const listed = (report?.findings ?? []).map(({ id, severity, package: name, refuses, places }) =>
    [refuses ? 'refuses' : 'passes', severity, id, name ?? '', ...places.map(({ where }) => where.file)].join(' '),
  )
  return { ...ended, report, listed }
}

test('a clean repository passes every layer, and the report names each', async (t) => {
  const repo = repository(t, clean)
  const { code, all, report, listed } = await found(repo, ['scan'])
  assert.equal(code, 0, all)
  assert.deepEqual(listed, [])
  assert.deepEqual(
    report!.layers.map(({ layer, verdict }) => [layer, verdict]),
    ['config', 'deps', 'licenses', 'secrets'].map((layer) => [layer, 'passed']),
  )
})

test('a dirty one is refused by every layer, with exactly these findings', async (t) => {
  const repo = repository(t, dirty)
  const { code, all, listed } = await found(repo, ['scan'])
  assert.equal(code, 1, all)
  assert.deepEqual(listed.filter((line) => !line.startsWith('passes low')).sort(), [
    'passes medium CVE-2020-28500 lodash package-lock.json',
    'passes medium DS-0001  Dockerfile',
    'passes medium DWF-COMPOSE-013  compose.yaml',
    'refuses critical AGPL-3.0-only lodash package-lock.json',
    'refuses critical github-pat  settings.ini',
    'refuses high CVE-2021-23337 lodash package-lock.json',
    'refuses high DS-0002  Dockerfile',
    'refuses high DWF-COMPOSE-001  compose.yaml',
  ])
  assert.doesNotMatch(all, new RegExp(token), 'a finding shows the place, never the secret')
})

/** Made once: an archive of an image with a known package, a token and root, and one without. */
let archives: string
before(() => {
  archives = mkdtempSync(join(tmpdir(), 'dwf-images-'))
  for (const [name, files] of Object.entries({
    dirty: {
      'package.json': '{"name":"lodash","version":"4.17.20","license":"MIT"}',
      'token.txt': `token = "${token}"\n`,
      Dockerfile:
        'FROM localhost/dwf-stand-in/debian:13-slim\nCOPY package.json /opt/app/node_modules/lodash/package.json\nCOPY token.txt /opt/app/token.txt\nUSER 0\n',
    },
    clean: { Dockerfile: 'FROM localhost/dwf-stand-in/debian:13-slim\nUSER 1001\nHEALTHCHECK CMD ["true"]\n' },
  })) {
    const context = join(archives, name)
    mkdirSync(context)
    for (const [path, text] of Object.entries(files)) writeFileSync(join(context, path), text)
    podman('build', '--quiet', `--tag=localhost/dwf-test/${name}:1`, context)
    podman('save', '--quiet', `--output=${join(archives, `${name}.tar`)}`, `localhost/dwf-test/${name}:1`)
  }
})
after(() => rmSync(archives, { recursive: true, force: true }))

const inDirtyImage = [
  'refuses critical github-pat  opt/app/token.txt',
  'refuses high CVE-2021-23337 lodash opt/app/node_modules/lodash/package.json',
  'refuses high DS-0002  image-configuration',
  'passes medium CVE-2020-28500 lodash opt/app/node_modules/lodash/package.json',
  'passes low CVE-2005-2541 tar os-packages',
  'passes low DS-0026  image-configuration',
]

test('an image is the same to the gate as an archive, in the engine and in a registry', async (t) => {
  podman('push', '--quiet', '--tls-verify=false', 'localhost/dwf-test/dirty:1', `${registry}/dwf-test/dirty:1`)
  const names = [join(archives, 'dirty.tar'), 'localhost/dwf-test/dirty:1', `registry:${registry}/dwf-test/dirty:1`]
  for (const name of names) {
    const { code, all, listed, report } = await found(repository(t), ['scan:image', name])
    assert.equal(code, 1, all)
    assert.deepEqual(listed, inDirtyImage, name)
    assert.deepEqual(report!.layers[0]!.subjects, [name.replace('registry:', '')])
  }
  const passed = await found(repository(t), ['scan:image', join(archives, 'clean.tar')])
  assert.equal(passed.code, 0, passed.all)
  assert.deepEqual(passed.listed, ['passes low CVE-2005-2541 tar os-packages'])
})

test('an image that is not there, half an archive and what is no archive are failures', async (t) => {
  const half = join(archives, 'half.tar')
  writeFileSync(half, readFileSync(join(archives, 'dirty.tar')).subarray(0, 5_000_000))
  const text = join(archives, 'text.tar')
  writeFileSync(text, 'no archive\n')
  for (const name of [
    half,
    text,
    '/nowhere/x.tar',
    'localhost/dwf-test/none:1',
    `registry:${registry}/dwf-test/none:1`,
    'registry:--help',
  ]) {
    const { code, all } = await repository(t).dwf(['scan:image', name])
    assert.equal(code, 3, `${name}\n${all}`)
    assert.doesNotMatch(all, /bug of dwf|at \w+ \(/)
  }
})

test('the image that tasks run in is judged, and the same vulnerability in it and in a lock file is one finding', async (t) => {
  const repo = await tasks(t, '[tasks.test]\nrun = "true"\n', { 'package-lock.json': lockOf('4.17.20') })
  writeFileSync(
    join(repo.root, 'Dockerfile.devflow'),
    repo
      .read('Dockerfile.devflow')
      .replace(
        /(\nUSER (?![\s\S]*\nUSER ))/,
        '\nUSER 0\nRUN mkdir -p /opt/a/node_modules/lodash && echo \'{"name":"lodash","version":"4.17.20"}\' > /opt/a/node_modules/lodash/package.json$1',
      ),
  )
  repo.write({ 'devflow.toml': '[tasks.test]\nrun = "true"\n[targets]\npr = ["scan:deps", "scan:image"]\n' })
  const { code, all, report } = await found(repo, ['check:pr'])
  assert.equal(code, 1, all)
  const [lodash] = report!.findings.filter(({ id }) => id === 'CVE-2021-23337')
  assert.deepEqual(
    lodash!.places.map(({ layer, where }) => [layer, where.image ?? 'repository', where.file]),
    [
      ['deps', 'repository', 'package-lock.json'],
      ['image', 'image of tasks', 'opt/a/node_modules/lodash/package.json'],
    ],
  )
  const again = await found(repo, ['scan:image'])
  assert.equal(again.report!.layers[0]!.isCached, true, again.all)
  assert.match(again.all, /as found at .* UTC in the same contents/)
})

test('an image of tasks that hides the packages of its system is not judged', async (t) => {
  const repo = await tasks(t, '[tasks.test]\nrun = "true"\n')
  writeFileSync(
    join(repo.root, 'Dockerfile.devflow'),
    repo
      .read('Dockerfile.devflow')
      .replace(/(\nUSER (?![\s\S]*\nUSER ))/, '\nUSER 0\nRUN rm -rf /var/lib/dpkg/status /var/lib/dpkg/status.d$1'),
  )
  const { code, all, report } = await found(repo, ['scan:image'])
  assert.equal(code, 3, all)
  assert.match(all, /image of tasks: the report has not one package of its system/)
  assert.equal(report!.layers[0]!.verdict, 'broken')
})

test('a gate that was interrupted is broken in every report, and no baseline comes of it', async (t) => {
  const repo = repository(t, dirty)
  const report = join(repo.root, '../report.json')
  const act = (child: { kill: (signal: 'SIGINT') => unknown }) => void child.kill('SIGINT')
  const ended = await repo.dwf(['scan', '-j', '1', '--report', `json=${report}`], {
    when: { says: /▶ scan:config/, act },
  })
  assert.equal(ended.code, 130, ended.all)
  const { layers, ok }: JsonReport = JSON.parse(readFileSync(report, 'utf8'))
  assert.equal(ok, false)
  assert.deepEqual(
    layers.map(({ layer }) => layer),
    ['config', 'deps', 'licenses', 'secrets'],
  )
  assert.deepEqual(
    layers.filter(({ verdict }) => verdict === 'passed'),
    [],
  )
  const baseline = await repo.dwf(['scan', 'baseline', '-j', '1'], { when: { says: /▶ scan:config/, act } })
  assert.equal(baseline.code, 130, baseline.all)
  assert.equal(repo.has('devflow.baseline.json'), false)
})

test('what was found is found again without a scan, and the policy of today judges it', async (t) => {
  const repo = repository(t, dirty)
  assert.equal((await found(repo, ['scan'])).code, 1)
  const again = await found(repo, ['scan'])
  assert.deepEqual(
    again.report!.layers.map(({ isCached }) => isCached),
    [true, true, true, true],
  )
  const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  const ignore = (layer: string, id: string, where: string) =>
    `[[scan.ignore]]\nlayer = "${layer}"\nid = "${id}"\n${where}\nreason = "tests"\nexpires = ${day}\nby = "ada"\n`
  repo.write({
    'devflow.toml':
      ignore('deps', 'CVE-2021-23337', 'package = "lodash@4.17.20"') +
      ignore('config', 'DS-0002', 'path = "Dockerfile"') +
      ignore('config', 'DWF-COMPOSE-001', 'path = "*.yaml"') +
      ignore('secrets', 'github-pat', 'path = "settings.ini"') +
      ignore('licenses', 'AGPL-3.0-only', 'package = "lodash"'),
  })
  const passed = await found(repo, ['scan'])
  assert.equal(passed.code, 0, passed.all)
  const says = passed.report!.findings.find(({ id }) => id === 'CVE-2021-23337')!.places[0]!.says
  assert.equal(says, `ignored by devflow.toml:1 (ada) until ${day}: tests`)
  // A change that no scanner cares about is a change all the same.
  repo.write({ 'other.txt': 'x' })
  assert.deepEqual(
    (await found(repo, ['scan'])).report!.layers.map(({ isCached }) => isCached),
    [false, false, false, false],
  )
})

test('what a task plants changes nothing: no ignore file, no scanner, no baseline', async (t) => {
  const plant = [
    'printf "CVE-2021-23337\\n" > .trivyignore',
    'printf "severity: [LOW]\\n" > trivy.yaml',
    'mkdir -p bin',
    'printf "#!/bin/sh\\nexit 0\\n" > trivy && cp trivy bin/trivy && chmod +x trivy bin/trivy',
  ].join(' && ')
  const targets = '[targets]\nplant = ["test:unit"]\npr = ["scan:deps"]\n'
  const repo = await tasks(t, `${targets}[tasks.test]\nrun = ${JSON.stringify(plant)}\n`, {
    'package-lock.json': lockOf('4.17.20'),
  })
  assert.equal((await repo.dwf(['check:plant'])).code, 0)
  assert.ok(existsSync(join(repo.root, 'bin/trivy')), 'it was planted')
  const path = `${join(repo.root, 'bin')}:${repo.root}:${repo.env.PATH}`
  const { code, listed } = await found(repo, ['check:pr'], { env: { PATH: path } })
  assert.equal(code, 1)
  assert.deepEqual(listed, [
    'refuses high CVE-2021-23337 lodash package-lock.json',
    'passes medium CVE-2020-28500 lodash package-lock.json',
  ])
  // A task may not write the baseline either, whatever it says: the run fails.
  repo.write({ 'devflow.toml': `${targets}[tasks.test]\nrun = "echo {} > devflow.baseline.json"\n` })
  const planted = await repo.dwf(['check:plant'])
  assert.equal(planted.code, 1, planted.all)
  assert.match(planted.all, /devflow\.baseline\.json/)
})

test('honoured, an ignore file and comments count, and each use is said', async (t) => {
  const repo = repository(t, {
    'package-lock.json': lockOf('4.17.20'),
    Dockerfile: 'FROM debian:13\n#trivy:ignore:DS-0002\nUSER root\n',
    'security/.trivyignore': 'CVE-2021-23337\n',
  })
  const unasked = await found(repo, ['scan:all', '-k'])
  assert.equal(unasked.code, 1)
  assert.match(unasked.all, /1 comment with trivy:ignore or tfsec:ignore had no effect/)
  repo.write({ 'devflow.toml': '[scan]\nhonor = ["inline", "security/.trivyignore"]\n' })
  const { code, all, report } = await found(repo, ['scan:all'])
  assert.equal(code, 0, all)
  const lines = report!.layers.flatMap(({ lines }) => lines)
  assert.ok(lines.includes('accepted by security/.trivyignore: 1 finding'), lines.join('\n'))
  assert.ok(lines.includes('accepted by comments in files (inline): 1 finding'), lines.join('\n'))
  repo.write({ 'devflow.toml': '[scan]\nhonor = ["gone/.trivyignore"]\n' })
  const gone = await repo.dwf(['scan:deps'])
  assert.equal(gone.code, 2, gone.all)
  assert.match(gone.all, /\[scan\] honor names gone\/\.trivyignore, which cannot be read/)
})

test('a baseline lets pass what was there, refuses what is new, and is pruned', async (t) => {
  const repo = repository(t, dirty)
  const written = await repo.dwf(['scan', 'baseline'])
  assert.equal(written.code, 0, written.all)
  assert.match(written.stdout, /^devflow\.baseline\.json: 5 entries, 5 new, 0 taken out$/m)
  assert.equal((await repo.dwf(['scan'])).code, 0)
  repo.write({ 'other/Dockerfile': dirty.Dockerfile })
  const { code, listed } = await found(repo, ['scan:config'])
  assert.equal(code, 1)
  assert.deepEqual(
    listed.filter((line) => line.startsWith('refuses')),
    ['refuses high DS-0002  other/Dockerfile'],
  )
  rmSync(join(repo.root, 'settings.ini'))
  const before = repo.read('devflow.baseline.json')
  const stale = await repo.dwf(['scan:secrets', '--verbose'])
  assert.equal(stale.code, 0, stale.all)
  assert.equal(repo.read('devflow.baseline.json'), before, 'a scan writes nothing')
  const pruned = await repo.dwf(['scan', 'baseline', '--prune'])
  assert.match(pruned.stdout, /4 entries, 0 new, 1 taken out/)
})

/** Containers of the runs of this repository. */
function ownContainers(repo: Repository): readonly string[] {
  const runs = readdirSync(join(repo.root, '../state/dwf/runs'))
  return runs
    .flatMap((run) => podman('ps', '--all', '--quiet', `--filter=label=dev.dwf.run=${run}`).split('\n'))
    .filter(Boolean)
}

/** A scanner of code that says what a file of the repository tells it to. */
const scannerOf = (script: string) => ({
  'devflow.toml': `[scan.code.scanners.mine]\nrun = ["sh", "scan.sh"]\n[tasks.test]\nrun = "true"\n`,
  'scan.sh': script,
  'src/app.js': 'eval(input)\n',
})
const sarif = JSON.stringify({
  version: '2.1.0',
  runs: [
    {
      tool: { driver: { name: 'mine', version: '1.0' } },
      results: [
        {
          ruleId: 'no-eval',
          level: 'error',
          message: { text: 'eval of input' },
          locations: [{ physicalLocation: { artifactLocation: { uri: 'src/app.js' }, region: { startLine: 1 } } }],
        },
      ],
    },
  ],
})

async function withScanner(t: TestContext, script: string): Promise<Repository> {
  const files = scannerOf(script)
  return tasks(t, files['devflow.toml'], files)
}

test('a scanner of code runs without network on a read-only copy, and its findings are judged', async (t) => {
  const look = [
    'touch /workspace/x 2>/dev/null && exit 7',
    '[ "$(ls /sys/class/net)" = lo ] || exit 8',
    '[ "$(id -u)" = 1001 ] || exit 9',
    '[ -e .git ] && exit 10',
    `cat > "$DWF_SARIF" <<'X'\n${sarif}\nX\necho talk`,
  ].join('\n')
  const repo = await withScanner(t, `${look}\nexit 1\n`)
  execFileSync('git', ['init', '--quiet'], { cwd: repo.root })
  const { code, all, listed, report } = await found(repo, ['scan:code'])
  assert.equal(code, 1, all)
  assert.deepEqual(listed, ['refuses high no-eval  src/app.js'])
  assert.deepEqual(report!.layers[0]!.scanners, [{ name: 'mine', version: '1.0' }])
  assert.equal((await found(repo, ['scan:code'])).report!.layers[0]!.isCached, true)
})

test('a scanner of code that did not do its work is a failure, never a pass', async (t) => {
  const scripts: Readonly<Record<string, [string, RegExp]>> = {
    'exit 0 and nothing': ['exit 0', /ended with 0 and without a report/],
    'half a report': [`printf '%s' '${sarif.slice(0, 150)}'`, /scan:code@project\s+did not run/],
    'a crash after a whole report': [`printf '%s' '${sarif}'; exit 2`, /failed with exit 2/],
    'a program that is not there': ['exec no-such-scanner', /its program is not in the image/],
    'a report that is none': ['echo all fine', /scan:code@project\s+did not run/],
  }
  const repo = await withScanner(t, 'exit 0')
  for (const [name, [script, said]] of Object.entries(scripts)) {
    repo.write({ 'scan.sh': `${script}\n` })
    const { code, all } = await repo.dwf(['scan:code'])
    assert.equal(code, 3, `${name}\n${all}`)
    assert.match(all, said, name)
  }
  repo.write({
    'scan.sh': 'sleep 60\n',
    'devflow.toml': scannerOf('')['devflow.toml'].replace('\n[tasks', '\ntimeout = "1s"\n[tasks'),
  })
  const slow = await repo.dwf(['scan:code'])
  assert.equal(slow.code, 3, slow.all)
  assert.match(slow.all, /scanner mine was stopped after 1\.0 s/)
  assert.deepEqual(ownContainers(repo), [], 'no container is left')
})

test('the database comes from a mirror; Trivy from its image by digest, without network', async (t) => {
  const cache = mkdtempSync(join(tmpdir(), 'dwf-mirror-'))
  t.after(() => rmSync(cache, { recursive: true, force: true }))
  const env = { DWF_TRIVY_CACHE: join(cache, 'own'), DWF_TRIVY_DB: await pushDatabase(join(world, 'trivy-cache/db')) }
  const repo = repository(t, { 'package-lock.json': lockOf('4.17.20') })
  const absent = await repo.dwf(['scan', 'db', 'status'], { env })
  assert.equal(absent.code, 3, absent.all)
  const updated = await repo.dwf(['scan', 'db', 'update'], { env })
  assert.equal(updated.code, 0, updated.all)
  assert.match(updated.stdout, /^TEST DATABASE/)
  assert.deepEqual(readdirSync(env.DWF_TRIVY_CACHE), ['db'])
  const gone = await repo.dwf(['scan', 'db', 'update'], {
    env: { ...env, DWF_TRIVY_DB: `${registry}/dwf-test/none:2` },
  })
  assert.equal(gone.code, 3, gone.all)
  assert.deepEqual(readdirSync(env.DWF_TRIVY_CACHE), ['db'], 'what was there stays')

  const context = join(cache, 'image')
  mkdirSync(context)
  copyFileSync(join(world, 'bin/trivy'), join(context, 'trivy'))
  chmodSync(join(context, 'trivy'), 0o755)
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM localhost/dwf-stand-in/debian:13-slim\nCOPY trivy /usr/local/bin/trivy\n',
  )
  podman('build', '--quiet', '--tag=localhost/dwf-test/trivy:0.76.0', context)
  const digestFile = join(cache, 'digest')
  const reference = `${registry}/dwf-test/trivy:0.76.0`
  podman(
    'push',
    '--quiet',
    '--tls-verify=false',
    `--digestfile=${digestFile}`,
    'localhost/dwf-test/trivy:0.76.0',
    reference,
  )
  assert.equal((await repo.dwf(['init'])).code, 0)
  const lock = JSON.parse(repo.read('devflow.lock'))
  lock.tools[0].image = `${reference}@${readFileSync(digestFile, 'utf8').trim()}`
  repo.write({ 'devflow.lock': JSON.stringify(lock) })
  const withoutTrivy = { ...env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
  // The image is the repository's choice: it judges nobody before a person trusted it.
  const refused = await repo.dwf(['scan:deps'], { env: withoutTrivy })
  assert.equal(refused.code, 4, refused.all)
  assert.match(refused.all, /be judged by the Trivy in the image 127\.0\.0\.1/)
  assert.equal((await repo.dwf(['trust', '--ci'], { env: { CI: '1' } })).code, 0)
  const inImage = await found(repo, ['scan:deps'], {
    env: withoutTrivy,
  })
  assert.equal(inImage.code, 1, inImage.all)
  assert.deepEqual(inImage.listed, [
    'refuses high CVE-2021-23337 lodash package-lock.json',
    'passes medium CVE-2020-28500 lodash package-lock.json',
  ])
  const image = await found(repo, ['scan:image', join(archives, 'dirty.tar')], {
    env: withoutTrivy,
  })
  assert.deepEqual(image.listed, inDirtyImage, image.all)
  // A digest that the registry does not have is no Trivy.
  lock.tools[0].image = `${reference}@${digest}`
  repo.write({ 'devflow.lock': JSON.stringify(lock) })
  assert.equal((await repo.dwf(['trust', '--ci'], { env: { CI: '1' } })).code, 0)
  const wrong = await repo.dwf(['scan:deps'], { env: withoutTrivy })
  assert.equal(wrong.code, 3, wrong.all)
})

test('the Trivy that devflow.lock names is the only one that judges', async (t) => {
  const repo = repository(t, { 'package-lock.json': lockOf('4.17.21') })
  assert.equal((await repo.dwf(['init'])).code, 0)
  const pinned = await repo.dwf(['pin', 'trivy'])
  assert.equal(pinned.code, 0, pinned.all)
  assert.equal((await repo.dwf(['scan:deps'])).code, 0)
  repo.write({ 'devflow.lock': repo.read('devflow.lock').replace(/(amd64:sha256:)[0-9a-f]{8}/, '$100000000') })
  const { code, all } = await repo.dwf(['scan:deps'])
  assert.equal(code, 3, all)
  assert.match(all, /is not the Trivy that devflow\.lock names/)
})

test('two commits and two images are compared, with what they are made of', async (t) => {
  const repo = repository(t, dirty)
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
      cwd: repo.root,
      stdio: 'pipe',
    })
  git('init', '--quiet')
  git('add', '--all')
  git('commit', '--quiet', '--message=one')
  repo.write(clean)
  for (const name of ['settings.ini', 'compose.yaml']) rmSync(join(repo.root, name))
  git('add', '--all')
  git('commit', '--quiet', '--message=two')
  const commits = await repo.dwf(['scan', 'diff', 'HEAD~1', 'HEAD'])
  assert.equal(commits.code, 0, commits.all)
  assert.match(commits.stdout, /CVE-2021-23337 lodash/)
  assert.match(commits.stdout, /lodash 4\.17\.20 → 4\.17\.21/)
  assert.match(commits.stdout, /^findings: 0 new, \d+ fixed/m)
  // A scanner that the repository brings is not run for a copy of it either.
  const mark = join(repo.root, '../it-ran')
  repo.write({ 'node_modules/.bin/trivy': `#!/bin/sh\n: > ${mark}\nexit 1\n` })
  chmodSync(join(repo.root, 'node_modules/.bin/trivy'), 0o755)
  const PATH = `${join(repo.root, 'node_modules/.bin')}:${repo.env.PATH}`
  for (const args of [['scan', 'diff', 'HEAD~1', 'HEAD'], ['scan', 'sbom'], ['scan', 'db', 'status'], ['doctor']])
    await repo.dwf(args, { env: { PATH } })
  mkdirSync(join(repo.root, 'sub'))
  await repo.dwf(['doctor'], { env: { PATH }, cwd: join(repo.root, 'sub') })
  assert.equal(existsSync(mark), false)
  const images = await repo.dwf(['scan', 'diff', join(archives, 'clean.tar'), join(archives, 'dirty.tar')])
  assert.match(images.stdout, /^components: 1 added, 0 removed/m, images.all)
  const none = await repo.dwf(['scan', 'diff', 'HEAD', '--json', 'no-such-thing'])
  assert.equal(none.code, 3, none.all)
})

test('the bill of materials fits its schema, and Trivy finds in it what it finds in the thing itself', async (t) => {
  const repo = repository(t, dirty)
  const read = async (args: readonly string[]) => {
    const { code, stdout, all } = await repo.dwf(['scan', 'sbom', ...args])
    assert.equal(code, 0, all)
    return stdout
  }
  for (const [name, args] of Object.entries({ repository: [], image: [join(archives, 'dirty.tar')] })) {
    for (const [format, schema] of [
      ['cyclonedx', 'cyclonedx-1.7'],
      ['spdx', 'spdx-2.3'],
    ] as const) {
      const text = await read([...args, '--format', format])
      assert.deepEqual(problemsOf(schema, JSON.parse(text)), [], `${name} ${format}`)
      const file = join(repo.root, `../${name}.${format}.json`)
      writeFileSync(file, text)
      const cache = mkdtempSync(join(tmpdir(), 'dwf-sbom-'))
      t.after(() => rmSync(cache, { recursive: true, force: true }))
      symlinkSync(join(world, 'trivy-cache/db'), join(cache, 'db'))
      const skips = ['--skip-db-update', '--skip-java-db-update', '--offline-scan', '--skip-version-check']
      const seen = execFileSync(
        join(world, 'bin/trivy'),
        ['sbom', '--quiet', '--format', 'json', '--cache-dir', cache, ...skips, file],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
      )
      assert.match(seen, /"CVE-2021-23337"/, `${name} ${format}`)
      if (name === 'image') assert.match(seen, /"CVE-2005-2541"/, format)
    }
  }
  const wrong = await repo.dwf(['scan', 'sbom', '--format', 'xml'])
  assert.equal(wrong.code, 2)
})

test('a VEX document of the repository acquits what it names, by the package that Trivy tells, and says so', async (t) => {
  const statement = (products: readonly object[]) =>
    JSON.stringify({
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': 'https://shop.example/vex/1',
      author: 'Shop Security',
      timestamp: '2026-01-01T00:00:00Z',
      version: 1,
      statements: [
        {
          vulnerability: { name: 'CVE-2021-23337' },
          products,
          status: 'not_affected',
          justification: 'vulnerable_code_not_in_execute_path',
        },
      ],
    })
  const repo = repository(t, {
    'package-lock.json': lockOf('4.17.20'),
    'devflow.toml': '[scan]\nvex = ["vex/shop.json"]\n',
    'vex/shop.json': statement([{ '@id': 'pkg:npm/lodash@4.17.20' }]),
  })
  const { code, all, report } = await found(repo, ['scan:deps'])
  assert.equal(code, 0, all)
  const finding = report!.findings.find(({ id }) => id === 'CVE-2021-23337')!
  assert.deepEqual(finding.places[0]!.rule, {
    kind: 'vex',
    source: 'vex/shop.json, statement 1',
    status: 'not_affected',
    reason: 'vulnerable_code_not_in_execute_path',
    by: 'Shop Security',
  })
  for (const products of [[], [{ '@id': 'pkg:npm/lodash@4.17.19' }], [{ '@id': 'pkg:npm/minimist' }]]) {
    repo.write({ 'vex/shop.json': statement(products) })
    assert.equal((await found(repo, ['scan:deps'])).code, 1, JSON.stringify(products))
  }
})
