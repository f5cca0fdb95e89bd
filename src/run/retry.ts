import type { RetryDelay } from '../config/types.ts'

/**
 * How long to wait after an attempt, ms.
 * @param attempt the one that has just failed, from 1
 * @param chance 0 to 1
 */
export function delayAfter(attempt: number, delay: RetryDelay | undefined, chance: number): number {
  if (!delay || delay.delayMs === 0) return 0
  const whole = Math.min(delay.delayMs * delay.factor ** (attempt - 1), delay.maxDelayMs)
  return Math.round(whole * (1 + delay.jitter * (2 * chance - 1)))
}
