import { oneLine } from '../text.ts'
import type { JsonValue } from './json.ts'
import { parsePurl } from './purl.ts'

const reasonLimit = 500

/** As written. */
export function mustBePurl(value: JsonValue): string {
  if (parsePurl(value.string()) === undefined)
    throw value.wrong(`expected a package URL such as pkg:npm/lodash@4.17.20, found ${JSON.stringify(value.string())}`)
  return value.string()
}

/** Of a justification and what explains it. */
export function reasonOf(values: readonly JsonValue[]): string | undefined {
  // Tools write an empty text where they have nothing to say.
  const texts = values.flatMap((value) => (value.isAbsent || value.value === '' ? [] : [value.string()]))
  return texts.length === 0 ? undefined : oneLine(texts.join(': '), reasonLimit)
}

/** Milliseconds since the epoch. */
export function time(value: JsonValue): number | undefined {
  if (value.isAbsent) return undefined
  const found = Date.parse(value.string())
  if (Number.isNaN(found)) throw value.wrong(`expected a time such as 2026-01-31T12:00:00Z, found ${value.string()}`)
  return found
}

export const plain = (text: string | undefined): string | undefined => (text === undefined ? undefined : oneLine(text))
