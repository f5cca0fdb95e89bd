import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { task } from '../run/rig.ts'
import { kill, looksRig, minute, newRun, plan, tell, wholeRun } from './looks-rig.ts'

const local = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ')

test('a run that ended: its tasks, and why they did not pass', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const at = Date.now() - 2.5 * minute
  await wholeRun(store, newRun('20261101-a', root, at), {
    outcome: 'failed',
    code: 2,
    attempts: 3,
    ms: 61_000,
    reason: 'it\u001b[2J\nfell',
  })
  assert.deepEqual(dwf(['status']), {
    status: 0,
    stdout: `check:pr  run 20261101-a
shop in ${root}
began ${local(at)}, 2 min ago

  ✔ lint@node  passed                            1.0 s
  ✖ test@node  failed (exit 2), 3 attempts  1 min 01 s  it\\u001b[2J\\nfell

failed after 2.0 s: 1 of 2 tasks done, 1 failed
dwf resume 20261101-a goes on with it
`,
    stderr: '',
  })
  assert.equal(dwf(['status', '2026', '--exit-code']).status, 1)
})

test('what runs is told with its time, and who has it; waiting tasks wait', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const at = Date.now() - 60.5 * minute
  const run = tell(store, newRun('r1', root, at))
  await run.begin(at, ['lint@node', 'test@node'])
  await run.start('lint@node', at)
  const { status, stdout } = dwf(['status', '--exit-code'])
  assert.equal(status, 1)
  assert.equal(
    stdout,
    `check:pr  run r1
shop in ${root}
began ${local(at)}, 1 h ago; process ${process.pid} on ${hostname()} has it

  ● lint@node  running  1 h 00 min
  · test@node  waiting

running for 1 h 00 min: 0 of 2 tasks done
`,
  )
  const json = JSON.parse(dwf(['status', '--json']).stdout)
  assert.equal(json.schema, 'dwf.status/1')
  assert.equal(json.run.holder.pid, process.pid)
  assert.deepEqual(
    json.tasks.map(({ id, state }: { id: string; state: string }) => [id, state]),
    [
      ['lint@node', 'running'],
      ['test@node', 'waiting'],
    ],
  )
  run.journal.close()
})

test('--follow says what happens, and ends with the run', async (t) => {
  const { follow, open, root } = looksRig(t)
  const store = await open()
  const at = Date.now()
  const run = tell(store, newRun('r1', root, at))
  await run.begin(at, ['lint@node', 'test@node'])
  const status = follow(['status', '--follow', '--exit-code'])
  await status.hears('running for')
  await run.start('lint@node', Date.now())
  await status.hears('● lint@node')
  await run.end('lint@node', Date.now())
  await status.hears('✔ lint@node  passed  1.0 s')
  await run.start('test@node', Date.now())
  await run.end('test@node', Date.now(), { outcome: 'failed', code: 1, ms: 2000 })
  await run.finish(Date.now(), { ok: false, ms: 3000 })
  assert.equal(await status.ended, 1)
  assert.match(
    status.said(),
    /✖ test@node {2}failed \(exit 1\) {2}2\.0 s\nfailed after 3\.0 s: 1 of 2 tasks done, 1 failed\ndwf resume r1 goes on with it\n$/,
  )
})

test('a run whose dwf dies while it is followed is interrupted, and no longer followed', async (t) => {
  const { follow, open, root } = looksRig(t)
  const store = await open()
  const run = tell(store, newRun('r1', root, Date.now()))
  await run.begin(Date.now(), ['lint@node', 'test@node'])
  await run.start('lint@node', Date.now())
  const status = follow(['status', '--follow'])
  await status.hears('running for')
  kill(store, 'r1')
  assert.equal(await status.ended, 0)
  assert.match(status.said(), /run r1 was interrupted: its dwf is gone; dwf resume r1 goes on with it\n/)
  assert.match(status.said(), /■ lint@node {2}interrupted {2}[\d.]+ s\ninterrupted after /)
  run.journal.close()
})

test('a run is named by the beginning of its id, when only one begins so', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  await wholeRun(store, newRun('ab1', root, Date.now()))
  await wholeRun(store, newRun('ab2', root, Date.now()))
  assert.match(dwf(['status', 'ab1']).stdout, /^check:pr {2}run ab1\n/)
  assert.deepEqual(dwf(['status', 'ab']), {
    status: 2,
    stdout: '',
    stderr: 'error: "ab" is the beginning of several runs\n  ab2, ab1\n',
  })
  assert.equal(dwf(['status', 'x']).stderr, 'error: there is no run "x"\n  dwf runs shows those there are\n')
})

test('ids that would drive the terminal are shown, not obeyed', async (t) => {
  const { dwf, open, root } = looksRig(t)
  const store = await open()
  const id = 'a\u001b]0;x\u0007\nb'
  const run = tell(store, newRun('r1', root, Date.now(), { plan: plan([task(id)]) }))
  await run.begin(Date.now(), [id])
  await run.finish(Date.now(), {})
  for (const args of [['status'], ['inspect'], ['diff', 'r1', 'r1'], ['graph', '--run', 'r1'], ['logs', '-f']])
    assert.doesNotMatch(dwf(args).stdout + dwf(args).stderr, /[\u0000-\u0009\u000b-\u001f]/, args.join(' '))
  assert.match(dwf(['status']).stdout, /· a\\u001b\]0;x\\u0007\\nb {2}waiting/)
})
