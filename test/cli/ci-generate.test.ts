import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { committed, count, prepared, type Rig, rig, shop } from './ci-rig.ts'

const ciFile = '.github/workflows/ci.yml'
const ciBase = `.github/dwf/base/${ciFile}`
const audit = '\n[ci]\negress = "audit"\n'
/** A job that keeps the rules, so with the pins that the file has. */
const withJob = (text: string): string => `${text}
  mine:
    name: mine
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {}
    steps:
      - name: Guard the runner
        uses: ${/step-security\/harden-runner@.+/.exec(text)![0]}
        with:
          egress-policy: block
      - name: Mine
        run: echo mine
`

const append = (repo: Rig, path: string, text: string) => repo.edit(path, (before) => before + text)

/** A command that must end so, and change no byte of the repository. */
async function refuses(repo: Rig, words: string, status: number, said: RegExp) {
  const before = repo.tree()
  const ran = await repo.run(words)
  assert.equal(ran.status, status, `${words}\n${ran.stdout}${ran.stderr}`)
  assert.match(ran.stdout + ran.stderr, said)
  assert.doesNotMatch(ran.stderr, /bug of dwf/)
  assert.deepEqual(repo.tree(), before, words)
  return ran
}

test('edits of a person survive, and a change of devflow.toml comes in beside them', async (t) => {
  const repo = await prepared(t)
  repo.edit(ciFile, (text) =>
    withJob(text)
      .replace('\njobs:\n', '\njobs:\n  # A word of mine.\n')
      .replace(
        '      - name: Find the base\n',
        '      - name: Mine\n        run: echo mine\n      - name: Find the base\n',
      ),
  )
  const edited = repo.tree()
  const same = await repo.ok('ci:generate')
  assert.match(same.stdout, /unchanged, with your edits {2}\.github\/workflows\/ci\.yml/)
  assert.equal((await repo.ok('ci:check')).stdout, same.stdout)
  assert.deepEqual(repo.tree(), edited)
  append(repo, 'devflow.toml', audit)
  repo.write({ 'go.mod': 'module shop\n\ngo 1.25\n', 'main.go': 'package main\n\nfunc main() {}\n' })
  repo.edit('devflow.toml', (text) => text.replace('stack = ["node"]', 'stack = ["node", "go"]'))
  await repo.ok('pin update go --offline')
  const { stdout } = await repo.ok('ci:generate')
  assert.match(stdout, /merged {2}\.github\/workflows\/ci\.yml/)
  assert.match(stdout, /updated {2}\.github\/workflows\/nightly\.yml/)
  const text = repo.read(ciFile)
  const { jobs } = parse(text)
  assert.equal(jobs.mine.steps[1].run, 'echo mine')
  assert.deepEqual(jobs.changes.steps[3], { name: 'Mine', run: 'echo mine' })
  assert.ok(text.includes('  # A word of mine.\n'))
  assert.deepEqual(jobs.changes.steps[0].with, { 'egress-policy': 'audit' })
  assert.equal(count(text, 'egress-policy: block'), 1)
  assert.equal(jobs.go.name, 'go')
  assert.ok(jobs.gate.needs.includes('go'))
  assert.ok(parse(repo.read('.github/workflows/codeql.yml')).jobs.go)
  await repo.ok('ci:check')
})

test('where both changed the same lines both are shown, and not one byte is written', async (t) => {
  const repo = await prepared(t)
  repo.edit(ciFile, (text) => text.replace('egress-policy: block', 'egress-policy: mine'))
  append(repo, 'devflow.toml', audit)
  const line =
    repo
      .read(ciFile)
      .split('\n')
      .findIndex((text) => text.includes('egress-policy: mine')) + 1
  const shown = new RegExp(
    `^\\.github/workflows/ci\\.yml:${line}\n {2}yours {4,}egress-policy: mine\n[\\s\\S]*?^ {2}dwf's {4,}egress-policy: audit$`,
    'm',
  )
  const { stdout, stderr } = await refuses(repo, 'ci:generate', 4, shown)
  assert.match(stderr, new RegExp(`^\\.github/workflows/ci\\.yml:${line}:\\d+ error: line`, 'm'))
  assert.match(stderr, /^nothing was written$/m)
  assert.match(stdout, /would update {2}\.github\/workflows\/nightly\.yml/)
  await refuses(repo, 'ci:generate --check', 5, shown)
  await refuses(repo, 'ci:check', 5, shown)
  const { stdout: json } = await refuses(repo, 'ci:generate --json', 4, /merge-conflict/)
  const document = JSON.parse(json)
  assert.deepEqual([document.schema, document.written], ['dwf.ci-generate/1', false])
  assert.equal(document.files.find(({ path }: { path: string }) => path === ciFile).state, 'conflict')
})

test('a generated file that a person removed stays away, until its base text goes too', async (t) => {
  const repo = await prepared(t)
  const text = repo.read('.github/workflows/codeql.yml')
  repo.write({ '.github/workflows/codeql.yml': undefined })
  const { stdout, stderr } = await repo.ok('ci:generate')
  assert.match(stdout, /left out, as you removed it {2}\.github\/workflows\/codeql\.yml/)
  assert.match(stderr, /was removed by hand, and stays removed/)
  await repo.ok('ci:check')
  assert.ok(!(`.github/workflows/codeql.yml` in repo.tree()))
  repo.write({ '.github/dwf/base/.github/workflows/codeql.yml': undefined })
  await repo.ok('ci:generate')
  assert.equal(repo.read('.github/workflows/codeql.yml'), text)
})

test("a person's ci.yml is never touched, and dwf's comes beside it under another name", async (t) => {
  const mine = 'on: push\njobs:\n  x:\n    runs-on: ubuntu-24.04\r\n'
  const repo = rig(t, { ...shop, [ciFile]: mine, 'devflow.toml': '[ci]\npublish = false\nprefix = ""\n' })
  await repo.ok('init --no-ci')
  const names = () => Object.keys(repo.tree()).flatMap((path) => /^\.github\/workflows\/(.+)/.exec(path)?.[1] ?? [])
  for (const words of ['ci:generate', 'ci:check']) {
    const { stdout, stderr } = await repo.ok(words)
    assert.match(stdout, /yours, left alone {2}\.github\/workflows\/ci\.yml/)
    assert.match(stderr, /^warning: \.github\/workflows\/ci\.yml is not dwf's/m)
    assert.equal(repo.read(ciFile), mine)
  }
  assert.deepEqual(names(), ['ci.yml', 'codeql.yml', 'nightly.yml'])
  repo.edit('devflow.toml', (text) => text.replace('prefix = ""', 'prefix = "shop-"'))
  const { stdout } = await repo.ok('ci:generate')
  assert.match(stdout, /created {2}\.github\/workflows\/shop-ci\.yml/)
  assert.match(stdout, /removed {2}\.github\/workflows\/nightly\.yml/)
  assert.equal(repo.read(ciFile), mine)
  assert.deepEqual(names(), ['ci.yml', 'shop-ci.yml', 'shop-codeql.yml', 'shop-nightly.yml'])
  await repo.ok('ci:check')
  const unsaid = rig(t, { ...shop, [ciFile]: mine })
  assert.match((await unsaid.ok('init')).stderr, /^ci\.yml is yours: the names of dwf's workflows begin with dwf-$/m)
  assert.equal(unsaid.read(ciFile), mine)
  assert.ok('.github/workflows/dwf-ci.yml' in unsaid.tree())
  unsaid.write({ [ciFile]: undefined })
  await unsaid.ok('ci:check')
})

test('a newer pin in one file, as Dependabot writes it, goes into all files and into the lock', async (t) => {
  const old = { name: 'actions/checkout', version: 'v7.0.0', sha: '9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0' }
  const repo = rig(t, shop)
  const { actions } = (await prepared(t)).lock()
  const newer = actions.find(({ name }) => name === old.name)!
  await repo.ok('init --no-ci')
  repo.setLock({ actions: [old] })
  await repo.ok('ci:generate')
  assert.ok(!repo.read(ciFile).includes(newer.sha))
  assert.deepEqual(
    repo.lock().actions.find(({ name }) => name === old.name),
    old,
  )
  repo.edit('.github/workflows/codeql.yml', (text) =>
    text.replaceAll(`${old.sha} # ${old.version}`, `${newer.sha} # ${newer.version}`),
  )
  await refuses(repo, 'ci:check', 5, /would update {2}devflow\.lock/)
  const { stderr } = await repo.ok('ci:generate')
  assert.match(
    stderr,
    /^note: actions\/checkout v7\.0\.1 in \.github\/workflows\/codeql\.yml is newer than dwf's: it is used everywhere$/m,
  )
  const { source: _, ...pin } = newer
  const locked = repo.lock().actions.find(({ name }) => name === old.name)!
  assert.deepEqual([locked.name, locked.version, locked.sha], [pin.name, pin.version, pin.sha])
  assert.ok(Object.entries(repo.tree()).every(([, text]) => !text.includes(old.sha)))
  await repo.ok('ci:check')
})

test('a file whose base text is lost is left as it is: nobody knows whose its lines are', async (t) => {
  const repo = await prepared(t)
  repo.edit(ciFile, withJob)
  repo.write({ [ciBase]: undefined })
  await refuses(repo, 'ci:generate', 4, /base-lost|is missing: which lines of \.github\/workflows\/ci\.yml are yours/)
  await refuses(repo, 'ci:check', 5, /is missing/)
  repo.write({ [ciBase]: 'name: other\n' })
  await refuses(repo, 'ci:generate', 4, /is not the text that devflow\.lock recorded/)
})

test('what is outdated is exit 5, and the diff is one that git applies', async (t) => {
  const repo = await committed(t)
  repo.edit(ciFile, withJob)
  append(repo, 'devflow.toml', `${audit}owners = ["@shop/security"]\n`)
  repo.write({
    '.github/workflows/nightly.yml': undefined,
    '.github/dwf/base/.github/workflows/nightly.yml': undefined,
  })
  repo.commit()
  const { stdout } = await refuses(repo, 'ci:check', 5, /would create {2}\.github\/workflows\/nightly\.yml/)
  assert.equal((await refuses(repo, 'ci:generate --dry-run', 0, /would merge/)).stdout, stdout)
  const patch = join(repo.outside, 'patch')
  repo.write({ '../patch': stdout })
  repo.git('apply', '--check', patch)
  repo.git('apply', patch)
  const applied = repo.tree()
  repo.git('reset', '--quiet', '--hard')
  rmSync(join(repo.root, '.github/workflows/nightly.yml'))
  await repo.ok('ci:generate')
  const workflows = (tree: Readonly<Record<string, string>>) =>
    Object.entries(tree).filter(([path]) => path.startsWith('.github/') && !path.startsWith('.github/dwf/'))
  assert.deepEqual(workflows(repo.tree()), workflows(applied))
  assert.equal(repo.read('.github/CODEOWNERS').split('\n')[0], '/.github/ @shop/security')
  await repo.ok('ci:check')
})

test("an edit that breaks dwf's own rules is refused at its line, and nothing is written", async (t) => {
  const cases: readonly (readonly [(text: string) => string, string, RegExp])[] = [
    [(text) => text.replace(/ +persist-credentials: false\n/, ''), 'uses: actions/checkout', /persist-credentials/],
    [(text) => text.replace(/(actions\/checkout)@\S+ # \S+/, '$1@v7'), 'actions/checkout@v7', /actions\/checkout@v7/],
  ]
  for (const [change, place, said] of cases) {
    const repo = await prepared(t)
    repo.edit(ciFile, change)
    append(repo, 'devflow.toml', audit)
    const line =
      repo
        .read(ciFile)
        .split('\n')
        .findIndex((text) => text.includes(place)) + 1
    const { stderr } = await refuses(repo, 'ci:generate', 4, said)
    assert.match(stderr, new RegExp(`^\\.github/workflows/ci\\.yml:${line}:\\d+ error: `, 'm'))
    await refuses(repo, 'ci:check', 5, said)
    const document = JSON.parse((await refuses(repo, 'ci:generate --json', 4, said)).stdout)
    assert.equal(document.written, false)
  }
})

test('an action that must not run is refused before anything is written', async (t) => {
  const repo = await prepared(t)
  const denied = { name: 'actions/checkout', version: 'v9.9.9', sha: '70379aad1a8b40919ce8b382d3cd7d0315cde1d0' }
  repo.setLock({ actions: [...repo.lock().actions.filter(({ name }) => name !== denied.name), denied] })
  append(repo, 'devflow.toml', audit)
  for (const words of ['ci:generate', 'ci:check', 'ci:plan'])
    await refuses(
      repo,
      words,
      4,
      /^devflow\.lock:\d+:\d+ error: actions\/checkout v9\.9\.9 \(70379aad.*\) must not run/m,
    )
})

test('another dwf than the one of devflow.lock is wrong input, and --any-version goes on', async (t) => {
  const repo = await prepared(t)
  repo.setLock({ dwf: '9.9.9' })
  const hint =
    /^error: devflow\.lock names dwf 9\.9\.9, and this is dwf \S+\n {2}use dwf 9\.9\.9, or move the lock with "dwf pin update"; --any-version goes on all the same$/m
  for (const words of [
    'ci:generate',
    'ci:check',
    'ci:plan',
    'ci:lint',
    'ci:harden',
    'check:pr --dry-run',
    'check pr --dry-run',
  ]) {
    await refuses(repo, words, 2, hint)
    const { status, stderr } = await repo.run(`${words} --any-version`)
    assert.equal(status, 0, `${words} ${stderr}`)
  }
  assert.equal(repo.lock().dwf, '9.9.9')
  await repo.ok('plan')
})

test('dwf itself: other bytes are refused, and what is missing is written again when it is the same', async (t) => {
  const repo = await prepared(t)
  const path = '.github/dwf/dwf.bundle'
  const bytes = readFileSync(join(repo.root, path))
  repo.write({ [path]: Buffer.concat([bytes, Buffer.from('x')]) })
  for (const words of ['ci:generate', 'ci:check'])
    await refuses(repo, words, 4, /\.github\/dwf\/dwf\.bundle is not the dwf that devflow\.lock names/)
  repo.write({ [path]: undefined })
  await refuses(repo, 'ci:check', 5, /would create {2}\.github\/dwf\/dwf\.bundle/)
  await repo.ok('ci:generate')
  assert.ok(readFileSync(join(repo.root, path)).equals(bytes))
  const { bundle, ...lock } = repo.lock()
  repo.write({ [path]: undefined })
  repo.setLock({ bundle: { ...bundle!, sha256: 'a'.repeat(64) } })
  await refuses(repo, 'ci:generate', 4, /is not there: it would be another dwf than the one that devflow\.lock names/)
  // Of another version it is replaced: that is what moving the lock means.
  repo.write({ [path]: 'old' })
  repo.setLock({ ...lock, bundle: { ...bundle!, version: '0.0.1', sha256: 'a'.repeat(64) } })
  await repo.ok('ci:generate')
  assert.deepEqual(repo.lock().bundle, bundle)
  assert.ok(readFileSync(join(repo.root, path)).equals(bytes))
})

test('--json is one document, whatever became of it', async (t) => {
  const repo = await prepared(t)
  append(repo, 'devflow.toml', audit)
  const check = await refuses(repo, 'ci:check --json', 5, /outdated/)
  const [before, dry] = [JSON.parse(check.stdout), JSON.parse((await repo.ok('ci:generate --dry-run --json')).stdout)]
  assert.deepEqual(dry, before)
  assert.deepEqual([before.schema, before.written], ['dwf.ci-generate/1', false])
  assert.ok(before.writes.includes('devflow.lock') && before.writes.includes(ciBase))
  assert.match(before.files.find(({ path }: { path: string }) => path === ciFile).diff, /^\+ +egress-policy: audit$/m)
  const after = JSON.parse((await repo.ok('ci:generate --json')).stdout)
  assert.equal(after.written, true)
  assert.deepEqual(after.writes, before.writes)
  assert.deepEqual(JSON.parse((await repo.ok('ci:check --json')).stdout).writes, [])
})

test('without devflow.lock there is a way out, and a selector or an option that is none is said', async (t) => {
  const repo = await prepared(t)
  const cases: readonly (readonly [string, RegExp])[] = [
    ['ci:generat', /unknown command "ci:generat"\n {2}did you mean "ci:generate"\?/],
    ['ci:x', /known are ci:generate, ci:check/],
    ['ci:check --dry-run', /ci:check has no --dry-run/],
    ['ci:check --check', /ci:check has no --check/],
    ['ci:plan --report sarif=x', /ci:plan has no --report/],
    ['ci:generate --keep-going', /ci:generate has no --keep-going/],
    ['ci:generate --base HEAD', /ci:generate has no --base/],
    ['ci:generate ci.yml', /ci:generate takes no names/],
    ['ci:lint --allow-root', /ci:lint has no --allow-root/],
    ['ci:check -- ci.yml', /ci:check takes nothing after --/],
    ['ci:run --from x', /ci:run takes one part/],
  ]
  for (const [words, said] of cases) await refuses(repo, words, 2, said)
  repo.write({ 'devflow.lock': undefined })
  for (const words of ['ci:generate', 'ci:check'])
    await refuses(repo, words, 2, /there is no devflow\.lock in .*\n {2}dwf init writes it/)
})

test('SECURITY.md and CODEOWNERS come only where there are none, with the owners', async (t) => {
  const own = rig(t, { ...shop, 'devflow.toml': '[ci]\nowners = ["@shop/security", "sec@example.org"]\n' })
  const { stderr } = await own.ok('init')
  assert.doesNotMatch(stderr, /CODEOWNERS/)
  assert.equal(
    own.read('.github/CODEOWNERS'),
    ['/.github/', '/devflow.*', '/Dockerfile.devflow', '/docker-bake.hcl']
      .map((path) => `${path} @shop/security sec@example.org\n`)
      .join(''),
  )
  assert.equal(count(own.read('.github/SECURITY.md'), 'Report a vulnerability'), 1)
  // One that guards all of it needs no word.
  const all = ['/.github', '/devflow.*', '/Dockerfile.devflow', '/docker-bake.hcl'].map((path) => `${path} @me\n`)
  const guarded = rig(t, { ...shop, CODEOWNERS: all.join(''), 'docs/SECURITY.md': 'mine\n' })
  assert.doesNotMatch((await guarded.ok('init')).stderr, /CODEOWNERS/)
  assert.ok(!('.github/CODEOWNERS' in guarded.tree()) && !('.github/SECURITY.md' in guarded.tree()))
  const half = rig(t, { ...shop, CODEOWNERS: '/.github/ @me\n' })
  assert.match(
    (await half.ok('init')).stderr,
    /^CODEOWNERS is yours, and leaves to nobody: \/devflow\.\* \/Dockerfile\.devflow \/docker-bake\.hcl$/m,
  )
})
