import { hashOf } from '../util/canonical.ts'
import type { Finding } from './types.ts'

export type Unmarked = Omit<Finding, 'fingerprint'> & {
  /** What tells two findings of the same id in the same file apart, where there is something: the resource. */
  readonly about?: string
}

/**
 * Gives each finding a fingerprint that outlives an edit: no line numbers, no versions. Findings that are equal in all
 * that counts are numbered in the order of the report, so that a second leak of the same kind is not taken for the first.
 */
export function withFingerprints(findings: readonly Unmarked[]): readonly Finding[] {
  const seen = new Map<string, number>()
  return findings.map(({ about, ...finding }) => {
    const { layer, id, where } = finding
    const parts = ['dwf.finding/1', layer, id, where.file, where.package ?? '', about ?? '']
    const key = JSON.stringify(parts)
    const nth = seen.get(key) ?? 0
    seen.set(key, nth + 1)
    return { ...finding, fingerprint: hashOf([...parts, nth]) }
  })
}
