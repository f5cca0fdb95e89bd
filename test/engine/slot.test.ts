import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { openHost } from '../../src/engine/host.ts'
import { Slot } from '../../src/engine/slot.ts'
import { slotPrelude, slotTask } from '../../src/engine/slot-script.ts'
import type { ExecRequest, Exit } from '../../src/engine/types.ts'

const shell = () => new Slot(spawn('/bin/sh', { stdio: 'pipe' }), slotPrelude({ init: '', shell: '/bin/sh' }))

function request(argv: readonly string[], more: Partial<ExecRequest> = {}) {
  const out = { stdout: '', stderr: '' }
  const asked: ExecRequest = {
    argv,
    dir: '/',
    env: {},
    onOutput: (stream, chunk) => {
      out[stream] += chunk.toString('utf8')
    },
    ...more,
  }
  return { asked, out }
}

async function runIn(
  slot: Slot,
  argv: readonly string[],
  more: Partial<ExecRequest> = {},
): Promise<{ exit: Exit; stdout: string; stderr: string }> {
  const { asked, out } = request(argv, more)
  const exit = await slot.start(asked).exit
  return { exit, ...out }
}

test('codes, both streams and odd arguments come through a shell that stays open', async () => {
  const slot = shell()
  assert.deepEqual(await runIn(slot, ['sh', '-c', 'echo out; echo err >&2; exit 7']), {
    exit: { kind: 'code', code: 7 },
    stdout: 'out\n',
    stderr: 'err\n',
  })
  assert.deepEqual(await runIn(slot, ['printf', '%s', 'a\'b\n$(id) `x` \\ "']), {
    exit: { kind: 'code', code: 0 },
    stdout: 'a\'b\n$(id) `x` \\ "',
    stderr: '',
  })
  assert.equal(
    (await runIn(slot, ['sh', '-c', 'printf "%s" "$V"'], { env: { V: "it's\n${HOME}" } })).stdout,
    "it's\n${HOME}",
  )
  assert.equal((await runIn(slot, ['pwd'], { dir: '/tmp' })).stdout, '/tmp\n')
  assert.deepEqual((await runIn(slot, ['true'], { dir: '/no such folder' })).exit, { kind: 'code', code: 126 })
  assert.deepEqual((await runIn(slot, ['/nosuch'])).exit, { kind: 'code', code: 127 })
  slot.end()
})

test('a task cannot read what dwf says to the shell, nor end it by its group', async () => {
  const slot = shell()
  assert.equal((await runIn(slot, ['cat'])).stdout, '')
  assert.equal((await runIn(slot, ['sh', '-c', 'kill 0; sleep 1'])).exit.kind, 'code')
  assert.deepEqual((await runIn(slot, ['true'])).exit, { kind: 'code', code: 0 })
  slot.end()
})

test('a task that a signal ends is not a success', async () => {
  const slot = shell()
  assert.deepEqual((await runIn(slot, ['sh', '-c', 'kill -KILL $$'])).exit, { kind: 'code', code: 137 })
  slot.end()
})

test('TERM reaches the whole subtree, KILL what ignores it', async () => {
  const slot = shell()
  for (const [signal, script] of [
    ['TERM', 'sleep 60 & wait'],
    ['KILL', 'trap "" TERM; sleep 60; sleep 60'],
  ] as const) {
    const { asked } = request(['sh', '-c', script])
    const running = slot.start(asked)
    setTimeout(() => running.signal(signal), 200)
    const exit = await running.exit
    assert.ok(exit.kind === 'code' && exit.code > 128, JSON.stringify(exit))
  }
  assert.deepEqual((await runIn(slot, ['true'])).exit, { kind: 'code', code: 0 })
  slot.end()
})

test('a task starts with no signal ignored', async () => {
  const slot = shell()
  // A shell without job control lets its background children ignore INT and QUIT: programs under test must not notice.
  const { stdout } = await runIn(slot, ['grep', 'SigIgn', '/proc/self/status'])
  assert.equal(Number.parseInt(stdout.split(/\s+/)[1]!, 16) & 0b110, 0, stdout)
  slot.end()
})

test('a shell that dies under its task is lost, never a success', async () => {
  const child = spawn('/bin/sh', { stdio: 'pipe' })
  const slot = new Slot(child, slotPrelude({ init: '', shell: '/bin/sh' }))
  const { asked } = request(['sleep', '3'])
  const running = slot.start(asked)
  setTimeout(() => child.kill('SIGKILL'), 100)
  assert.equal((await running.exit).kind, 'lost')
  assert.equal((await slot.start(asked).exit).kind, 'lost')
})

/** A shell whose streams the test writes itself: what a hostile task could put into them. */
function fakeShell() {
  const stdin = new PassThrough()
  const child = Object.assign(new EventEmitter(), { stdin, stdout: new PassThrough(), stderr: new PassThrough() })
  let sent = ''
  stdin.on('data', (chunk) => (sent += chunk))
  const slot = new Slot(child as unknown as ChildProcess, '')
  const { asked, out } = request(['x'])
  const { exit } = slot.start(asked)
  const [, ok, fail] = / ([0-9a-f]{32}) ([0-9a-f]{32});/.exec(sent || String(stdin.read() ?? '')) ?? []
  return { child, exit, out, ok: ok!, fail: fail! }
}

async function settled(exit: Promise<Exit>): Promise<Exit | 'open'> {
  return Promise.race([exit, new Promise<'open'>((resolve) => setTimeout(() => resolve('open'), 30))])
}

test('an end marker without the token of this task is output like any other', async () => {
  const { child, exit, out } = fakeShell()
  const forged = `\u001e${'0'.repeat(32)} 0\n`
  child.stdout.write(forged)
  child.stderr.write(forged)
  assert.equal(await settled(exit), 'open')
  assert.equal(out.stdout, forged)
})

test('the token of failure cannot say success, and one stream alone says nothing', async () => {
  const { child, exit, fail, ok } = fakeShell()
  child.stdout.write(`\u001e${fail} 0\n`)
  child.stderr.write(`\u001e${fail} 0\n`)
  assert.equal(await settled(exit), 'open')
  child.stdout.write(`\u001e${ok} 0\n`)
  assert.equal(await settled(exit), 'open')
  child.stderr.write(`\u001e${fail} 1\n`)
  assert.equal(((await settled(exit)) as Exit).kind, 'lost')
})

test('a marker is found however the bytes are cut, and everything before it is output', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 80 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }),
      async (bytes, cuts) => {
        const { child, exit, out, ok } = fakeShell()
        const body = Buffer.from(bytes)
          .toString('latin1')
          .replaceAll(/[^\x00-\x7f]/g, '\u001e')
        const text = Buffer.from(`${body}\u001e${ok} 0\n`)
        let at = 0
        for (const cut of [...cuts, text.length]) {
          child.stdout.write(text.subarray(at, at + cut))
          at = Math.min(text.length, at + cut)
        }
        child.stderr.write(`\u001e${ok} 0\n`)
        assert.deepEqual(await exit, { kind: 'code', code: 0 })
        assert.equal(out.stdout, body)
      },
    ),
    { numRuns: 200 },
  )
})

test('the tokens are on no command line', () => {
  const script = slotTask({ argv: ['x'], dir: '/', env: {}, ok: 'OKTOKEN', fail: 'FAILTOKEN' })
  assert.match(script, /dwf_end \$\? OKTOKEN FAILTOKEN/)
  assert.doesNotMatch(script.slice(0, script.indexOf('dwf_end')), /TOKEN/)
})

test('a host session runs tasks side by side and starts from a short list of variables', async () => {
  const session = await openHost({ ...process.env, SECRET_OF_MINE: 'x' }, 2)
  try {
    const one = request(['sh', '-c', 'sleep 0.3; echo one'])
    const two = request(['env'])
    const running = await Promise.all([session.exec(one.asked), session.exec(two.asked)])
    assert.deepEqual(await Promise.all(running.map(({ exit }) => exit)), [
      { kind: 'code', code: 0 },
      { kind: 'code', code: 0 },
    ])
    assert.equal(one.out.stdout, 'one\n')
    assert.doesNotMatch(two.out.stdout, /SECRET_OF_MINE/)
  } finally {
    await session.close()
  }
})
