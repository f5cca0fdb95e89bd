import { type Diagnostic, type Span, spanAt } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import type { Parsed, Path } from './manifest.ts'

interface Place {
  readonly start: number
  readonly end: number
}

/** A parser would recurse as deep as a hostile file says. */
const depthLimit = 100

/** Nobody reads more of them. */
const problemLimit = 10

class Unreadable extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/**
 * Parses strict JSON (RFC 8259) and remembers where keys are written, which JSON.parse does not tell. A key that
 * occurs twice is a problem: tools differ in which of the two they take.
 */
export function parseJson(file: string, text: string): Parsed {
  const places = new Map<string, Place>()
  const problems: Diagnostic[] = []
  let position = 0

  const spanFor = (place: Place): Span => {
    const before = text.slice(0, place.start)
    const line = before.split('\n').length
    return spanAt(file, text, line, place.start - before.lastIndexOf('\n'), Math.max(1, place.end - place.start))
  }

  function fail(expected: string): never {
    const seen = text[position]
    const what = seen === undefined ? 'the file ends' : `found ${JSON.stringify(printable(seen))}`
    throw new Unreadable(`expected ${expected}, but ${what}`, position)
  }

  function skip(): void {
    while (/[ \t\r\n]/.test(text[position] ?? '')) position++
  }

  function string(): string {
    const match = matchAt(/"[^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*"/y)
    if (match === undefined) return fail('text in double quotes')
    return JSON.parse(match) as string
  }

  function matchAt(pattern: RegExp): string | undefined {
    pattern.lastIndex = position
    const match = pattern.exec(text)?.[0]
    if (match !== undefined) position += match.length
    return match
  }

  function object(path: Path, depth: number): unknown {
    const result = Object.create(null) as Record<string, unknown>
    position++
    skip()
    while (text[position] !== '}') {
      const start = position
      const key = string()
      const place = { start, end: position }
      if (Object.hasOwn(result, key) && problems.length < problemLimit) problems.push(duplicate(key, spanFor(place)))
      places.set(JSON.stringify([...path, key]), place)
      skip()
      if (text[position] !== ':') fail('":"')
      position++
      result[key] = value([...path, key], depth)
      if (text[position] === ',') {
        position++
        skip()
        if (text[position] === '}') fail('a key: a comma before "}" is not allowed')
      } else if (text[position] !== '}') {
        fail('"," or "}"')
      }
    }
    position++
    return result
  }

  function array(path: Path, depth: number): unknown {
    const result: unknown[] = []
    position++
    skip()
    while (text[position] !== ']') {
      const start = position
      const entry = [...path, result.length]
      result.push(value(entry, depth))
      places.set(JSON.stringify(entry), { start, end: start + text.slice(start, position).trimEnd().length })
      if (text[position] === ',') {
        position++
        skip()
        if (text[position] === ']') fail('a value: a comma before "]" is not allowed')
      } else if (text[position] !== ']') {
        fail('"," or "]"')
      }
    }
    position++
    return result
  }

  function value(path: Path, depth: number): unknown {
    if (depth > depthLimit) throw new Unreadable(`tables and lists are nested more than ${depthLimit} deep`, position)
    skip()
    let result: unknown
    if (text[position] === '{') result = object(path, depth + 1)
    else if (text[position] === '[') result = array(path, depth + 1)
    else if (text[position] === '"') result = string()
    else {
      const word = matchAt(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y)
      result = word === undefined ? fail('a value') : JSON.parse(word)
    }
    skip()
    return result
  }

  try {
    const result = value([], 0)
    if (position < text.length) fail('the end of the file')
    const span = (path: Path): Span | undefined => {
      const place = places.get(JSON.stringify(path))
      return place && spanFor(place)
    }
    return { ok: true, value: result, span, problems }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { ok: false, message: error.message, where: spanFor({ start: error.at, end: error.at + 1 }) }
  }
}

function duplicate(key: string, where: Span): Diagnostic {
  const message = `the key ${JSON.stringify(printable(key))} is there twice`
  return { severity: 'error', code: 'manifest-duplicate-key', message, where, hint: 'remove one of the two' }
}
