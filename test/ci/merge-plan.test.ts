import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  basePath,
  driftOf,
  type Generation,
  type GenerationInput,
  hashOf,
  planGeneration,
} from '../../src/ci/merge/index.ts'
import { checkoutOf, pin, text, uses } from './merge-texts.ts'

const [one, two] = ['.github/workflows/one.yml', '.github/workflows/two.yml'] as const

/** A repository in memory: files by their paths, and what devflow.lock records. */
function rig(files: Readonly<Record<string, string | Buffer>> = {}) {
  const tree = new Map(Object.entries(files).map(([path, content]) => [path, Buffer.from(content)]))
  let generated: Generation['generated'] = []
  const plan = (next: Readonly<Record<string, string>>, more: Partial<GenerationInput> = {}): Generation =>
    planGeneration({
      files: Object.entries(next).map(([path, content]) => ({ path, content })),
      lock: { generated },
      read: (path) => tree.get(path),
      bases: [...tree.keys()].filter((path) => path.startsWith('.github/dwf/base/')),
      ...more,
    })
  return {
    plan,
    tree,
    record: (path: string, content: string) => {
      generated = [...generated, { path, sha256: hashOf(content) }]
      tree.set(basePath(path), Buffer.from(content))
    },
    set: (path: string, content: string | undefined) =>
      content === undefined ? tree.delete(path) : tree.set(path, Buffer.from(content)),
    text: (path: string) => tree.get(path)?.toString(),
    /** As ci:generate does it. */
    generate: (next: Readonly<Record<string, string>>, more: Partial<GenerationInput> = {}): Generation => {
      const generation = plan(next, more)
      for (const { path, content, expected } of generation.writes) {
        assert.deepEqual(tree.get(path), expected, 'what was there is what was looked at')
        if (content === undefined) tree.delete(path)
        else tree.set(path, Buffer.from(content))
      }
      generated = generation.generated
      return generation
    },
  }
}
const kinds = ({ outcomes }: Generation): readonly string[] =>
  outcomes.map((outcome) => (outcome.kind === 'stale' ? `stale ${outcome.action}` : outcome.kind))
const states = (generation: Generation): readonly string[] =>
  driftOf(generation).map(({ state, isDrift }) => (isDrift ? `${state}!` : state))
const codes = ({ diagnostics }: Generation): readonly string[] => diagnostics.map((diagnostic) => diagnostic.code)

test('the first generation writes files, their base texts and their records', () => {
  const repo = rig()
  const generation = repo.plan({ [two]: 'two\n', [one]: 'one\n' })
  assert.deepEqual(kinds(generation), ['created', 'created'])
  assert.deepEqual(generation.writes, [
    { path: two, content: 'two\n', expected: undefined },
    { path: basePath(two), content: 'two\n', expected: undefined },
    { path: one, content: 'one\n', expected: undefined },
    { path: basePath(one), content: 'one\n', expected: undefined },
  ])
  assert.deepEqual(generation.generated, [
    { path: one, sha256: hashOf('one\n') },
    { path: two, sha256: hashOf('two\n') },
  ])
  assert.equal(basePath(one), '.github/dwf/base/.github/workflows/one.yml')
  assert.deepEqual(states(generation), ['missing!', 'missing!'])
  repo.generate({ [one]: 'one\n' })
  const again = repo.plan({ [one]: 'one\n' })
  assert.deepEqual([again.writes, states(again), again.diagnostics], [[], ['same'], []])
})

test('edits are no drift, what dwf would change is, with its diff', () => {
  const repo = rig()
  repo.generate({ [one]: text('a', 'b', 'c', 'd') })
  repo.set(one, text('a', 'b', 'c', 'd', 'mine'))
  assert.deepEqual(states(repo.plan({ [one]: text('a', 'b', 'c', 'd') })), ['edited'])
  const next = { [one]: text('new', 'b', 'c', 'd') }
  const [drift] = driftOf(repo.plan(next))
  assert.deepEqual([drift!.state, drift!.isDrift], ['outdated', true])
  assert.match(drift!.diff, /^--- a\/\.github\/workflows\/one\.yml\n\+\+\+ b\/.*\n@@ .* @@\n-a\n\+new\n b/)
  assert.deepEqual(kinds(repo.generate(next)), ['merged'])
  assert.equal(repo.text(one), text('new', 'b', 'c', 'd', 'mine'))
  assert.deepEqual([repo.plan(next).writes, states(repo.plan(next))], [[], ['edited']])
})

test('a conflict leaves its file, base and record, and the others are written', () => {
  const repo = rig()
  repo.generate({ [one]: 'a\n', [two]: 'a\n' })
  repo.set(one, 'mine\n')
  const next = { [one]: 'dwf\n', [two]: 'dwf\n' }
  const generation = repo.generate(next)
  assert.deepEqual([kinds(generation), codes(generation)], [['conflict', 'updated'], ['merge-conflict']])
  assert.deepEqual([repo.text(one), repo.text(basePath(one)), repo.text(two)], ['mine\n', 'a\n', 'dwf\n'])
  assert.deepEqual(generation.generated[0], { path: one, sha256: hashOf('a\n') })
  assert.deepEqual(states(repo.plan(next)), ['conflict!', 'same'])
  assert.deepEqual(kinds(repo.generate(next, { prefer: () => 'mine' })), ['unchanged', 'unchanged'])
  assert.deepEqual([repo.text(one), states(repo.plan(next))], ['mine\n', ['edited', 'same']])
})

test('the way out of a conflict that its hint names is one', () => {
  const repo = rig()
  repo.generate({ [one]: text('a', 'b') })
  repo.set(one, text('a', 'mine'))
  const next = { [one]: text('a', 'dwf') }
  assert.deepEqual(kinds(repo.plan(next)), ['conflict'])
  repo.set(one, text('a', 'dwf'))
  repo.generate(next)
  repo.set(one, text('a', 'mine'))
  assert.deepEqual(states(repo.plan(next)), ['edited'])
})

test('the ways out of a file that is kept removed, and of a base that is lost, are ones', () => {
  const repo = rig()
  repo.generate({ [one]: 'a\n', [two]: 'a\n' })
  repo.set(one, undefined)
  assert.deepEqual(
    [kinds(repo.generate({ [one]: 'b\n', [two]: 'a\n' })), states(repo.plan({ [one]: 'b\n' }))[0]],
    [['kept-deleted', 'unchanged'], 'kept-deleted'],
  )
  assert.equal(repo.text(one), undefined)
  repo.set(basePath(one), undefined)
  repo.set(two, 'mine\n')
  repo.set(basePath(two), 'somebody edited it\n')
  const lost = repo.generate({ [one]: 'b\n', [two]: 'b\n' })
  assert.deepEqual([kinds(lost), repo.text(two)], [['created', 'base-lost'], 'mine\n'])
  assert.deepEqual(states(repo.plan({ [one]: 'b\n', [two]: 'b\n' })), ['same', 'conflict!'])
  repo.set(two, undefined)
  repo.set(basePath(two), undefined)
  assert.deepEqual(kinds(repo.generate({ [one]: 'b\n', [two]: 'b\n' })), ['unchanged', 'created'])
})

test("people's own files and what is no text are left alone", () => {
  const repo = rig({ [one]: 'mine\n', [two]: Buffer.from([0xff, 0xfe, 0x61]) })
  const generation = repo.plan({ [one]: 'a\n', [two]: 'b\n' })
  assert.deepEqual([kinds(generation), generation.writes, generation.generated], [['foreign', 'not-text'], [], []])
  assert.deepEqual(states(generation), ['foreign', 'conflict!'])
})

test('a repository whose git writes CRLF is the same repository', () => {
  const repo = rig()
  repo.generate({ [one]: text('a', 'b') })
  for (const [path, content] of repo.tree) repo.set(path, content.toString().replaceAll('\n', '\r\n'))
  const same = repo.plan({ [one]: text('a', 'b') })
  assert.deepEqual([same.writes, states(same)], [[], ['same']])
  repo.generate({ [one]: text('a', 'c') })
  assert.equal(repo.text(one), 'a\r\nc\r\n')
})

test('files that dwf does not write any more go, unless somebody edited them', () => {
  const repo = rig()
  const old = checkoutOf('v4.0.0')
  const names = ['edited', 'bumped', 'gone', 'lost', 'plain'].map((name) => `.github/workflows/${name}.yml`)
  const [editedFile, bumped, gone, lost, plain] = names as [string, string, string, string, string]
  repo.generate(Object.fromEntries([[one, 'x\n'], ...names.map((name) => [name, text(uses(old))])]))
  repo.set(editedFile, 'mine\n')
  repo.set(bumped, text(uses(checkoutOf('v4.1.0'))))
  repo.set(gone, undefined)
  repo.set(basePath(lost), undefined)
  repo.set('.github/dwf/base/orphan', 'x\n')
  const generation = repo.plan({ [one]: 'x\n' })
  assert.deepEqual(states(generation), ['same', 'stale!', 'stale!', 'stale!', 'stale!', 'stale!'])
  assert.deepEqual(kinds(repo.generate({ [one]: 'x\n' })), [
    'unchanged',
    'stale removed',
    'stale kept',
    'stale gone',
    'stale kept',
    'stale removed',
  ])
  assert.deepEqual([...repo.tree.keys()].sort(), [basePath(one), editedFile, lost, one].sort())
  assert.equal(repo.text(plain), undefined)
  const again = repo.plan({ [one]: 'x\n' })
  assert.deepEqual([states(again), again.writes, again.generated.length], [['same'], [], 1])
})

test('a record in devflow.lock alone removes nothing', () => {
  const repo = rig({ 'src/main.ts': 'code\n' })
  const generation = repo.plan({}, { lock: { generated: [{ path: 'src/main.ts', sha256: hashOf('code\n') }] } })
  assert.deepEqual([kinds(generation), generation.writes], [['stale kept'], []])
})

test('a pin that is newer in one file is the pin of all', () => {
  const repo = rig()
  const at = (version: string) => ({
    [one]: text('a', uses(checkoutOf(version))),
    [two]: text(uses(checkoutOf(version)), 'b'),
  })
  repo.generate(at('v4.0.0'))
  repo.set(one, at('v4.2.0')[one])
  const checked = repo.plan(at('v4.0.0'))
  assert.deepEqual(states(checked), ['same', 'outdated!'])
  assert.deepEqual([checked.pins, codes(checked)], [[checkoutOf('v4.2.0')], ['pin-taken']])
  assert.equal(
    checked.diagnostics[0]!.message,
    `actions/checkout v4.2.0 in ${one} is newer than dwf's: it is used everywhere`,
  )
  repo.generate(at('v4.0.0'))
  assert.deepEqual([repo.text(two), repo.text(basePath(two))], [at('v4.2.0')[two], at('v4.2.0')[two]])
  for (const version of ['v4.0.0', 'v4.2.0']) assert.deepEqual(repo.plan(at(version)).writes, [], version)
  repo.set(one, at('v4.3.0')[one])
  repo.set(two, at('v4.3.0')[two])
  assert.deepEqual(states(repo.plan(at('v4.2.0'))), ['same', 'same'], 'a bump in all files is no drift')
})

test('two commits for one version in different files are both refused', () => {
  const repo = rig()
  const at = (sha: string, version = 'v2.0.0') => text(uses(pin('a/b', version, sha.repeat(40))))
  const next = { [one]: at('1', 'v1.0.0'), [two]: at('1', 'v1.0.0') }
  repo.generate(next)
  repo.set(one, at('2'))
  repo.set(two, at('3'))
  const generation = repo.generate(next)
  assert.deepEqual([generation.pins, codes(generation)], [[], ['suspicious-pin', 'suspicious-pin']])
  assert.deepEqual([repo.text(one), repo.text(two)], [next[one], next[two]])
})
