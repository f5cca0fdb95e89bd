import { longestWaitMs, type RetryDelay } from '../config/types.ts'
import { readDuration } from './duration.ts'
import { errorAt, type FileProblem, warningAt } from './problems.ts'
import type { RawTask } from './raw.ts'

/** What the definition cannot say of one task: durations, and combinations that are seldom meant. */
export function checkTask(base: string, raw: RawTask): readonly FileProblem[] {
  const path = (key: keyof RawTask) => ['tasks', base, key]
  const problems: FileProblem[] = []
  for (const key of ['timeout', 'total_timeout', 'retry_delay', 'retry_max_delay'] as const)
    problems.push(...checkDuration(path(key), raw[key]))
  const warn = (key: keyof RawTask, code: string, message: string, hint?: string) =>
    problems.push(warningAt(path(key), 'value', code, message, hint))
  const [timeout, delay, retries] = [ms(raw.timeout), ms(raw.retry_delay), raw.retries ?? 0]
  const [total, longest] = [ms(raw.total_timeout), ms(raw.retry_max_delay)]
  if (timeout > 0 && timeout < 1000) warn('timeout', 'short-timeout', `${raw.timeout} is less than a second`)
  if (timeout > 24 * 3_600_000) warn('timeout', 'long-timeout', `${raw.timeout} is more than a day`)
  if (total > 0 && total < timeout)
    warn('total_timeout', 'short-timeout', `${raw.total_timeout} for all attempts is less than ${raw.timeout} for one`)
  if (retries > 10) warn('retries', 'many-retries', `${retries} retries are many: a real failure shows late`)
  if (retries > 0 && delay === 0 && raw.retry_delay === undefined)
    warn('retries', 'no-retry-delay', 'it is tried again at once', 'add retry_delay = "5s"')
  if (raw.retry_delay !== undefined && delay < 100 && delay > 0)
    warn('retry_delay', 'short-retry-delay', `${raw.retry_delay} is less than 100 ms`)
  if (longest > 0 && longest < delay)
    warn('retry_max_delay', 'short-retry-delay', `${raw.retry_max_delay} is less than retry_delay`)
  for (const key of ['retry_delay', 'retry_backoff', 'retry_max_delay', 'retry_jitter'] as const)
    if (raw[key] !== undefined && retries === 0)
      warn(key, 'no-retries', `${key} means nothing without retries`, 'add retries = 2')
  for (const key of ['matrix_limit', 'fail_fast'] as const)
    if (raw[key] !== undefined && !raw.matrix) warn(key, 'no-matrix', `${key} means nothing without a matrix`)
  if (raw.register !== undefined && raw.ignore_failure && retries > 0)
    warn(
      'register',
      'register-of-a-failure',
      'a task that may fail gives no value then, and what asks for it fails',
      'do without ignore_failure, or print a default',
    )
  return problems
}

/** Of the whole file. */
export function checkDuration(path: FileProblem['path'], value: string | undefined): readonly FileProblem[] {
  if (value === undefined || readDuration(value) !== undefined) return []
  return [
    errorAt(
      path,
      'value',
      'wrong-value',
      `${JSON.stringify(value)} is no duration`,
      'write it as "90s", "1h30m" or "1.5s", at most 365 days',
    ),
  ]
}

const ms = (value: string | undefined): number => (value === undefined ? 0 : (readDuration(value) ?? 0))

/** 0 is no limit. */
export const limitOf = (value: string | undefined): number | undefined => ms(value) || undefined

export function retryDelayOf(raw: RawTask): RetryDelay {
  const delayMs = ms(raw.retry_delay)
  return {
    delayMs,
    factor: raw.retry_backoff === 'exponential' ? 2 : 1,
    maxDelayMs: Math.max(delayMs, ms(raw.retry_max_delay) || longestWaitMs),
    jitter: raw.retry_jitter ?? 0,
  }
}
