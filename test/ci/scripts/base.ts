import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { commandsIn } from '../hostile.ts'
import { type Runner, runner, sha256, skip } from './rig.ts'

const bundle = (says: string) => gzipSync(`console.log(${JSON.stringify(says)})\n`)
const vendored = (says: string) => ({
  'devflow.toml': `# ${says}\n`,
  '.github/dwf/dwf.bundle': bundle(says),
  'devflow.lock': `${JSON.stringify({ bundle: { sha256: sha256(bundle(says)) } })}\n`,
})

/** A repository whose main branch has dwf, with a commit. */
function repository(t: TestContext, files: Readonly<Record<string, string | Buffer>> = vendored('base')): Runner {
  const on = runner(t)
  on.git('init', '--quiet', '--initial-branch=main')
  commit(on, files)
  return on
}

function commit(on: Runner, files: Readonly<Record<string, string | Buffer>> = {}): string {
  on.write(files)
  on.git('add', '--all')
  on.git('commit', '--quiet', '--allow-empty', '--message=x')
  return on.git('rev-parse', 'HEAD')
}

/** HEAD as GitHub has it for a pull request; gives the head of the branch. */
function mergeOf(on: Runner, files: Readonly<Record<string, string | Buffer>>): string {
  on.git('switch', '--quiet', '--create', 'change', 'main')
  commit(on, { 'other.txt': 'x' })
  const head = commit(on, files)
  on.git('switch', '--quiet', '--detach', 'main')
  on.git('merge', '--quiet', '--no-ff', '--message=merge', 'change')
  return head
}

/** As the job gives it; `main` is the default branch. */
const events = { EVENT: '', HEAD_SHA: '', GROUP_BASE: '', BEFORE: '', REF_TYPE: 'branch', DEFAULT: 'main' }

/** What checkout fetches of a branch. */
const fetched = (on: Runner, branch: string, commit = branch) =>
  on.git('update-ref', `refs/remotes/origin/${branch}`, on.git('rev-parse', commit))

test('of a pull request, the base is the branch that it would be merged into', { skip }, async (t) => {
  const on = repository(t)
  const main = on.git('rev-parse', 'main')
  const head = mergeOf(on, vendored('evil'))
  const ended = await on.run('findBase', { ...events, EVENT: 'pull_request', HEAD_SHA: head })
  assert.deepEqual(ended.outputs, { base: main, before: main }, ended.stderr)
  assert.equal(ended.stdout, '')
})

test('of a pull request, everything that is not merged is new, also what was pushed before', { skip }, async (t) => {
  const on = repository(t)
  const main = on.git('rev-parse', 'main')
  const head = mergeOf(on, {})
  // What an event of a further push to the branch has in it.
  const BEFORE = on.git('rev-parse', 'change^')
  const { outputs } = await on.run('findBase', { ...events, EVENT: 'pull_request', HEAD_SHA: head, BEFORE })
  assert.equal(outputs.before, main)
})

test('of a pull request, HEAD must be the merge of the commit that the event names', { skip }, async (t) => {
  const on = repository(t)
  const head = mergeOf(on, {})
  const other = on.git('rev-parse', 'main')
  for (const HEAD_SHA of [other, '', head.slice(0, 12), `${head} `, ...commandsIn(on.marker)]) {
    const { code, outputs } = await on.run('findBase', { ...events, EVENT: 'pull_request', HEAD_SHA })
    assert.notEqual(code, 0, HEAD_SHA)
    assert.deepEqual(outputs, {})
  }
  // The branch itself, as checkout has it for pull_request_target or with a ref of its own: no test merge.
  on.git('switch', '--quiet', 'change')
  for (const HEAD_SHA of [head, '', other]) {
    const { code, outputs } = await on.run('findBase', { ...events, EVENT: 'pull_request', HEAD_SHA })
    assert.notEqual(code, 0)
    assert.deepEqual(outputs, {})
  }
})

test('of a merge queue, the base is the commit that the group goes on, however many there are in it', {
  skip,
}, async (t) => {
  const on = repository(t)
  const main = on.git('rev-parse', 'main')
  mergeOf(on, vendored('evil'))
  commit(on, { 'second.txt': 'x' })
  const { outputs } = await on.run('findBase', { ...events, EVENT: 'merge_group', GROUP_BASE: main })
  assert.deepEqual(outputs, { base: main, before: main })
})

test('a base that is no commit is refused, and is never an option or a command', { skip }, async (t) => {
  const on = repository(t)
  for (const GROUP_BASE of [
    '',
    '--help',
    '--all',
    '-h',
    'HEAD; id',
    'no-such-branch',
    'HEAD:devflow.lock',
    '0'.repeat(40),
    ...commandsIn(on.marker),
  ]) {
    const { code, outputs } = await on.run('findBase', { ...events, EVENT: 'merge_group', GROUP_BASE })
    assert.notEqual(code, 0, GROUP_BASE)
    assert.deepEqual(outputs, {}, GROUP_BASE)
  }
})

test('of a commit of the default branch, it is its own base', { skip }, async (t) => {
  const on = repository(t)
  const first = on.git('rev-parse', 'HEAD')
  const head = commit(on, { 'more.txt': 'x' })
  fetched(on, 'main')
  for (const EVENT of ['push', 'schedule', 'workflow_dispatch'])
    for (const BEFORE of ['', first]) {
      const { outputs, stdout } = await on.run('findBase', { ...events, EVENT, BEFORE })
      assert.deepEqual(outputs, { base: head, before: EVENT === 'push' && BEFORE !== '' ? first : head })
      assert.equal(stdout, '')
    }
})

test('of another branch, the base is where it left the default one', { skip }, async (t) => {
  const on = repository(t)
  const main = on.git('rev-parse', 'main')
  on.git('switch', '--quiet', '--create', 'other')
  commit(on, vendored('evil'))
  fetched(on, 'main', main)
  const { outputs } = await on.run('findBase', { ...events, EVENT: 'workflow_dispatch' })
  assert.deepEqual(outputs, { base: main, before: main })
})

test('a tag is released only where its commit is on the default branch', { skip }, async (t) => {
  const on = repository(t)
  const main = on.git('rev-parse', 'main')
  const tagged = { ...events, EVENT: 'push', REF_TYPE: 'tag', BEFORE: '0'.repeat(40) }
  const unknown = await on.run('findBase', tagged)
  assert.deepEqual([unknown.code, unknown.outputs], [1, {}])
  fetched(on, 'main')
  assert.equal((await on.run('findBase', tagged)).outputs.base, main)
  commit(on, vendored('evil'))
  const { code, stdout, outputs } = await on.run('findBase', tagged)
  assert.deepEqual([code, outputs], [1, {}])
  assert.equal(stdout, '::error title=dwf::This tag is not on main: only what was merged is released.\n')
})

test('where a base has no dwf, the default branch decides; where that has none, the change says so', {
  skip,
}, async (t) => {
  const on = repository(t)
  const main = on.git('rev-parse', 'main')
  fetched(on, 'main')
  on.git('switch', '--quiet', '--orphan', 'bare')
  const bare = commit(on, { 'README.md': 'x' })
  on.git('switch', '--quiet', '--create', 'change')
  const head = commit(on, vendored('evil'))
  on.git('switch', '--quiet', '--detach', 'bare')
  on.git('merge', '--quiet', '--no-ff', '--message=merge', 'change')
  const env = { ...events, EVENT: 'pull_request', HEAD_SHA: head }
  const chosen = await on.run('findBase', env)
  assert.deepEqual(chosen.outputs, { base: main, before: bare }, chosen.stderr)
  assert.equal(chosen.stdout, '')
  const first = await on.run('findBase', { ...env, DEFAULT: 'none' })
  assert.deepEqual(first.outputs, { base: on.git('rev-parse', 'HEAD'), before: bare })
  assert.match(
    first.stdout,
    /^::warning title=dwf::Neither the base nor none has dwf: this change brings the one that judges it\./,
  )
})

test('a base with dwf and no policy, or with a policy and no dwf, does not decide', { skip }, async (t) => {
  const whole = vendored('half')
  for (const path of ['devflow.toml', '.github/dwf/dwf.bundle'] as const) {
    const { [path]: left, ...half } = whole
    const on = repository(t, half)
    const head = mergeOf(on, whole)
    const { outputs, stdout } = await on.run('findBase', { ...events, EVENT: 'pull_request', HEAD_SHA: head })
    assert.equal(outputs.base, on.git('rev-parse', 'HEAD'), path)
    assert.match(stdout, /^::warning title=dwf::/)
  }
})

test('dwf is the file of the base, also for a change that replaces it and its hash', { skip }, async (t) => {
  const on = repository(t)
  const head = mergeOf(on, vendored('evil'))
  const { outputs } = await on.run('findBase', { ...events, EVENT: 'pull_request', HEAD_SHA: head })
  const { code, stderr } = await on.run('takeVendored', { FROM: outputs.base! })
  assert.equal(code, 0, stderr)
  assert.equal(on.read('dwf/dwf.mjs'), 'console.log("base")\n')
})

test('dwf that devflow.lock does not name is not taken', { skip }, async (t) => {
  const lock = (value: unknown) => ({ 'devflow.lock': typeof value === 'string' ? value : JSON.stringify(value) })
  const good = vendored('base')
  const hash = sha256(bundle('base'))
  const wrong: Readonly<Record<string, Readonly<Record<string, string | Buffer>>>> = {
    'other bytes': { ...good, '.github/dwf/dwf.bundle': bundle('other') },
    'one byte more': { ...good, '.github/dwf/dwf.bundle': Buffer.concat([bundle('base'), Buffer.from([0])]) },
    'no hash': { ...good, ...lock({}) },
    'a hash that is null': { ...good, ...lock({ bundle: { sha256: null } }) },
    'an empty hash': { ...good, ...lock({ bundle: { sha256: '' } }) },
    'a short hash': { ...good, ...lock({ bundle: { sha256: hash.slice(1) } }) },
    'a lock that is no JSON': { ...good, ...lock('{') },
    'no lock': { '.github/dwf/dwf.bundle': bundle('base') },
    'no dwf': { '.github/dwf/x': 'x', ...lock({ bundle: { sha256: hash } }) },
  }
  for (const [name, files] of Object.entries(wrong)) {
    const on = repository(t, files)
    const { code } = await on.run('takeVendored', { FROM: on.git('rev-parse', 'HEAD') })
    assert.notEqual(code, 0, name)
    assert.ok(!on.has('dwf/dwf.mjs'), name)
  }
  const on = repository(t)
  for (const FROM of ['', '--help', 'no-such', ...commandsIn(on.marker)]) {
    assert.notEqual((await on.run('takeVendored', { FROM })).code, 0, FROM)
    assert.ok(!on.has('dwf/dwf.mjs'), FROM)
  }
})

test('a branch with a name that a shell would run is a name', { skip }, async (t) => {
  const on = repository(t)
  const main = on.git('rev-parse', 'main')
  const head = mergeOf(on, {})
  for (const name of ['$(touch${IFS}marker)', '`id`', "';id;'", 'a;b', 'a|b', '--help']) {
    on.git('update-ref', `refs/heads/${name}`, head)
    const { outputs } = await on.run('findBase', { ...events, EVENT: 'pull_request', HEAD_SHA: head, DEFAULT: name })
    assert.equal(outputs.base, main)
  }
  for (const text of commandsIn(on.marker))
    await on.run('findBase', { ...events, EVENT: 'push', DEFAULT: text, BEFORE: text, REF_TYPE: text })
})
