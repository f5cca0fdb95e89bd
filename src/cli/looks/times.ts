import { failure } from '../../util/diagnostics.ts'
import { parseDuration } from '../../util/units.ts'

const shape = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:\d\d)?)?$/

/**
 * A day, a time of a day (local unless it says its zone), or a duration before now → milliseconds since the epoch.
 * @param edge of a day: its first moment, or the first one after it
 * @returns undefined for what is none, and for a day that the calendar does not have
 */
export function parseMoment(text: string, now: number, edge: 'start' | 'end'): number | undefined {
  const before = parseDuration(text)
  if (before !== undefined) return now - before
  const match = shape.exec(text)
  if (!match) return undefined
  const [year, month, day, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => (part === undefined ? undefined : Number(part))) as [number, number, number, ...number[]]
  const ms = Number((match[7] ?? '0').padEnd(3, '0'))
  const isDay = match[4] === undefined
  const parts = [year, month - 1, day, hour, minute, second, ms] as const
  const asUtc = new Date(Date.UTC(...parts))
  const isReal =
    asUtc.getUTCMonth() === month - 1 && asUtc.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  if (!isReal) return undefined
  if (isDay && edge === 'end') return new Date(year, month - 1, day + 1).getTime()
  if (match[8] === undefined) return new Date(...parts).getTime()
  return asUtc.getTime() - offsetMs(match[8])
}

function offsetMs(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(zone) ?? ['', '+', '0', '0']
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** The same for the value of an option. @throws Failure('wrong-input') */
export function readMoment(option: string, text: string, now: number, edge: 'start' | 'end' = 'start'): number {
  const at = parseMoment(text, now, edge)
  if (at === undefined)
    throw failure(
      'wrong-input',
      'usage',
      `${option} must be a day, a time or a duration, not ${JSON.stringify(text)}`,
      `${option} 2026-11-22, ${option} 2026-11-22T14:30, ${option} 2d`,
    )
  return at
}

/** A time of a file may be anybody's: what no calendar has is told as its number. */
const isInCalendar = (at: number): boolean => Math.abs(at) <= 8.64e15

/** ISO 8601 in UTC, for other programs. */
export const isoOf = (at: number): string => (isInCalendar(at) ? new Date(at).toISOString() : `${at} ms`)

const two = (value: number): string => String(value).padStart(2, '0')

/** `2026-11-22 14:30:05`, local, for people. */
export function localTime(at: number): string {
  if (!isInCalendar(at)) return `${at} ms`
  const date = new Date(at)
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** The same with milliseconds. */
export const localTimeMs = (at: number): string =>
  isInCalendar(at) ? `${localTime(at)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}` : localTime(at)

/** `3 min ago`, in the largest unit; of what is to come `in 3 min`. */
export function ago(at: number, now: number): string {
  const seconds = Math.floor(Math.abs(now - at) / 1000)
  const [amount, unit] =
    seconds < 60
      ? [seconds, 's']
      : seconds < 3600
        ? [Math.floor(seconds / 60), 'min']
        : seconds < 86_400
          ? [Math.floor(seconds / 3600), 'h']
          : [Math.floor(seconds / 86_400), 'd']
  return at > now ? `in ${amount} ${unit}` : `${amount} ${unit} ago`
}
