import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { splitCommandLine } from '../../src/cli/commands-line.ts'
import { tame } from '../../src/cli/render/run.ts'
import { brief } from '../../src/cli/run/brief.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')

function repo(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-cli-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'repo')
  mkdirSync(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const run = (args: readonly string[], cwd = root) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
      cwd,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1' },
    })
    return { status, stdout, stderr }
  }
  return { root, run }
}

test('a colon, a blank, and what stands after the dashes', () => {
  const split = (text: string) => splitCommandLine(text.split(' '))
  assert.deepEqual(split('test:unit'), { argv: ['test', 'unit'], rest: [] })
  assert.deepEqual(split('test unit -- --watch a:b'), { argv: ['test', 'unit'], rest: ['--watch', 'a:b'] })
  assert.deepEqual(split('-C dir check:pr -k'), { argv: ['check', 'pr', '-C', 'dir', '-k'], rest: [] })
  assert.deepEqual(split('init:rust --dry-run'), { argv: ['init', '--stack', 'rust', '--dry-run'], rest: [] })
  assert.deepEqual(split('run test:unit@node:packages/a'), { argv: ['run', 'test:unit@node:packages/a'], rest: [] })
  assert.deepEqual(split('plan check:main'), { argv: ['plan', 'check:main'], rest: [] })
})

test('usage errors are one located sentence and exit 2', (t) => {
  const { run } = repo(t, {})
  for (const [args, said] of [
    [['chekc:pr'], /^error: unknown command 'chekc'\n {2}Did you mean check\?/],
    [['check', '--jbos', '2'], /^error: unknown option '--jbos'\n {2}Did you mean --jobs\?/],
    [['check', '-j', 'many'], /^error: --jobs must be a whole number from 1 to 999, not "many"/],
    [['check', '--deadline', 'soon'], /^error: --deadline must be a duration such as 30m, not "soon"/],
    [['run', 'test:unit@nowhere'], /^error: there is no task "test:unit@nowhere"/],
    [['check:nightli'], /^error: there is no target "nightli"/],
    [['scan:depz'], /^error: this version of dwf has no scan layer "depz"\n {2}did you mean "scan:deps"\?/],
    [['-C', '/nonexistent', 'validate'], /^error: /],
  ] as const) {
    const { status, stderr } = run(args)
    assert.match(stderr, said)
    assert.equal(status, 2, `${args}: ${stderr}`)
    assert.doesNotMatch(stderr, /\n\s+at /)
  }
})

test('help names every exit code, and each command has its own help', (t) => {
  const { run } = repo(t, {})
  assert.equal(
    run(['help', 'exit-codes']).stdout,
    readFileSync(join(import.meta.dirname, '../fixtures/help/exit-codes.txt'), 'utf8'),
  )
  assert.equal(run(['--help']).stdout, readFileSync(join(import.meta.dirname, '../fixtures/help/dwf.txt'), 'utf8'))
  assert.match(run(['test', '--help']).stdout, /dwf test -- --watch/)
  assert.equal(run([]).status, 0)
})

test('validate finds devflow.toml above, and shows where it is wrong', (t) => {
  const { run, root } = repo(t, { 'devflow.toml': '[project]\nname = "x"\n[container]\ncpu = 2\n', 'deep/er/x': '' })
  const { status, stderr } = run(['validate'], join(root, 'deep/er'))
  assert.equal(status, 2)
  assert.equal(
    stderr,
    `${root}/devflow.toml:4:1 error: unknown key "cpu" in container\n   4 │ cpu = 2\n     │ ^^^ did you mean "cpus"?\n`,
  )
  const json = JSON.parse(run(['validate', '--json']).stdout)
  assert.equal(json.ok, false)
  assert.equal(json.diagnostics[0].where.line, 4)
})

test('asking for what a repository has not says what to add, at its place in devflow.toml', (t) => {
  const { run } = repo(t, { 'package.json': '{"name":"x"}', 'devflow.toml': '[targets]\npr = ["lint"]\n' })
  const { status, stderr } = run(['validate'])
  assert.equal(status, 2)
  assert.match(
    stderr,
    /^devflow\.toml:2:7 error: nothing in this repository offers "lint:static"\n {3}2 │ pr = \["lint"\]\n {5}│ {7}\^{6} node: add a script "lint"/,
  )
})

test('init writes all or nothing, keeps what differs, and is the same twice and elsewhere', (t) => {
  const files = { 'package.json': '{"name":"shop","engines":{"node":"24"},"scripts":{"test":"node --test"}}' }
  const { run, root } = repo(t, files)
  const dry = run(['init', '--dry-run'])
  assert.equal(dry.status, 0)
  assert.match(dry.stdout, /would create {2}devflow\.toml/)
  assert.equal(run(['plan', 'scan']).status, 0)
  assert.equal(run(['init']).status, 0)
  const names = ['devflow.toml', 'devflow.lock', 'Dockerfile.devflow', 'docker-bake.hcl', '.dockerignore']
  const bytes = (folder: string) => names.map((name) => readFileSync(join(folder, name), 'utf8'))
  const first = bytes(root)
  assert.match(run(['init']).stdout, /unchanged {2}devflow\.lock/)
  assert.deepEqual(bytes(root), first)
  const other = repo(t, files)
  assert.equal(other.run(['init']).status, 0)
  assert.deepEqual(bytes(other.root), first)
  writeFileSync(join(root, 'docker-bake.hcl'), '# mine\n')
  const kept = run(['init'])
  assert.equal(kept.status, 0)
  assert.match(kept.stdout, /kept \(it differs\) {2}docker-bake\.hcl/)
  assert.equal(readFileSync(join(root, 'docker-bake.hcl'), 'utf8'), '# mine\n')
  assert.equal(run(['init', '--force']).status, 4)
  const link = repo(t, files)
  symlinkSync('/etc/passwd', join(link.root, 'devflow.lock'))
  const refused = link.run(['init'])
  assert.equal(refused.status, 4, refused.stderr)
  assert.throws(() => readFileSync(join(link.root, 'devflow.toml')))
})

test('a plan is the same for another person, folder and home', (t) => {
  const files = { 'package.json': '{"name":"shop","engines":{"node":"24"},"scripts":{"test":"node --test"}}' }
  const hashes = [repo(t, files), repo(t, files)].map(({ run }) => {
    assert.equal(run(['init']).status, 0)
    return JSON.parse(run(['plan', '--json']).stdout).hash
  })
  assert.equal(hashes[0], hashes[1])
})

test('a newer Node than asked for is not taken in silence', (t) => {
  const { run } = repo(t, { 'package.json': '{"name":"x"}', '.nvmrc': '21.3.0\n' })
  const { status, stderr } = run(['init'])
  assert.equal(status, 2)
  assert.match(stderr, /^\.nvmrc:1:1 error: /)
})

test('approvals need a terminal, and --yes never approves', (t) => {
  const { run } = repo(t, { 'devflow.toml': '[tasks.test]\nrun = "x"\nsecrets = ["TOKEN"]\n' })
  assert.equal(run(['trust']).status, 0)
  const yes = run(['trust', 'approve', '--yes'])
  assert.equal(yes.status, 4)
  assert.match(yes.stderr, /an approval needs a person at a terminal; --yes never approves/)
  assert.equal(run(['trust', '--ci']).status, 4)
})

test('text of a task is shown without what steers a terminal', () => {
  assert.equal(tame('\u001b[31mred\u001b[0m \u001b[2J\u001b]0;title\u0007x', true), '\u001b[31mred\u001b[0m x')
  assert.equal(tame('\u001b[31mred\u001b[0m', false), 'red')
  assert.equal(tame('10%\r50%\r100%', false), '100%')
})

test('of an image build the steps are shown', () => {
  assert.equal(brief('STEP 1/5: FROM x'), 'STEP 1/5: FROM x')
  for (const noise of ['--> abc', 'Get:1 http://deb.debian.org', 'Setting up tini', '', 'a'.repeat(64)])
    assert.equal(brief(noise), undefined)
  assert.equal(brief('x'.repeat(200))!.length, 110)
})

test('files of dwf that are links out of the repository are not read, and nothing of them is shown', (t) => {
  const { run, root } = repo(t, { 'package.json': '{"name":"x","engines":{"node":"24"},"scripts":{"test":"true"}}' })
  writeFileSync(join(root, '../secret'), 'very secret\n')
  for (const name of ['devflow.toml', 'devflow.lock', 'Dockerfile.devflow']) {
    symlinkSync('../secret', join(root, name))
    for (const args of [['validate'], ['plan'], ['init'], ['image', 'fingerprint']]) {
      const { stdout, stderr } = run(args)
      assert.doesNotMatch(stdout + stderr, /very secret/, `${name} ${args}`)
    }
    rmSync(join(root, name))
  }
})

test('what a scan cannot do with an option or a name is said, and nothing is written', (t) => {
  const { run } = repo(t, { 'package.json': '{"scripts":{"test":"true"}}', 'package-lock.json': '{"packages":{}}' })
  const cases: readonly (readonly [string, RegExp])[] = [
    ['scan:deps --report pdf=x', /--report must be FORMAT=FILE, not "pdf=x"[\s\S]*json, sarif, junit, html/],
    ['scan:deps --report html=', /--report must be FORMAT=FILE/],
    ['scan:deps shop:dev', /scan:deps takes no names/],
    ['scan:dep', /did you mean "scan:deps"/],
    ['scan:code', /scan:code has nothing to look at: devflow.toml names no scanner of code/],
    ['scan:image', /scan:image has nothing to look at: there is no Dockerfile.devflow/],
    ['scan db', /dwf scan db status\|update/],
    ['scan db drop', /unknown action "drop"/],
    ['scan db update --dry-run', /scan db has no --dry-run/],
    ['scan diff HEAD', /scan diff needs two things to compare/],
    ['scan diff a b --report html=x', /scan diff has no --report/],
    ['scan sbom --format xml', /unknown format "xml"/],
    ['scan sbom -k', /scan sbom has no --keep-going/],
    ['scan baseline x', /scan baseline takes no names/],
  ]
  for (const [words, said] of cases) {
    const { status, stderr } = run(words.split(' '))
    assert.equal(status, 2, `${words}\n${stderr}`)
    assert.match(stderr, said, words)
    assert.doesNotMatch(stderr, /bug of dwf/)
  }
})

test('what the policy names and cannot be read is wrong input, before anything runs', (t) => {
  const { run, root } = repo(t, { 'devflow.toml': '[scan]\nvex = ["vex.json"]\n' })
  assert.match(run(['scan:deps']).stderr, /\[scan\] vex names vex.json, which cannot be read/)
  assert.equal(run(['scan:deps']).status, 2)
  assert.equal(run(['validate']).status, 2)
  writeFileSync(join(root, 'vex.json'), '{"@context": "https://openvex.dev/ns/v0.2.0", "statements": 7}')
  assert.match(run(['validate']).stderr, /vex.json:1:\d+[\s\S]*expected an array, found a number/)
  writeFileSync(join(root, 'devflow.toml'), '')
  writeFileSync(join(root, 'devflow.baseline.json'), '{')
  assert.match(run(['validate']).stderr, /devflow.baseline.json:1:2[\s\S]*is not JSON/)
})
