import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { judgeDisk } from '../../src/cli/health/files.ts'
import { kill, looksRig, minute, newRun, tell, wholeRun } from './looks-rig.ts'

test('where there was no run all is well, and no store is made', (t) => {
  const { dwf, state } = looksRig(t)
  assert.deepEqual(dwf(['health']), { status: 0, stdout: '✔ store: there was no run here yet\n', stderr: '' })
  const json = JSON.parse(dwf(['health', '--json']).stdout)
  assert.deepEqual([json.schema, json.healthy, json.store, json.passRate7d], ['dwf.health/1', true, null, null])
  assert.equal(existsSync(state), false)
})

test('a store that is well, and how many runs of the week passed', async (t) => {
  const { dwf, open, root, state } = looksRig(t)
  const store = await open()
  const now = Date.now()
  await wholeRun(store, newRun('old', root, now - 8 * 86_400_000))
  assert.doesNotMatch(dwf(['health']).stdout, /of the last seven days/)
  assert.equal(JSON.parse(dwf(['health', '--json']).stdout).passRate7d, null)
  for (const id of ['a', 'b', 'c']) await wholeRun(store, newRun(id, root, now - minute))
  await wholeRun(store, newRun('d', root, now - minute), { outcome: 'failed' })
  await wholeRun(store, newRun('e', root, now - minute), { outcome: 'cancelled' }, { ended: 'cancelled' })
  store.close()
  const { status, stdout } = dwf(['health'])
  assert.equal(status, 0)
  assert.match(
    stdout,
    new RegExp(`^✔ store: ${state}/dwf\\.db, version \\d+, [\\d.]+ KiB
✔ runs: none waits for somebody
✔ records: the newest 6 runs fit their chains
✔ permissions: only this account can enter the state folder
✔ disk: [\\d.]+ [GT]iB free, 0 B of logs
75 % of the runs of the last seven days passed
$`),
  )
  assert.deepEqual(dwf(['health', '--quiet']), { status: 0, stdout: '', stderr: '' })
})

test('a run whose dwf is gone, its lock, and an interrupted run wait for somebody', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const now = Date.now()
  const run = tell(store, newRun('r1', root, now - minute))
  await run.begin(now - minute, ['lint@node', 'test@node'])
  const signal = new AbortController().signal
  await store.locks('r1').take('prod', { signal, onWait: () => {} })
  assert.match(dwf(['health']).stdout, /^✔ locks: the lock prod is held by run r1 for \d\.\d s$/m)
  kill(store, 'r1')
  const gone = dwf(['health', '--quiet'])
  assert.equal(gone.status, 1)
  assert.match(
    gone.stdout,
    /^runs: check:pr, run r1, is marked as running, and its dwf is gone → dwf status r1 marks it and clears up\nlocks: the lock prod is held by run r1 for \d\.\d s, and its dwf is gone → dwf status r1 frees it\n$/,
  )
  assert.equal(dwf(['status', 'r1']).status, 0)
  assert.deepEqual(dwf(['health', '--quiet']), {
    status: 1,
    stdout:
      'runs: check:pr, run r1, was interrupted → dwf resume r1 goes on with it; dwf prune:runs removes old ones\n',
    stderr: '',
  })
  await wholeRun(store, newRun('r2', root, now))
  assert.equal(dwf(['health', '--quiet']).stdout, '', 'the same was done again since')
  run.journal.close()
})

test('what others could enter is said, each with the way out', async (t) => {
  const { dwf, open, root, state } = looksRig(t)
  const store = await open()
  await wholeRun(store, newRun('r1', root, Date.now()))
  mkdirSync(join(state, 'runs/r1'), { recursive: true, mode: 0o700 })
  chmodSync(join(state, 'runs'), 0o700)
  chmodSync(join(state, 'runs/r1'), 0o755)
  chmodSync(join(state, 'dwf.db'), 0o644)
  assert.deepEqual(dwf(['health', '-q']), {
    status: 1,
    stdout: `permissions: ${state}/dwf.db was open to others (mode 0644) → chmod 0600 ${state}/dwf.db; what is in it may have been read
permissions: ${state}/runs/r1 was open to others (mode 0755) → chmod 0700 ${state}/runs/r1; what is in it may have been read
`,
    stderr: '',
  })
  assert.equal(statSync(join(state, 'dwf.db')).mode & 0o777, 0o600)
})

test('a run that was changed is found by its record', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  await wholeRun(store, newRun('r1', root, Date.now()), { outcome: 'failed' })
  store.database.exec("UPDATE runs SET state = 'passed'")
  const { status, stdout } = dwf(['health', '-q'])
  assert.equal(status, 1)
  assert.match(
    stdout,
    /^records: run r1 was changed: run: .* → dwf audit r1 --verify says more; hold it against a backup, and against the head that its summary ended with\n$/,
  )
})

test('a damaged store is a finding, and so is what is no database', async (t) => {
  const { dwf, open, root, state } = looksRig(t)
  const store = await open()
  for (let index = 0; index < 30; index++) await wholeRun(store, newRun(`r${index}`, root, Date.now()))
  store.close()
  const file = join(state, 'dwf.db')
  const bytes = readFileSync(file)
  bytes.fill(0xff, 4096 * 3, 4096 * 6)
  writeFileSync(file, bytes)
  const damaged = dwf(['health', '-q'])
  assert.equal(damaged.status, 1)
  assert.match(damaged.stdout, /^store: .*(is damaged|cannot be used).* → /)
  writeFileSync(file, 'no database at all, but long enough to be looked at'.repeat(100))
  const { status, stdout } = dwf(['health', '-q'])
  assert.deepEqual(
    { status, stdout },
    { status: 1, stdout: `store: the store of runs cannot be used: it is no database (${file}) → move it away\n` },
  )
})

test('a full disk and a log of writes that only grows', () => {
  const use = { databaseBytes: 0, walBytes: 0, logBytes: 2048, freeBytes: 5 * 1024 ** 3 }
  assert.deepEqual(judgeDisk('/s', use), [{ check: 'disk', state: 'ok', says: '5.0 GiB free, 2.0 KiB of logs' }])
  assert.deepEqual(judgeDisk('/s', { ...use, freeBytes: 1024 ** 2, walBytes: 1024 ** 3 }), [
    {
      check: 'disk',
      state: 'fault',
      says: '1.0 MiB are free where /s is',
      fix: 'free some: dwf prune:runs --dry-run says what goes',
    },
    {
      check: 'store',
      state: 'fault',
      says: 'its write-ahead log has 1.0 GiB: something keeps the store open and lets it grow',
      fix: 'end what holds it: fuser /s/dwf.db',
    },
  ])
})
