import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { exportRows } from '../../src/store/export-rows.ts'
import { pruneRun } from '../../src/store/prune.ts'
import { changed } from '../archive/rig.ts'
import { place } from './audit-rig.ts'

const id = '20260101000000-aaaaaa'
const logs = { build: 'built\n', test: 'password=hunter2\n' }

test('an export is private, new, and is imported elsewhere as a run that fits and cannot go on', async (t) => {
  const { run, root, folder } = await place(t, [{ logs }])
  const made = run(['export', '-o', 'x.tar'])
  assert.equal(made.status, 0)
  assert.match(made.stdout, new RegExp(`^${root}/x\\.tar {2}sha256 [0-9a-f]{64}\n$`))
  assert.equal(made.stderr, 'redacted: 1 place that looks like a secret\n')
  assert.equal(statSync(join(root, 'x.tar')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(root), ['x.tar'])
  const bytes = readFileSync(join(root, 'x.tar'))
  assert.deepEqual(run(['export', id, '-o', 'x.tar']), {
    status: 4,
    stdout: '',
    stderr: `error: ${root}/x.tar is there already\n  choose another name, or move it away\n`,
  })
  assert.ok(readFileSync(join(root, 'x.tar')).equals(bytes))
  assert.equal(
    spawnSync('tar', ['-tf', join(root, 'x.tar')], { encoding: 'utf8' }).stdout.split('\n')[0],
    'manifest.json',
  )

  const elsewhere = join(folder, 'elsewhere')
  const head = /head [0-9a-f]{64}/.exec(run(['audit', '--verify']).stdout)![0]
  assert.deepEqual(run(['import', 'x.tar', '--verify'], elsewhere), {
    status: 0,
    stdout: `run ${id} fits: 11 files, 6 events, ${head}; nothing was written\n`,
    stderr: 'redacted when it was exported: 1 place\n',
  })
  assert.deepEqual(readdirSync(folder).sort(), ['repo', 'state'])
  assert.equal(run(['import', 'x.tar'], elsewhere).stdout, `run ${id} imported: 11 files, 6 events, ${head}\n`)
  const kept = join(elsewhere, 'dwf/runs', id)
  assert.deepEqual(readdirSync(join(elsewhere, 'dwf/runs')), [id])
  assert.equal(statSync(kept).mode & 0o777, 0o700)
  assert.equal(statSync(join(kept, 'logs/test.log')).mode & 0o777, 0o600)
  assert.equal(readFileSync(join(kept, 'logs/test.log'), 'utf8'), 'password=*******\n')
  assert.equal(run(['audit', id, '--verify'], elsewhere).status, 0)
  assert.deepEqual(run(['resume', id], elsewhere), {
    status: 2,
    stdout: '',
    stderr: `error: run ${id} was imported: it belongs to another machine\n  dwf runs\n`,
  })
  assert.equal(run(['import', 'x.tar'], elsewhere).stdout, `run ${id} is there already, and is the same\n`)
  assert.equal(run(['export', id, '-o', 'y.tar'], elsewhere).status, 0)
  assert.equal(run(['import', 'y.tar', '--verify']).status, 0)
})

test('on standard output an export is its bytes and nothing else', async (t) => {
  const { run, root } = await place(t, [{ logs }])
  const tar = spawnSync(
    'sh',
    ['-c', `"$0" "$1" export --quiet | tar -tf -`, process.execPath, join(import.meta.dirname, '../../src/cli.ts')],
    {
      cwd: root,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: root, XDG_STATE_HOME: join(root, '../state') },
    },
  )
  assert.equal(tar.stderr, '')
  assert.deepEqual(tar.stdout.split('\n').slice(0, 3), ['manifest.json', 'attempts.json', 'events.json'])
  const json = JSON.parse(run(['export', '--format', 'json']).stdout)
  assert.deepEqual(
    [json.schema, json.run.id, json.tasks[0].id, json.logs[0].text],
    ['dwf.export/1', id, 'build', 'built\n'],
  )
  assert.equal(run(['export', '--json']).stdout, run(['export', '--format', 'json', '--quiet']).stdout)
  const document = JSON.parse(run(['export', '--json', '-o', 'x.json', '--format', 'json']).stdout)
  assert.deepEqual(
    [document.schema, document.format, document.redacted],
    ['dwf.exported/1', 'json', { places: 1, events: [] }],
  )
  assert.match(run(['export', '--dry-run']).stdout, /^attempts\.json {2}\d+ B\nevents\.json/)
})

test('what cannot be exported is said', async (t) => {
  const { run, root } = await place(t, [{}, { id: 'going', root: '/elsewhere', ends: false }])
  for (const [args, status, stderr] of [
    [['export', '--format', 'zip', '-o', 'x'], 2, 'error: --format must be tar or json, not "zip"\n'],
    [['export', 'going', '-o', 'x'], 4, 'error: run going is going on\n  export it when it has ended\n'],
    [['export', '-o', 'no/x'], 2, `error: there is no folder ${root}/no\n  make it first\n`],
  ] as const)
    assert.deepEqual(run(args), { status, stdout: '', stderr })
  const { status, stderr } = run(['export', '--json', '--format', 'tar'])
  assert.deepEqual(
    [status, stderr],
    [2, 'error: --json says where the export is: it needs -o FILE\n  dwf export RUN -o FILE --json\n'],
  )
  assert.deepEqual(readdirSync(root), [])
})

test('an import that does not fit, is another run, or is none keeps nothing', async (t) => {
  const { run, root, use, folder } = await place(t, [{ logs }])
  run(['export', '--format', 'json', '-o', 'x.json'])
  const text = readFileSync(join(root, 'x.json'), 'utf8')
  writeFileSync(join(root, 'bad.json'), text.replace('built\\n', 'BUILT\\n'))
  const elsewhere = join(folder, 'elsewhere')
  const misfit = 'logs/build.log: its digest is not the one of its manifest'
  assert.deepEqual(run(['import', 'bad.json'], elsewhere), {
    status: 1,
    stdout: `${misfit}\nrun ${id} does not fit: nothing was kept\n`,
    stderr: 'redacted when it was exported: 1 place\n',
  })
  assert.deepEqual(readdirSync(join(elsewhere, 'dwf/runs')), [])
  const json = JSON.parse(run(['import', 'bad.json', '--json', '--verify'], elsewhere).stdout)
  assert.deepEqual([json.schema, json.came, json.misfits.length], ['dwf.import/1', 'does-not-fit', 1])
  writeFileSync(join(root, 'none'), 'x')
  assert.deepEqual(run(['import', 'none'], elsewhere), {
    status: 2,
    stdout: '',
    stderr: `error: ${root}/none is no export that dwf reads: the archive ends in the header of file 1\n  dwf export RUN -o FILE writes one; nothing was kept\n`,
  })
  assert.deepEqual(readdirSync(join(elsewhere, 'dwf/runs')), [])
  await use((store) => store.database.exec("UPDATE runs SET title = 'other'"))
  const other = run(['import', 'x.json'])
  assert.equal(other.status, 4)
  assert.match(
    other.stderr,
    /^redacted .*\nerror: run 20260101000000-aaaaaa is there already, and is not the same: run\.json differs\n|^error: run 20260101000000-aaaaaa is there already, and is not the same: run\.json differs\n/,
  )
})

test('a run that was pruned comes back only as what its tombstone says', async (t) => {
  const { run, use, runs } = await place(t, [
    { at: 1, logs },
    { id: 'newer', at: 2 },
  ])
  run(['export', id, '-o', 'x.tar'])
  run(['export', id, '-o', 'x.json', '--format', 'json'])
  await use((store) => pruneRun(store.database, id, 3))
  mkdirSync(join(runs, id, 'left'), { recursive: true })
  assert.equal(run(['import', 'x.tar']).status, 0)
  assert.deepEqual(readdirSync(join(runs, id)), ['logs'])
  assert.equal(run(['audit', id, '--verify']).status, 0)
  await use((store) => {
    assert.equal(pruneRun(store.database, id, 4), true)
    store.database.exec("DROP TRIGGER tombstones_stay; UPDATE tombstones SET head = 'h'")
  })
  const refused = run(['import', 'x.json'])
  assert.equal(refused.status, 4)
  assert.match(
    refused.stderr,
    /run 20260101000000-aaaaaa was pruned here after 6 events with the head h: this one has 6 with the head [0-9a-f]{64}\n {2}it is not the run that was here\n$/,
  )
})

test('a run that was pruned does not come back with events that cannot be held against its tombstone', async (t) => {
  const reason = 'password=hunter2 was wrong'
  const results = { test: { outcome: 'failed', reason } } as const
  const { run, use, runs, folder } = await place(t, [
    { at: 1, results },
    { id: 'newer', at: 2 },
  ])
  run(['export', id, '-o', 'x.tar'])
  await use((store) => pruneRun(store.database, id, 3))
  const refused = run(['import', 'x.tar'])
  assert.deepEqual([refused.status, refused.stdout], [4, ''])
  assert.equal(
    refused.stderr,
    `error: run ${id} was pruned here, and events of this export are redacted: 5; what it says cannot be held against the head that is left of the run
  import it where the run was not, in another XDG_STATE_HOME
`,
  )
  assert.deepEqual(readdirSync(runs), [])
  assert.equal(run(['import', 'x.tar'], join(folder, 'elsewhere')).status, 0)
})

test('an import that the store refuses at its end leaves neither rows nor a folder', async (t) => {
  const { run, folder, use, runs } = await place(t, [{ id: 'r1', logs }])
  run(['export', 'r1', '-o', 'x.tar'])
  const other = join(folder, 'other')
  run(['import', 'x.tar'], other)
  await use((store) => {
    store.database.exec(`
      DROP TRIGGER runs_leave_a_tombstone; DROP TRIGGER events_leave_with_their_run; DELETE FROM runs;
      CREATE TABLE late (run TEXT REFERENCES leases (run) DEFERRABLE INITIALLY DEFERRED);
      CREATE TRIGGER too_late AFTER INSERT ON events BEGIN INSERT INTO late VALUES (NEW.run); END`)
  })
  rmSync(join(runs, 'r1'), { recursive: true })
  const refused = run(['import', 'x.tar'])
  assert.deepEqual([refused.status, refused.stdout], [3, ''])
  assert.match(refused.stderr, /error: the store of runs cannot be used: FOREIGN KEY constraint failed/)
  assert.deepEqual(readdirSync(runs), [])
  await use((store) => assert.equal(exportRows(store.database, 'r1'), undefined))
})

test('a run for which there is no space is refused before any of it is written', async (t) => {
  const { run, root, runs } = await place(t, [{ id: 'r1', logs }])
  run(['export', 'r1', '-o', 'x.tar'])
  const bytes = await changed(readFileSync(join(root, 'x.tar')), [['files.2.bytes', 2 ** 52]])
  writeFileSync(join(root, 'large.tar'), bytes)
  const refused = run(['import', 'large.tar'])
  assert.equal(refused.status, 3)
  assert.match(
    refused.stderr,
    /^error: the run needs 4096\.0 TiB, and \S+ has [\d.]+ [KMGT]iB\n {2}dwf prune:runs --dry-run says what goes\n$/,
  )
  assert.deepEqual(readdirSync(runs), ['r1'])
})
