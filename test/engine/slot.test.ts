import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { hostSource, openHost } from '../../src/engine/host.ts'
import { filesFolder } from '../../src/engine/host-files.ts'
import { hostTask } from '../../src/engine/host-script.ts'
import { openSession, type SlotSource } from '../../src/engine/session.ts'
import { Slot } from '../../src/engine/slot.ts'
import { slotPrelude, slotTask } from '../../src/engine/slot-script.ts'
import type { ExecRequest, Exit, Session } from '../../src/engine/types.ts'

const tini = '/usr/bin/tini'
const bash = '/bin/bash'

interface Place extends SlotSource {
  readonly shells: ChildProcess[]
}

/** The places where shells are kept open: the host's, whatever /bin/sh is here, and a container's without the container. */
const places: Readonly<Record<string, () => Place>> = {
  'the host': () => noting(hostSource({ PATH: process.env.PATH, HOME: '/', TERM: 'dumb', TMPDIR: '/tmp' })),
  ...(existsSync(bash)
    ? {
        'the host, with bash as its sh': () =>
          noting(
            hostSource(
              { PATH: process.env.PATH, HOME: '/', TERM: 'dumb', TMPDIR: '/tmp' },
              { shell: [bash, '--posix'] },
            ),
          ),
      }
    : {}),
  ...(existsSync(tini) ? { 'a container': () => noting(underTini()) } : {}),
}

/** As in a container, but that orphans go to this tini, which the shell knows as its parent. */
function underTini(): SlotSource {
  const start = () =>
    spawn(tini, ['-s', '--', '/bin/sh'], {
      stdio: 'pipe',
      detached: true,
      env: { PATH: process.env.PATH, HOME: '/', TERM: 'dumb' },
    })
  return { prelude: slotPrelude({ init: tini, reaper: '$PPID' }), first: start, more: start, remove: async () => {} }
}

function noting(source: SlotSource): Place {
  const shells: ChildProcess[] = []
  const note = (child: ChildProcess) => {
    shells.push(child)
    return child
  }
  return { ...source, shells, first: () => note(source.first()), more: () => note(source.more()) }
}

/** A test for each place. */
function everywhere(
  name: string,
  check: (session: Session, place: Place, context: TestContext) => Promise<void>,
): void {
  for (const [where, make] of Object.entries(places)) {
    test(`${where}: ${name}`, async (context) => {
      const place = make()
      const session = await openSession(place, 2)
      try {
        await check(session, place, context)
      } finally {
        await session.close()
      }
    })
  }
}

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
  session: Session,
  argv: readonly string[],
  more: Partial<ExecRequest> = {},
): Promise<{ exit: Exit; stdout: string; stderr: string }> {
  const { asked, out } = request(argv, more)
  const exit = await (await session.exec(asked)).exit
  return { exit, ...out }
}

const code = (value: number): Exit => ({ kind: 'code', code: value })

/** Those of the processes that are still there. */
const living = (pids: readonly string[]): readonly string[] =>
  pids.filter((pid) => {
    try {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    } catch {
      return false
    }
  })

/** Starts a task and waits until it has said a word. */
async function started(session: Session, script: string, more: Partial<ExecRequest> = {}) {
  let told: () => void
  const said = new Promise<void>((resolve) => (told = resolve))
  let text = ''
  const { asked } = request(['sh', '-c', script], {
    ...more,
    onOutput: (_, chunk) => {
      text += chunk.toString('utf8')
      if (text.includes('ready')) told()
    },
  })
  const running = await session.exec(asked)
  await said
  return { running, words: () => text.split(/\s+/) }
}

everywhere('codes, both streams and odd arguments come through a shell that stays open', async (session) => {
  assert.deepEqual(await runIn(session, ['sh', '-c', 'echo out; echo err >&2; exit 7']), {
    exit: code(7),
    stdout: 'out\n',
    stderr: 'err\n',
  })
  assert.deepEqual(await runIn(session, ['printf', '%s', 'a\'b\n$(id) `x` \\ "']), {
    exit: code(0),
    stdout: 'a\'b\n$(id) `x` \\ "',
    stderr: '',
  })
  assert.equal((await runIn(session, ['pwd'], { dir: '/tmp' })).stdout, '/tmp\n')
  assert.equal((await runIn(session, ['sh', '-c', 'pwd; echo "$OLDPWD"'], { dir: '/tmp' })).stdout, '/tmp\n\n')
  const nowhere = await runIn(session, ['sh', '-c', 'true'], { dir: '/no such folder' })
  assert.deepEqual(nowhere.exit, code(126))
  assert.match(nowhere.stderr, /no such folder/)
  const nothing = await runIn(session, ['/nosuch'])
  assert.deepEqual(nothing.exit, code(127))
  assert.match(nothing.stderr, /\/nosuch/)
  assert.deepEqual((await runIn(session, ['nosuch'])).exit, code(127))
})

everywhere('any text arrives as an argument and as a value, whatever the name means to a shell', async (session) => {
  const names = [
    'V',
    'UID',
    'PPID',
    'IFS',
    'OPTIND',
    'RANDOM',
    'LC_ALL',
    'PWD',
    'OLDPWD',
    'dwf_code',
    'dwf_path',
    'BASH_ENV',
  ]
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', '\n'))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), text, text, fc.boolean(), async (name, value, argument, isLean) => {
      const argv = [isLean ? '/usr/bin/printenv' : 'printenv', name]
      const { exit, stdout } = await runIn(session, argv, { env: { [name]: value } })
      assert.deepEqual(exit, code(0))
      assert.equal(stdout, `${Buffer.from(value).toString('utf8')}\n`)
      const said = await runIn(session, [isLean ? '/usr/bin/printf' : 'printf', '%s', argument])
      assert.equal(said.stdout, Buffer.from(argument).toString('utf8'))
    }),
    { numRuns: 60 },
  )
})

everywhere('a script of plain words needs no shell, and all others get theirs', async (session) => {
  for (const [script, expected] of [
    ['/bin/echo a  b', 'a b\n'],
    ['/bin/echo a b=c', 'a b=c\n'],
    ['/bin/echo "$0"', 'sh\n'],
    ['/bin/echo ~', '/\n'],
    ['/bin/echo a;/bin/echo b', 'a\nb\n'],
    ['A=/x sh -c "echo $A-"', '-\n'],
    ['/bin/echo a #b', 'a\n'],
    ['/bin/echo /et[c]', '/etc\n'],
    ['/bin/cat /proc/$PPID/comm | /usr/bin/wc -l', '1\n'],
  ] as const)
    assert.equal((await runIn(session, ['sh', '-c', script])).stdout, expected, script)
})

everywhere('what is no name or no text is refused, and the shell goes on', async (session) => {
  for (const more of [{ env: { 'A B': 'x' } }, { env: { A: '\0' } }, { files: { '../x': 'y' } }]) {
    const { asked } = request(['true'], more)
    await assert.rejects(async () => (await session.exec(asked)).exit, RangeError)
  }
  assert.deepEqual((await runIn(session, ['true'])).exit, code(0))
})

everywhere('a folder of programs comes first in PATH', async (session, _, context) => {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-rig-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const { stdout } = await runIn(session, ['sh', '-c', 'echo "$PATH"'], { path: [folder, '/x'] })
  assert.equal(stdout, `${folder}:/x:${process.env.PATH}\n`)
})

everywhere('bytes arrive as they are: half a character, a flood, a last line without an end', async (session) => {
  const chunks: Buffer[] = []
  const { asked } = request(['sh', '-c', "printf '\\303'; head -c 3000000 /dev/zero; printf '\\036x'"], {
    onOutput: (stream, chunk) => {
      if (stream === 'stdout') chunks.push(chunk)
    },
  })
  assert.deepEqual(await (await session.exec(asked)).exit, code(0))
  const all = Buffer.concat(chunks)
  assert.deepEqual([all.length, all[0], all.subarray(-2).toString()], [3_000_003, 0xc3, '\u001ex'])
})

everywhere('a task cannot read what dwf says to the shell, nor end it by its group', async (session, { shells }) => {
  assert.deepEqual(await runIn(session, ['cat']), { exit: code(0), stdout: '', stderr: '' })
  for (const [signal, expected] of [
    ['TERM', 143],
    ['INT', 130],
    ['HUP', 129],
    ['USR1', 138],
    ['KILL', 137],
  ] as const) {
    assert.equal(shells.length, 1, signal)
    const { exit } = await runIn(session, ['sh', '-c', `kill -${signal} 0; sleep 5`])
    assert.deepEqual(exit, code(expected), signal)
  }
  assert.deepEqual((await runIn(session, ['true'])).exit, code(0))
})

everywhere('a task that a signal ends is not a success, and nothing tells its command line', async (session) => {
  const { exit, stderr } = await runIn(session, ['sh', '-c', 'kill -KILL $$'], { env: { V: 'hidden-value' } })
  assert.deepEqual(exit, code(137))
  assert.doesNotMatch(stderr, /hidden-value|kill/)
})

everywhere('a task that stops itself has not ended', async (session) => {
  const { exit, stdout } = await runIn(session, ['sh', '-c', '(sleep 0.2; kill -CONT $$) & kill -STOP $$; echo on'])
  assert.deepEqual([exit, stdout], [code(0), 'on\n'])
})

everywhere('TERM reaches the whole subtree, KILL what ignores it', async (session) => {
  for (const [signal, expected, script] of [
    ['TERM', 143, 'sleep 60 & echo $!; setsid sleep 60 & echo $!; timeout 60 sleep 60 & echo $! ready; wait'],
    ['KILL', 137, 'trap "" TERM; setsid sleep 60 & echo $!; sleep 60 & echo $! ready; wait'],
  ] as const) {
    const { running, words } = await started(session, script)
    running.signal(signal)
    assert.deepEqual(await running.exit, code(expected))
    const pids = words().filter((word) => /^\d+$/.test(word))
    assert.ok(pids.length >= 2)
    // On the host nobody waits for what a signal reached: it ends in its own time.
    for (let left = 100; left > 0 && living(pids).length > 0; left--) await sleep(20)
    assert.deepEqual(living(pids), [])
  }
  assert.deepEqual((await runIn(session, ['true'])).exit, code(0))
})

everywhere('a signal that comes at once is not lost, and one that comes late reaches nobody else', async (session) => {
  const { asked } = request(['sleep', '60'])
  const first = await session.exec(asked)
  first.signal('TERM')
  assert.deepEqual(await first.exit, code(143))
  const { running } = await started(session, 'echo ready; sleep 0.1; exit 5')
  first.signal('KILL')
  assert.deepEqual(await running.exit, code(5))
})

const left =
  'sleep 60 & echo $!; (sleep 60 & echo $!); timeout 60 sleep 60 & echo $!; sh -c "sleep 60 & echo \\$!; echo \\$\\$"'

everywhere('what a task leaves ends with it, also after a failure', async (session, { standsAlone }) => {
  for (const more of ['exit 0', 'exit 3', `setsid sh -c 'echo $$; sleep 60' & sleep 0.2`]) {
    if (standsAlone && more.startsWith('setsid')) continue
    const { stdout } = await runIn(session, ['sh', '-c', `${left}; ${more}`])
    const pids = stdout.trim().split('\n')
    assert.ok(pids.length >= 5, stdout)
    assert.deepEqual(living(pids), [])
  }
})

for (const [where, make] of Object.entries(places)) {
  test(`${where}: a kernel without a list of children is asked for all processes`, async () => {
    const place = make()
    const session = await openSession({ ...place, prelude: place.prelude.replaceAll('/children', '/no-such-list') }, 1)
    assert.deepEqual((await runIn(session, ['true'])).exit, code(0))
    const { exit, stdout } = await runIn(session, ['sh', '-c', left])
    assert.deepEqual([exit, living(stdout.trim().split('\n'))], [code(0), []])
    await session.close()
  })
}

everywhere('a task starts with no signal ignored', async (session) => {
  // A shell without job control lets its background children ignore INT and QUIT: programs under test must not notice.
  const { stdout } = await runIn(session, ['grep', 'SigIgn', '/proc/self/status'])
  assert.equal(Number.parseInt(stdout.split(/\s+/)[1]!, 16) & 0b110, 0, stdout)
})

everywhere('shells collect the tasks that have ended', async (session, { shells }) => {
  for (let count = 0; count < 20; count++) await runIn(session, ['true'])
  const children = (pid: string) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ')
  const [first] = children(String(shells[0]!.pid))
  assert.ok(children(first || String(shells[0]!.pid)).length <= 2)
})

test('a container whose shell dies under its task is lost, never a success', { skip: !existsSync(tini) }, async () => {
  const place = places['a container']!()
  const session = await openSession(place, 2)
  const { running } = await started(session, 'echo ready; sleep 3')
  place.shells[0]!.kill('SIGKILL')
  assert.equal((await running.exit).kind, 'lost')
  assert.equal((await runIn(session, ['true'])).exit.kind, 'lost')
})

test('a shell of the host that dies takes its task with it, and no other', async () => {
  const place = places['the host']!()
  const session = await openSession(place, 2)
  const one = await started(session, 'echo $$ ready; sleep 30')
  const two = await started(session, 'echo ready; sleep 0.6; exit 4')
  place.shells[0]!.kill('SIGKILL')
  assert.deepEqual(await one.running.exit, code(137))
  assert.deepEqual(living(one.words().slice(0, 1)), [])
  assert.deepEqual((await runIn(session, ['true'])).exit, code(0))
  assert.deepEqual(await two.running.exit, code(4))
  await session.close()
})

test('closing the host ends what runs there', async () => {
  const session = await openHost(process.env, 1)
  const { running, words } = await started(session, 'trap "" TERM; sleep 60 & echo $! ready; wait; sleep 60')
  await session.close()
  assert.notDeepEqual(await running.exit, code(0))
  assert.deepEqual(living(words().slice(0, 1)), [])
})

everywhere('files: the text as it is, for its person alone, and gone afterwards', async (session) => {
  const text = fc.string({ unit: 'binary', maxLength: 200 }).map((value) => value.replaceAll('\0', '\r\n'))
  await fc.assert(
    fc.asyncProperty(text, text, async (one, two) => {
      const files = { ONE: one, TWO: `${two}\n\n` }
      const read = 'echo "$ONE"; stat -c "%a %F" "$ONE" "${ONE%/*}"; umask; cat "$TWO"'
      const { exit, stdout } = await runIn(session, ['sh', '-c', read], { files })
      assert.deepEqual(exit, code(0))
      const [path, ...lines] = stdout.split('\n')
      assert.ok(stdout.startsWith(`${path}\n600 regular `), stdout)
      assert.deepEqual(lines.slice(1, 3), ['700 directory', '0022'])
      assert.equal(lines.slice(3).join('\n'), Buffer.from(files.TWO).toString('utf8'))
      assert.equal(existsSync(join(path!, '..')), false)
    }),
    { numRuns: 20 },
  )
})

everywhere('files go also when the task fails, or is killed with what it started', async (session) => {
  const files = { TOKEN: 'value' }
  const failed = await runIn(session, ['sh', '-c', 'echo "$TOKEN"; exit 9'], { files })
  assert.deepEqual([failed.exit, existsSync(join(failed.stdout.trim(), '..'))], [code(9), false])
  const killed = await started(session, 'echo "$TOKEN" ready; sleep 60', { files })
  assert.equal(readFileSync(killed.words()[0]!, 'utf8'), 'value')
  killed.running.signal('KILL')
  assert.deepEqual(await killed.running.exit, code(137))
  assert.equal(existsSync(join(killed.words()[0]!, '..')), false)
})

for (const [where, make] of Object.entries(places)) {
  test(`${where}: is open only when its first shell has answered`, async () => {
    const source = {
      ...make(),
      first: () => spawn('/bin/sh', ['-c', 'echo no such place >&2; exit 3'], { stdio: 'pipe' }),
    }
    await assert.rejects(openSession(source, 1), new Error('no such place'))
  })
}

test('the host: files go also with the shell, and with the session', async (context) => {
  const runtime = mkdtempSync(join(tmpdir(), 'dwf-rig-'))
  context.after(() => rmSync(runtime, { recursive: true }))
  const session = await openHost({ PATH: process.env.PATH, XDG_RUNTIME_DIR: runtime }, 2)
  const one = await started(session, 'echo "$TOKEN" ready; sleep 0.1; kill -9 $PPID; sleep 60', {
    files: { TOKEN: 'value' },
  })
  assert.ok(one.words()[0]!.startsWith(`${runtime}/`), one.words()[0])
  assert.deepEqual(await one.running.exit, code(137))
  assert.equal(existsSync(join(one.words()[0]!, '..')), false)
  await session.close()
  assert.deepEqual(readdirSync(runtime), [])
})

test('the host: files that a dwf which was killed left go with the next ones, others stay', async (context) => {
  const runtime = mkdtempSync(join(tmpdir(), 'dwf-rig-'))
  context.after(() => rmSync(runtime, { recursive: true }))
  const env = { ...process.env, XDG_RUNTIME_DIR: runtime }
  const module = JSON.stringify(join(import.meta.dirname, '../../src/engine/host-files.ts'))
  const dead = execFileSync(
    process.execPath,
    ['-e', `import(${module}).then((m) => console.log(m.filesFolder(process.env)))`],
    { env, encoding: 'utf8' },
  ).trim()
  const living = filesFolder(env)
  const unknown = join(runtime, 'dwf-files-unknown')
  mkdirSync(unknown)
  const next = filesFolder(env)
  assert.deepEqual(
    [dead, living, unknown, next].map((folder) => existsSync(folder)),
    [false, true, true, true],
  )
  assert.equal(statSync(next).mode & 0o777, 0o700)
  chmodSync(runtime, 0o755)
  const elsewhere = filesFolder(env)
  context.after(() => rmSync(elsewhere, { recursive: true }))
  assert.ok(!elsewhere.startsWith(runtime), 'a folder that others can read')
})

everywhere('files are in no environment and on no command line', async (session) => {
  // The pattern is in the file alone: on its own command line grep would find itself.
  const look = `cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c -F -f "$TOKEN"`
  const value = `of-this-test-${Math.random()}`
  const { stdout } = await runIn(session, ['sh', '-c', look], { files: { TOKEN: value } })
  assert.equal(stdout, '0\n')
  const seen = await runIn(session, ['sh', '-c', look], { files: { TOKEN: value }, env: { SEEN: value } })
  assert.notEqual(seen.stdout, '0\n', 'what is in the environment is found')
})

/** A shell whose streams the test writes itself: what a hostile task could put into them. */
function fakeShell() {
  const stdin = new PassThrough()
  const child = Object.assign(new EventEmitter(), { stdin, stdout: new PassThrough(), stderr: new PassThrough() })
  let sent = ''
  stdin.on('data', (chunk) => (sent += chunk))
  const slot = new Slot(child as unknown as ChildProcess, { prelude: '', task: slotTask, signal: () => {} })
  const { asked, out } = request(['x'])
  const { exit } = slot.start(asked)
  const [, ok, fail] = / ([0-9a-f]{32}) ([0-9a-f]{32})\n/.exec(sent || String(stdin.read() ?? '')) ?? []
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
  const words = { ok: 'OKTOKEN', fail: 'FAILTOKEN', name: 'x' }
  for (const script of [slotTask, hostTask(() => '/x')]) {
    for (const argv of [['x'], ['/x']]) {
      const text = script({ argv, dir: '/', env: {} }, words)
      assert.match(text, /dwf_end "\$dwf_code" OKTOKEN FAILTOKEN\n/)
      assert.doesNotMatch(text.slice(0, text.indexOf('dwf_end')), /TOKEN/)
    }
  }
})

test('a host session has the part of the environment that is asked for', async () => {
  const env = { ...process.env, TERM: 'dumb', SECRET_OF_MINE: 'x' }
  for (const [which, has] of [
    ['clean', { TERM: false, SECRET_OF_MINE: false }],
    ['usual', { TERM: true, SECRET_OF_MINE: false }],
    ['whole', { TERM: true, SECRET_OF_MINE: true }],
  ] as const) {
    const session = await openHost(env, 1, which)
    try {
      const { stdout } = await runIn(session, ['env'])
      for (const [name, is] of Object.entries({ PATH: true, HOME: true, ...has }))
        assert.equal(new RegExp(`^${name}=`, 'm').test(stdout), is, `${which}: ${name}`)
    } finally {
      await session.close()
    }
  }
})

test('a host session runs tasks side by side and starts from a short list of variables', async () => {
  const session = await openHost({ ...process.env, SECRET_OF_MINE: 'x' }, 2)
  try {
    const one = request(['sh', '-c', 'sleep 0.3; echo one'])
    const two = request(['env'])
    const running = await Promise.all([session.exec(one.asked), session.exec(two.asked)])
    assert.deepEqual(await Promise.all(running.map(({ exit }) => exit)), [code(0), code(0)])
    assert.equal(one.out.stdout, 'one\n')
    assert.doesNotMatch(two.out.stdout, /SECRET_OF_MINE/)
  } finally {
    await session.close()
  }
})
