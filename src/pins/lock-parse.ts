import { parseJson } from '../project/json.ts'
import type { Path } from '../project/manifest.ts'
import { type Diagnostic, Failure, type Span } from '../util/diagnostics.ts'
import { didYouMean, printable } from '../util/text.ts'
import { type Shape, shapes } from './lock-shape.ts'
import { sortLock } from './order.ts'
import type { ImagePin, Lock, PackagePin, ToolPin } from './types.ts'

interface Field {
  readonly shape: Shape
  readonly isOptional?: boolean
  /** A list of such values instead of one. */
  readonly isList?: boolean
}

const imageFields = {
  tool: { shape: shapes.tool },
  ref: { shape: shapes.ref },
  digest: { shape: shapes.digest },
  version: { shape: shapes.version },
  source: { shape: shapes.source, isOptional: true },
}
const packageFields = {
  tool: { shape: shapes.tool },
  registry: { shape: shapes.registry },
  name: {
    shape: {
      expected: 'a name of its registry',
      is: (text: string) => shapes.npmName.is(text) || shapes.pypiName.is(text),
    },
  },
  version: { shape: shapes.version },
  integrity: { shape: shapes.integrity, isOptional: true },
  source: { shape: shapes.source, isOptional: true },
}
const toolFields = {
  name: { shape: shapes.tool },
  minimum: { shape: shapes.version },
  denied: { shape: shapes.version, isList: true },
  checksums: { shape: shapes.checksum, isList: true, isOptional: true },
  image: { shape: shapes.pinnedImage, isOptional: true },
}
const head = { schema: { shape: shapes.schema }, dwf: { shape: shapes.version }, epoch: { shape: shapes.day } }
const lists = { images: imageFields, packages: packageFields, tools: toolFields }

/**
 * devflow.lock as text → Lock, in its one order.
 * @param file for the places of diagnostics
 * @throws Failure('wrong-input') with every error located
 */
export function parseLock(text: string, file: string): Lock {
  const parsed = parseJson(file, text.replace(/^\ufeff/, ''))
  if (!parsed.ok) {
    const isConflict = /^(<<<<<<<|=======|>>>>>>>)/m.test(text)
    throw new Failure('wrong-input', {
      severity: 'error',
      code: 'lock-syntax',
      message: `devflow.lock is not JSON: ${parsed.message}`,
      where: parsed.where,
      hint: isConflict
        ? 'solve the merge conflict in it'
        : 'take the last good version from git, or remove it and run "dwf init"',
    })
  }
  const problems: Diagnostic[] = [...parsed.problems]
  const report = (message: string, path: Path, hint?: string): void => {
    const where: Span | undefined = nearest(parsed.span, path)
    problems.push({
      severity: 'error',
      code: 'lock-invalid',
      message,
      ...(where ? { where } : {}),
      ...(hint ? { hint } : {}),
    })
  }
  const lock = read(parsed.value, report)
  if (problems.some((one) => one.severity === 'error')) throw new Failure('wrong-input', problems)
  return sortLock(lock)
}

type Report = (message: string, path: Path, hint?: string) => void

function read(value: unknown, report: Report): Lock {
  const top = { ...head, ...Object.fromEntries(Object.keys(lists).map((key) => [key, undefined])) }
  if (!isObject(value)) report(`devflow.lock must be a JSON object`, [])
  const root = isObject(value) ? value : {}
  // A lock of a later dwf has keys that this one cannot know: only the schema is worth a word then.
  if (typeof root.schema === 'string' && root.schema !== 'dwf.lock/1') {
    const hint = 'use the version of dwf that wrote it, or a newer one'
    report(
      `devflow.lock has the schema ${JSON.stringify(printable(root.schema))}; this dwf reads "dwf.lock/1"`,
      ['schema'],
      hint,
    )
    return root as unknown as Lock
  }
  for (const key of Object.keys(root)) if (!Object.hasOwn(top, key)) unknownKey(key, [key], Object.keys(top), report)
  const fields = readFields(root, head, [], report)
  const entries = Object.entries(lists).map(([key, shape]) => [key, readList(root[key], shape, key, report)] as const)
  const lock = { ...fields, ...Object.fromEntries(entries) } as unknown as Lock
  noTwice(lock.images, 'images', (pin: ImagePin) => `${pin.tool} ${pin.version}`, report)
  noTwice(lock.packages, 'packages', (pin: PackagePin) => `${pin.tool} ${pin.version}`, report)
  noTwice(lock.tools, 'tools', (pin: ToolPin) => pin.name, report)
  return lock
}

function readList(
  value: unknown,
  fields: Readonly<Record<string, Field>>,
  key: string,
  report: Report,
): readonly object[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    report(`${key} must be a list`, [key])
    return []
  }
  return value.flatMap((entry: unknown, index) => {
    if (!isObject(entry)) {
      report(`${key} must hold objects`, [key, index])
      return []
    }
    for (const name of Object.keys(entry)) {
      if (!Object.hasOwn(fields, name)) unknownKey(name, [key, index, name], Object.keys(fields), report)
    }
    return [readFields(entry, fields, [key, index], report)]
  })
}

function readFields(
  entry: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Field>>,
  path: Path,
  report: Report,
): Readonly<Record<string, unknown>> {
  const result: Record<string, unknown> = {}
  for (const [name, { shape, isOptional, isList }] of Object.entries(fields)) {
    const value = entry[name]
    const is = (one: unknown): boolean => typeof one === 'string' && shape.is(one)
    if (value === undefined && isOptional) continue
    if (value === undefined) report(`${name} is missing`, path)
    else if (isList ? !Array.isArray(value) || !value.every(is) : !is(value)) {
      const seen = printable(JSON.stringify(value) ?? '').slice(0, 100)
      report(`${name} must be ${isList ? 'a list, each ' : ''}${shape.expected}, not ${seen}`, [...path, name])
    } else result[name] = value
  }
  return result
}

function noTwice<T extends object>(list: readonly T[], key: string, name: (entry: T) => string, report: Report): void {
  const seen = new Set<string>()
  for (const [index, entry] of list.entries()) {
    if (seen.has(name(entry))) report(`${name(entry)} is pinned twice`, [key, index], 'remove one of the two')
    seen.add(name(entry))
  }
}

function unknownKey(key: string, path: Path, known: readonly string[], report: Report): void {
  const near = didYouMean(key, known)
  report(
    `unknown key ${JSON.stringify(printable(key))}`,
    path,
    near ? `did you mean "${near}"?` : `known are ${known.join(', ')}`,
  )
}

/** The place of the value, else of what holds it: what is missing has no place of its own. */
function nearest(span: (path: Path) => Span | undefined, path: Path): Span | undefined {
  for (let length = path.length; length > 0; length--) {
    const found = span(path.slice(0, length))
    if (found) return found
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
