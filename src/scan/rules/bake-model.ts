import { type HclBody, type HclEntry, type HclText, type HclValue, readHcl } from './hcl.ts'
import { Unreadable } from './types.ts'
import { entriesOf, readYaml, type YamlValue } from './yaml.ts'

export interface BakeTarget {
  readonly name: string
  readonly at: number
  readonly attributes: ReadonlyMap<string, HclEntry>
}

export interface BakeFile {
  readonly targets: readonly BakeTarget[]
  readonly variables: readonly { readonly name: string; readonly at: number; readonly default?: HclValue }[]
  /**
   * Every text that a value can come to, as far as the file tells: variables by their defaults, and of an expression
   * that has to be worked out all texts in it.
   */
  readonly texts: (value: HclValue | undefined) => readonly { readonly text: string; readonly at: number }[]
}

/** Reads a bake file in HCL, or in JSON where its name says so. Throws `Unreadable`. */
export async function readBake(path: string, text: string): Promise<BakeFile> {
  return path.endsWith('.json') ? fromJson(text) : fromHcl(readHcl(text))
}

function fromHcl({ attributes, blocks }: HclBody): BakeFile {
  const named = (type: string) => blocks.filter((block) => block.type === type)
  return bakeFile(
    named('target').map(({ labels, at, body }) => ({ name: labels.join('.'), at, entries: body.attributes })),
    [
      ...named('variable').map(({ labels, at, body }) => ({ name: labels[0] ?? '', at, entries: body.attributes })),
      // A plain attribute at the top is a variable too, with its value as the default.
      ...attributes.map((entry) => ({ name: entry.key, at: entry.at, entries: [{ ...entry, key: 'default' }] })),
    ],
  )
}

async function fromJson(text: string): Promise<BakeFile> {
  try {
    JSON.parse(text)
  } catch {
    throw new Unreadable('it is no JSON', 0)
  }
  const [root] = await readYaml(text)
  if (root?.kind !== 'map') throw new Unreadable('a bake file is an object', root?.at ?? 0)
  const named = (type: string) =>
    entriesOf(root)
      .filter(({ key }) => key === type)
      // HCL in JSON: an object, or a list of objects.
      .flatMap(({ value }) => (value.kind === 'list' ? value.items : [value]))
      .flatMap(entriesOf)
      .map(({ key, at, value }) => ({
        name: key,
        at,
        entries: (value.kind === 'list' ? value.items : [value])
          .flatMap(entriesOf)
          .map((entry) => ({ key: entry.key, at: entry.at, value: hclValue(entry.value) })),
      }))
  return bakeFile(named('target'), named('variable'))
}

function hclValue(value: YamlValue): HclValue {
  switch (value.kind) {
    case 'text':
      return { kind: 'text', at: value.at, text: value.text, isBare: false }
    case 'list':
      return { kind: 'list', at: value.at, items: value.items.map(hclValue) }
    case 'map':
      return {
        kind: 'map',
        at: value.at,
        entries: entriesOf(value).map((entry) => ({ key: entry.key, at: entry.at, value: hclValue(entry.value) })),
      }
  }
}

interface Named {
  readonly name: string
  readonly at: number
  readonly entries: readonly HclEntry[]
}

function bakeFile(targets: readonly Named[], variables: readonly Named[]): BakeFile {
  const defaults = new Map(
    variables.flatMap(({ name, entries }) => {
      const found = entries.find(({ key }) => key === 'default')
      return found ? [[name, found.value] as const] : []
    }),
  )
  const resolved = new Texts(defaults)
  return {
    targets: targets.map(({ name, at, entries }) => ({
      name,
      at,
      attributes: new Map(entries.map((entry) => [entry.key, entry])),
    })),
    variables: variables.map(({ name, at }) => {
      const value = defaults.get(name)
      return { name, at, ...(value ? { default: value } : {}) }
    }),
    texts: (value) => (value ? resolved.of(value) : []),
  }
}

type Text = { readonly text: string; readonly at: number }

/** Work on one file: a variable made of variables can stand for any amount of text. */
const workLimit = 4_000_000

class Texts {
  readonly #defaults: ReadonlyMap<string, HclValue>
  readonly #known = new Map<string, readonly string[]>()
  #work = 0

  constructor(defaults: ReadonlyMap<string, HclValue>) {
    this.#defaults = defaults
  }

  of(value: HclValue): readonly Text[] {
    const found: Text[] = []
    this.#collect(value, found)
    return found
  }

  #collect(value: HclValue, found: Text[]): void {
    switch (value.kind) {
      case 'text': {
        const texts = value.isBare ? this.#variable(value.text) : [this.#filled(value)]
        for (const text of texts) {
          this.#count(text.length + 1, value.at)
          found.push({ text, at: value.at })
        }
        return
      }
      case 'list':
        for (const item of value.items) this.#collect(item, found)
        return
      case 'map':
        for (const entry of value.entries) this.#collect(entry.value, found)
        return
      case 'open':
        for (const text of value.texts) this.#collect(text, found)
    }
  }

  /** What a variable is where nobody sets it; nothing for one that the file does not know, or that contains itself. */
  #variable(name: string): readonly string[] {
    const known = this.#known.get(name)
    if (known) return known
    this.#known.set(name, [])
    const value = this.#defaults.get(name)
    const texts = value ? this.of(value).map(({ text }) => text) : []
    this.#known.set(name, texts)
    return texts
  }

  #filled({ text, at }: HclText): string {
    return text.replace(/(?<!\$)\$\{\s*([\p{L}_][\p{L}\p{N}_-]*)\s*\}/gu, (whole, name: string) => {
      const texts = this.#variable(name)
      this.#count(texts[0]?.length ?? 0, at)
      return texts.length === 1 ? texts[0]! : whole
    })
  }

  #count(amount: number, at: number): void {
    this.#work += amount
    if (this.#work > workLimit) throw new Unreadable('its variables stand for too much text', at)
  }
}
