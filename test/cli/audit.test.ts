import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readEvents } from '../../src/store/audit.ts'
import { addTombstone } from '../../src/store/tombstones.ts'
import { withRows } from '../archive/rig.ts'
import { dropTriggers } from '../store/made-runs.ts'
import { place } from './audit-rig.ts'

const id = '20260101000000-aaaaaa'
const results = { test: { outcome: 'failed', code: 3, reason: 'it\nbroke \u001b[31m' } } as const

test('audit shows what happened, one line an event, and no text of a task can look like another', async (t) => {
  const { run } = await place(t, [{ results }])
  const said = `   1  2023-11-14T22:13:20.000Z  run-started      2 tasks
   2  2023-11-14T22:13:20.000Z  task-started     build  attempt 1
   3  2023-11-14T22:13:20.040Z  task-ended       build  passed in 0.0 s
   4  2023-11-14T22:13:20.100Z  task-started     test  attempt 1
   5  2023-11-14T22:13:20.140Z  task-ended       test  failed (exit 3) in 0.0 s: it\\nbroke \\u001b[31m
   6  2023-11-14T22:13:20.500Z  run-ended        not ok in 0.5 s
`
  assert.deepEqual(run(['audit']), { status: 0, stdout: said, stderr: '' })
  assert.equal(run(['audit', '2026']).stdout, said)
  const json = JSON.parse(run(['audit', '--json']).stdout)
  assert.deepEqual([json.schema, json.run, json.events.length], ['dwf.audit/1', id, 6])
  assert.deepEqual(json.events[4].data.result.reason, 'it\nbroke \u001b[31m')
  assert.equal(json.head, json.events[5].hash)
})

test('audit --verify says what it knows and what it does not', async (t) => {
  const { run, use } = await place(t, [{ results }])
  let hashes: readonly string[] = []
  await use((store) => {
    hashes = readEvents(store.database, id).map(({ hash }) => hash)
  })
  const [, , , fourth, , last] = hashes
  assert.deepEqual(run(['audit', '--verify']), {
    status: 0,
    stdout: `run ${id}: 6 events, head ${last}
consistent: its events follow each other, and its rows say what they say
this does not rule out that everything was rewritten: only a head that was kept elsewhere does (--head)
`,
    stderr: '',
  })
  assert.deepEqual(run(['audit', '--head', last!.toUpperCase()]), {
    status: 0,
    stdout: `run ${id}: 6 events, head ${last}\nuntampered up to event 6, its last\n`,
    stderr: '',
  })
  assert.deepEqual(run(['audit', id, '--verify', '--head', fourth!.slice(0, 12)]), {
    status: 0,
    stdout: `run ${id}: 6 events, head ${last}\nuntampered up to event 4, where the chain has the given head; 2 more came after it\n`,
    stderr: '',
  })
  assert.deepEqual(run(['audit', '--head', '0123456789ab']), {
    status: 1,
    stdout: `run ${id}: 6 events, head ${last}\nhead: no event that fits has the hash 0123456789ab: the run was rewritten, or cut\n`,
    stderr: '',
  })
  const json = JSON.parse(run(['audit', '--head', last!, '--json']).stdout)
  assert.deepEqual(json, {
    schema: 'dwf.verdict/1',
    run: id,
    ok: true,
    events: 6,
    fits: 6,
    head: last,
    redacted: [],
    misfits: [],
    outside: { head: last, event: 6, from: 1 },
  })
})

test('audit --verify names the row that does not fit, and exits 1', async (t) => {
  const { run, use } = await place(t, [{ results }])
  await use((store) => store.database.exec("UPDATE tasks SET state = 'passed' WHERE id = 'test'"))
  const row = run(['audit', '--verify'])
  assert.equal(row.status, 1)
  assert.match(
    row.stdout,
    /^run \S+: 6 events, head [0-9a-f]{64}\ntask test: its row says passed, its events say failed\n$/,
  )
  await use((store) => {
    dropTriggers(store)
    store.database.exec("UPDATE events SET data = replace(data, 'failed', 'passed')")
  })
  assert.deepEqual(run(['audit', '--verify']), {
    status: 1,
    stdout: `run ${id}: 6 events, of which the first 4 fit
event 5: its hash does not fit what it says and what came before
`,
    stderr: '',
  })
})

/** As somebody would change it who wants the run to have passed. */
function passes(json: string): Buffer {
  const document = JSON.parse(json)
  const data = (index: number) => document.events[index].data
  const ended = data(4).replace('"outcome":"failed"', '"outcome":"passed"').replace('it\\nbroke', '[redacted]')
  const last = data(5).replace('"ok":false', '"ok":true').replace('{', '{"note":"[redacted]",')
  return withRows(Buffer.from(json), [
    ['events.4.data', ended],
    ['events.5.data', last],
    ['tasks.1.state', 'passed'],
    ['tasks.1.reason', JSON.parse(ended).result.reason],
    ['attempts.1.state', 'passed'],
    ['run.state', 'passed'],
    ['manifest.redacted', { places: 2, events: [5, 6] }],
  ])
}

test('a failed run that was made to pass under the name of a redaction is never untampered', async (t) => {
  const { run, root, folder } = await place(t, [{ results }])
  const head = /head ([0-9a-f]{64})/.exec(run(['audit', '--verify']).stdout)![1]!
  const hashes = JSON.parse(run(['audit', '--json']).stdout).events.map(({ hash }: { hash: string }) => hash)
  writeFileSync(join(root, 'x.json'), passes(run(['export', '--format', 'json']).stdout))
  const elsewhere = join(folder, 'elsewhere')
  assert.deepEqual(run(['import', 'x.json'], elsewhere), {
    status: 0,
    stdout: `run ${id} imported: 7 files, 6 events, head ${head}\n`,
    stderr: 'redacted when it was exported: 2 places\nevents that cannot be held against their hashes: 5, 6\n',
  })
  assert.deepEqual(run(['audit', id, '--verify', '--head', head], elsewhere), {
    status: 1,
    stdout: `run ${id}: 6 events, head ${head}
redacted: events 5 and 6 cannot be held against their hash
the head is that of event 6, and vouches for nothing up to it
`,
    stderr: '',
  })
  assert.deepEqual(run(['audit', id, '--head', hashes[3]], elsewhere), {
    status: 0,
    stdout: `run ${id}: 6 events, head ${head}
redacted: events 5 and 6 cannot be held against their hash
untampered up to event 4, where the chain has the given head; 2 more came after it
`,
    stderr: '',
  })
  assert.deepEqual(run(['audit', id, '--verify'], elsewhere), {
    status: 0,
    stdout: `run ${id}: 6 events, head ${head}
consistent but for 2 redacted events: events 5 and 6 cannot be held against their hash
this does not rule out that everything was rewritten: only a head that was kept elsewhere does (--head)
`,
    stderr: '',
  })
  assert.equal(
    run(['audit', '--all'], elsewhere).stdout.split('\n')[0],
    `fits  ${id}  but for events 5 and 6: redacted`,
  )
})

test('over a redacted event a head vouches only for what came after', async (t) => {
  const { run, use } = await place(t, [{ results }])
  const head = /head ([0-9a-f]{64})/.exec(run(['audit', '--verify']).stdout)![1]!
  await use((store) => {
    dropTriggers(store)
    store.database.exec(`UPDATE runs SET imported_at = 1;
      UPDATE events SET data = json_set(data, '$.note', '[redacted]') WHERE sequence IN (2, 4)`)
  })
  assert.deepEqual(run(['audit', id, '--head', head]), {
    status: 1,
    stdout: `run ${id}: 6 events, head ${head}
redacted: events 2 and 4 cannot be held against their hash
the head vouches for event 5 to 6, and not for what came before: it may be changed
`,
    stderr: '',
  })
})

test('audit --all verifies every run and the tombstones', async (t) => {
  const { run, use } = await place(t, [{ at: 1 }, { id: 'b', root: '/elsewhere', at: 2 }])
  await use((store) => addTombstone(store.database, { run: 'gone', at: 1, events: 1, head: 'h' }))
  const good = run(['audit', '--all'])
  assert.equal(good.status, 0)
  assert.match(
    good.stdout,
    /^fits {2}20260101000000-aaaaaa\nfits {2}b\ntombstones of pruned runs: 1, head [0-9a-f]{64}\nthis does not rule out/,
  )
  await use((store) => {
    dropTriggers(store)
    store.database.exec("UPDATE tombstones SET head = 'x'; DELETE FROM events WHERE run = 'b' AND sequence = 2")
  })
  assert.deepEqual(run(['audit', '--all', '--verify']), {
    status: 1,
    stdout: `fits  ${id}
does not fit  b
  event 2: it is missing
tombstone 1: its hash does not fit what it says and what came before
`,
    stderr: '',
  })
})

test('what cannot be audited is said, and nothing is made', async (t) => {
  const { run, folder } = await place(t, [])
  for (const [args, stderr] of [
    [['audit'], 'error: there was no run here yet\n  dwf runs --all shows those of other projects\n'],
    [['audit', 'x'], 'error: there is no run "x"\n  dwf runs shows those there are\n'],
    [['export', 'x', '-o', 'y'], 'error: there is no run "x"\n  dwf runs shows those there are\n'],
    [
      ['audit', '--head', 'abc'],
      'error: --head must be a hash of 64 hexadecimal digits or its first 12 or more, not "abc"\n  the summary of a run ends with its head\n',
    ],
    [['audit', 'x', '--all'], 'error: --all is every run: it takes no run and no --head\n  dwf audit --all --verify\n'],
  ] as const)
    assert.deepEqual(run(args), { status: 2, stdout: '', stderr })
  assert.equal(run(['audit', '--all']).stdout.split('\n')[0], 'no run was pruned')
  assert.equal(existsSync(join(folder, 'state/dwf')), false)
})

test('each command has its help', async (t) => {
  const { run } = await place(t, [])
  for (const name of ['audit', 'export', 'import', 'prune'])
    assert.equal(
      run([name, '--help']).stdout,
      readFileSync(join(import.meta.dirname, `../fixtures/help/${name}.txt`), 'utf8'),
    )
})
