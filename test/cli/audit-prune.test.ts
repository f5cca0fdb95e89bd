import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runsBackup } from '../../src/cli/commands/runs-backup.ts'
import { exportRows } from '../../src/store/export-rows.ts'
import { openStore } from '../../src/store/store.ts'
import { place } from './audit-rig.ts'

const three = [
  { id: 'r1', at: 1_000, title: 'first\u001b[2J', logs: { build: 'x'.repeat(2048) } },
  { id: 'r2', at: 2_000 },
  { id: 'r3', at: 3_000 },
]

test('prune:runs shows what would go, and then removes it with its logs', async (t) => {
  const { run, runs, use } = await place(t, [
    ...three,
    { id: 'other', root: '/elsewhere', at: 1 },
    { id: 'other2', root: '/elsewhere', at: 2 },
  ])
  mkdirSync(join(runs, 'never-began'))
  utimesSync(join(runs, 'never-began'), 1, 1)
  const dry = run(['prune:runs', '--keep', '2', '--dry-run'])
  assert.equal(dry.status, 0)
  assert.match(
    dry.stdout,
    /^would remove r1 {2}1970-01-01T00:00:01\.000Z {2}passed {2}first\\u001b\[2J\nwould remove the folder never-began, which belongs to no run\nwould free at least 2\.0 KiB\n$/,
  )
  assert.deepEqual(readdirSync(runs).sort(), ['never-began', 'r1'])
  const done = run(['prune:runs', '--keep', '2'])
  assert.equal(done.status, 0)
  assert.match(
    done.stdout,
    /^removed r1 .*\nremoved the folder never-began, which belongs to no run\nfreed \d+\.\d KiB\n$/,
  )
  assert.deepEqual(readdirSync(runs), [])
  await use((store) => {
    assert.equal(exportRows(store.database, 'r1'), undefined)
    assert.ok(exportRows(store.database, 'other'))
  })
  assert.equal(run(['prune:runs', '--keep', '2']).stdout, 'nothing to prune\n')
  const all = JSON.parse(run(['prune:runs', '--older-than', '30d', '--all', '--json']).stdout)
  assert.deepEqual(
    [all.schema, all.dryRun, all.runs.map(({ id }: { id: string }) => id)],
    ['dwf.prune/1', false, ['other', 'r2']],
  )
  assert.match(run(['audit', '--all']).stdout, /^fits {2}other2\nfits {2}r3\ntombstones of pruned runs: 3, /)
})

test('prune without what to prune says what there is', async (t) => {
  const { run } = await place(t, [])
  const caches =
    '  dwf prune:runs --keep 20; the caches of a repository are in its .cache/devflow, and can be deleted\n'
  for (const [args, stderr] of [
    [['prune'], `error: this version of dwf prunes runs and nothing else\n${caches}`],
    [['prune:cache'], `error: this version of dwf prunes runs and nothing else: there is no prune:cache\n${caches}`],
    [
      ['prune:runs'],
      'error: prune:runs needs to know which runs go\n  dwf prune:runs --keep 20, or --older-than 30d, or both; --dry-run shows what goes\n',
    ],
    [['prune:runs', '--keep', '-1'], 'error: --keep must be a whole number, not "-1"\n'],
    [['prune:runs', '--older-than', 'long'], 'error: --older-than must be a duration such as 30d, not "long"\n'],
  ] as const)
    assert.deepEqual(run(args), { status: 2, stdout: '', stderr })
  assert.equal(run(['prune:runs', '--keep', '1']).stdout, 'nothing to prune\n')
})

test('a run that is going on stays, and the database keeps its size', async (t) => {
  const { run, runs, use } = await place(t, [
    { id: 'r1', at: 1, logs: { build: 'x' } },
    { id: 'r2', at: 2 },
  ])
  await use(async (store) => {
    const { makeRun } = await import('../store/made-runs.ts')
    await makeRun(store, runs, { id: 'r3', at: 3, root: '/elsewhere', ends: false })
    const { status, stdout, stderr } = run(['prune:runs', '--keep', '0', '--all'])
    assert.equal(status, 0)
    assert.match(stdout, /^removed r1 {2}[^\n]*\nfreed \d+ B\n$/)
    assert.match(stderr, /dwf\.db keeps its \d+\.\d KiB: a run is going on; what is free in it is used again\n$/)
  })
})

test('runs backup copies the database, and nothing is written over', async (t) => {
  const { folder, root } = await place(t, three)
  const before = process.env.XDG_STATE_HOME
  process.env.XDG_STATE_HOME = join(folder, 'state')
  t.after(() => {
    if (before === undefined) delete process.env.XDG_STATE_HOME
    else process.env.XDG_STATE_HOME = before
  })
  const said: string[] = []
  const say = (text: string) => void said.push(text)
  const output = { result: say, talk: say, json: (document: object) => say(JSON.stringify(document)) }
  const globals = { cwd: root, json: false, dryRun: false }
  const backup = (name: string | undefined, more = {}) =>
    runsBackup(name, { ...globals, ...more } as never, output as never)
  assert.equal(await backup('x.db', { dryRun: true }), 0)
  assert.deepEqual(said.splice(0), [`would copy ${folder}/state/dwf/dwf.db to ${root}/x.db`])
  mkdirSync(join(root, 'copy'), { mode: 0o700 })
  assert.equal(await backup('copy/dwf.db'), 0)
  assert.match(said[0]!, new RegExp(`^${root}/copy/dwf\\.db {2}[\\d.]+ KiB {2}sha256 [0-9a-f]{64}$`))
  assert.deepEqual(said.splice(0)[1], `logs are not in it: they are below ${folder}/state/dwf/runs`)
  assert.equal(statSync(join(root, 'copy/dwf.db')).mode & 0o777, 0o600)
  assert.equal(await backup('y.db', { json: true }), 0)
  assert.equal(JSON.parse(said.splice(0)[0]!).schema, 'dwf.backup/1')
  await assert.rejects(backup('copy/dwf.db'), { kind: 'refused', message: `${root}/copy/dwf.db is there already` })
  await assert.rejects(backup(undefined), { kind: 'wrong-input', message: 'runs backup needs the name of a new file' })
  const copy = await openStore(join(root, 'copy'))
  assert.ok(exportRows(copy.database, 'r3'))
  copy.close()
})
