import { canonicalJson } from '../../util/canonical.ts'
import { byCodeUnit } from '../../util/text.ts'
import { severities } from '../severity.ts'
import type { Decision, FindingPlace, FindingSeverity } from '../types.ts'

export function bySeverity(a: FindingSeverity, b: FindingSeverity): number {
  return severities.indexOf(a) - severities.indexOf(b)
}

export function byPlace(a: FindingPlace, b: FindingPlace): number {
  return (
    byCodeUnit(a.image ?? '', b.image ?? '') ||
    byCodeUnit(a.file, b.file) ||
    (a.line ?? 0) - (b.line ?? 0) ||
    (a.column ?? 0) - (b.column ?? 0)
  )
}

/** A whole order: refusing first, worst first; what is equal in it is equal. So no order of reports shows in a result. */
export function byDecision(a: Decision, b: Decision): number {
  return (
    Number(b.refuses) - Number(a.refuses) ||
    bySeverity(a.finding.severity, b.finding.severity) ||
    byCodeUnit(a.finding.id, b.finding.id) ||
    byCodeUnit(a.finding.where.package ?? '', b.finding.where.package ?? '') ||
    byPlace(a.finding.where, b.finding.where) ||
    byCodeUnit(canonicalJson(a), canonicalJson(b))
  )
}
