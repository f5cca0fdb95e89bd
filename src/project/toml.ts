import parse from '@iarna/toml/parse-string.js'
import { spanAt } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { guarded } from '../util/toml-guard.ts'
import type { Parsed, Path } from './manifest.ts'

/** Line, column and length. */
type Place = readonly [number, number, number]

/** Parses TOML; a duplicate key is a syntax error there. */
export function parseToml(file: string, text: string): Parsed {
  // The parser refuses a lone CR but counts CRLF as two: line ends are made equal, which moves no line and no column.
  const clean = text.replaceAll('\r\n', '\n')
  try {
    const value = guarded(clean, parse)
    let index: ReadonlyMap<string, Place> | undefined
    return {
      ok: true,
      value,
      span: (path) => {
        index ??= indexKeys(clean)
        const place = index.get(JSON.stringify(path))
        return place && spanAt(file, clean, ...place)
      },
      problems: [],
    }
  } catch (error) {
    // Its line and column are one off on the first line only, `pos` is one too far everywhere (@iarna/toml 3.0.0). A
    // RangeError, which deep nesting causes, has none of them.
    const { pos = 1, message } = error as { pos?: number } & Error
    const before = clean.slice(0, Math.max(0, pos - 1)).split('\n')
    const cause = printable(message.split('\n')[0]!.replace(/ at row \d+, col \d+, pos \d+:?$/, ''))
    return { ok: false, message: cause, where: spanAt(file, clean, before.length, before.at(-1)!.length + 1, 1) }
  }
}

/** A key with its dots, up to the equals sign; each part can match in one way only, so that no line takes long. */
const keyPattern =
  /^(\s*)((?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')(?:[ \t]*\.[ \t]*(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'))*)[ \t]*=/

/**
 * Where each key of a document that parsed is written. The parser keeps no places, so the lines are read once more:
 * headers, keys and dotted keys are enough, since a place is only ever shown, never acted on. A line inside a text of
 * several lines may be taken for a key; the first line that claims a path keeps it.
 */
function indexKeys(text: string): ReadonlyMap<string, Place> {
  const index = new Map<string, Place>()
  const arrays = new Map<string, number>()
  let table: Path = []
  const put = (path: Path, line: number, column: number, length: number): void => {
    const key = JSON.stringify(path)
    if (!index.has(key)) index.set(key, [line, column, length])
  }
  text.split('\n').forEach((line, number) => {
    const header = /^(\s*)(\[\[?)([^#]*?)\]\]?\s*(?:#.*)?$/.exec(line)
    const keys = header && !line.includes('=') ? splitKeys(header[3]!) : undefined
    if (header && keys) {
      const name = JSON.stringify(keys)
      if (header[2] === '[[') arrays.set(name, (arrays.get(name) ?? -1) + 1)
      table = header[2] === '[[' ? [...keys, arrays.get(name)!] : keys
      put(table, number + 1, header[1]!.length + 1, line.trim().length)
      return
    }
    const pair = keyPattern.exec(line)
    const path = pair && splitKeys(pair[2]!)
    // A dotted key stands for each of the tables on its way, too.
    path?.forEach((_, depth) => {
      put([...table, ...path.slice(0, depth + 1)], number + 1, pair![1]!.length + 1, pair![2]!.length)
    })
  })
  return index
}

function splitKeys(text: string): string[] | undefined {
  const keys: string[] = []
  const pattern = /\s*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(\.|$)/y
  for (;;) {
    const match = pattern.exec(text)
    if (!match) return undefined
    keys.push(match[1] ?? match[2] ?? match[3]!)
    if (match[4] === '') return keys
  }
}
