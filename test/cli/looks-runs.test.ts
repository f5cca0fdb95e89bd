import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { ago, isoOf, localTime, localTimeMs, parseMoment } from '../../src/cli/looks/times.ts'
import { shorten, table } from '../../src/cli/render/table.ts'
import { kill, looksRig, minute, newRun, tell, wholeRun } from './looks-rig.ts'

test('without a store there was no run, and looking makes none', (t) => {
  const { dwf, state } = looksRig(t)
  assert.deepEqual(dwf(['runs']), { status: 0, stdout: 'there was no run here yet\n', stderr: '' })
  assert.deepEqual(JSON.parse(dwf(['runs', '--json']).stdout), { schema: 'dwf.runs/1', total: 0, runs: [] })
  for (const args of [['status'], ['logs'], ['inspect'], ['diff', 'a', 'b'], ['graph', '--run', 'a'], ['health']])
    dwf(args)
  assert.equal(existsSync(state), false)
})

test('runs of this project, newest first, with what they did', async (t) => {
  const { dwf, open, root, folder } = looksRig(t)
  const store = await open()
  const now = Date.now()
  const title = 'evil\u001b[2J\ntitle'
  await wholeRun(store, newRun('r1', root, now - 3 * 86_400_000 - minute))
  await wholeRun(store, newRun('r2', root, now - 2.5 * minute), { outcome: 'failed', code: 2 })
  await wholeRun(store, newRun('r3', folder, now - 1.5 * minute, { title, project: 'other' }))
  assert.deepEqual(dwf(['runs']), {
    status: 0,
    stdout: `run  state   title     when        time  tasks
r2   failed  check:pr  2 min ago  2.0 s  1/2, 1 failed
r1   passed  check:pr  3 d ago    2.0 s  2/2
`,
    stderr: '',
  })
  assert.equal(
    dwf(['runs', '--all', '--limit', '1']).stdout,
    [
      'run  state   title                 when        time  tasks  project',
      'r3   passed  evil\\u001b[2J\\ntitle  1 min ago  2.0 s  2/2    other',
      '',
    ].join('\n'),
  )
  assert.equal(
    dwf(['runs', '--all', '--limit', '1']).stderr,
    '1 of 3 runs; --limit 3 shows all, --offset the next ones\n',
  )
  const at = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
  assert.match(dwf(['runs', '--verbose']).stdout, new RegExp(`2 min ago, ${at(now - 2.5 * minute)}`))
})

test('a run that was imported is marked, and what is to come is not past', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const now = Date.now()
  await wholeRun(store, newRun('r1', root, now - 2.5 * minute))
  await wholeRun(store, newRun('r2', root, now + 3 * 86_400_000 + 30 * minute))
  store.database.exec("UPDATE runs SET imported_at = 1700000000000 WHERE id = 'r2'")
  assert.equal(
    dwf(['runs']).stdout,
    `run  state             title     when        time  tasks
r2   passed, imported  check:pr  in 3 d     2.0 s  2/2
r1   passed            check:pr  2 min ago  2.0 s  2/2
`,
  )
  assert.match(dwf(['status', 'r2']).stdout, /; imported 2023-11-14 22:13:20\n/)
  assert.match(dwf(['status', 'r1']).stdout, /, 2 min ago\n/)
})

test('a time that no calendar has is told as its number', () => {
  for (const at of [8.64e15 + 1, -9e15, 1e300, Number.NaN, Number.POSITIVE_INFINITY])
    for (const told of [isoOf(at), localTime(at), localTimeMs(at)]) assert.equal(told, `${at} ms`)
  fc.assert(
    fc.property(fc.double(), fc.double(), (at, now) => {
      for (const told of [isoOf(at), localTime(at), localTimeMs(at), ago(at, now)]) assert.notEqual(told, '')
    }),
  )
  assert.deepEqual([ago(0, 59_999), ago(60_000, 0), ago(5, 5)], ['59 s ago', 'in 1 min', '0 s ago'])
})

test('filters are applied before the limit, and old runs are not hidden', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const now = Date.now()
  const old = now - 90 * 86_400_000
  await wholeRun(store, newRun('slow', root, old, { tags: ['night'] }), {}, { ms: 3_600_000 })
  for (let index = 0; index < 3; index++) await wholeRun(store, newRun(`r${index}`, root, now - index * 1000))
  const flow = newRun('flow', root, now - 10_000, { kind: 'workflow', workflow: 'deploy', title: 'deploy' })
  await wholeRun(store, flow, { outcome: 'failed' })
  const ids = (...args: readonly string[]) =>
    JSON.parse(dwf(['runs', '--json', ...args]).stdout).runs.map(({ id }: { id: string }) => id)
  assert.deepEqual(ids(), ['r0', 'r1', 'r2', 'flow', 'slow'])
  assert.deepEqual(ids('--sort', 'duration', '--limit', '1'), ['slow'])
  assert.deepEqual(ids('--min-duration', '1h', '--limit', '1'), ['slow'])
  assert.deepEqual(ids('--tag', 'night'), ['slow'])
  assert.deepEqual(ids('-s', 'failed', '-s', 'timed-out'), ['flow'])
  assert.deepEqual(ids('-w', 'deploy'), ['flow'])
  assert.deepEqual(ids('--kind', 'workflow'), ['flow'])
  assert.deepEqual(ids('--since', '30d', '--offset', '3'), ['flow'])
  assert.deepEqual(ids('--until', '30d'), ['slow'])
  assert.deepEqual(ids('--until', new Date(old).toISOString().slice(0, 10)), ['slow'])
  assert.deepEqual(ids('--since', new Date(now - 500).toISOString()), ['r0'])
  assert.equal(dwf(['runs', '--tag', 'none']).stdout, 'no run fits\n')
  assert.equal(dwf(['runs', '--offset', '9']).stdout, 'there are no runs so far back: 5 fit\n')
})

test('a document has exact times and the states of tasks', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const at = Date.parse('2026-11-20T10:00:00.000Z')
  const made = newRun('r1', root, at)
  await wholeRun(store, made, { outcome: 'timed-out' })
  assert.deepEqual(JSON.parse(dwf(['runs', '--json']).stdout), {
    schema: 'dwf.runs/1',
    total: 1,
    runs: [
      {
        id: 'r1',
        kind: 'check',
        title: 'check:pr',
        project: 'shop',
        root,
        tags: [],
        planHash: made.plan.hash,
        image: 'f00d',
        dwf: '0.1.0',
        state: 'failed',
        sessions: 1,
        startedAt: '2026-11-20T10:00:00.000Z',
        endedAt: '2026-11-20T10:00:02.000Z',
        ms: 2000,
        tasks: { total: 2, done: 1, failed: 1, states: { passed: 1, 'timed-out': 1 } },
      },
    ],
  })
})

test('a run whose dwf is gone is listed as interrupted, and that is said', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const run = tell(store, newRun('r1', root, Date.now() - minute))
  await run.begin(Date.now() - minute, ['lint@node', 'test@node'])
  kill(store, 'r1')
  const { stdout, stderr } = dwf(['runs', '-s', 'interrupted'])
  assert.match(stdout, /^r1 {3}interrupted {2}check:pr {2}1 min ago /m)
  assert.equal(stderr, 'run r1 was interrupted: its dwf is gone; dwf resume r1 goes on with it\n')
  run.journal.close()
})

test('words that cannot be read are said, with what could', (t) => {
  const { dwf } = looksRig(t)
  for (const [args, said] of [
    [
      ['-s', 'success'],
      'error: --status must be running, passed, failed, cancelled, timed-out or interrupted, not "success"\n',
    ],
    [
      ['-s', 'pased'],
      'error: --status must be running, passed, failed, cancelled, timed-out or interrupted, not "pased"\n  did you mean "passed"?\n',
    ],
    [['--kind', 'x'], 'error: --kind must be check, task, scan or workflow, not "x"\n'],
    [['--sort', 'tasks'], 'error: --sort must be time, duration, title or state, not "tasks"\n'],
    [['--limit', '-1'], 'error: --limit must be a whole number, not "-1"\n'],
    [['--min-duration', '5'], 'error: --min-duration must be a duration such as 30m, not "5"\n'],
    [
      ['--since', '2026-02-30'],
      'error: --since must be a day, a time or a duration, not "2026-02-30"\n  --since 2026-11-22, --since 2026-11-22T14:30, --since 2d\n',
    ],
    [['r1'], 'error: runs does not know "r1"\n  dwf runs lists; dwf status r1 shows one\n'],
  ] as const) {
    const { status, stderr } = dwf(['runs', ...args])
    assert.deepEqual({ status, stderr }, { status: 2, stderr: said })
  }
})

test('a day, a time and a duration', () => {
  const now = Date.parse('2026-11-22T12:00:00Z')
  const local = (...parts: readonly [number, number, number, number?, number?, number?]) =>
    new Date(...(parts as [number, number, number])).getTime()
  assert.equal(parseMoment('2d', now, 'start'), now - 2 * 86_400_000)
  assert.equal(parseMoment('2026-11-20', now, 'start'), local(2026, 10, 20))
  assert.equal(parseMoment('2026-11-30', now, 'end'), local(2026, 11, 1))
  assert.equal(parseMoment('2026-11-20 10:30', now, 'end'), new Date(2026, 10, 20, 10, 30).getTime())
  assert.equal(parseMoment('2026-11-20T10:30:05.5Z', now, 'start'), Date.parse('2026-11-20T10:30:05.500Z'))
  assert.equal(parseMoment('2026-11-20T10:30+02:30', now, 'start'), Date.parse('2026-11-20T08:00:00Z'))
  assert.equal(parseMoment('2026-11-20T10:30-01:00', now, 'start'), Date.parse('2026-11-20T11:30:00Z'))
  for (const text of [
    '',
    'yesterday',
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-11-20T24:00',
    '2026-11-20T10:60',
    '5',
  ])
    assert.equal(parseMoment(text, now, 'start'), undefined, text)
})

test('a table fits: what may be cut is cut, the widest first', () => {
  const style = Object.assign((_: unknown, text: string) => text, { isTerminal: false })
  const columns = [{ head: 'id' }, { head: 'title', shrinks: true }, { head: 'n', isRight: true }]
  const rows = [
    ['r1', 'a rather long title of a run', '10'],
    ['r2', ['red', 'short'] as const, '9'],
  ]
  assert.deepEqual(table(columns, rows, style, 24), [
    'id  title              n',
    'r1  a rather long t…  10',
    'r2  short              9',
  ])
  assert.deepEqual(table(columns, rows, style)[1], 'r1  a rather long title of a run  10')
  // The least width stays, however narrow the terminal is.
  assert.deepEqual(table(columns, rows, style, 5)[1], 'r1  a rathe…  10')
  assert.equal(shorten('äöü', 2), 'ä…')
})
