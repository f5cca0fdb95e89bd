import { parseJson } from '../project/json.ts'
import type { Path } from '../project/manifest.ts'
import { type Diagnostic, Failure, type Span } from '../util/diagnostics.ts'
import { didYouMean, printable } from '../util/text.ts'
import { bundleFields, type Field, head, lists, topKeys } from './lock-fields.ts'
import { sortLock } from './order.ts'
import { notePlace } from './places.ts'
import type { Lock } from './types.ts'

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
  const sorted = sortLock(lock)
  for (const key of ['images', 'packages', 'actions'] as const)
    for (const [index, pin] of lock[key].entries()) notePlace(pin, (field) => parsed.span(pathOf(key, index, field)))
  for (const pin of sorted.tools) {
    const index = lock.tools.findIndex(({ name }) => name === pin.name)
    notePlace(pin, (field) => parsed.span(pathOf('tools', index, field)))
  }
  return sorted
}

const pathOf = (key: string, index: number, field: string | undefined): Path =>
  field === undefined ? [key, index] : [key, index, field]

type Report = (message: string, path: Path, hint?: string) => void

function read(value: unknown, report: Report): Lock {
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
  for (const key of Object.keys(root)) if (!topKeys.includes(key)) unknownKey(key, [key], topKeys, report)
  const fields = readFields(root, head, [], report)
  const entries = Object.entries(lists).map(([key, shape]) => [key, readList(root[key], shape, key, report)] as const)
  const bundle = root.bundle === undefined ? undefined : readEntry(root.bundle, bundleFields, ['bundle'], report)
  const lock = { ...fields, ...Object.fromEntries(entries), ...(bundle ? { bundle } : {}) } as unknown as Lock
  noTwice(lock.images, 'images', (pin) => `${pin.tool} ${pin.version}`, report)
  noTwice(lock.packages, 'packages', (pin) => `${pin.tool} ${pin.version}`, report)
  noTwice(lock.tools, 'tools', (pin) => pin.name, report)
  noTwice(lock.actions, 'actions', (pin) => `${pin.name}`.toLowerCase(), report)
  noTwice(lock.generated, 'generated', (pin) => pin.path, report)
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
  return value.flatMap((entry: unknown, index) => readEntry(entry, fields, [key, index], report) ?? [])
}

function readEntry(
  entry: unknown,
  fields: Readonly<Record<string, Field>>,
  path: Path,
  report: Report,
): object | undefined {
  if (!isObject(entry)) {
    report(path.length === 1 ? `${path[0]} must be an object` : `${path[0]} must hold objects`, path)
    return undefined
  }
  for (const name of Object.keys(entry)) {
    if (!Object.hasOwn(fields, name)) unknownKey(name, [...path, name], Object.keys(fields), report)
  }
  return readFields(entry, fields, path, report)
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
