import type { Severity } from '../config/types.ts'
import type { FindingSeverity } from './types.ts'

/** Worst first. `unknown` stands where it is seen: it may be anything. */
export const severities: readonly FindingSeverity[] = ['critical', 'unknown', 'high', 'medium', 'low']

const ranks: Readonly<Record<FindingSeverity, number>> = { low: 1, medium: 2, high: 3, critical: 4, unknown: 5 }

/** A scanner's word for a severity, in whatever case; what dwf does not know is `unknown`, never low. */
export function severityOf(word: unknown): FindingSeverity {
  const known = typeof word === 'string' ? word.toLowerCase() : ''
  return Object.hasOwn(ranks, known) ? (known as FindingSeverity) : 'unknown'
}

/** Whether a finding fails a gate with this limit. One of unknown severity always does: nobody has said it is harmless. */
export function isRefusing(severity: FindingSeverity, limit: Severity): boolean {
  return ranks[severity] >= ranks[limit]
}
