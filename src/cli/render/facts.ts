import { oneLine } from './events.ts'
import type { Style } from './style.ts'

/** Name and what it is; a fact without a value is not told. */
export type Fact = readonly [name: string, value: string | undefined]

/** Facts below each other, their values in one column. */
export function renderFacts(facts: readonly Fact[], style: Style, indent = ''): readonly string[] {
  const told = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== '')
  const width = Math.max(0, ...told.map(([name]) => name.length))
  return told.map(([name, value]) => `${indent}${style('dim', name.padEnd(width))}  ${oneLine(value)}`)
}
