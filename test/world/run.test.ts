import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Repository, tasks } from './rig.ts'

/** Containers of this repository's runs that are there now. */
function containers(repo: Repository): readonly string[] {
  const runs = existsSync(join(repo.root, '../state/dwf/runs')) ? readdirSync(join(repo.root, '../state/dwf/runs')) : []
  const all = execFileSync('podman', ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' }).split('\n')
  return all.filter((name) => runs.some((run) => name.includes(run)))
}

async function gone(repo: Repository, ms: number): Promise<void> {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(200)) if (containers(repo).length === 0) return
  assert.deepEqual(containers(repo), [])
}

function logOf(repo: Repository, task: string): string {
  const runs = join(repo.root, '../state/dwf/runs')
  return join(
    runs,
    readdirSync(runs).sort().at(-1)!,
    'logs',
    `${task.replaceAll(':', '~3a').replaceAll('@', '~40')}.log`,
  )
}

test('fail-fast ends the others, --keep-going lets them finish', async (context) => {
  const repo = await tasks(
    context,
    `[tasks."test:a"]\nrun = "sleep 0.3; exit 9"\n[tasks."test:b"]\nrun = "sleep 20"\n[tasks."test:c"]\nrun = "true"\nneeds = ["test:a"]\n[tasks."test:d"]\nrun = "sleep 1"\n[targets]\npr = ["test:a", "test:b", "test:c"]\nslow = ["test:a", "test:d", "test:c"]\n`,
  )
  const fast = await repo.dwf(['check:pr', '-j', '2'])
  assert.equal(fast.code, 1, fast.all)
  assert.match(fast.stdout, /✖ test:a@project +failed \(exit 9\)/)
  assert.match(fast.stdout, /■ test:b@project +cancelled/)
  assert.match(fast.stdout, /– test:c@project +not run +needs test:a@project/)
  assert.ok(fast.ms < 15_000, `${fast.ms}`)
  const going = await repo.dwf(['check:slow', '-j', '2', '-k'])
  assert.equal(going.code, 1, going.all)
  assert.match(going.stdout, /✔ test:d@project +passed/)
  assert.match(going.stdout, /– test:c@project +not run/)
})

test('a time-out ends the whole subtree: TERM, then KILL', async (context) => {
  const repo = await tasks(
    context,
    `[tasks.test]\nrun = '''trap '' TERM; sh -c 'trap "" TERM; while :; do date +%s%N > beat; sleep 0.1; done' & while :; do sleep 1; done'''\ntimeout = "1s"\n`,
  )
  const { code, stdout, ms } = await repo.dwf(['test'])
  assert.equal(code, 1)
  assert.match(stdout, /test:unit@project +timed out .* after 1 s/)
  const beat = repo.read('beat')
  await sleep(500)
  assert.equal(repo.read('beat'), beat)
  assert.ok(ms < 30_000)
})

test('retries', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "test -e second || { touch second; exit 1; }"\nretries = 2\n`)
  const { code, all } = await repo.dwf(['test'])
  assert.equal(code, 0, all)
  assert.match(all, /passed, 2 attempts/)
})

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} ends the run in good order: exit ${expected}, no container left`, async (context) => {
    const repo = await tasks(
      context,
      `[tasks.test]\nrun = "trap 'echo tidied; exit' TERM; echo started; sleep 60 & wait"\n`,
    )
    const { code, all, stdout } = await repo.dwf(['test'], {
      when: { says: /│ started/, act: (child) => child.kill(signal) },
    })
    assert.equal(code, expected, all)
    assert.match(all, /tidied/)
    assert.match(stdout, /cancelled in/)
    assert.deepEqual(containers(repo), [])
  })
}

test('a second Ctrl-C does not wait for a task that ignores the first', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "trap '' TERM INT; echo started; while :; do sleep 1; done"\n`)
  const { code, all, ms } = await repo.dwf(['test'], {
    when: {
      says: /│ started/,
      act: (child) => {
        child.kill('SIGINT')
        setTimeout(() => child.kill('SIGINT'), 300)
      },
    },
  })
  assert.equal(code, 130, all)
  assert.ok(ms < 20_000, `${ms}`)
  assert.deepEqual(containers(repo), [])
})

test('when dwf is killed with -9, its container ends by itself, and the next run is none the worse', async (context) => {
  const repo = await tasks(
    context,
    `[tasks.test]\nrun = "test -e once && exit 0; touch once; echo started; sleep 120"\n`,
  )
  const killed = await repo.dwf(['test'], { when: { says: /│ started/, act: (child) => child.kill('SIGKILL') } })
  assert.equal(killed.signal, 'SIGKILL')
  await gone(repo, 15_000)
  const next = await repo.dwf(['test'])
  assert.equal(next.code, 0, next.all)
})

test('when the engine’s client is killed, the task is lost, not passed', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "echo started; sleep 60"\n`)
  const { code, all } = await repo.dwf(['test'], {
    when: {
      says: /│ started/,
      act: () => void execFileSync('pkill', ['-KILL', '-f', `podman run .*--volume=${repo.root}:/workspace`]),
    },
  })
  assert.equal(code, 1, all)
  assert.match(all, /test:unit@project +lost +\d.* the container went away/)
  await gone(repo, 15_000)
})

test('the run’s deadline is exit 124', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "sleep 60"\n`)
  await repo.dwf(['image', 'build'])
  const { code, stdout, all } = await repo.dwf(['test', '--deadline', '4s'])
  assert.equal(code, 124, all)
  assert.match(stdout, /out of time/)
})

test('output: 200 MB arrive whole, with time stamps, and dwf stays small', async (context) => {
  const bytes = process.env.DWF_TEST_LONG ? 1_000_000_000 : 200_000_000
  const repo = await tasks(context, `[tasks.test]\nrun = "yes 0123456789abcdef | head -c ${bytes}; echo err >&2"\n`)
  let peak = 0
  const { code, all } = await repo.dwf(['test', '--quiet'], {
    env: { DWF_TEST: '1' },
    when: {
      says: /./,
      act: () => {},
    },
  })
  assert.equal(code, 0, all)
  assert.equal(statSync(logOf(repo, 'test:unit@project')).size, bytes + 4)
  const times = readFileSync(logOf(repo, 'test:unit@project').replace(/log$/, 'times'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number))
  assert.equal(
    // Stream 0 is the beginning of an attempt.
    times.reduce((sum, [, stream, size]) => sum + (stream === 0 ? 0 : size!), 0),
    bytes + 4,
  )
  assert.ok(times.every(([at], index) => index === 0 || at! >= times[index - 1]![0]!))
  const watched = spawn(
    '/usr/bin/env',
    ['bash', '-c', `exec node ${join(import.meta.dirname, '../../bin/dwf.js')} test --quiet`],
    { cwd: repo.root, env: repo.env, stdio: 'ignore' },
  )
  const timer = setInterval(() => {
    try {
      peak = Math.max(
        peak,
        Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${watched.pid}/status`, 'utf8'))?.[1] ?? 0),
      )
    } catch {
      // It has ended.
    }
  }, 20)
  const ended = await new Promise((resolve) => watched.once('close', resolve))
  clearInterval(timer)
  assert.equal(ended, 0)
  assert.ok(peak > 0 && peak < 150 * 1024, `${peak} KiB`)
})

test('two runs of one repository at once both end well', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "sleep 1; echo fine"\n`)
  const both = await Promise.all([repo.dwf(['test']), repo.dwf(['test'])])
  for (const { code, all } of both) assert.equal(code, 0, all)
})

test('bytes that are not UTF-8, escapes and carriage returns do not reach the terminal as they are', async (context) => {
  const repo = await tasks(
    context,
    `[tasks.test]\nrun = '''printf 'a\\033]0;title\\007b\\033[2Jc\\r\\n\\377\\376\\n\\033[31mred\\033[0m\\n' '''\n`,
  )
  const { code, stderr } = await repo.dwf(['test'])
  assert.equal(code, 0)
  assert.ok(!stderr.includes('\u001b'))
  assert.match(stderr, /│ abc\n/)
  assert.match(readFileSync(logOf(repo, 'test:unit@project'), 'latin1'), /a\x1b\]0;title\x07b/)
})

test('--json gives one event a line, with schema and sequence', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "echo said; exit 5"\n`)
  const { code, stdout } = await repo.dwf(['test', '--json'])
  assert.equal(code, 1)
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.ok(events.slice(0, -1).every((event, index) => event.schema === 'dwf.event/1' && event.sequence === index))
  assert.deepEqual(
    events
      .filter((event) => event.type === 'output')
      .map((event) => event.text)
      .join(''),
    'said\n',
  )
  const { result } = events.at(-2)
  assert.deepEqual([events.at(-1).schema, events.at(-1).exit, events.at(-1).ok], ['dwf.run/1', 1, false])
  assert.equal(result.ok, false)
  assert.equal(result.tasks[0].code, 5)
})

test('a secret reaches its task by name, and nothing else', async (context) => {
  const repo = await tasks(
    context,
    `[tasks."test:a"]\nrun = '''echo "have $TOKEN"; printf '%s' "$TOKEN" | cut -c1-5; tr '\\0' '\\n' < /proc/1/cmdline | grep -c s3cret; true'''\nsecrets = ["TOKEN"]\n[tasks."test:b"]\nrun = "env | grep -c TOKEN; true"\n`,
  )
  const refused = await repo.dwf(['test:a'], { env: { TOKEN: 's3cret-value' } })
  assert.equal(refused.code, 4, refused.all)
  assert.match(
    refused.all,
    /devflow\.toml:3:1[0-9] error: not trusted: this repository asks to give the secret TOKEN to test:a/,
  )
  assert.equal((await repo.dwf(['trust', '--ci'], { env: { CI: '1' } })).code, 0)
  const { code, all } = await repo.dwf(['test:a'], { env: { TOKEN: 's3cret-value' } })
  assert.equal(code, 0, all)
  assert.match(all, /have ••••••••/)
  assert.ok(!all.includes('s3cret-value'))
  assert.ok(!readFileSync(logOf(repo, 'test:a@project'), 'utf8').includes('s3cret-value'))
  const other = await repo.dwf(['test:b'], { env: { TOKEN: 's3cret-value' } })
  assert.match(other.all, /│ 0/)
})

test('the deadline and Ctrl-C end a run whose container does not come up', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`)
  // An image whose kept-open shell says nothing.
  writeFileSync(
    join(repo.root, 'Dockerfile.devflow'),
    `${repo.read('Dockerfile.devflow')}USER 0:0\nRUN cp /bin/sleep /usr/local/libexec/dwf/real && printf '#!/bin/bash\\n[ -t 0 ] || [ "$1" != "" ] && exec /bin/dash "$@"; sleep 600\\n' > /usr/local/libexec/dwf/sh && chmod 0755 /usr/local/libexec/dwf/sh\nUSER 1001:1001\n`,
  )
  await repo.dwf(['image', 'build'])
  const { code, stdout, ms, all } = await repo.dwf(['test', '--deadline', '6s'])
  assert.equal(code, 124, all)
  assert.match(stdout, /out of time/)
  assert.ok(ms < 30_000, `${ms}`)
  await gone(repo, 10_000)
})

test('interrupting an image build is exit 143, with a summary and nothing left running', async (context) => {
  const repo = await tasks(context, `[tasks.test]\nrun = "true"\n`)
  writeFileSync(
    join(repo.root, 'Dockerfile.devflow'),
    `${repo.read('Dockerfile.devflow')}RUN echo ${repo.root} && sleep 321\n`,
  )
  const { code, stdout, all } = await repo.dwf(['test'], {
    when: { says: /sleep 321/, act: (child) => setTimeout(() => child.kill('SIGTERM'), 1500) },
  })
  assert.equal(code, 143, all)
  assert.match(stdout, /cancelled in/)
  // The engine clears up on its own time.
  const isLeft = () => spawnSync('pgrep', ['-f', '^sleep 321$']).status === 0
  for (const end = Date.now() + 15_000; isLeft() && Date.now() < end; ) await sleep(200)
  assert.equal(isLeft(), false)
})
