import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ToolPin } from '../../src/pins/index.ts'
import type { Finding } from '../../src/scan/index.ts'
import { fakeTrivy } from '../scan/rig.ts'
import { type Files, type Pull, prepared, pull } from './ci-rig.ts'

const head = '[project]\nname = "shop"\nstack = ["node"]\n[targets]\npr = ["test", "scan:config"]\n'
const finding = (id: string, line: number) =>
  `{ ID: '${id}', Title: 'x', Severity: 'HIGH', Status: 'FAIL', CauseMetadata: { StartLine: ${line} } }`

/** Finds two things in every Dockerfile.devflow. */
const scan = `report([{ Target: 'Dockerfile.devflow', Class: 'config', Type: 'dockerfile', Misconfigurations: [${finding('DS-0002', 1)}, ${finding('DS-0003', 2)}] }])`

/** A change before the job that runs its gates, with a Trivy of the test. */
async function judged(t: TestContext, before: Files, change: Files) {
  const one = await pull(t, { 'devflow.toml': head, ...before }, change)
  const env = { CI: 'true', DWF_TRIVY: fakeTrivy(join(one.outside, 'bin'), { scan }).path }
  const run = (words: string | readonly string[], more = {}) => one.run(words, { ...env, ...more })
  const begin = async (words = '') => {
    const { status, stderr } = await one.start(words)
    assert.equal(status, 0, stderr)
  }
  return { ...one, run, begin }
}

const soon = new Date(Date.now() + 100 * 86_400_000).toISOString().slice(0, 10)

/** The lines of a base that accept one of the two findings, each in its way. */
const ignore = `
[[scan.ignore]]
layer = "config"
rule = "DS-0002"
path = "**"
reason = "known"
expires = ${soon}
`

/** A baseline that accepts both findings. */
async function baselineOf(t: TestContext): Promise<string> {
  const one = await judged(t, {}, {})
  await one.run('scan:config --report json=../report.json')
  const { layers } = JSON.parse(readFileSync(join(one.outside, 'report.json'), 'utf8'))
  const entries = layers[0].decisions.map(({ finding: { fingerprint, layer, id } }: { finding: Finding }) => ({
    ...{ fingerprint, layer, id, where: 'Dockerfile.devflow', since: '2026-01-01' },
  }))
  assert.equal(entries.length, 2)
  return JSON.stringify({ schema: 'dwf.baseline/1', since: '2026-01-01', entries })
}

test('what a change accepts is refused before it is merged, and would pass after', async (t) => {
  const trivyignore = 'DS-0002\nDS-0003\n'
  const both = ignore + ignore.replace('DS-0002', 'DS-0003')
  const baseline = await baselineOf(t)
  const changes: readonly Files[] = [
    { 'devflow.baseline.json': baseline },
    { 'devflow.toml': head + both },
    { 'devflow.toml': `${head}[scan]\nhonor = [".trivyignore"]\n`, '.trivyignore': trivyignore },
    { 'devflow.toml': `${head}[scan]\nseverity = "critical"\n` },
    { 'devflow.toml': `${head}[scan.config]\nseverity = "critical"\n` },
    { 'devflow.toml': head.replace(', "scan:config"', '') },
  ]
  for (const change of changes) {
    const one = await judged(t, {}, change)
    const name = JSON.stringify(change).slice(0, 200)
    await one.begin()
    const { status, stdout, stderr } = await one.run('ci:run scan --from ../out')
    assert.equal(status, 1, `${name}\n${stdout}${stderr}`)
    assert.match(stdout, /2 findings/)
    if (!change['devflow.toml']?.includes('"test"]')) {
      const merged = await one.run('scan:config')
      assert.equal(merged.status, 0, `${name}\n${merged.stdout}`)
    }
  }
})

test('what the base accepts is accepted, also where the change has taken it away', async (t) => {
  const trivyignore = 'DS-0002\nDS-0003\n'
  const ways: readonly Files[] = [
    { 'devflow.baseline.json': await baselineOf(t) },
    { 'devflow.toml': head + ignore + ignore.replace('DS-0002', 'DS-0003') },
    { 'devflow.toml': `${head}[scan]\nhonor = ["policy/.trivyignore"]\n`, 'policy/.trivyignore': trivyignore },
  ]
  for (const way of ways) {
    const gone = Object.fromEntries(Object.keys(way).map((path) => [path, path === 'devflow.toml' ? head : undefined]))
    const one = await judged(t, way, gone)
    await one.begin()
    const { status, stdout, stderr } = await one.run('ci:run scan --from ../out')
    assert.equal(status, 0, stdout + stderr)
    assert.equal((await one.run('scan:config')).status, 1)
  }
})

test('an ignore of the base is shown where the base has it', async (t) => {
  const one = await judged(t, { 'devflow.toml': head + ignore }, { 'devflow.toml': `# A line more.\n${head}${ignore}` })
  await one.begin()
  const report = join(one.outside, 'report.json')
  const { status } = await one.run(`ci:run scan --from ../out --report json=${report}`)
  assert.equal(status, 1)
  const line = (head + ignore).split('\n').indexOf('[[scan.ignore]]') + 1
  assert.match(
    readFileSync(report, 'utf8'),
    new RegExp(`devflow\\.toml:${line}\\b|"file":\\s*"devflow.toml",\\s*"line":\\s*${line}\\b`),
  )
})

test('the Trivy that judges is one that the lock of the base allows', async (t) => {
  const { tools } = (await prepared(t)).lock()
  const shipped = tools.find(({ name }) => name === 'trivy')!
  const strict: readonly Partial<ToolPin>[] = [
    { minimum: '99.0.0' },
    { denied: [...shipped.denied, '0.76.0'] },
    { checksums: [`linux/amd64:sha256:${'a'.repeat(64)}`, `linux/arm64:sha256:${'a'.repeat(64)}`] },
  ]
  const lockWith = async (pin: Partial<ToolPin>) => {
    const made = await prepared(t)
    made.setLock({ tools: [{ ...shipped, ...pin }] })
    return made.read('devflow.lock')
  }
  const plain = await lockWith({})
  for (const pin of strict) {
    const one = await judged(t, { 'devflow.lock': await lockWith(pin) }, { 'devflow.lock': plain })
    await one.begin()
    const { status, stdout, stderr } = await one.run('ci:run scan --from ../out')
    assert.equal(status, 3, `${JSON.stringify(pin)}\n${stdout}${stderr}`)
    assert.deepEqual(one.started().loosened, ['changes the pin of trivy'])
    // By the lock of the change it would judge.
    assert.equal((await one.run('scan:config')).status, 1)
  }
  // What a change makes stricter counts once it is merged.
  const stricter = await judged(t, {}, { 'devflow.lock': await lockWith(Object.assign({}, ...strict)) })
  await stricter.begin()
  assert.equal((await stricter.run('ci:run scan --from ../out')).status, 1)
  const other = await lockWith({ image: `docker.io/evil/trivy:0.75.0@sha256:${'b'.repeat(64)}` })
  const judge = await judged(t, {}, { 'devflow.lock': other })
  await judge.begin()
  const byBase = await judge.run('ci:run scan --from ../out')
  assert.equal(byBase.status, 1, byBase.stderr)
  assert.doesNotMatch(byBase.stderr, /not trusted/)
  assert.equal((await judge.run('scan:config')).status, 4)
  // And of the base it has to be approved, whatever the change says.
  const approved = await judged(t, { 'devflow.lock': other }, { 'devflow.lock': plain })
  await approved.begin()
  assert.equal((await approved.run('ci:run scan --from ../out')).status, 4)
  assert.equal((await approved.run('trust --ci --from ../out')).status, 0)
  assert.equal((await approved.run('ci:run scan --from ../out')).status, 1)
})

test('on a runner what the base asks for is approved, and what the change asks for is not', async (t) => {
  const secret = (name: string, run = 'true') => `[tasks."test:e2e"]\nrun = "${run}"\nsecrets = ["${name}"]\n`
  const one = await judged(
    t,
    { 'devflow.toml': head + secret('OLD') },
    { 'devflow.toml': `${head}${secret('NEW')}[runtime]\nprofile = "host"\n` },
  )
  await one.begin()
  const { status, stdout } = await one.run('trust --ci --from ../out')
  assert.equal(status, 0)
  assert.match(stdout, /^approved for this runner: give the secret OLD to test:e2e/)
  assert.doesNotMatch(stdout, /NEW|without a container/)
  const refused = await one.run('ci:run node --from ../out')
  assert.equal(refused.status, 4, refused.stderr)
  assert.match(
    refused.stderr,
    /^devflow\.toml:\d+:\d+ error: not trusted: this repository asks to run every task on this machine without a container/m,
  )
  assert.equal((await one.run('trust --ci')).status, 0)
  assert.doesNotMatch((await one.run('ci:run node --from ../out')).stderr, /not trusted/)
  // The same secret for another command is another request.
  const other = await judged(
    t,
    { 'devflow.toml': head + secret('OLD') },
    { 'devflow.toml': head.replace('"test"', '"test:e2e"') + secret('OLD', 'curl') },
  )
  await other.begin()
  await other.run('trust --ci --from ../out')
  const part = other.started().tasks.find(({ id }) => id.startsWith('test:e2e'))!.part
  assert.equal((await other.run(['ci:run', part, '--from', '../out'])).status, 4)
  for (const [words, env, status, said] of [
    ['trust --from ../out', {}, 2, /--from goes with --ci/],
    ['trust --ci --from ../nothing', {}, 2, /start\.json cannot be read/],
    ['trust --ci --from ../out', { CI: '' }, 4, /--ci approves only where CI is set/],
  ] as const) {
    const ran = await other.run(words, env)
    assert.equal(ran.status, status, words)
    assert.match(ran.stderr, said)
  }
})

test('a job runs its part of the plan that the first job saw, or nothing', async (t) => {
  const one = await judged(t, {}, { 'README.md': 'x' })
  await one.begin()
  const outputs = join(one.outside, 'outputs')
  const passed = await one.run('ci:run scan --from ../out', { GITHUB_OUTPUT: outputs })
  assert.equal(passed.status, 1)
  const [line, end] = readFileSync(outputs, 'utf8').split('\n')
  assert.equal(end, '')
  assert.deepEqual(JSON.parse(line!.replace(/^report=/, '')), {
    schema: 'dwf.part/1',
    plan: one.started().plan,
    part: 'scan',
    passed: [],
  })
  await one.run('ci:run scan --from ../out --dry-run', { GITHUB_OUTPUT: `${outputs}2` })
  assert.ok(!existsSync(`${outputs}2`))
  const refuses = async (words: string | readonly string[], said: RegExp) => {
    const { status, stderr } = await one.run(words, { GITHUB_OUTPUT: `${outputs}2` })
    assert.equal(status, 2, `${words} ${stderr}`)
    assert.match(stderr, said)
    assert.doesNotMatch(stderr, /bug of dwf/)
    assert.ok(!existsSync(`${outputs}2`))
  }
  await refuses('ci:run scann --from ../out', /the plan has no part "scann"\n {2}did you mean "scan"\?/)
  await refuses(['ci:run', '--from', '../out', '$(id)\n'], /the plan has no part "\$\(id\)\\n"\n {2}parts: node, scan/)
  await refuses('ci:run scan', /it needs --from FOLDER/)
  await refuses('ci:run --from ../out', /ci:run takes one part/)
  await refuses('ci:run a b --from ../out', /ci:run takes one part/)
  await refuses('ci:run scan --from ../nothing', /start\.json cannot be read: ENOENT/)
  for (const text of ['', 'null', '{}', '[]', '{"schema":"dwf.ci/2"}']) {
    one.write({ '../odd/start.json': text })
    await refuses('ci:run scan --from ../odd', /start\.json cannot be read/)
  }
  const plan = one.started().plan.slice(0, 12)
  for (const change of [
    { 'Dockerfile.devflow': 'FROM scratch\n' },
    { 'devflow.toml': `${head}[container]\nmemory = "8g"\n` },
  ]) {
    const [path] = Object.keys(change) as [string]
    const before = one.read(path)
    one.write(change)
    await refuses(
      'ci:run scan --from ../out',
      new RegExp(
        `this job sees the plan (?!${plan})[0-9a-f]{12}, the first job saw ${plan}\n {2}both must check out the same commit`,
      ),
    )
    one.write({ [path]: before })
  }
  // A policy that is not that of the first job is another plan, too.
  const policy = join(one.out, 'policy/devflow.toml')
  one.write({ '../out/policy/devflow.toml': `${readFileSync(policy, 'utf8')}[scan]\nseverity = "critical"\n` })
  await refuses('ci:run scan --from ../out', /this job sees the plan/)
})

test('a report of a part that passed names the hashes of its tasks', async (t) => {
  const one: Pull = await judged(t, { 'devflow.toml': head + ignore + ignore.replace('DS-0002', 'DS-0003') }, {})
  assert.equal((await one.start()).status, 0)
  mkdirSync(join(one.outside, 'files'))
  const outputs = join(one.outside, 'files/outputs')
  const { status, stdout } = await one.run('ci:run scan --from ../out', {
    GITHUB_OUTPUT: outputs,
    GITHUB_ACTIONS: 'true',
  })
  assert.equal(status, 0, stdout)
  const report = readFileSync(outputs, 'utf8')
    .replace(/^report=/, '')
    .trimEnd()
  const [task] = one.started().tasks.filter(({ part }) => part === 'scan')
  assert.deepEqual(JSON.parse(report).passed, [task!.hash])
  const needs = { scan: { result: 'success', outputs: { report } }, node: { result: 'success', outputs: {} } }
  const gated = await one.run('ci:gate --from ../out', { NEEDS: JSON.stringify(needs) })
  assert.equal(gated.status, 1)
  assert.doesNotMatch(gated.stdout, /scan:config/)
  assert.match(gated.stdout, /test:unit@node did not pass in job node/)
})
