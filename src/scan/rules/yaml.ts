import type { Node, YAMLMap } from 'yaml'
import { Unreadable } from './types.ts'

/** A value of a YAML file with its place: aliases are followed, merge keys are merged. Offsets count from 0. */
export type YamlValue = YamlMap | YamlList | YamlText
export interface YamlMap {
  readonly kind: 'map'
  readonly at: number
  /** The map's own keys, then those that it merges. */
  readonly entries: ReadonlyMap<string, YamlEntry>
}
export interface YamlEntry {
  readonly key: string
  /** Of the key. */
  readonly at: number
  readonly value: YamlValue
}
export interface YamlList {
  readonly kind: 'list'
  readonly at: number
  readonly items: readonly YamlValue[]
}
export interface YamlText {
  readonly kind: 'text'
  readonly at: number
  readonly end: number
  /** As written where it is plain: `0`, `yes` and `1e3` stay what they are. `''` for null. */
  readonly text: string
  /** Unquoted `null`, `~` or nothing at all. */
  readonly isNull: boolean
}

/** No file that a person maintains comes near; beyond it a parser has time to lose. */
const textLimit = 1024 * 1024
/** Values after aliases and merge keys: a few lines of aliases can stand for billions. */
const valueLimit = 200_000
const depthLimit = 64
/** YAML's own limit of a key without `?` (1.2, 7.4.2). Each finding is called by the keys above it. */
const keyLimit = 1024
/** Characters that weigh as much as a value: an alias can stand for a long text as well as for many short ones. */
const textWeight = 16

/**
 * Every document of a text, strictly: a key that is given twice, an alias bomb, deep nesting or a syntax error throws
 * `Unreadable`. The parser is loaded with the first file.
 */
export async function readYaml(text: string): Promise<readonly YamlValue[]> {
  return readYamlWith(await import('yaml'), text)
}

/** `readYaml` for those who have the parser anyway. */
export function readYamlWith(yaml: typeof import('yaml'), text: string): readonly YamlValue[] {
  if (text.length > textLimit) throw new Unreadable('it is larger than 1 MiB', 0)
  let documents: readonly import('yaml').Document.Parsed[]
  try {
    // Keys are compared below: the parser compares each with each. Without known tags, !!binary is a text as any other.
    const parsed = yaml.parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      uniqueKeys: false,
      resolveKnownTags: false,
      prettyErrors: false,
      logLevel: 'silent',
    })
    documents = Array.isArray(parsed) ? parsed : []
  } catch {
    // The parser's only way to fail as a whole: no room left on the stack.
    throw new Unreadable('it is nested too deep', 0)
  }
  return documents.flatMap((document) => {
    const error = document.errors[0]
    if (error) throw new Unreadable(error.message.split('\n')[0]!, error.pos[0])
    return document.contents === null ? [] : [new Reading(yaml).value(document.contents, 0)]
  })
}

/** One document: anchors do not outlive it. */
class Reading {
  readonly #yaml: typeof import('yaml')
  readonly #anchors = new Map<string, YamlValue | 'open'>()
  readonly #weights = new WeakMap<YamlValue, number>()

  constructor(yaml: typeof import('yaml')) {
    this.#yaml = yaml
  }

  value(node: Node | null, at: number, depth = 0): YamlValue {
    const start = node?.range?.[0] ?? at
    if (depth > depthLimit) throw new Unreadable(`it is nested deeper than ${depthLimit}`, start)
    if (this.#yaml.isAlias(node)) {
      const value = this.#anchors.get(node.source)
      if (value === undefined) throw new Unreadable(`there is no anchor "${node.source}" before this`, start)
      if (value === 'open') throw new Unreadable(`the alias "${node.source}" contains itself`, start)
      return value
    }
    const anchor = this.#yaml.isScalar(node) || this.#yaml.isCollection(node) ? node.anchor : undefined
    if (anchor !== undefined) this.#anchors.set(anchor, 'open')
    const value = this.#plain(node, start, depth)
    if (anchor !== undefined) this.#anchors.set(anchor, value)
    return value
  }

  #plain(node: Node | null, at: number, depth: number): YamlValue {
    if (this.#yaml.isMap(node)) return this.#map(node, at, depth)
    if (this.#yaml.isSeq(node)) {
      const items = node.items.map((item) => this.value(item as Node | null, at, depth + 1))
      return this.#weigh({ kind: 'list', at, items }, items)
    }
    const scalar = this.#yaml.isScalar(node) ? node : undefined
    const isPlain = scalar?.type === undefined || scalar.type === 'PLAIN'
    const isNull = isPlain && (scalar?.value ?? null) === null
    const text = isNull ? '' : isPlain ? (scalar?.source ?? String(scalar?.value)) : String(scalar?.value)
    return this.#weigh({ kind: 'text', at, end: scalar?.range?.[1] ?? at, text, isNull }, [])
  }

  #map(node: YAMLMap, at: number, depth: number): YamlMap {
    const entries = new Map<string, YamlEntry>()
    const merged: YamlValue[] = []
    for (const pair of node.items) {
      const key = pair.key as Node | null
      const keyAt = key?.range?.[0] ?? at
      if (key !== null && !this.#yaml.isScalar(key)) throw new Unreadable('a key is no plain text', keyAt)
      if (String(key?.value ?? '').length > keyLimit)
        throw new Unreadable(`a key is longer than ${keyLimit} characters`, keyAt)
      const isMerge = key?.value === '<<' && key.type === 'PLAIN'
      const name = this.value(key, keyAt) as YamlText
      const value = this.value(pair.value as Node | null, key?.range?.[1] ?? keyAt, depth + 1)
      if (isMerge) merged.push(...(value.kind === 'list' ? value.items : [value]))
      else if (entries.has(name.text))
        throw new Unreadable(`the key ${JSON.stringify(name.text)} is given twice`, keyAt)
      else entries.set(name.text, { key: name.text, at: keyAt, value })
    }
    for (const value of merged) {
      if (value.kind !== 'map') throw new Unreadable('what is merged is no map', value.at)
      for (const entry of value.entries.values()) if (!entries.has(entry.key)) entries.set(entry.key, entry)
      this.#count(this.#weights.get(value)!, value.at)
    }
    return this.#weigh(
      { kind: 'map', at, entries },
      [...entries.values()].map((entry) => entry.value),
    )
  }

  /** Work done so far, merges included. */
  #done = 0

  #count(amount: number, at: number): void {
    this.#done += amount
    if (this.#done > valueLimit) throw new Unreadable('its aliases stand for too many values', at)
  }

  #weigh<T extends YamlValue>(value: T, parts: readonly YamlValue[]): T {
    const own = value.kind === 'text' ? 1 + Math.floor(value.text.length / textWeight) : 1
    const weight = parts.reduce((sum, part) => sum + this.#weights.get(part)!, own)
    if (weight > valueLimit) throw new Unreadable(`it holds more than ${valueLimit} values, aliases followed`, value.at)
    this.#weights.set(value, weight)
    return value
  }
}

/** The value of a key, where there is a map that has it. */
export function get(value: YamlValue | undefined, key: string): YamlValue | undefined {
  return value?.kind === 'map' ? value.entries.get(key)?.value : undefined
}

export function entriesOf(value: YamlValue | undefined): readonly YamlEntry[] {
  return value?.kind === 'map' ? [...value.entries.values()] : []
}

export function itemsOf(value: YamlValue | undefined): readonly YamlValue[] {
  return value?.kind === 'list' ? value.items : []
}

/** A text that is there; undefined for null, lists and maps. */
export function textOf(value: YamlValue | undefined): string | undefined {
  return value?.kind === 'text' && !value.isNull ? value.text : undefined
}

/** The texts of a list, of a map's keys, or the text itself: what is written in several forms means the same. */
export function textsOf(value: YamlValue | undefined): readonly { readonly text: string; readonly at: number }[] {
  switch (value?.kind) {
    case 'text':
      return value.isNull ? [] : [value]
    case 'list':
      return value.items.flatMap((item) => (item.kind === 'text' && !item.isNull ? [item] : []))
    case 'map':
      return [...value.entries.values()].map(({ key, at }) => ({ text: key, at }))
    default:
      return []
  }
}

/** `true` in the spellings that YAML readers take for it. */
export function isTrue(value: YamlValue | undefined): boolean {
  return /^(true|yes|y|on|1)$/i.test(textOf(value) ?? '')
}
