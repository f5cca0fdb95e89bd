import { sortLock } from './order.ts'
import type { Lock } from './types.ts'

/**
 * devflow.lock as text: JSON with sorted entries, one pin a line, so that a change of one pin is a change of one line
 * and two branches that touch different pins merge. Ends with a line break; the same lock gives the same bytes. What a
 * repository without workflows has none of is left out.
 */
export function formatLock(lock: Lock): string {
  const sorted = sortLock(lock)
  const parts: readonly (readonly [string, string])[] = [
    ['schema', JSON.stringify(sorted.schema)],
    ['dwf', JSON.stringify(sorted.dwf)],
    ['epoch', JSON.stringify(sorted.epoch)],
    ['images', list(sorted.images, ['tool', 'ref', 'digest', 'version', 'source'])],
    ['packages', list(sorted.packages, ['tool', 'registry', 'name', 'version', 'integrity', 'source'])],
    ['tools', list(sorted.tools, ['name', 'minimum', 'denied', 'checksums', 'image'])],
    ...some('actions', sorted.actions, ['name', 'version', 'sha', 'source']),
    ...(sorted.bundle ? [['bundle', row(sorted.bundle, ['path', 'version', 'sha256'])] as const] : []),
    ...some('generated', sorted.generated, ['path', 'sha256']),
  ]
  return `{\n${parts.map(([key, text]) => `  "${key}": ${text}`).join(',\n')}\n}\n`
}

function some<T extends object>(key: string, entries: readonly T[], keys: readonly (keyof T & string)[]) {
  return entries.length > 0 ? [[key, list(entries, keys)] as const] : []
}

function list<T extends object>(entries: readonly T[], keys: readonly (keyof T & string)[]): string {
  if (entries.length === 0) return '[]'
  return `[\n${entries.map((entry) => `    ${row(entry, keys)}`).join(',\n')}\n  ]`
}

function row<T extends object>(entry: T, keys: readonly (keyof T & string)[]): string {
  const pairs = keys.filter((key) => entry[key] !== undefined).map((key) => `"${key}": ${inline(entry[key])}`)
  return `{ ${pairs.join(', ')} }`
}

function inline(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((one) => JSON.stringify(one)).join(', ')}]` : JSON.stringify(value)
}
