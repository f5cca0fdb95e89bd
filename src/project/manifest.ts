import type { Diagnostic, Span } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { parseJson } from './json.ts'
import { parseToml } from './toml.ts'
import type { Tree } from './types.ts'

/** The way to a value inside a document: keys of tables, positions in lists. */
export type Path = readonly (string | number)[]

/** A table whose keys come from a repository: without a prototype, so that `constructor` is a key like any other. */
export type Table = Readonly<Record<string, unknown>>

/** A document whose values can be asked for by type, and which knows where each of them is written. */
export interface Manifest {
  readonly file: string
  /** Without a byte order mark. */
  readonly text: string
  readonly value: unknown
  /** Where the key (of a list: the value) is written; undefined for a path that is not there. */
  readonly span: (path: Path) => Span | undefined
  /** What is wrong with it; the typed readers below add to it when a value has the wrong type. */
  readonly problems: Diagnostic[]
}

/** What the parsers give: a value, or a place where it cannot be read. */
export type Parsed =
  | { readonly ok: true; readonly value: unknown; readonly span: Manifest['span']; readonly problems: Diagnostic[] }
  | { readonly ok: false; readonly message: string; readonly where: Span }

const parsers: Readonly<Record<string, (file: string, text: string) => Parsed>> = { json: parseJson, toml: parseToml }

/**
 * Reads a JSON or TOML file, which of the two its name says. Undefined when there is no such file. One that cannot be
 * read is an empty table with an error among its problems: the unit stands, and says what is wrong with it.
 */
export function readManifest(tree: Tree, file: string): Manifest | undefined {
  const source = readSource(tree, file)
  if (source === undefined) return undefined
  const empty = { file, text: source.text, value: Object.create(null) as Table, span: () => undefined }
  if (source.problem) return { ...empty, problems: [source.problem] }
  const parse = parsers[file.slice(file.lastIndexOf('.') + 1)] ?? parseToml
  const parsed = parse(file, source.text)
  if (!parsed.ok) return { ...empty, problems: [problem('manifest-syntax', parsed.message, parsed.where)] }
  if (!isTable(parsed.value)) {
    return {
      ...empty,
      problems: [problem('manifest-type', `${printable(file)} must be ${kind({})}, not ${kind(parsed.value)}`)],
    }
  }
  return { file, text: source.text, ...parsed }
}

/** The text of a file, with the reason when it is there but is no text that a tool would read. */
export function readSource(tree: Tree, file: string): { text: string; problem?: Diagnostic } | undefined {
  if (!tree.has(file)) return undefined
  const text = tree.text(file)
  const name = printable(file)
  if (text === undefined)
    return { text: '', problem: problem('manifest-unreadable', `${name} is larger than 4 MiB or cannot be read`) }
  if (/^\ufffd\ufffd|\0/.test(text)) {
    const hint = 'save it as UTF-8'
    return { text: '', problem: { ...problem('manifest-encoding', `${name} is not UTF-8 text (UTF-16?)`), hint } }
  }
  return { text: text.replace(/^\ufeff/, '') }
}

/** The value at a path; undefined when any part of the way is missing or no table. */
export function at(manifest: Manifest, path: Path): unknown {
  let value = manifest.value
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}

/** The table at a path; a value of another type is a located problem and counts as absent. */
export function tableAt(manifest: Manifest, path: Path): Table | undefined {
  return typed(manifest, path, isTable, {})
}

/** The text at a path, likewise. */
export function stringAt(manifest: Manifest, path: Path): string | undefined {
  return typed(manifest, path, (value) => typeof value === 'string', '')
}

/** The list at a path, likewise; entries that are not text are left out. */
export function stringsAt(manifest: Manifest, path: Path): readonly string[] | undefined {
  const list = typed<readonly unknown[]>(manifest, path, Array.isArray, [])
  return list?.filter((entry) => typeof entry === 'string')
}

/** The entries of a table whose values are text; the others are located problems. */
export function stringTableAt(manifest: Manifest, path: Path): Readonly<Record<string, string>> {
  const result: Record<string, string> = Object.create(null)
  for (const key of Object.keys(tableAt(manifest, path) ?? {})) {
    const value = stringAt(manifest, [...path, key])
    if (value !== undefined) result[key] = value
  }
  return result
}

export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

function typed<T>(manifest: Manifest, path: Path, is: (value: unknown) => boolean, example: T): T | undefined {
  const value = at(manifest, path)
  if (value === undefined || is(value)) return value as T | undefined
  const message = `${printable(path.join('.'))} must be ${kind(example)}, not ${kind(value)}`
  // Several stacks and several questions meet the same value: it is one problem.
  if (!manifest.problems.some((one) => one.message === message)) {
    manifest.problems.push(problem('manifest-type', message, manifest.span(path)))
  }
  return undefined
}

function problem(code: string, message: string, where?: Span): Diagnostic {
  return { severity: 'error', code, message, ...(where === undefined ? {} : { where }) }
}

function kind(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a date'
  if (typeof value === 'bigint') return 'a number'
  return (
    { string: 'text', number: 'a number', boolean: 'true or false', object: 'a table' }[typeof value as string] ??
    'nothing'
  )
}
