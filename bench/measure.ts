import { spawnSync } from 'node:child_process'

/** Milliseconds. */
export interface Times {
  readonly min: number
  readonly median: number
  readonly runs: number
}

export interface Row {
  readonly name: string
  /** What it is compared with, measured in the same run, in turns. */
  readonly baseline: string
  readonly unit: 'ms' | 'MiB' | 'bytes'
  readonly measured: number
  readonly compared: number
  /** In words; and whether the figures reach it. */
  readonly goal: string
  readonly allowed: number
  readonly reached: boolean
  readonly detail?: Readonly<Record<string, number>>
}

export interface Command {
  readonly argv: readonly string[]
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Before each run, not timed. */
  readonly before?: () => void
  /** Its standard output is the time, ms: it measures itself, without its own start. */
  readonly saysItself?: boolean
}

/** Runs commands in turns, so that what else loads the machine loads all of them alike. The first round is not counted. */
export function inTurns<Name extends string>(
  rounds: number,
  commands: Readonly<Record<Name, Command>>,
): Record<Name, Times> {
  const names = Object.keys(commands) as Name[]
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = -1; round < rounds; round++) {
    for (const name of names) {
      const ms = once(commands[name])
      if (round >= 0) times[name].push(ms)
    }
  }
  return Object.fromEntries(names.map((name) => [name, summary(times[name])])) as Record<Name, Times>
}

function once({ argv, cwd, env, before, saysItself }: Command): number {
  before?.()
  const began = performance.now()
  const { status, error, stdout, stderr } = spawnSync(argv[0]!, argv.slice(1), {
    cwd,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const ms = performance.now() - began
  if (error) throw error
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}\n${stdout}${stderr}`)
  return saysItself ? Number(stdout) : ms
}

function summary(times: readonly number[]): Times {
  const sorted = [...times].sort((a, b) => a - b)
  return { min: round(sorted[0]!), median: round(sorted[Math.floor(sorted.length / 2)]!), runs: sorted.length }
}

export const round = (value: number): number => Math.round(value * 10) / 10
