import { loadConfig } from '../../config/load.ts'
import { failure } from '../../util/diagnostics.ts'
import { didYouMean, listing } from '../../util/text.ts'
import { parseDuration } from '../../util/units.ts'
import type { Globals } from '../globals.ts'

/** Of the project that a person is in: absolute. */
export async function rootOf({ cwd, config: file }: Pick<Globals, 'cwd' | 'config'>): Promise<string> {
  return (await loadConfig({ cwd, ...(file ? { file } : {}) })).config.root
}

/** The value of an option that has to be one of these. @throws Failure('wrong-input') */
export function oneOf<T extends string>(option: string, word: string, all: readonly T[]): T {
  const found = all.find((one) => one === word)
  if (found !== undefined) return found
  const near = didYouMean(word, all)
  throw failure(
    'wrong-input',
    'usage',
    `${option} must be ${listing(all, 'or')}, not ${JSON.stringify(word)}`,
    near ? `did you mean "${near}"?` : undefined,
  )
}

/** @throws Failure('wrong-input') for what is no whole number */
export function readCount(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw failure('wrong-input', 'usage', `${option} must be a whole number, not ${JSON.stringify(text)}`)
  return Number(text)
}

/**
 * @param example what such a duration looks like
 * @returns ms
 * @throws Failure('wrong-input') for what is none
 */
export function readDuration(option: string, text: string, example: string): number {
  const ms = parseDuration(text)
  if (ms === undefined)
    throw failure(
      'wrong-input',
      'usage',
      `${option} must be a duration such as ${example}, not ${JSON.stringify(text)}`,
    )
  return ms
}
