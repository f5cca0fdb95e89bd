import { parseJson } from '../../project/json.ts'
import { Failure, failure, type Span, spanAt } from '../../util/diagnostics.ts'
import { listing } from '../../util/text.ts'
import { oneLine, shownPath } from '../text.ts'

export type JsonPath = readonly (string | number)[]

/**
 * A value of a JSON file that is taken apart with its place at hand: each question that it does not answer as it should
 * is a located `Failure` (wrong-input) that names the file.
 */
export class JsonValue {
  readonly value: unknown
  readonly #file: string
  readonly #spanOf: (path: JsonPath) => Span | undefined
  readonly #path: JsonPath

  private constructor(value: unknown, file: string, spanOf: (path: JsonPath) => Span | undefined, path: JsonPath) {
    this.value = value
    this.#file = file
    this.#spanOf = spanOf
    this.#path = path
  }

  static parse(file: string, text: string): JsonValue {
    const parsed = parseJson(file, text.replace(/^\uFEFF/, ''))
    if (!parsed.ok)
      throw failure(
        'wrong-input',
        'not-json',
        `${shownPath(file)} is not JSON: ${parsed.message}`,
        undefined,
        parsed.where,
      )
    // Of a key that is there twice nobody knows which one counts.
    if (parsed.problems.length > 0) throw new Failure('wrong-input', parsed.problems)
    const start = spanAt(file, text, 1)
    return new JsonValue(parsed.value, file, (path) => (path.length === 0 ? start : parsed.span(path)), [])
  }

  /** Throws; a function, so that the caller can say `throw`. */
  wrong(message: string, hint?: string): Failure {
    const at = this.#path.length === 0 ? '' : `${this.#path.map(pathPart).join('').replace(/^\./, '')}: `
    return failure(
      'wrong-input',
      'json-shape',
      `${shownPath(this.#file)}: ${oneLine(at, 120)}${at ? ' ' : ''}${oneLine(message)}`,
      hint,
      this.#span(),
    )
  }

  /** The member, or a value that holds undefined. `__proto__` is a name like any other. */
  get(key: string): JsonValue {
    const record = this.#record()
    return this.#at(Object.hasOwn(record, key) ? record[key] : undefined, key)
  }

  get isAbsent(): boolean {
    return this.value === undefined
  }

  /** Refuses members of other names. */
  only(keys: readonly string[]): void {
    const strange = Object.keys(this.#record()).find((key) => !keys.includes(key))
    if (strange !== undefined)
      throw this.#at(undefined, strange).wrong(`a key that is not known here; known: ${listing(keys)}`)
  }

  items(): readonly JsonValue[] {
    if (!Array.isArray(this.value)) throw this.wrong(`expected an array, found ${kindOf(this.value)}`)
    return this.value.map((item, index) => this.#at(item, index))
  }

  /** No items where it is absent. */
  optionalItems(): readonly JsonValue[] {
    return this.isAbsent ? [] : this.items()
  }

  string(): string {
    if (typeof this.value !== 'string' || this.value.trim() === '')
      throw this.wrong(`expected a text, found ${this.value === '' ? 'an empty one' : kindOf(this.value)}`)
    return this.value
  }

  optionalString(): string | undefined {
    return this.isAbsent ? undefined : this.string()
  }

  oneOf<T extends string>(words: readonly T[]): T {
    const text = this.string()
    const word = words.find((known) => known === text)
    if (word === undefined) throw this.wrong(`expected ${listing(words, 'or')}, found ${JSON.stringify(text)}`)
    return word
  }

  #record(): Readonly<Record<string, unknown>> {
    if (typeof this.value !== 'object' || this.value === null || Array.isArray(this.value))
      throw this.wrong(`expected an object, found ${kindOf(this.value)}`)
    return this.value as Record<string, unknown>
  }

  #at(value: unknown, part: string | number): JsonValue {
    return new JsonValue(value, this.#file, this.#spanOf, [...this.#path, part])
  }

  /** What is absent points at what lacks it. */
  #span(): Span | undefined {
    for (let length = this.#path.length; length >= 0; length--) {
      const span = this.#spanOf(this.#path.slice(0, length))
      if (span) return span
    }
    return undefined
  }
}

function pathPart(part: string | number): string {
  if (typeof part === 'number') return `[${part}]`
  return /^[\w@$-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The members that are not undefined. */
export function optional<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const defined = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(defined) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
