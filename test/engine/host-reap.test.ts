import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { reapHost, sessionMark, sessionVariable, shellVariable } from '../../src/engine/host-reap.ts'

const mark = sessionMark(`reap-${process.pid}`, 2)

function start(t: TestContext, argv: readonly string[], env: NodeJS.ProcessEnv, detached = true): ChildProcess {
  const child = spawn(argv[0]!, argv.slice(1), { env: { PATH: process.env.PATH, ...env }, detached, stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  return child
}

function isThere(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

async function childOf(parent: ChildProcess): Promise<number> {
  for (;;) {
    const pid = Number(readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim().split(' ')[0])
    if (pid > 0) return pid
    await sleep(10)
  }
}

const shell = { [shellVariable]: mark, [sessionVariable]: mark }

test('a shell of the run goes with all that is in its session, whatever its environment', async (t) => {
  const parent = start(t, ['sh', '-c', 'env -i /bin/sleep 60; true'], shell)
  const child = await childOf(parent)
  await sleep(100)
  assert.ok(!readFileSync(`/proc/${child}/environ`, 'latin1').includes(mark))
  reapHost(mark)
  assert.ok(!isThere(parent.pid!) && !isThere(child))
})

test('of a shell that has gone, what has its mark and no leader any more goes', async (t) => {
  const parent = start(t, ['sh', '-c', `unset ${shellVariable}; sleep 60 & sleep 0.3`], shell)
  const child = await childOf(parent)
  await new Promise((resolve) => parent.once('exit', resolve))
  assert.ok(isThere(child))
  reapHost(mark)
  assert.ok(!isThere(child))
})

test('another session of the same run, what has a session of its own, and whoever calls it live on', async (t) => {
  const other = start(t, ['sleep', '60'], { [shellVariable]: sessionMark(`reap-${process.pid}`, 3) })
  // As an editor or a terminal multiplexer that a task started: it leads a session, and has the mark of the task.
  const own = start(t, ['sleep', '60'], { [sessionVariable]: mark })
  const script = `import { reapHost } from ${JSON.stringify(new URL('../../src/engine/host-reap.ts', import.meta.url).href)}; reapHost(${JSON.stringify(mark)})`
  const caller = start(t, [process.execPath, '--input-type=module', '-e', script], shell)
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    caller.once('exit', (...end) => resolve(end)),
  )
  assert.deepEqual([code, signal], [0, null])
  assert.ok(isThere(other.pid!) && isThere(own.pid!))
})
