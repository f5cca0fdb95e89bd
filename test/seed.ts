import { createHash, randomInt } from 'node:crypto'
import fc from 'fast-check'

/**
 * The one seed of a test run: $DWF_TEST_SEED, or a random one. Loaded by `node --import`, so that the test runner
 * draws it and every file's process inherits it.
 */
export const seed = drawn()

/** Whether every long case runs (DWF_TEST_LONG=1), or a sample of them. */
export const isLong = process.env.DWF_TEST_LONG === '1'

fc.configureGlobal({ seed, ...(isLong ? { numRuns: 1000 } : {}) })

/**
 * Options for `test()` of a case that takes long: it runs with DWF_TEST_LONG=1, else when the seed draws it, one in
 * `of`. A case that is left out is a skipped test, which the reporter and the total of scripts/test name.
 */
export function longCase(name: string, { of = 3 }: { readonly of?: number } = {}): { readonly skip?: string } {
  if (isLong) return {}
  const drawn = createHash('sha256').update(`${seed}\0${name}`).digest().readUInt32BE() % of === 0
  return drawn ? {} : { skip: 'not in the sample of this seed; DWF_TEST_LONG=1 runs it' }
}

/** So many of a list, drawn by the seed, in the order of the list. */
export function sampled<T>(list: readonly T[], count: number): readonly T[] {
  const by = (index: number) => createHash('sha256').update(`${seed}\0${index}`).digest().readUInt32BE()
  return [...list.keys()]
    .sort((a, b) => by(a) - by(b))
    .slice(0, count)
    .sort((a, b) => a - b)
    .map((index) => list[index]!)
}

function drawn(): number {
  const given = process.env.DWF_TEST_SEED
  if (given === undefined || given === '') {
    const random = randomInt(2 ** 31)
    process.env.DWF_TEST_SEED = String(random)
    process.stderr.write(`seed ${random}: repeat this run with DWF_TEST_SEED=${random}\n`)
    return random
  }
  const number = Number(given)
  if (!/^\d+$/.test(given) || number > 2 ** 31 - 1)
    throw new RangeError(`DWF_TEST_SEED is a number below 2^31, not "${given}"`)
  return number
}
