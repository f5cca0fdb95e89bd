import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { shippedPins } from '../../src/pins/index.ts'
import { committed, prepared, type Rig, rig, treeOf } from './ci-rig.ts'

const docs = '.github/workflows/docs.yml'
const { name, sha, version } = shippedPins.actions.find((pin) => pin.name === 'step-security/harden-runner')!
/** As the rules want it, but for one line. */
const tag = `name: docs
on: push
permissions: {}
concurrency:
  group: docs
  cancel-in-progress: true
jobs:
  build:
    name: build
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions:
      contents: read # to check out
    steps:
      - uses: ${name}@${sha} # ${version}
        with:
          egress-policy: block
      - uses: actions/checkout@v7
        with:
          persist-credentials: false
`
const line = tag.split('\n').findIndex((text) => text.includes('checkout@v7')) + 1
const inActions = { GITHUB_ACTIONS: 'true' }

async function refuses(repo: Rig, words: string | readonly string[], status: number, said: RegExp) {
  const before = repo.tree()
  const ran = await repo.run(words)
  assert.equal(ran.status, status, `${words}\n${ran.stdout}${ran.stderr}`)
  assert.match(ran.stderr, said)
  assert.doesNotMatch(ran.stderr, /bug of dwf|very secret/)
  assert.deepEqual(repo.tree(), before)
}

test('ci:lint says what is wrong at its place, and fails by errors alone', async (t) => {
  const repo = await prepared(t, { [docs]: tag, '.github/workflows/notes.txt': 'no workflow', '.github/x.yml': 'x' })
  const before = repo.tree()
  const { status, stdout, stderr } = await repo.run('ci:lint')
  assert.equal(status, 1)
  assert.match(
    stderr,
    new RegExp(
      `^\\.github/workflows/docs\\.yml:${line}:15 error: .*actions/checkout@v7.*\n {3}${line} │ {7}- uses: actions/checkout@v7$`,
      'm',
    ),
  )
  assert.match(stdout, /^6 workflows: [1-9] errors?, \d+ warnings?$/m)
  assert.deepEqual(repo.tree(), before)
  const own = await repo.ok('ci:lint .github/workflows/ci.yml .github/workflows/./ci.yml')
  assert.match(own.stdout, /^1 workflow: 0 errors, \d+ warnings?\n$/)
  const { schema, ok, files, diagnostics } = JSON.parse((await repo.run('ci:lint --json')).stdout)
  assert.deepEqual([schema, ok, files.length], ['dwf.ci-lint/1', false, 6])
  const found = diagnostics.find(({ severity }: { severity: string }) => severity === 'error')
  assert.deepEqual([found.where.file, found.where.line], [docs, line])
  const none = await rig(t, {}).ok('ci:lint')
  assert.equal(none.stdout, '0 workflows: 0 errors, 0 warnings\n')
})

test('ci:lint writes SARIF where it is told, and annotations in a workflow', async (t) => {
  const repo = await prepared(t, { [docs]: tag })
  const before = repo.tree()
  const { status, stderr } = await repo.run('ci:lint --report sarif=../lint.sarif', inActions)
  assert.equal(status, 1)
  assert.match(
    stderr,
    new RegExp(`^::error .*file=\\.github/workflows/docs\\.yml,line=${line}.*::.*actions/checkout@v7`, 'm'),
  )
  const { runs } = JSON.parse(readFileSync(join(repo.outside, 'lint.sarif'), 'utf8'))
  const places = runs[0].results.map(
    ({
      locations,
    }: {
      locations: { physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } } }[]
    }) => `${locations[0]!.physicalLocation.artifactLocation.uri}:${locations[0]!.physicalLocation.region.startLine}`,
  )
  assert.ok(places.includes(`${docs}:${line}`))
  assert.deepEqual(repo.tree(), before)
  await refuses(
    repo,
    'ci:lint --report sarif=/nonexistent/x.sarif',
    3,
    /the sarif report could not be written to \/nonexistent\/x\.sarif/,
  )
  await refuses(repo, 'ci:lint --report html=x', 2, /ci:lint has no report html/)
  await refuses(repo, 'ci:lint --report some-context', 2, /ci:lint has no report some-context/)
})

test('what is no file of the repository, no text or behind a link is not read', async (t) => {
  const repo = await prepared(t, { [docs]: Buffer.from('name: \xff\n', 'latin1'), '../secret.yml': 'very secret: [\n' })
  mkdirSync(join(repo.root, 'folder.yml'))
  symlinkSync('../secret.yml', join(repo.root, 'link.yml'))
  symlinkSync('..', join(repo.root, 'up'))
  for (const command of ['ci:lint', 'ci:harden']) {
    await refuses(repo, command, 2, /docs\.yml is not UTF-8\n {2}save it as UTF-8/)
    await refuses(repo, [command, docs], 2, /docs\.yml is not UTF-8/)
    for (const name of ['../secret.yml', '/etc/passwd', join(repo.outside, 'secret.yml')])
      await refuses(repo, [command, name], 2, /is not in .*\n {2}see -C DIR/)
    for (const name of ['link.yml', 'up/secret.yml', 'folder.yml', 'none.yml'])
      await refuses(
        repo,
        [command, name],
        2,
        /cannot be read\n {2}name a file of at most 4 MiB, no link and behind none/,
      )
  }
  const linked = rig(t, { '../else/workflows/secret.yml': 'very secret: [\n' })
  symlinkSync('../else', join(linked.root, '.github'))
  const before = treeOf(linked.outside)
  for (const command of ['ci:lint', 'ci:harden']) await refuses(linked, command, 2, /cannot be read/)
  assert.deepEqual(treeOf(linked.outside), before)
})

test('ci:harden pins what it knows, says what it does not decide, and leaves what dwf wrote', async (t) => {
  const repo = await committed(t, { [docs]: tag })
  repo.edit('.github/workflows/ci.yml', (text) => text.replace(/(actions\/checkout)@\S+ # \S+/, '$1@v7'))
  const before = repo.tree()
  const dry = await repo.ok('ci:harden --dry-run')
  assert.match(dry.stdout, /^\+ {6}- uses: actions\/checkout@[0-9a-f]{40} # v7\.\d+\.\d+$/m)
  assert.match(
    dry.stdout,
    new RegExp(`^\\.github/workflows/docs\\.yml:${line} would: actions/checkout@v7 is pinned to `, 'm'),
  )
  assert.deepEqual(repo.tree(), before)
  repo.write({ '../patch': dry.stdout })
  repo.git('apply', '--check', join(repo.outside, 'patch'))
  const { stdout } = await repo.ok('ci:harden')
  assert.match(stdout, new RegExp(`^\\.github/workflows/docs\\.yml:${line} actions/checkout@v7 is pinned to `, 'm'))
  assert.doesNotMatch(stdout, /ci\.yml/)
  assert.equal(repo.read('.github/workflows/ci.yml'), before['.github/workflows/ci.yml'])
  assert.match(repo.read(docs), /actions\/checkout@[0-9a-f]{40} # v7\./)
  const once = repo.read(docs)
  assert.match((await repo.ok('ci:harden')).stdout, /docs\.yml: nothing to do/)
  assert.equal(repo.read(docs), once)
  await repo.ok(['ci:lint', docs])
  // By name a person may have even that.
  await repo.run('ci:harden .github/workflows/ci.yml')
  assert.match(repo.read('.github/workflows/ci.yml'), /actions\/checkout@[0-9a-f]{40} # v7\./)
})

test('ci:harden --json is one document, and an action that nobody knows is left to decide', async (t) => {
  const unknown = tag.replace('actions/checkout@v7', 'nobody/knows@v1')
  const repo = rig(t, { [docs]: unknown })
  const before = repo.tree()
  const dry = await repo.run('ci:harden --json --dry-run')
  const document = JSON.parse(dry.stdout)
  assert.deepEqual([document.schema, document.written, document.files[0].path], ['dwf.ci-harden/1', false, docs])
  assert.ok(document.undecided.some(({ where }: { where: { line: number } }) => where.line === line))
  assert.deepEqual(repo.tree(), before)
  const { status, stderr } = await repo.run('ci:harden')
  assert.equal(status, dry.status)
  assert.match(stderr, /^\.github\/workflows\/docs\.yml:\d+:\d+ warning: nobody\/knows@v1: /m)
  assert.match(stderr, /^\d+ left for you to decide$/m)
  assert.equal(status, 0)
})
