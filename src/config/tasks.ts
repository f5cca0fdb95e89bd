import { parseDuration } from '../util/units.ts'
import { parseCommand } from './commands.ts'
import { longestWaitMs, type Network, type RetryDelay, type TaskConfig } from './types.ts'
import type { Problem } from './validate.ts'

/** `[tasks.X]` as the definition describes it. */
export interface RawTask {
  readonly run: string | readonly string[]
  readonly needs?: readonly string[]
  readonly dir?: string
  readonly timeout?: string
  readonly total_timeout?: string
  readonly retries?: number
  readonly retry_delay?: string
  readonly retry_backoff?: 'fixed' | 'exponential'
  readonly retry_max_delay?: string
  readonly retry_jitter?: number
  readonly weight?: number
  readonly concurrency?: string
  readonly inputs?: readonly string[]
  readonly network?: Network
  readonly runtime?: 'container' | 'host'
  readonly env?: Readonly<Record<string, string>>
  readonly clean_env?: boolean
  readonly secrets?: readonly string[]
}

/** A key that says something of the host has no meaning in a container, and must not look as if it had. */
export function checkTasks(tasks: Readonly<Record<string, RawTask>>, profile: string | undefined): readonly Problem[] {
  return Object.entries(tasks)
    .filter(([, task]) => task.clean_env === false && profile !== 'host' && task.runtime !== 'host')
    .map(([name]) => ({
      severity: 'error',
      code: 'clean-env',
      path: ['tasks', name, 'clean_env'],
      at: 'key',
      message: `tasks.${JSON.stringify(name)} runs in a container, which never sees the environment of this machine`,
      hint: 'name what it needs in env or secrets; only a task with runtime = "host" can have all of it',
    }))
}

/** `[tasks]`, validated → by command. */
export function tasksConfig(raw: Readonly<Record<string, RawTask>>): Readonly<Record<string, TaskConfig>> {
  return Object.fromEntries(
    Object.entries(raw).map(([name, task]) => {
      const one = taskConfig(commandText(name), task)
      return [one.command, one]
    }),
  )
}

function taskConfig(command: string, task: RawTask): TaskConfig {
  return {
    command,
    argv: typeof task.run === 'string' ? ['sh', '-c', task.run] : task.run,
    needs: (task.needs ?? []).map(commandText),
    dir: task.dir ?? '',
    ...(task.timeout === undefined ? {} : { timeoutMs: parseDuration(task.timeout)! }),
    ...(task.total_timeout === undefined ? {} : { totalMs: parseDuration(task.total_timeout)! }),
    retries: task.retries ?? 0,
    retryDelay: retryDelay(task),
    weight: task.weight ?? 1,
    ...(task.concurrency === undefined ? {} : { concurrency: task.concurrency }),
    inputs: task.inputs ?? [],
    ...(task.network === undefined ? {} : { network: task.network }),
    ...(task.runtime === undefined ? {} : { runtime: task.runtime }),
    env: task.env ?? {},
    cleanEnv: task.clean_env ?? true,
    secrets: task.secrets ?? [],
  }
}

function retryDelay(task: RawTask): RetryDelay {
  const delayMs = task.retry_delay === undefined ? 0 : parseDuration(task.retry_delay)!
  return {
    delayMs,
    factor: task.retry_backoff === 'exponential' ? 2 : 1,
    // A wait that is longer than the usual limit was meant.
    maxDelayMs: Math.max(
      delayMs,
      task.retry_max_delay === undefined ? longestWaitMs : parseDuration(task.retry_max_delay)!,
    ),
    jitter: task.retry_jitter ?? 0,
  }
}

/** Of a command that was checked. */
function commandText(text: string): string {
  const parsed = parseCommand(text)
  return typeof parsed === 'string' ? text : parsed.text
}
