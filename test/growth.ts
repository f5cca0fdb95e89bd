import assert from 'node:assert/strict'

/** µs of this thread alone: what else the machine does counts for nothing. */
async function cost<T>(input: T, work: (input: T) => unknown): Promise<number> {
  const start = process.threadCpuUsage()
  await work(input)
  const { user, system } = process.threadCpuUsage(start)
  return user + system
}

/** Enough to be measured, µs. */
const measurable = 40_000

/**
 * Fails when twice the input takes about four times as long, as with a pattern that looks at the rest of a text from each
 * of its places. No limit on the time itself: that would only say how fast the machine is.
 * @param make the worst input of about so many characters
 * @param limit the largest input that is tried; what costs next to nothing there is fine
 * @param from the smallest: where something else that is slow hides the growth of small ones
 */
export async function growsLinearly<T>(
  about: string,
  make: (size: number) => T,
  work: (input: T) => unknown,
  { limit = 1 << 20, from = 4096 }: { readonly limit?: number; readonly from?: number } = {},
): Promise<void> {
  let size = from
  for (; size * 2 <= limit; size *= 2) {
    const input = make(size)
    // Twice, since the first also compiles what it runs.
    if ((await cost(input, work)) >= measurable && (await cost(input, work)) >= measurable) break
  }
  size = Math.min(size, limit / 2)
  const seen: number[] = []
  for (let attempt = 0; attempt < 3; attempt++) {
    const small = await median(make(size), work)
    const large = await median(make(2 * size), work)
    if (large < measurable || large < 3 * small) return
    seen.push(large / small)
  }
  assert.fail(`${about}: twice of ${size} takes ${seen.map((ratio) => ratio.toFixed(1)).join(', ')} times as long`)
}

async function median<T>(input: T, work: (input: T) => unknown): Promise<number> {
  const all = [await cost(input, work), await cost(input, work), await cost(input, work)]
  return all.sort((a, b) => a - b)[1]!
}
