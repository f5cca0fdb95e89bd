import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { auditRun, readEvents } from '../../src/store/audit.ts'
import { genesis, hashAfter } from '../../src/store/chain.ts'
import { exportRows } from '../../src/store/export-rows.ts'
import type { Store } from '../../src/store/store.ts'
import { addTombstone, auditTombstones, readTombstones } from '../../src/store/tombstones.ts'
import { dropTriggers, makeRun, planFor, temporaryStore } from './made-runs.ts'

const id = 'r1'

/** A run of two tasks: the second failed and gave an output. Six events. */
async function attacked(t: TestContext) {
  const { store, runs } = await temporaryStore(t)
  await makeRun(store, runs, {
    id,
    results: { test: { outcome: 'failed', code: 3, reason: 'it broke', outputs: { tag: 'v1' } } },
  })
  return { store, run: (sql: string) => store.database.exec(sql) }
}

const verdictOf = (store: Store, head?: string) => auditRun(exportRows(store.database, id)!, head)
const misfitsOf = (store: Store, head?: string) =>
  verdictOf(store, head).misfits.map(({ where, why }) => `${where}: ${why}`)

test('a run that nobody touched fits', async (t) => {
  const { store } = await attacked(t)
  const { ok, events, fits, head, misfits } = verdictOf(store)
  assert.deepEqual({ ok, events, fits, misfits }, { ok: true, events: 6, fits: 6, misfits: [] })
  assert.equal(head, readEvents(store.database, id).at(-1)!.hash)
})

test('SQL can neither change nor take out nor put in an event, nor delete a run', async (t) => {
  const { store, run } = await attacked(t)
  for (const [sql, says] of [
    ["UPDATE events SET data = '{}' WHERE sequence = 5", 'events are never changed'],
    ['DELETE FROM events WHERE sequence = 6', 'events are never deleted but with their whole run'],
    [
      'INSERT INTO events SELECT run, 9, at, type, task, data, hash FROM events WHERE sequence = 1',
      'events follow each other',
    ],
    ["DELETE FROM runs WHERE id = 'r1'", 'a run leaves a tombstone'],
  ] as const) {
    assert.throws(() => run(sql), { message: says })
  }
  dropTriggers(store)
  run("UPDATE events SET data = '{}' WHERE sequence = 5")
  assert.equal(verdictOf(store).ok, false)
})

test('with the triggers gone the first row that does not fit is named', async (t) => {
  const unfit = 'its hash does not fit what it says and what came before'
  for (const [sql, misfit] of [
    [`UPDATE events SET data = replace(data, 'failed', 'passed') WHERE sequence = 5`, `event 5: ${unfit}`],
    ['UPDATE events SET at = at + 1 WHERE sequence = 2', `event 2: ${unfit}`],
    [`UPDATE events SET hash = '${'0'.repeat(64)}' WHERE sequence = 4`, `event 4: ${unfit}`],
    ['DELETE FROM events WHERE sequence = 3', 'event 3: it is missing'],
    ['DELETE FROM events WHERE sequence = 1', 'event 1: it is missing'],
    ['DELETE FROM events', 'event 1: it is missing'],
  ] as const) {
    const { store, run } = await attacked(t)
    dropTriggers(store)
    run(sql)
    assert.deepEqual(misfitsOf(store), [misfit], sql)
    store.close()
  }
})

test('two events in each other’s place are named', async (t) => {
  const { store, run } = await attacked(t)
  dropTriggers(store)
  run('UPDATE events SET sequence = 100 WHERE sequence = 2')
  run('UPDATE events SET sequence = 2 WHERE sequence = 3')
  run('UPDATE events SET sequence = 3 WHERE sequence = 100')
  assert.deepEqual(misfitsOf(store), ['event 2: its hash does not fit what it says and what came before'])
})

test('last events that are cut off show in the row of the run, and in a head from outside where that is changed too', async (t) => {
  const { store, run } = await attacked(t)
  const { head } = verdictOf(store)
  dropTriggers(store)
  run('DELETE FROM events WHERE sequence = 6')
  assert.deepEqual(misfitsOf(store), [
    'run: its row says failed, and no event says that it ended: the last ones are missing',
    'run: its row says its time in ms is 500, its events say 0',
  ])
  run("UPDATE runs SET state = 'running', ended_at = NULL, ms = 0")
  assert.deepEqual(misfitsOf(store), [])
  assert.deepEqual(misfitsOf(store, head), [
    `head: no event that fits has the hash ${head}: the run was rewritten, or cut`,
  ])
})

test('rows that say what no event says are named', async (t) => {
  for (const [sql, misfit] of [
    ["UPDATE tasks SET state = 'passed' WHERE id = 'test'", 'task test: its row says passed, its events say failed'],
    ["UPDATE tasks SET code = 0 WHERE id = 'test'", 'task test: its row says its exit code is 0, its events say 3'],
    [
      "UPDATE tasks SET reason = NULL WHERE id = 'test'",
      'task test: its row says its reason is nothing, its events say it broke',
    ],
    [
      "UPDATE tasks SET inputs = 'x' WHERE id = 'build'",
      'task build: its row says its inputs are x, its events say nothing',
    ],
    ["UPDATE tasks SET hash = 'x' WHERE id = 'build'", 'task build: its hash or its place is not that of the plan'],
    ["DELETE FROM tasks WHERE id = 'test'", 'task test: its row is missing'],
    [
      "UPDATE attempts SET state = 'passed' WHERE task = 'test'",
      'attempt 1 of test: its row says passed, its events say failed',
    ],
    [
      "UPDATE attempts SET ended_at = 1 WHERE task = 'test'",
      'attempt 1 of test: its row says its end is 1, its events say 1700000000140',
    ],
    ["DELETE FROM attempts WHERE task = 'build'", 'attempt 1 of build: its row is missing'],
    [
      "INSERT INTO attempts VALUES ('r1', 'build', 1, 2, 'passed', 0, 1, 1)",
      'attempt 2 of build: no event says that it began',
    ],
    ["UPDATE outputs SET value = 'v2'", 'output tag of test: its row and its events differ'],
    ['DELETE FROM outputs', 'output tag of test: its row is missing'],
    ["INSERT INTO outputs VALUES ('r1', 'build', 'x', 'y')", 'output x of build: no event says it'],
    ["UPDATE runs SET state = 'passed'", 'run: its row says passed, its events say failed'],
    ['UPDATE runs SET ended_at = 1', 'run: its row says its end is 1, its events say 1700000000500'],
    ['UPDATE runs SET sessions = 2', 'run: its row says its sessions are 2, its events say 1'],
    ["UPDATE runs SET plan_hash = 'x'", 'plan: it has another hash than the row of its run'],
    ["UPDATE runs SET plan = json_replace(plan, '$.hash', 'x'), plan_hash = 'x'", 'plan: it is not what its hash says'],
    ["UPDATE runs SET plan = json_replace(plan, '$.project', 'other')", 'plan: it is not what its hash says'],
    [
      'UPDATE runs SET options = \'{"jobs":9}\'',
      'run: its plan, its options or what it is about are not those that its events say',
    ],
    [
      "UPDATE runs SET root = '/elsewhere'",
      'run: its plan, its options or what it is about are not those that its events say',
    ],
    ["UPDATE runs SET plan = '{'", 'plan: it is not a plan in JSON'],
    ["UPDATE runs SET options = '{'", 'options: they are not an object in JSON'],
  ] as const) {
    const { store, run } = await attacked(t)
    run(sql)
    assert.deepEqual(misfitsOf(store).slice(0, 1), [misfit], sql)
    store.close()
  }
})

test('a task row that nothing speaks of is named', async (t) => {
  const { store, run } = await attacked(t)
  run(
    "INSERT INTO tasks (run, id, position, state, hash, attempts, ms) VALUES ('r1', 'deploy', 2, 'passed', 'h', 1, 1)",
  )
  assert.deepEqual(misfitsOf(store), [
    'task deploy: the plan has no such task',
    'task deploy: no event says that it is of this run',
  ])
})

test('a run that was rewritten as a whole is consistent: only a head from outside tells, and it tells how far', async (t) => {
  const { store, run } = await attacked(t)
  const before = readEvents(store.database, id)
  dropTriggers(store)
  let head = genesis
  for (const event of before) {
    const data = event.data.replace('"failed"', '"passed"').replace('"ok":false', '"ok":true')
    head = hashAfter(head, { ...event, data })
    store.database.prepare('UPDATE events SET data = ?, hash = ? WHERE sequence = ?').run(data, head, event.sequence)
  }
  run("UPDATE runs SET state = 'passed'; UPDATE tasks SET state = 'passed'; UPDATE attempts SET state = 'passed'")
  assert.deepEqual(misfitsOf(store), [])
  assert.equal(verdictOf(store, before[5]!.hash).ok, false)
  assert.deepEqual(verdictOf(store, before[3]!.hash.slice(0, 12)).outside, {
    head: before[3]!.hash.slice(0, 12),
    event: 4,
    from: 1,
  })
})

test('an event behind the one that does not fit proves nothing', async (t) => {
  const { store, run } = await attacked(t)
  const [, , , , fifth] = readEvents(store.database, id)
  dropTriggers(store)
  run("UPDATE events SET data = '{}' WHERE sequence = 3")
  assert.equal(verdictOf(store, fifth!.hash).outside?.event, undefined)
})

test('a mark of a redaction excuses an event only in a run that was imported', async (t) => {
  const { store, run } = await attacked(t)
  dropTriggers(store)
  run(`UPDATE events SET data = replace(data, 'it broke', '[redacted]') WHERE sequence = 5`)
  run("UPDATE tasks SET reason = '[redacted]' WHERE id = 'test'")
  assert.equal(verdictOf(store).misfits[0]?.where, 'event 5')
  run('UPDATE runs SET imported_at = 1')
  const { ok, redacted } = verdictOf(store)
  assert.deepEqual({ ok, redacted }, { ok: true, redacted: [5] })
})

test('a head from outside says nothing over an event that was redacted', async (t) => {
  const { store, run } = await attacked(t)
  const hashes = readEvents(store.database, 'r1').map(({ hash }) => hash)
  dropTriggers(store)
  run(`UPDATE events SET data = replace(data, 'it broke', '[redacted]') WHERE sequence = 5`)
  run("UPDATE tasks SET reason = '[redacted]' WHERE id = 'test'")
  run('UPDATE runs SET imported_at = 1')
  const held = hashes.map((hash) => {
    const { ok, outside, misfits } = verdictOf(store, hash)
    assert.deepEqual(misfits, [])
    return [ok, outside?.event, outside?.from]
  })
  assert.deepEqual(held, [
    [true, 1, 1],
    [true, 2, 1],
    [true, 3, 1],
    [true, 4, 1],
    [false, 5, undefined],
    [false, 6, 6],
  ])
})

test('retries, an interruption and a session that goes on fit at every step', async (t) => {
  const { store } = await temporaryStore(t)
  const tasks = ['build', 'test', 'old']
  const plan = planFor(tasks)
  const fits = (step: string) => assert.deepEqual(misfitsOf(store), [], step)
  const journal = store.begin({
    id,
    kind: 'task',
    title: 't',
    project: 'p',
    root: '/r',
    tags: [],
    plan,
    options: {},
    image: '',
    dwf: '0',
    at: 1,
  })
  await journal.record({ type: 'run-started', run: id, at: 2, tasks })
  fits('started')
  await journal.record({ type: 'task-started', run: id, at: 3, task: 'build', attempt: 1 })
  await journal.record({
    type: 'task-retried',
    run: id,
    at: 4,
    task: 'build',
    attempt: 1,
    outcome: 'failed',
    code: 1,
    delayMs: 0,
  })
  fits('retried')
  await journal.record({ type: 'task-started', run: id, at: 5, task: 'build', attempt: 2 })
  await journal.record({
    type: 'task-ended',
    run: id,
    at: 6,
    task: 'build',
    result: { id: 'build', outcome: 'passed', code: 0, ms: 1, attempts: 2, inputs: 'i', outputs: { a: 'b' } },
  })
  await journal.record({ type: 'task-started', run: id, at: 7, task: 'test', attempt: 1 })
  await journal.record({
    type: 'task-ended',
    run: id,
    at: 7,
    task: 'old',
    result: { id: 'old', outcome: 'not-run', ms: 0, attempts: 0, reason: 'why' },
  })
  journal.close()
  fits('under way')
  store.database.exec("UPDATE leases SET pid = 1, started = 'another boot 1'")
  assert.equal(store.settleDead().length, 1)
  fits('interrupted')
  const next = planFor(['build', 'test', 'new'])
  const second = store.resume({ id, plan: next, image: '', options: {}, sessions: 1, kept: new Set(['build']), at: 20 })
  fits('taken over, and not said yet')
  await second.record({
    type: 'run-resumed',
    run: id,
    at: 21,
    session: 2,
    tasks: ['build', 'test', 'new'],
    kept: ['build'],
  })
  fits('resumed')
  for (const task of ['test', 'new']) {
    await second.record({ type: 'task-started', run: id, at: 22, task, attempt: 1 })
    await second.record({
      type: 'task-ended',
      run: id,
      at: 23,
      task,
      result: { id: task, outcome: 'passed', code: 0, ms: 1, attempts: 1 },
    })
  }
  await second.record({
    type: 'run-ended',
    run: id,
    at: 30,
    result: { id, ok: true, ms: 9, tasks: [], violations: [] },
  })
  second.close()
  fits('ended')
  assert.equal(exportRows(store.database, id)!.run.state, 'passed')
})

test('what is no event in JSON is named, and does not stop the audit', async (t) => {
  for (const data of ['nothing', '[]', 'null', '1']) {
    const { store, run } = await attacked(t)
    dropTriggers(store)
    const events = readEvents(store.database, id)
    const last = { ...events[5]!, data }
    run(`UPDATE events SET data = '${data}', hash = '${hashAfter(events[4]!.hash, last)}' WHERE sequence = 6`)
    assert.deepEqual(misfitsOf(store), ['event 6: what it says is not an object in JSON'])
    store.close()
  }
})

test('tombstones follow each other, are never changed, and one that was is named', async (t) => {
  const { store, run } = await attacked(t)
  for (const name of ['a', 'b', 'c']) addTombstone(store.database, { run: name, at: 1, events: 2, head: 'h' })
  const verdict = () => auditTombstones(readTombstones(store.database))
  assert.equal(verdict().ok, true)
  assert.throws(() => run("UPDATE tombstones SET head = 'x'"), { message: 'tombstones are never changed' })
  assert.throws(() => run('DELETE FROM tombstones'), { message: 'tombstones are never deleted' })
  dropTriggers(store)
  run("UPDATE tombstones SET head = 'x' WHERE run = 'b'")
  const unfit = 'its hash does not fit what it says and what came before'
  assert.deepEqual(verdict().misfits, [{ where: 'tombstone 2', why: unfit }])
  run("UPDATE tombstones SET head = 'h' WHERE run = 'b'")
  run("DELETE FROM tombstones WHERE run = 'b'")
  assert.deepEqual(verdict().misfits, [{ where: 'tombstone 2', why: 'it is missing' }])
})
