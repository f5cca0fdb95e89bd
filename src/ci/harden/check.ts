import * as yaml from 'yaml'
import { readYamlWith, type YamlValue } from '../../scan/rules/yaml.ts'
import { canonicalJson } from '../../util/canonical.ts'
import type { Edit, Meaning, Plain } from './types.ts'

export function applied(text: string, edits: readonly Edit[]): string {
  let result = ''
  let from = 0
  for (const { at, remove, insert } of edits.toSorted((a, b) => a.at - b.at)) {
    result += text.slice(from, at) + insert
    from = at + remove
  }
  return result + text.slice(from)
}

/** Whether the new text means what the old one did and what was meant to be added, and nothing else. */
export function meansTheSame(before: string, after: string, means: readonly Meaning[]): boolean {
  try {
    const [old] = readYamlWith(yaml, before)
    const [now] = readYamlWith(yaml, after)
    if (!old || !now) return false
    const meant = new Map<number, Meaning[]>()
    for (const one of means) meant.set(one.map, [...(meant.get(one.map) ?? []), one])
    return canonicalJson(plain(old, meant)) === canonicalJson(plain(now, new Map()))
  } catch {
    return false
  }
}

function plain(value: YamlValue, meant: ReadonlyMap<number, readonly Meaning[]>): Plain {
  if (value.kind === 'text') return value.isNull ? null : value.text
  if (value.kind === 'list') return value.items.map((item) => plain(item, meant))
  const entries = new Map<string, Plain>()
  for (const entry of value.entries.values()) entries.set(entry.key, plain(entry.value, meant))
  for (const { key, value: added } of meant.get(value.at) ?? []) entries.set(key, added)
  // A key such as __proto__ stays a key.
  return Object.assign(Object.create(null), Object.fromEntries(entries))
}
