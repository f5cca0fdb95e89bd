import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAttempts, readPlan, readRun, readTasks } from '../../src/store/read.ts'
import { openStore, openStoreIfAny, type Store } from '../../src/store/store.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { newRun, passed, recordRun, tempStore } from './rig.ts'

const states = (store: Store, id: string) =>
  Object.fromEntries(readTasks(store.database, id).map((task) => [task.id, task.state]))
const kinds = (store: Store, id: string) =>
  store.database
    .prepare('SELECT type FROM events WHERE run = ? ORDER BY sequence')
    .all(id)
    .map(({ type }) => type)
const mode = (path: string) => statSync(path).mode & 0o777
const refuses = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error))
  assert.equal(error.diagnostics[0]!.code, code)
  assert.match(error.message, message)
  assert.ok(error.diagnostics[0]!.hint)
  return true
}

test('a run and what its tasks did and gave is read back as it was', async (t) => {
  const { store } = await tempStore(t)
  const run = newRun('r1')
  await recordRun(
    store,
    run,
    [passed('a', { outputs: { v: '1\n2' }, inputs: 'x' }), passed('b', { outcome: 'failed', code: 3, reason: 'why' })],
    false,
  )
  const { planHash, state, ms, startedAt, endedAt, sessions, tags } = readRun(store.database, 'r1')!
  assert.deepEqual(
    { planHash, state, ms, startedAt, endedAt, sessions, tags },
    { planHash: run.plan.hash, state: 'failed', ms: 20, startedAt: 1000, endedAt: 1020, sessions: 1, tags: ['daily'] },
  )
  assert.deepEqual(readTasks(store.database, 'r1'), [
    {
      id: 'a',
      state: 'passed',
      hash: 'a',
      inputs: 'x',
      attempts: 1,
      code: 0,
      session: 1,
      startedAt: 1000,
      endedAt: 1005,
      ms: 5,
      outputs: { v: '1\n2' },
    },
    {
      id: 'b',
      state: 'failed',
      hash: 'b',
      attempts: 1,
      reason: 'why',
      code: 3,
      session: 1,
      startedAt: 1010,
      endedAt: 1015,
      ms: 5,
      outputs: {},
    },
  ])
  assert.deepEqual(
    readAttempts(store.database, 'r1').map(({ task, state }) => [task, state]),
    [
      ['a', 'passed'],
      ['b', 'failed'],
    ],
  )
  assert.deepEqual(readPlan(store.database, 'r1').plan, JSON.parse(JSON.stringify(run.plan)))
  assert.deepEqual(kinds(store, 'r1'), [
    'run-started',
    'task-started',
    'task-ended',
    'task-started',
    'task-ended',
    'run-ended',
  ])
})

test('the folder is 0700 and every file 0600: looser ones are mended', async (t) => {
  const { store, folder } = await tempStore(t)
  await recordRun(store, newRun('r1'), [passed('a')])
  const files = ['dwf.db', 'dwf.db-wal', 'dwf.db-shm'].map((name) => join(folder, name))
  for (const file of files) assert.equal(mode(file), 0o600, file)
  for (const file of files) chmodSync(file, 0o666)
  chmodSync(folder, 0o777)
  ;(await openStore(folder)).close()
  assert.equal(mode(folder), 0o700)
  for (const file of files) assert.equal(mode(file), 0o600, file)
})

test('a link, a folder or a text in the place of the database is refused, and stays', async (t) => {
  const { store, folder } = await tempStore(t)
  store.close()
  const file = join(folder, 'dwf.db')
  renameSync(file, `${file}.old`)
  symlinkSync(`${file}.old`, file)
  await assert.rejects(openStore(folder), refuses('store-open', /not a plain file/))
  renameSync(file, `${file}.link`)
  mkdirSync(file)
  await assert.rejects(openStore(folder), refuses('store-open', /not a plain file/))
  renameSync(file, `${file}.folder`)
  writeFileSync(file, 'this is my diary, and no database. '.repeat(200))
  await assert.rejects(openStore(folder), refuses('store', /it is no database/))
})

test('a store of a newer dwf is not touched', async (t) => {
  const { store, folder } = await tempStore(t)
  store.database.exec('PRAGMA user_version = 99')
  await assert.rejects(openStore(folder), refuses('store-newer', /version 99 of the store/))
})

test('what only looks makes no store', async (t) => {
  const { folder } = await tempStore(t)
  assert.equal(await openStoreIfAny(`${folder}-other`), undefined)
})

test('writes of one turn share a commit, and each is there when its promise is', async (t) => {
  const { store } = await tempStore(t)
  let commits = 0
  const exec = store.database.exec.bind(store.database)
  store.database.exec = (sql) => {
    if (sql === 'COMMIT') commits++
    exec(sql)
  }
  const journal = store.begin(newRun('r1'))
  await journal.record({ type: 'run-started', run: 'r1', at: 1, tasks: ['a', 'b'] })
  assert.equal(commits, 1, 'the run, its tasks, its lease and its first event')
  await Promise.all(
    ['a', 'b'].map((task) => journal.record({ type: 'task-ended', run: 'r1', task, at: 2, result: passed(task) })),
  )
  assert.equal(commits, 2, 'two ends that coincide')
  journal.close()
})

test('a run that nobody has can be gone on with, once: the second is refused, and the first cannot write any more', async (t) => {
  const { store, folder } = await tempStore(t)
  const run = newRun('r1')
  const first = store.begin(run)
  await first.record({ type: 'run-started', run: 'r1', at: 1, tasks: ['a', 'b'] })
  await first.record({ type: 'task-started', run: 'r1', task: 'a', attempt: 1, at: 2 })
  const again = { id: 'r1', plan: run.plan, image: 'i', options: {}, sessions: 1, kept: new Set<string>(), at: 3 }
  const event = { type: 'run-resumed', run: 'r1', at: 5, session: 2, tasks: ['a', 'b'], kept: [] } as const
  const refused = async () => {
    const journal = store.resume(again)
    await assert.rejects(journal.record(event), refuses('run-is-alive', /run r1 is going on \(process \d+ on /))
    journal.close()
  }
  await refused()
  // As if the first one had been on a machine that is gone: then it comes back.
  store.database.exec("UPDATE leases SET started = 'another boot'")
  assert.deepEqual(store.settleDead(), [{ id: 'r1', session: 1 }])
  assert.deepEqual(states(store, 'r1'), { a: 'interrupted', b: 'waiting' })
  const other = await openStore(folder)
  const second = other.resume(again)
  await second.record(event)
  await refused()
  await assert.rejects(
    first.record({ type: 'task-ended', run: 'r1', task: 'a', at: 4, result: passed('a') }),
    refuses('lease-lost', /run r1 is another dwf's now/),
  )
  assert.deepEqual(kinds(store, 'r1'), ['run-started', 'task-started', 'run-interrupted', 'run-resumed'])
  first.close()
  second.close()
  other.close()
})

test('a live run is never settled, and one on another machine only when it has been silent for long', async (t) => {
  const { store } = await tempStore(t)
  const journal = store.begin(newRun('r1'))
  await journal.record({ type: 'run-started', run: 'r1', at: 1, tasks: [] })
  assert.deepEqual(store.settleDead(), [])
  store.database.prepare("UPDATE leases SET host = 'elsewhere', heartbeat = ?").run(Date.now() - 60_000)
  assert.deepEqual(store.settleDead(), [])
  store.database.prepare('UPDATE leases SET heartbeat = ?').run(Date.now() - 600_000)
  assert.deepEqual(store.settleDead(), [{ id: 'r1', session: 1 }])
  assert.equal(readRun(store.database, 'r1')!.state, 'interrupted')
  journal.close()
})

test('a process that was killed is dead, also while its parent has not asked for it', async (t) => {
  const { store, folder } = await tempStore(t)
  const script = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/store/store.ts'))}
    import { newRun } from ${JSON.stringify(join(import.meta.dirname, 'rig.ts'))}
    const store = await openStore(${JSON.stringify(folder)})
    await store.begin(newRun('r1')).record({ type: 'run-started', run: 'r1', at: 1, tasks: [] })
    process.kill(process.pid, 'SIGKILL')
  `
  const file = join(folder, 'die.ts')
  writeFileSync(file, script)
  // What the shell turns into does not ask for the child that the shell had: it stays as a zombie.
  const parent = spawn('sh', ['-c', '"$0" "$1" & exec sleep 60', process.execPath, file], { stdio: 'ignore' })
  t.after(() => parent.kill('SIGKILL'))
  const zombie = () => {
    const lease = store.database.prepare('SELECT pid FROM leases').get() as { pid: number } | undefined
    return lease && readFileSync(`/proc/${lease.pid}/stat`, 'utf8').includes(') Z ')
  }
  while (!zombie()) await sleep(20)
  assert.deepEqual(store.settleDead(), [{ id: 'r1', session: 1 }])
})

test('a lock is one run’s at a time; a dead owner frees it; whoever was taken for dead cannot end its task', async (t) => {
  const { store } = await tempStore(t)
  const [one, two] = ['r1', 'r2'].map((id) => store.begin(newRun(id)))
  for (const [journal, run] of [
    [one!, 'r1'],
    [two!, 'r2'],
  ] as const)
    await journal.record({ type: 'run-started', run, at: 1, tasks: [] })
  const never = new AbortController().signal
  const first = await store.locks('r1').take('deploy', { signal: never, onWait: assert.fail })
  assert.deepEqual(first, { name: 'deploy', token: 1 })
  const waited: string[] = []
  let got: { token: number } | undefined
  const second = store.locks('r2').take('deploy', { signal: never, onWait: (run) => void waited.push(run) })
  void second.then((lock) => {
    got = lock
  })
  await sleep(300)
  assert.equal(got, undefined)
  store.database.exec("UPDATE leases SET started = 'another boot' WHERE run = 'r1'")
  assert.deepEqual(await second, { name: 'deploy', token: 2 })
  assert.deepEqual(waited, ['r1'])
  // r1 comes back, with its lease and without its lock.
  const { started } = store.database.prepare("SELECT started FROM leases WHERE run = 'r2'").get() as { started: string }
  store.database.prepare("UPDATE leases SET started = ? WHERE run = 'r1'").run(started)
  await assert.rejects(
    one!.record({ type: 'task-ended', run: 'r1', task: 'a', at: 4, result: passed('a'), lock: first }),
    refuses('lock-lost', /a held the lock deploy with token 1, which is somebody else's now/),
  )
  assert.deepEqual(states(store, 'r1'), { a: 'waiting', b: 'waiting' })
  // Nor can it give away what is another's.
  await store.locks('r1').release(first)
  assert.equal(store.database.prepare("SELECT run FROM locks WHERE name = 'deploy'").get()!.run, 'r2')
  await two!.record({
    type: 'task-ended',
    run: 'r2',
    task: 'a',
    at: 5,
    result: passed('a'),
    lock: { name: 'deploy', token: 2 },
  })
  for (const journal of [one!, two!]) journal.close()
})

test('waiting for a lock ends with the signal', async (t) => {
  const { store } = await tempStore(t)
  const journal = store.begin(newRun('r1'))
  await journal.record({ type: 'run-started', run: 'r1', at: 1, tasks: [] })
  await store.locks('r1').take('x', { signal: new AbortController().signal, onWait: assert.fail })
  const controller = new AbortController()
  const waiting = store.locks('r2').take('x', { signal: controller.signal, onWait: () => controller.abort('signal') })
  await assert.rejects(waiting, (reason) => reason === 'signal')
  journal.close()
})

test('what is resumed: tasks that stay keep everything, the others begin anew, those that are gone leave', async (t) => {
  const { store } = await tempStore(t)
  await recordRun(
    store,
    newRun('r1', ['a', 'b', 'c']),
    [passed('a', { outputs: { v: '1' } }), passed('b', { outcome: 'failed' })],
    false,
  )
  const { plan } = newRun('r1', ['a', 'b', 'd'])
  const journal = store.resume({ id: 'r1', plan, image: 'j', options: {}, sessions: 1, kept: new Set(['a']), at: 9 })
  await journal.record({ type: 'run-resumed', run: 'r1', at: 9, session: 2, tasks: ['a', 'b', 'd'], kept: ['a'] })
  assert.deepEqual(states(store, 'r1'), { a: 'passed', b: 'waiting', d: 'waiting' })
  assert.deepEqual(readTasks(store.database, 'r1')[0]!.outputs, { v: '1' })
  assert.equal(readRun(store.database, 'r1')!.state, 'running')
  assert.equal(readRun(store.database, 'r1')!.sessions, 2)
  journal.close()
})

test('a resume that was prepared before another one went on is refused', async (t) => {
  const { store } = await tempStore(t)
  await recordRun(store, newRun('r1'), [passed('a'), passed('b', { outcome: 'failed' })], false)
  const { plan } = newRun('r1')
  const again = { id: 'r1', plan, image: 'i', options: {}, sessions: 1, kept: new Set(['a']), at: 9 }
  const event = { type: 'run-resumed', run: 'r1', at: 9, session: 2, tasks: ['a', 'b'], kept: ['a'] } as const
  const first = store.resume(again)
  await first.record(event)
  await first.record({
    type: 'run-ended',
    run: 'r1',
    at: 9,
    result: { id: 'r1', ok: true, ms: 1, tasks: [], violations: [] },
  })
  first.close()
  const second = store.resume(again)
  await assert.rejects(second.record(event), refuses('run-went-on', /somebody else went on with run r1 meanwhile/))
  second.close()
  assert.equal(kinds(store, 'r1').filter((type) => type === 'run-resumed').length, 1)
})

test('an end that is refused takes no other of its turn with it, and the chain goes on', async (t) => {
  const { store } = await tempStore(t)
  const journal = store.begin(newRun('r1'))
  await journal.record({ type: 'run-started', run: 'r1', at: 1, tasks: ['a', 'b'] })
  const [refused, kept] = await Promise.allSettled([
    journal.record({
      type: 'task-ended',
      run: 'r1',
      task: 'a',
      at: 2,
      result: passed('a'),
      lock: { name: 'x', token: 1 },
    }),
    journal.record({ type: 'task-ended', run: 'r1', task: 'b', at: 2, result: passed('b') }),
  ])
  assert.deepEqual([refused.status, kept.status], ['rejected', 'fulfilled'])
  assert.deepEqual(states(store, 'r1'), { a: 'waiting', b: 'passed' })
  await journal.record({ type: 'task-ended', run: 'r1', task: 'a', at: 3, result: passed('a') })
  assert.deepEqual(kinds(store, 'r1'), ['run-started', 'task-ended', 'task-ended'])
  journal.close()
})

test('a commit that fails is no part of the chain: when there is space again, it goes on', async (t) => {
  const { store } = await tempStore(t)
  const journal = store.begin(newRun('r1'))
  await journal.record({ type: 'run-started', run: 'r1', at: 1, tasks: ['a'] })
  const exec = store.database.exec.bind(store.database)
  let isFull = true
  store.database.exec = (sql) => {
    if (sql === 'COMMIT' && isFull) throw Object.assign(new Error('full'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })
    exec(sql)
  }
  const end = { type: 'task-ended', run: 'r1', task: 'a', at: 2, result: passed('a') } as const
  await assert.rejects(journal.record(end), refuses('store', /no space is left/))
  isFull = false
  await journal.record(end)
  assert.deepEqual(kinds(store, 'r1'), ['run-started', 'task-ended'])
  journal.close()
})

test('a store that was removed under a run is said at its end, which is not green', async (t) => {
  const { store, folder } = await tempStore(t)
  const journal = store.begin(newRun('r1'))
  await journal.record({ type: 'run-started', run: 'r1', at: 1, tasks: [] })
  rmSync(join(folder, 'dwf.db'))
  const result = { id: 'r1', ok: true, ms: 1, tasks: [], violations: [] }
  await assert.rejects(
    journal.record({ type: 'run-ended', run: 'r1', at: 2, result }),
    refuses('store-gone', /was removed/),
  )
  journal.close()
})
