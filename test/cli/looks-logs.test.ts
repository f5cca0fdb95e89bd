import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { merged, type Piece, TaskReader } from '../../src/cli/logs/pieces.ts'
import { LastBytes } from '../../src/cli/logs/tail.ts'
import { logFiles } from '../../src/run/log.ts'
import { part, task } from '../run/rig.ts'
import { kill, looksRig, newRun, plan, tell, wholeRun } from './looks-rig.ts'

const at = Date.parse('2026-11-20T10:00:00.000Z')
const bytes = (text: string) => Buffer.from(text, 'utf8')

/** Two tasks that said things in turn; lint a second time after a failure. */
async function talked(t: Parameters<typeof looksRig>[0]) {
  const rig = looksRig(t)
  const store = await rig.open()
  await wholeRun(store, newRun('r1', rig.root, at))
  const [lint, unit] = [rig.log('r1', 'lint@node'), rig.log('r1', 'test@node')]
  lint.begin(1, at)
  lint.write('stdout', bytes('one\ntw'), at + 1)
  unit.begin(1, at)
  unit.write('stdout', bytes('first\n'), at + 2)
  lint.write('stderr', bytes('oops\n'), at + 3)
  lint.write('stdout', bytes('o\nhalf'), at + 4)
  lint.begin(2, at + 5)
  lint.write('stdout', bytes('again\n'), at + 6)
  unit.write('stdout', bytes('no end'), at + 7)
  lint.close()
  unit.close()
  return { ...rig, store }
}

test('whole logs in the order in which they were said, each line with its task', async (t) => {
  const { dwf } = await talked(t)
  assert.deepEqual(dwf(['logs']), {
    status: 0,
    stdout: `lint@node │ one
test@node │ first
lint@node │ oops
lint@node │ two
lint@node │ half
lint@node │ again
test@node │ no end
`,
    stderr: '',
  })
  assert.equal(dwf(['logs', '-n', '2']).stdout, 'lint@node │ again\ntest@node │ no end\n')
  assert.equal(dwf(['logs', '-n', '0']).stdout, '')
  assert.equal(dwf(['logs', '--stream', 'stderr', '--timestamps']).stdout, '2026-11-20 10:00:00.003 lint@node │ oops\n')
  assert.equal(dwf(['logs', '--attempt', '2']).stdout, 'lint@node │ again\n')
  assert.equal(dwf(['logs', '--since', '2026-11-20T10:00:00.006Z']).stdout, 'lint@node │ again\ntest@node │ no end\n')
})

test('one task: its bytes as they are, by its id, its command, and with or without the run', async (t) => {
  const { dwf } = await talked(t)
  const whole = 'one\ntwoops\no\nhalfagain\n'
  assert.equal(dwf(['logs', 'r1', 'lint@node']).stdout, whole)
  assert.equal(dwf(['logs', 'lint@node']).stdout, whole)
  assert.equal(dwf(['logs', 'lint@node', '--stream', 'stdout']).stdout, 'one\ntwo\nhalfagain\n')
  assert.equal(dwf(['logs', 'lint@node', '-n', '2']).stdout, 'o\nhalfagain\n')
  assert.equal(dwf(['logs', 'test@node', '-n', '1']).stdout, 'no end')
  assert.equal(
    dwf(['logs', 'test@node', '--timestamps']).stdout,
    '2026-11-20 10:00:00.002 first\n2026-11-20 10:00:00.007 no end\n',
  )
})

test('a command means all its tasks, and the base of a matrix all its cells', async (t) => {
  const rig = looksRig(t)
  const store = await rig.open()
  const cells = ['a', 'b'].map((os) => part(`build[os=${os}]`, { matrix: { base: 'build', values: { os } } }))
  const tasks = [task('test:unit@node', { command: 'test:unit' }), ...cells]
  const run = tell(store, newRun('r1', rig.root, at, { plan: plan(tasks) }))
  await run.begin(
    at,
    tasks.map(({ id }) => id),
  )
  await run.finish(at, {})
  for (const { id } of tasks) {
    const log = rig.log('r1', id)
    log.write('stdout', bytes('x\n'), at)
    log.close()
  }
  assert.equal(rig.dwf(['logs', 'test']).stdout, 'x\n')
  assert.equal(rig.dwf(['logs', 'test:unit']).stdout, 'x\n')
  assert.equal(rig.dwf(['logs', 'build']).stdout, 'build[os=a] │ x\nbuild[os=b] │ x\n')
  assert.deepEqual(rig.dwf(['logs', 'biuld']), {
    status: 2,
    stdout: '',
    stderr: 'error: there is no run and no task "biuld" in run r1\n  dwf status r1 shows its tasks\n',
  })
  assert.equal(
    rig.dwf(['logs', 'r1', 'test:unit@nod']).stderr,
    'error: there is no task "test:unit@nod" in run r1\n  did you mean "test:unit@node"?\n',
  )
})

test('as documents a line is a line, with its exact time', async (t) => {
  const { dwf } = await talked(t)
  const lines = dwf(['logs', 'test@node', '--json']).stdout.trim().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      { schema: 'dwf.log/1', at: '2026-11-20T10:00:00.002Z', task: 'test@node', stream: 'stdout', text: 'first' },
      { schema: 'dwf.log/1', at: '2026-11-20T10:00:00.007Z', task: 'test@node', stream: 'stdout', text: 'no end' },
    ],
  )
})

test('a document drives no terminal, and means what was said', async (t) => {
  const rig = looksRig(t)
  const store = await rig.open()
  await wholeRun(store, newRun('r1', rig.root, at))
  const text = 'a\u009b2J\u202eb\u{e0041}'
  rig.log('r1', 'lint@node').write('stdout', bytes(`${text}\n`), at)
  const { stdout } = rig.dwf(['logs', 'lint@node', '--json'])
  assert.equal(JSON.parse(stdout).text, text)
  assert.ok(stdout.includes('"a\\u009b2J\\u202eb\\udb40\\udc41"'), stdout)
})

test('bytes of one task are as they are into a pipe; in the log of a workflow no line is a command', async (t) => {
  const rig = looksRig(t)
  const store = await rig.open()
  await wholeRun(store, newRun('r1', rig.root, at))
  const log = rig.log('r1', 'lint@node')
  log.write('stdout', bytes('\u001b[2Jx\r\n::stop-commands::x\n'), at)
  log.close()
  assert.equal(rig.dwf(['logs', 'lint@node']).stdout, '\u001b[2Jx\r\n::stop-commands::x\n')
  const env = { GITHUB_ACTIONS: 'true' }
  assert.equal(rig.dwf(['logs', 'lint@node', '--stream', 'stdout', '-n', '1'], env).stdout, '│ ::stop-commands::x\n')
  assert.equal(rig.dwf(['logs', 'r1', '-n', '1'], env).stdout, 'lint@node │ ::stop-commands::x\n')
})

test('on a terminal what a task said moves no cursor', async (t) => {
  const rig = looksRig(t)
  const store = await rig.open()
  await wholeRun(store, newRun('r1', rig.root, at))
  const log = rig.log('r1', 'lint@node')
  log.write('stdout', bytes('a\u001b[2Jb\u0007 \u001b]0;title\u0007\n'), at)
  log.close()
  for (const [args, said] of [
    [['logs', 'lint@node'], 'ab\\u0007 \r\n'],
    [['logs'], 'lint@node │ ab\\u0007 \r\n'],
  ] as const)
    assert.equal(rig.onTerminal(args), said)
})

test('bytes without a time, which a killed dwf leaves, are told; so is a log without its times', async (t) => {
  const { dwf, logOf } = await talked(t)
  const { log, times } = logOf('r1', 'test@node')
  writeFileSync(log, 'and more\n', { flag: 'a' })
  assert.equal(dwf(['logs', 'test@node']).stdout, 'first\nno endand more\n')
  rmSync(times)
  assert.equal(dwf(['logs', 'test@node']).stdout, 'first\nno endand more\n')
  truncateSync(logOf('r1', 'lint@node').log, 5)
  assert.equal(dwf(['logs', 'lint@node']).stdout, 'one\nt')
})

test('a log that is not there is said', async (t) => {
  const rig = looksRig(t)
  const store = await rig.open()
  await wholeRun(store, newRun('r1', rig.root, at), { outcome: 'not-run', attempts: 0, reason: 'needs lint@node' })
  const folder = `${rig.state}/runs/r1/logs`
  assert.deepEqual(rig.dwf(['logs']), {
    status: 0,
    stdout: '',
    stderr: `there are no logs of run r1: its tasks said nothing, or they were removed (${folder})\n`,
  })
  assert.equal(
    rig.dwf(['logs', 'lint@node']).stderr,
    `lint@node has no log: it said nothing, or the log was removed (${folder}/lint~40node.log)\n`,
  )
  assert.equal(rig.dwf(['logs', 'test@node']).stderr, 'test@node did not run: needs lint@node\n')
})

test('-f tells what comes, also of a task that begins later, and ends with the run', async (t) => {
  const { follow, open, root, log } = looksRig(t)
  const store = await open()
  const run = tell(store, newRun('r1', root, Date.now()))
  await run.begin(Date.now(), ['lint@node', 'test@node'])
  await run.start('lint@node', Date.now())
  const lint = log('r1', 'lint@node')
  lint.write('stdout', bytes('old\nnew 1\n'), Date.now())
  const logs = follow(['logs', '-f', '-n', '1'])
  await logs.hears('lint@node │ new 1\n')
  lint.write('stdout', bytes('new 2\nopen'), Date.now())
  await logs.hears('lint@node │ new 2\n')
  lint.close()
  await run.end('lint@node', Date.now())
  // What has no line end yet is told when its task has ended.
  await logs.hears('lint@node │ open\n')
  await run.start('test@node', Date.now())
  const unit = log('r1', 'test@node')
  unit.write('stderr', bytes('last\n'), Date.now())
  unit.close()
  await run.end('test@node', Date.now())
  await run.finish(Date.now(), {})
  assert.equal(await logs.ended, 0)
  assert.equal(logs.said(), 'lint@node │ new 1\nlint@node │ new 2\nlint@node │ open\ntest@node │ last\n')
})

test('-f ends when the dwf of the run is gone', async (t) => {
  const { follow, open, root, log } = looksRig(t)
  const store = await open()
  const run = tell(store, newRun('r1', root, Date.now()))
  await run.begin(Date.now(), ['lint@node', 'test@node'])
  await run.start('lint@node', Date.now())
  const lint = log('r1', 'lint@node')
  lint.write('stdout', bytes('half'), Date.now())
  lint.close()
  const logs = follow(['logs', '-f', 'lint@node'])
  await logs.hears('half')
  kill(store, 'r1')
  assert.equal(await logs.ended, 0)
  assert.equal(logs.said(), 'halfrun r1 was interrupted: its dwf is gone; dwf resume r1 goes on with it\n')
  run.journal.close()
})

test('words that cannot be read are said', async (t) => {
  const { dwf } = looksRig(t)
  assert.equal(dwf(['logs', '-n', 'all']).stderr, 'error: --lines must be a whole number, not "all"\n')
  assert.equal(dwf(['logs', '--stream', 'both']).stderr, 'error: --stream must be stdout or stderr, not "both"\n')
  assert.equal(
    dwf(['logs']).stderr,
    'error: there was no run here yet\n  dwf runs --all shows those of other projects\n',
  )
})

test('the last lines of bytes are those of the whole, however they are cut', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', 'b'), maxLength: 40 })
  fc.assert(
    fc.property(text, fc.nat(6), fc.array(fc.nat(40), { maxLength: 5 }), (whole, count, cuts) => {
      const tail = new LastBytes(count)
      const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length]
      for (let index = 1; index < places.length; index++)
        tail.add(Buffer.from(whole.slice(places[index - 1], places[index])))
      const lines = whole.match(/[^\n]*\n|[^\n]+$/g) ?? []
      assert.equal(Buffer.concat(tail.take()).toString(), count === 0 ? '' : lines.slice(-count).join(''))
    }),
  )
})

test('a log of any size is read in small pieces, which are all of it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-pieces-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { log, times } = logFiles(folder, 'a')
  const whole = Buffer.alloc(4 * 1024 * 1024, 'abcdefg\n')
  writeFileSync(log, whole)
  writeFileSync(times, `5 1 ${whole.length}\n`)
  const pieces = [...new TaskReader(folder, 'a').pieces(true)]
  assert.ok(pieces.every((piece) => piece.bytes.length <= 256 * 1024))
  assert.equal(Buffer.compare(Buffer.concat(pieces.map((piece) => piece.bytes)), whole), 0)
  assert.deepEqual(
    pieces.map(({ isLast }) => isLast),
    pieces.map((_, index) => index === pieces.length - 1),
  )
})

test('pieces of several tasks come by their time, those of one task in their order', () => {
  const times = fc.array(fc.array(fc.nat(9), { maxLength: 8 }), { maxLength: 4 })
  fc.assert(
    fc.property(times, (all) => {
      const piece = (name: number, at: number, index: number): Piece => ({
        task: String(name),
        stream: 'stdout',
        at,
        attempt: index,
        bytes: Buffer.alloc(0),
        isLast: false,
      })
      const sources = all.map((own, name) => own.toSorted((a, b) => a - b).map((at, index) => piece(name, at, index)))
      const found = [...merged(sources.map((own) => own.values() as Generator<Piece>))]
      assert.deepEqual(
        found.map(({ at }) => at),
        all.flat().sort((a, b) => a - b),
      )
      for (const [name, own] of sources.entries())
        assert.deepEqual(
          found.filter(({ task: one }) => one === String(name)),
          own,
        )
    }),
  )
})
