import { sortLock } from './order.ts'
import type { Lock } from './types.ts'

/**
 * devflow.lock as text: JSON with sorted entries, one pin a line, so that a change of one pin is a change of one line
 * and two branches that touch different pins merge. Ends with a line break; the same lock gives the same bytes.
 */
export function formatLock(lock: Lock): string {
  const sorted = sortLock(lock)
  return [
    '{',
    `  "schema": ${JSON.stringify(sorted.schema)},`,
    `  "dwf": ${JSON.stringify(sorted.dwf)},`,
    `  "epoch": ${JSON.stringify(sorted.epoch)},`,
    `  "images": ${list(sorted.images, ['tool', 'ref', 'digest', 'version', 'source'])},`,
    `  "packages": ${list(sorted.packages, ['tool', 'registry', 'name', 'version', 'integrity', 'source'])},`,
    `  "tools": ${list(sorted.tools, ['name', 'minimum', 'denied', 'checksums', 'image'])}`,
    '}',
    '',
  ].join('\n')
}

function list<T extends object>(entries: readonly T[], keys: readonly (keyof T & string)[]): string {
  if (entries.length === 0) return '[]'
  const rows = entries.map((entry) => {
    const pairs = keys.filter((key) => entry[key] !== undefined).map((key) => `"${key}": ${inline(entry[key])}`)
    return `    { ${pairs.join(', ')} }`
  })
  return `[\n${rows.join(',\n')}\n  ]`
}

function inline(value: unknown): string {
  return Array.isArray(value) ? `[${value.map((one) => JSON.stringify(one)).join(', ')}]` : JSON.stringify(value)
}
