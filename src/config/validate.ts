import { didYouMean, listing } from '../util/text.ts'
import { dayOf, parseDuration, parseSize } from '../util/units.ts'
import type { Node } from './definition.ts'

/** A problem at a path of the document; config/parse.ts gives it its place in the text. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  readonly code: string
  readonly path: readonly (string | number)[]
  /** What to underline: the key, or its value. */
  readonly at: 'key' | 'value'
  readonly message: string
  readonly hint?: string
}

type Path = Problem['path']

/** How a path is written in a message: `tasks."test:e2e".retries`. */
export function dotted(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === 'number'
        ? `[${part}]`
        : `${index ? '.' : ''}${/^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part)}`,
    )
    .join('')
}

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Date) return 'a date'
  switch (typeof value) {
    case 'string':
      return `the string ${JSON.stringify(value)}`
    case 'boolean':
      return `the boolean ${value}`
    case 'object':
      return 'a table'
    default:
      return `the number ${String(value)}`
  }
}

function expected(node: Node): string {
  switch (node.kind) {
    case 'string':
      return node.values
        ? listing(
            node.values.map((value) => JSON.stringify(value)),
            'or',
          )
        : 'a string'
    case 'integer':
    case 'number':
      return `${node.kind === 'integer' ? 'a whole number' : 'a number'} from ${node.min} to ${node.max}`
    case 'boolean':
      return 'true or false'
    case 'duration':
      return 'a duration such as "90s", "15m" or "1h30m"'
    case 'size':
      return 'a size such as "512m" or "4g"'
    case 'date':
      return 'a day such as 2027-03-31'
    case 'array':
      return 'an array'
    case 'table':
    case 'map':
      return 'a table'
    case 'either':
      return listing(node.of.map(expected), 'or')
  }
}

function fits(node: Node, value: unknown): boolean {
  switch (node.kind) {
    case 'string':
      return typeof value === 'string' && (node.values?.includes(value) ?? true) && (node.pattern?.test(value) ?? true)
    case 'boolean':
      return typeof value === 'boolean'
    case 'integer':
    case 'number': {
      const number = typeof value === 'bigint' ? Number(value) : value
      if (typeof number !== 'number' || number < node.min || number > node.max) return false
      return node.kind === 'number' || Number.isInteger(number)
    }
    case 'duration':
      return typeof value === 'string' && parseDuration(value) !== undefined
    case 'size':
      return typeof value === 'string' && parseSize(value) !== undefined
    case 'date':
      return dayOf(value) !== undefined
    case 'array':
      return Array.isArray(value)
    case 'table':
    case 'map':
      return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
    case 'either':
      return node.of.some((choice) => fits(choice, value))
  }
}

function wrong(node: Node, value: unknown, path: Path): Problem {
  const near =
    node.kind === 'string' && node.values && typeof value === 'string' ? didYouMean(value, node.values) : undefined
  const unfit = node.kind === 'string' && !node.values && typeof value === 'string'
  return {
    severity: 'error',
    code: 'wrong-value',
    path,
    at: 'value',
    message: unfit
      ? `${dotted(path)} cannot be ${nameOf(value)}`
      : `${dotted(path)} must be ${expected(node)}, not ${nameOf(value)}`,
    ...(near
      ? { hint: `did you mean ${JSON.stringify(near)}?` }
      : unfit
        ? { hint: `${node.doc} It must match ${node.pattern}.` }
        : {}),
  }
}

/** Everything that is wrong with a parsed document, in the order of the definition. */
export function validate(node: Node, value: unknown, path: Path = []): readonly Problem[] {
  if (!fits(node, value)) return [wrong(node, value, path)]
  switch (node.kind) {
    case 'table': {
      const problems: Problem[] = []
      const record = value as Record<string, unknown>
      for (const key of Object.keys(record)) {
        const child = Object.hasOwn(node.keys, key) ? node.keys[key] : undefined
        if (child) problems.push(...validate(child, record[key], [...path, key]))
        else problems.push(unknownKey(key, path, Object.keys(node.keys)))
      }
      for (const key of node.required ?? []) {
        if (!Object.hasOwn(record, key)) {
          problems.push({
            severity: 'error',
            code: 'missing-key',
            path,
            at: 'key',
            message: `${dotted(path)} needs the key "${key}"`,
            hint: node.keys[key]!.doc,
          })
        }
      }
      return problems
    }
    case 'map': {
      const problems: Problem[] = []
      for (const [key, child] of Object.entries(value as Record<string, unknown>)) {
        if (!node.key.test(key)) {
          problems.push({
            severity: 'error',
            code: 'wrong-key',
            path: [...path, key],
            at: 'key',
            message: `${JSON.stringify(key)} cannot be a key of ${dotted(path)}: expected ${node.keyDoc}`,
          })
        } else problems.push(...validate(node.of, child, [...path, key]))
      }
      return problems
    }
    case 'array': {
      const list = value as readonly unknown[]
      if (node.nonEmpty && list.length === 0) {
        return [
          {
            severity: 'error',
            code: 'wrong-value',
            path,
            at: 'value',
            message: `${dotted(path)} is empty`,
            hint: node.doc,
          },
        ]
      }
      return list.flatMap((item, index) => validate(node.of, item, [...path, index]))
    }
    case 'either':
      return node.of.map((choice) => (fits(choice, value) ? validate(choice, value, path) : undefined)).find(Boolean)!
    default:
      return []
  }
}

function unknownKey(key: string, path: Path, known: readonly string[]): Problem {
  const near = didYouMean(key, known)
  return {
    severity: 'error',
    code: 'unknown-key',
    path: [...path, key],
    at: 'key',
    message: `unknown key ${JSON.stringify(key)}${path.length ? ` in ${dotted(path)}` : ''}`,
    hint: near ? `did you mean "${near}"?` : `known here: ${known.join(', ')}`,
  }
}
