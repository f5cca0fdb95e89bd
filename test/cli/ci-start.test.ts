import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { committed, count, type Files, type Pull, prepared, pull, shop, treeOf } from './ci-rig.ts'

const image = 'scan:image@project'
const config = (scan: string, targets = 'pr = ["lint", "test", "scan:config", "scan:secrets"]') =>
  `[project]\nname = "shop"\nstack = ["node"]\n[targets]\n${targets}\n${scan}`

async function refuses(
  repo: Pick<Pull, 'run' | 'outside'>,
  words: string | readonly string[],
  status: number,
  said: RegExp,
) {
  const before = treeOf(repo.outside)
  const ran = await repo.run(words)
  assert.equal(ran.status, status, `${words}\n${ran.stdout}${ran.stderr}`)
  assert.match(ran.stderr, said)
  assert.doesNotMatch(ran.stderr, /bug of dwf/)
  assert.deepEqual(treeOf(repo.outside), before, String(words))
}

const ids = ({ started }: Pull) => started().tasks.map(({ id }) => id)

async function ok(ran: ReturnType<Pull['start']>) {
  const { status, stdout, stderr } = await ran
  assert.equal(status, 0, stdout + stderr)
  return { stdout, stderr }
}

test('the policy is what the base names, from the base, whatever the change makes of it', async (t) => {
  const scan = `
[scan]
vex = ["policy/./vex.json", "devflow.lock"]
honor = ["sub/.trivyignore", ".semgrepignore"]
[scan.code.scanners.semgrep]
rules = "./policy//rules/."
`
  const files = {
    'policy/vex.json': '{"@context": "https://openvex.dev/ns/v0.2.0", "statements": []}\n',
    'policy/rules/a.yaml': 'rules: []\n',
    'policy/rules/deep/b.yaml': 'rules: [b]\r\n',
    'sub/.trivyignore': 'CVE-1\n',
    '.semgrepignore': 'vendored\n',
    'devflow.baseline.json': '{"schema":"dwf.baseline/1","since":"2026-01-01","entries":[]}\n',
    'devflow.toml': config(scan),
  }
  const others = { 'policy/notes.md': 'x', 'sub/devflow.toml': 'x', 'src/index.js': 'x' }
  const gone = Object.fromEntries(Object.keys(files).map((path) => [path, undefined]))
  const changed = Object.fromEntries(Object.entries(files).map(([path, text]) => [path, `${text}\n`]))
  const changes: readonly Files[] = [
    { 'README.md': 'x' },
    gone,
    { ...changed, 'policy/rules/c.yaml': 'x', 'devflow.toml': config('') },
  ]
  for (const change of changes) {
    const one = await pull(t, { ...files, ...others }, change)
    const lock = one.read('devflow.lock')
    await ok(one.start())
    assert.deepEqual(
      Object.fromEntries(Object.entries(treeOf(join(one.out, 'policy'))).filter(([, text]) => text !== 'folder')),
      Object.fromEntries(Object.entries({ ...files, 'devflow.lock': lock }).sort(([a], [b]) => (a < b ? -1 : 1))),
    )
    assert.deepEqual(readdirSync(one.out).sort(), ['policy', 'start.json'])
  }
})

test('what a change takes out of a target is run all the same, and so is what it adds', async (t) => {
  const change = {
    'devflow.toml': `${config('', 'pr = ["test", "test:more"]\nmine = ["scan:licenses"]')}[tasks."test:more"]\nrun = "true"\n`,
  }
  const one = await pull(t, { 'devflow.toml': config('') }, change)
  await ok(one.start())
  const tasks = ids(one).filter((id) => !id.startsWith('setup:'))
  assert.deepEqual(tasks.sort(), [
    'lint:static@node',
    'scan:config@project',
    'scan:secrets@project',
    'test:more@project',
    'test:unit@node',
  ])
  assert.deepEqual(one.started().loosened, [
    'takes lint:static out of the target pr',
    'takes scan:config out of the target pr',
    'takes scan:secrets out of the target pr',
  ])
  // Without [targets] the usual gates are held to as well.
  const bare = await pull(t, { 'devflow.toml': config('', '') }, { 'devflow.toml': config('', 'pr = ["test"]') })
  await ok(bare.start())
  for (const layer of ['deps', 'config', 'secrets']) assert.ok(ids(bare).includes(`scan:${layer}@project`), layer)
})

test('a looser policy makes the same plan as none, and a target of the change alone can be asked for', async (t) => {
  const loose = '[scan]\nseverity = "critical"\nfix_only = true\nhonor = ["inline", "suppressions"]\n'
  const strict = config(
    '[scan]\nseverity = "low"\n',
    'pr = ["test", "scan:config"]\nmain = ["check:pr", "scan:licenses"]',
  )
  const [without, looser] = [
    await pull(t, { 'devflow.toml': strict }, { 'README.md': 'x' }),
    await pull(t, { 'devflow.toml': strict }, { 'devflow.toml': config(loose, 'pr = ["test"]') }),
  ]
  const { stdout } = await ok(without.start())
  await ok(looser.start())
  assert.equal(looser.started().plan, without.started().plan)
  assert.match(stdout, new RegExp(`^plan ${without.started().plan.slice(0, 12)}: check:pr in node, scan$`, 'm'))
  const own = JSON.parse((await looser.ok('plan check:pr --json')).stdout)
  assert.notEqual(own.hash, without.started().plan)
  const main = await looser.run('ci:start --target main --base HEAD^1 --out ../main')
  assert.equal(main.status, 0, main.stderr)
  assert.ok(readFileSync(join(looser.outside, 'main/start.json'), 'utf8').includes('scan:licenses@project'))
})

test('every way to loosen the policy is told: at its line, in the summaries and to the gate', async (t) => {
  const base = `
[scan]
severity = "medium"
vex = ["vex.json"]
[scan.image]
severity = "low"
[scan.licenses]
allow = ["MIT"]
deny = ["GPL-3.0-only", "SSPL-1.0"]
unknown = "refuse"
[scan.code.scanners.mine]
run = "scan"
rules = "rules"
[scan.code.scanners.other]
run = "scan"
`
  const change = `
[scan]
severity = "critical"
fix_only = true
vex = ["vex.json", "more.json"]
honor = [".trivyignore", ".semgrepignore", "inline", "suppressions"]
[[scan.ignore]]
layer = "deps"
id = "CVE-2026-1"
package = "*"
reason = "%0A::error::x <img src=x>"
expires = 2030-01-01
[scan.image]
severity = "high"
[scan.licenses]
allow = ["MIT", "WTFPL"]
deny = ["SSPL-1.0"]
[scan.code.scanners.mine]
run = "true"
rules = "rules"
[tasks."test:e2e"]
run = "true"
secrets = ["TOKEN"]
network = "egress"
`
  const vex = '{"@context": "https://openvex.dev/ns/v0.2.0", "statements": []}'
  const one = await pull(
    t,
    { 'devflow.toml': config(base), 'vex.json': vex, 'rules/a.yaml': 'a', 'rules/b.yaml': 'b' },
    {
      'devflow.toml': config(change, 'pr = ["lint", "test", "scan:config"]'),
      'vex.json': `${vex}\n`,
      'more.json': vex,
      '.trivyignore': '',
      '.semgrepignore': '',
      'rules/a.yaml': undefined,
      'rules/b.yaml': 'c',
      'rules/c.yaml': 'new',
      'devflow.baseline.json': JSON.stringify({
        schema: 'dwf.baseline/1',
        entries: [{ fingerprint: 'f'.repeat(32), layer: 'config', id: 'x', where: 'x', since: '2026-01-01' }],
      }),
    },
  )
  const bundle = { ...one.lock().bundle!, version: '9.9.9' }
  one.setLock({
    dwf: '9.9.9',
    bundle,
    tools: one.lock().tools.map((tool) => ({ ...tool, minimum: '0.1.0', denied: [] })),
  })
  const summary = join(one.outside, 'summary.md')
  const { stderr } = await ok(one.start('', { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: summary }))
  const { loosened } = one.started()
  const lineOf = (text: string) =>
    one
      .read('devflow.toml')
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1
  const places: readonly (readonly [says: string, file: string, line?: number])[] = [
    ['takes scan:secrets out of the target pr', 'devflow.toml', lineOf('pr = [')],
    ...['deps', 'config', 'secrets', 'code'].map(
      (layer) =>
        [
          `lets scan:${layer} pass below critical, before it was below medium`,
          'devflow.toml',
          lineOf('severity = "critical"'),
        ] as const,
    ),
    ['lets scan:image pass below high, before it was below low', 'devflow.toml', lineOf('severity = "high"')],
    ['lets scan:deps pass what has no fix', 'devflow.toml', lineOf('fix_only')],
    ['accepts CVE-2026-1 until 2030-01-01: %0A::error::x <img src=x>', 'devflow.toml', lineOf('[[scan.ignore]]')],
    ['lets more.json accept findings', 'devflow.toml', lineOf('vex = [')],
    ...['.trivyignore', '.semgrepignore', 'comments in configuration', 'suppressions in SARIF'].map(
      (what) => [`lets ${what} accept findings`, 'devflow.toml', lineOf('honor = [')] as const,
    ),
    ['changes the scanner mine', 'devflow.toml', lineOf('[scan.code.scanners.mine]')],
    ['takes out the scanner other', 'devflow.toml', lineOf('[scan.code.scanners.mine]')],
    ['no longer denies the licence GPL-3.0-only', 'devflow.toml', lineOf('deny = [')],
    ['accepts WTFPL', 'devflow.toml', lineOf('allow = [')],
    ['lets packages pass whose licence nobody tells', 'devflow.toml'],
    ['adds 1 finding to the baseline', 'devflow.baseline.json'],
    ['changes vex.json, which accepts findings', 'vex.json'],
    ['changes rules/a.yaml, by which the scanner mine goes', 'rules/a.yaml'],
    ['changes rules/b.yaml, by which the scanner mine goes', 'rules/b.yaml'],
    ['changes the pin of trivy', 'devflow.lock'],
    ['asks to give the secret TOKEN to test:e2e', 'devflow.toml', lineOf('secrets = [')],
    ['asks to give outbound network to test:e2e', 'devflow.toml', lineOf('network = "egress"')],
  ]
  const text = readFileSync(summary, 'utf8')
  const annotations = stderr.split('\n').filter((line) => line.startsWith('::warning '))
  for (const [says, file, line] of places) {
    assert.ok(
      loosened.some((one) => one.startsWith(says)),
      `${says}\n${loosened.join('\n')}`,
    )
    const escaped = says.replaceAll('%', '%25')
    const found = annotations.find((one) => one.includes(`::this change ${escaped}`))
    assert.ok(found, `${says}\n${annotations.join('\n')}`)
    assert.ok(found.includes(`file=${file}`), found)
    if (line) assert.ok(found.includes(`,line=${line}`), `${line} ${found}`)
  }
  assert.ok(loosened.some((one) => one.startsWith('moves dwf from ')))
  assert.equal(annotations.length, loosened.length)
  assert.equal(count(text, '- this change '), loosened.length)
  assert.doesNotMatch(text, /<img/)
  assert.doesNotMatch(stderr, /^::error/m)
  const gated = await one.run('ci:gate --from ../out', { NEEDS: '{}', GITHUB_STEP_SUMMARY: `${summary}2` })
  assert.equal(gated.status, 1)
  const atGate = readFileSync(`${summary}2`, 'utf8')
  assert.equal(count(atGate, '- this change '), loosened.length)
  assert.match(atGate, /### Loosens the policy, once it is merged/)
  // A change that loosens nothing says nothing.
  const quiet = await pull(t, { 'devflow.toml': config(base), 'vex.json': vex }, { 'README.md': 'x' })
  const said = await ok(quiet.start('', { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: `${summary}3` }))
  assert.doesNotMatch(said.stderr, /^::/m)
  assert.ok(!existsSync(`${summary}3`))
})

test('where the base has no policy the own one counts, and that is said', async (t) => {
  for (const gone of [['devflow.toml'], ['devflow.toml', 'devflow.lock', 'devflow.baseline.json']]) {
    const own = {
      'devflow.toml': config('[scan]\nseverity = "low"\n'),
      'devflow.lock': String((await prepared(t)).read('devflow.lock')),
    }
    const before = { 'devflow.baseline.json': '{"schema":"dwf.baseline/1","since":"2026-01-01","entries":[]}' }
    const one = await pull(t, { ...before, ...Object.fromEntries(gone.map((path) => [path, undefined])) }, own)
    const { stderr } = await ok(one.start())
    assert.match(
      stderr,
      /^warning: the base has no devflow\.toml: this change brings the policy that it is judged by$/m,
    )
    assert.equal(readFileSync(join(one.out, 'policy/devflow.toml'), 'utf8'), own['devflow.toml'])
    assert.deepEqual(one.started().loosened, [])
  }
  const none = await pull(t, { 'devflow.toml': undefined }, { 'README.md': 'x' })
  await ok(none.start())
  assert.deepEqual(readdirSync(none.out), ['start.json'])
})

test('rules that lie everywhere are refused: what a change took away of them could not be told', async (t) => {
  for (const rules of ['.', './', './.']) {
    const scan = `[scan.code.scanners.semgrep]\nrules = "${rules}"\n`
    const one = await pull(t, { 'devflow.toml': config(scan) }, { 'README.md': 'x' })
    const { status, stderr } = await one.start()
    assert.equal(status, 2)
    assert.match(stderr, /has the whole repository as its rules: a change could take them away/)
  }
})

test('plan and policy lie outside of the repository, and nothing is overwritten', async (t) => {
  const one = await pull(t, {}, { 'README.md': 'x' })
  symlinkSync(one.root, join(one.outside, 'link'))
  mkdirSync(join(one.root, 'inside'))
  symlinkSync(join(one.root, 'inside'), join(one.outside, 'door'))
  const start = 'ci:start --target pr --base HEAD^1'
  for (const out of ['.', './x/y', '..out', '../repo/x', join(one.root, 'z'), '../link/x', '../door', '../door/x/y'])
    await refuses(
      one,
      [...start.split(' '), '--out', out],
      2,
      /lies in the repository\n {2}name a folder outside of it/,
    )
  await refuses(one, ['-C', join(one.outside, 'link'), ...start.split(' '), '--out', 'x'], 2, /lies in the repository/)
  await refuses(one, start, 2, /ci:start needs --out FOLDER/)
  await ok(one.start())
  await refuses(one, `${start} --out ../out`, 4, /there is a plan in .*\/out already/)
  rmSync(join(one.out, 'start.json'))
  await refuses(one, `${start} --out ../out`, 4, /there is a plan in .*\/out already/)
})

test('no word for a commit or a target is ever more than a name', async (t) => {
  const one = await pull(t, {}, { 'README.md': 'x' })
  const evil = [
    '--help',
    '--upload-pack=touch pwned',
    'HEAD; touch pwned',
    '$(touch pwned)',
    '`id`',
    'HEAD^{tree}',
    'HEAD:package.json',
    '-h',
    'nothing',
    '',
    '\n',
    '0'.repeat(40),
  ]
  mkdirSync(join(one.outside, 'evil'))
  for (const word of evil) {
    await refuses(one, ['ci:start', '--target', 'pr', '--base', word, '--out', '../evil'], 2, /git knows no commit /)
    await refuses(one, ['ci:start', '--target', word, '--base', 'HEAD', '--out', '../evil'], 2, /is no target of CI/)
  }
  await refuses(one, 'ci:start --target man --out ../evil', 2, /is no target of CI\n {2}did you mean "main"\?/)
  await refuses(one, 'ci:start --out ../evil', 2, /ci:start needs --target\n {2}targets: pr, main, nightly, release/)
  for (const [index, word] of evil.entries()) {
    const { status, stderr } = await one.run([
      'ci:start',
      '--target',
      'main',
      '--base',
      'HEAD',
      '--before',
      word,
      '--out',
      `../before${index}`,
    ])
    assert.equal(status, 0, `${word} ${stderr}`)
  }
  assert.ok(!existsSync(join(one.root, 'pwned')) && !existsSync(join(one.outside, 'pwned')))
})

test('a project below the top has no policy in git, and is not judged by that of another', async (t) => {
  const one = await pull(t, { 'sub/devflow.toml': config('[scan]\nseverity = "low"\n') }, { 'README.md': 'x' })
  await refuses(
    one,
    'ci:start -C sub --target pr --base HEAD^1 --out ../../out',
    2,
    /repo\/sub is not the top of a git repository/,
  )
})

test('the image is looked at when what decides about it has changed, and not otherwise', async (t) => {
  const before = { '.nvmrc': '24\n', 'rust-toolchain.toml': '[toolchain]\nchannel = "1.90.0"\n', 'sub/README.md': 'x' }
  const deciding: readonly Files[] = [
    { 'Dockerfile.devflow': 'FROM scratch\n' },
    { 'package.json': String(shop['package.json']).replace('"true"', '"false"') },
    { 'package-lock.json': `${shop['package-lock.json']}\n` },
    { '.nvmrc': '# newest\n24\n' },
    { '.nvmrc': undefined },
    { '.dockerignore': '' },
  ]
  const repo = await committed(t, before)
  let number = 0
  const hasImage = async (change: Files) => {
    repo.write(change)
    repo.commit()
    const out = `../out${++number}`
    const { status, stderr } = await repo.run(`ci:start --target pr --base HEAD^1 --out ${out}`)
    assert.equal(status, 0, stderr)
    repo.git('reset', '--quiet', '--hard', 'HEAD^1')
    const { tasks } = JSON.parse(readFileSync(join(repo.root, out, 'start.json'), 'utf8')) as ReturnType<
      Pull['started']
    >
    return tasks.some(({ id, part }) => id === image && part === 'scan-image')
  }
  for (const change of deciding) assert.ok(await hasImage(change), JSON.stringify(change))
  repo.setLock({ epoch: '2026-01-01' })
  assert.ok(await hasImage({}))
  const others: readonly Files[] = [
    { 'README.md': 'x' },
    { 'sub/README.md': undefined },
    { 'rust-toolchain.toml': undefined },
    { 'src/package.json.md': 'x', 'devflow.toml': config('') },
  ]
  for (const change of others) assert.ok(!(await hasImage(change)), JSON.stringify(change))
})

test('a file that the image takes in counts as well, whatever its name is', async (t) => {
  const one = await pull(t, { 'tools/x.sh': 'true\n' }, { 'tools/x.sh': 'false\n' })
  await ok(one.start())
  assert.ok(!ids(one).includes(image))
  const copying = await prepared(t)
  const dockerfile = `${copying.read('Dockerfile.devflow')}\nCOPY tools /opt/tools\n`
  const two = await pull(t, { 'tools/x.sh': 'true\n', 'Dockerfile.devflow': dockerfile }, { 'tools/x.sh': 'false\n' })
  await ok(two.start())
  assert.ok(ids(two).includes(image))
  const named = `${config('')}[container]\nfingerprint_inputs = ["tools/*"]\n`
  const three = await pull(t, { 'tools/x.sh': 'true\n', 'devflow.toml': named }, { 'tools/x.sh': 'false\n' })
  await ok(three.start())
  assert.ok(ids(three).includes(image))
})

test('of a change all of it counts, and of a push what came since: what is not known has changed', async (t) => {
  const one = await pull(t, {}, { 'Dockerfile.devflow': 'FROM scratch\n' })
  // The second push to a pull request: GitHub says what its branch was at before.
  one.git('checkout', '--quiet', 'change')
  one.write({ 'README.md': 'x' })
  const second = one.commit()
  one.git('checkout', '--quiet', '--detach', 'main')
  one.git('merge', '--quiet', '--no-ff', '--no-edit', second)
  await ok(one.start(`--before ${one.head}`))
  assert.ok(ids(one).includes(image), 'the change before the last push is a part of the pull request')
  const repo = await committed(t)
  const first = repo.base
  repo.write({ 'README.md': 'x' })
  repo.commit()
  const hasImage = async (before: readonly string[], name: string) => {
    const words = ['ci:start', '--target', 'main', '--base', 'HEAD', ...before, '--out', `../${name}`]
    const { status, stderr } = await repo.run(words)
    assert.equal(status, 0, stderr)
    return readFileSync(join(repo.outside, name, 'start.json'), 'utf8').includes(image)
  }
  assert.equal(await hasImage(['--before', first], 'known'), false)
  assert.equal(await hasImage(['--before', '0'.repeat(40)], 'new'), true)
  assert.equal(await hasImage(['--before', ''], 'empty'), true)
  assert.equal(await hasImage([], 'none'), true)
  assert.equal(await hasImage(['--before', 'a'.repeat(40)], 'gone'), true)
  const nightly = await repo.run('ci:start --target nightly --out ../nightly')
  assert.equal(nightly.status, 0)
  assert.ok(readFileSync(join(repo.outside, 'nightly/start.json'), 'utf8').includes(image))
})

test('the dwf of the base is asked for: another version is wrong input', async (t) => {
  const made = await prepared(t)
  const lock = made.read('devflow.lock')
  made.setLock({ dwf: '9.9.9', bundle: { ...made.lock().bundle!, version: '9.9.9' } })
  const other = made.read('devflow.lock')
  const one = await pull(t, { 'devflow.lock': other }, { 'devflow.lock': lock })
  const { status, stderr } = await one.start()
  assert.equal(status, 2)
  assert.match(stderr, /devflow\.lock names dwf 9\.9\.9/)
  rmSync(one.out, { recursive: true })
  await ok(one.start('--any-version'))
  // What the change says of it counts once it is merged.
  const later = await pull(t, {}, { 'devflow.lock': other })
  await ok(later.start())
})

test('a change after which nothing could be judged is refused while something still judges', async (t) => {
  const made = await prepared(t)
  const { path } = made.lock().bundle!
  made.setLock({ dwf: '9.9.9' })
  const cases: readonly (readonly [Files, RegExp])[] = [
    [{ [path]: 'x' }, /is not the dwf that devflow\.lock names/],
    [{ [path]: undefined }, /is not there that devflow\.lock names/],
    [{ 'devflow.lock': made.read('devflow.lock') }, /devflow\.lock names dwf 9\.9\.9, and .* is dwf /],
    [
      { 'devflow.toml': config('[scan.code.scanners.semgrep]\nrules = "."\n') },
      /has the whole repository as its rules/,
    ],
  ]
  for (const [change, said] of cases) {
    const { status, stderr } = await (await pull(t, {}, change)).start()
    assert.equal(status, 2, stderr)
    assert.match(stderr, said)
  }
})

test('an output of a step is one line each, and --json is the plan that was written', async (t) => {
  const long = `e${'2.e-_E'.repeat(40)}`
  const toml = `[targets]\npr = ["test:unit", "test:${long}", "scan:config"]\n[tasks."test:${long}"]\nrun = "a\\nb"\nsecrets = ["A"]\n`
  const one = await pull(t, { 'devflow.toml': toml }, { 'README.md': 'x' })
  const outputs = join(one.outside, 'outputs')
  const { stdout } = await ok(one.start('--json', { GITHUB_OUTPUT: outputs }))
  assert.deepEqual(JSON.parse(stdout), one.started())
  assert.equal(JSON.parse(stdout).schema, 'dwf.ci/1')
  const lines = readFileSync(outputs, 'utf8').split('\n')
  assert.equal(lines.length, 2)
  assert.equal(lines[1], '')
  const parts = JSON.parse(/^parts=(.*)$/.exec(lines[0]!)![1]!)
  assert.deepEqual([...new Set(one.started().tasks.map(({ part }) => part))].sort(), [...parts].sort())
})
