import { scanLayers } from '../config/commands.ts'
import { severities } from '../scan/severity.ts'
import type { Component, Decision, Finding, FindingPlace, LayerResult, Rule, ScanDocument } from '../scan/types.ts'
import { failure } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'

/**
 * A document that dwf, or somebody else, wrote. Everything in it is checked, what dwf does not know is left out.
 * @param name what the text is called in the message
 * @throws Failure('wrong-input')
 */
export function readDocument(text: string, name: string): ScanDocument {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong(name, 'it is not JSON')
  }
  const root = new Reader(name, '', value)
  const schema = root.get('schema').text()
  if (schema !== 'dwf.scan/1') throw wrong(name, `its schema is ${quoted(schema)}, and this dwf reads "dwf.scan/1"`)
  return {
    schema,
    dwf: root.get('dwf').text(),
    run: root.get('run').text(),
    project: root.get('project').text(),
    ...optional('commit', root.get('commit'), (reader) => reader.text()),
    at: root.get('at').time(),
    ok: root.get('ok').flag(),
    layers: root.get('layers').list(layer),
  }
}

function wrong(name: string, reason: string): Error {
  return failure(
    'wrong-input',
    'scan-document',
    `${printable(name)} is not a document of dwf's gates: ${reason}`,
    'take the scan.json of a run, or what --report json=FILE wrote',
  )
}

const quoted = (value: unknown): string => {
  const text = value === undefined ? 'missing' : JSON.stringify(value)
  return printable(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}

/** A value and the way to it. Members are only ever taken by name, from objects that JSON made. */
class Reader {
  readonly #name: string
  readonly #path: string
  readonly value: unknown

  constructor(name: string, path: string, value: unknown) {
    this.#name = name
    this.#path = path
    this.value = value
  }

  get(key: string): Reader {
    const { value } = this
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.expected('an object')
    const path = this.#path === '' ? key : `${this.#path}.${key}`
    return new Reader(this.#name, path, Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined)
  }

  expected(what: string): Error {
    return wrong(this.#name, `${this.#path || 'it'} is ${quoted(this.value)}, expected ${what}`)
  }

  text(): string {
    if (typeof this.value !== 'string') throw this.expected('text')
    return this.value
  }

  flag(): boolean {
    if (typeof this.value !== 'boolean') throw this.expected('true or false')
    return this.value
  }

  /** Milliseconds since the epoch, within what a Date can hold. */
  time(): number {
    const { value } = this
    if (typeof value !== 'number' || Math.abs(value) > 8.64e15) throw this.expected('milliseconds since the epoch')
    return value
  }

  /** A line or a column. */
  position(): number {
    const { value } = this
    if (!Number.isSafeInteger(value) || (value as number) < 1) throw this.expected('a whole number from 1')
    return value as number
  }

  duration(): number {
    const { value } = this
    if (typeof value !== 'number' || value < 0) throw this.expected('a number of milliseconds')
    return value
  }

  oneOf<T extends string>(words: readonly T[]): T {
    const found = words.find((word) => word === this.value)
    if (found === undefined) throw this.expected(`one of ${words.join(', ')}`)
    return found
  }

  list<T>(read: (reader: Reader) => T): readonly T[] {
    if (!Array.isArray(this.value)) throw this.expected('a list')
    return this.value.map((item, index) => read(new Reader(this.#name, `${this.#path}[${index}]`, item)))
  }
}

function optional<K extends string, T>(key: K, reader: Reader, read: (reader: Reader) => T): { [P in K]?: T } {
  return (reader.value === undefined ? {} : { [key]: read(reader) }) as { [P in K]?: T }
}

const text = (reader: Reader): string => reader.text()
const texts = (reader: Reader): readonly string[] => reader.list(text)
const position = (reader: Reader): number => reader.position()

function layer(reader: Reader): LayerResult {
  return {
    layer: reader.get('layer').oneOf(scanLayers),
    verdict: reader.get('verdict').oneOf(['passed', 'refused', 'broken']),
    summary: reader.get('summary').text(),
    limit: reader.get('limit').text(),
    scanners: reader
      .get('scanners')
      .list((one) => ({ name: one.get('name').text(), version: one.get('version').text() })),
    subjects: texts(reader.get('subjects')),
    ...optional('database', reader.get('database'), text),
    scannedAt: reader.get('scannedAt').time(),
    isCached: reader.get('isCached').flag(),
    decisions: reader.get('decisions').list(decision),
    components: reader.get('components').list(component),
    lines: texts(reader.get('lines')),
    ms: reader.get('ms').duration(),
  }
}

function decision(reader: Reader): Decision {
  return {
    finding: finding(reader.get('finding')),
    refuses: reader.get('refuses').flag(),
    rule: rule(reader.get('rule')),
    says: reader.get('says').text(),
  }
}

function finding(reader: Reader): Finding {
  return {
    id: reader.get('id').text(),
    ...optional('aliases', reader.get('aliases'), texts),
    severity: reader.get('severity').oneOf(severities),
    layer: reader.get('layer').oneOf(scanLayers),
    scanner: reader.get('scanner').text(),
    where: place(reader.get('where')),
    title: reader.get('title').text(),
    ...optional('fixedIn', reader.get('fixedIn'), text),
    ...optional('advice', reader.get('advice'), text),
    references: texts(reader.get('references')),
    ...optional('suppressed', reader.get('suppressed'), (one) => ({
      by: one.get('by').oneOf(['inline', 'suppressions']),
      ...optional('says', one.get('says'), text),
    })),
    fingerprint: reader.get('fingerprint').text(),
  }
}

function place(reader: Reader): FindingPlace {
  return {
    file: reader.get('file').text(),
    ...optional('image', reader.get('image'), text),
    ...optional('line', reader.get('line'), position),
    ...optional('column', reader.get('column'), position),
    ...optional('endLine', reader.get('endLine'), position),
    ...optional('package', reader.get('package'), text),
    ...optional('version', reader.get('version'), text),
    ...optional('purl', reader.get('purl'), text),
  }
}

const ruleKinds = ['limit', 'unknown-severity', 'no-fix', 'ignore', 'vex', 'suppressed', 'baseline'] as const

function rule(reader: Reader): Rule {
  const kind = reader.get('kind').oneOf(ruleKinds)
  const reason = () => optional('reason', reader.get('reason'), text)
  const by = () => optional('by', reader.get('by'), text)
  switch (kind) {
    case 'limit':
    case 'unknown-severity':
    case 'no-fix':
      return { kind }
    case 'ignore':
      return {
        ...{ kind, source: reader.get('source').text(), ...reason(), ...by() },
        ...optional('until', reader.get('until'), text),
      }
    case 'vex':
      return {
        ...{ kind, source: reader.get('source').text(), ...reason(), ...by() },
        status: reader.get('status').oneOf(['not_affected', 'fixed']),
      }
    case 'suppressed':
      return { kind, by: reader.get('by').oneOf(['inline', 'suppressions']), ...reason() }
    case 'baseline':
      return { kind, source: reader.get('source').text(), since: reader.get('since').text() }
  }
}

function component(reader: Reader): Component {
  return {
    name: reader.get('name').text(),
    version: reader.get('version').text(),
    ...optional('purl', reader.get('purl'), text),
    licenses: texts(reader.get('licenses')),
    file: reader.get('file').text(),
    ...optional('image', reader.get('image'), text),
  }
}
