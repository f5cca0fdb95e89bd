import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Row, round } from './measure.ts'
import { bin, env, node, withImage } from './rig.ts'

/** 32 bytes a line, so that the size says whether a line is missing. */
const line = '0123456789abcdef0123456789abcde'

/** Memory of dwf while a task says a lot, and whether all of it is in the task's log. */
export async function outputRows(bytes: number): Promise<readonly Row[]> {
  const { root } = withImage('output', `[tasks.test]\nrun = "yes ${line} | head -c ${bytes}"\n`)
  const dwf = await peak([node, bin, 'test', '--json'], root)
  const idle = await peak([node, '-e', 'setTimeout(() => {}, 300)'], root)
  const runs = join(env.XDG_STATE_HOME!, 'dwf/runs')
  const logs = join(runs, readdirSync(runs).sort().at(-1)!, 'logs')
  const log = readdirSync(logs).find((name) => name.endsWith('.log'))!
  const kept = statSync(join(logs, log)).size
  rmSync(logs, { recursive: true, force: true })
  return [
    {
      name: `peak memory of dwf, ${round(bytes / 1e9)} GB of output`,
      baseline: 'node -e, asleep',
      unit: 'MiB',
      measured: dwf.mib,
      compared: idle.mib,
      goal: '150 MB',
      allowed: round(150e6 / 2 ** 20),
      reached: dwf.mib * 2 ** 20 < 150e6,
      detail: { seconds: dwf.seconds, megabytesPerSecond: round(bytes / 1e6 / dwf.seconds) },
    },
    {
      name: 'bytes of it in the log',
      baseline: 'bytes that the task wrote',
      unit: 'bytes',
      measured: kept,
      compared: bytes,
      goal: 'all',
      allowed: bytes,
      reached: kept === bytes,
    },
  ]
}

/** Highest resident memory of a process, as the kernel kept it; what it says is read and thrown away. */
async function peak(argv: readonly string[], cwd: string): Promise<{ readonly mib: number; readonly seconds: number }> {
  const began = performance.now()
  const child = spawn(argv[0]!, argv.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.resume()
  let kilobytes = 0
  const look = () => {
    try {
      kilobytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? kilobytes)
    } catch {} // It has ended between two looks.
  }
  const timer = setInterval(look, 20)
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}`)
  return { mib: round(kilobytes / 1024), seconds: round((performance.now() - began) / 1000) }
}
