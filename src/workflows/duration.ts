const units: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** No wait and no limit is longer. */
export const longestMs = 365 * 86_400_000

/** A duration as Go writes it (`1h30m`, `1.5s`, `100ms`, `0`), or with days → whole ms; undefined when it is none. */
export function readDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (text.length > 100 || !/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/g))
    total += Number(amount) * units[unit!]!
  // The sum of 0.1s and 0.2s is a little more than 300 ms.
  const whole = Math.ceil(Math.round(total * 1e6) / 1e6)
  return whole <= longestMs ? whole : undefined
}
