import { hashOf } from '../util/canonical.ts'
import { imageRepository, isArchive } from './image-name.ts'
import type { Finding } from './types.ts'

export type Unmarked = Omit<Finding, 'fingerprint'> & {
  /** What tells two findings of the same id in the same file apart, where there is something: the resource. */
  readonly about?: string
}

/**
 * Gives each finding a fingerprint that outlives an edit: no line numbers, no versions. Findings that are equal in all
 * that counts are numbered in the order of the report, so that a second leak of the same kind is not taken for the first.
 * Behind a dash stands in which image it is, whatever its tag: what is accepted in one is not accepted in another.
 */
export function withFingerprints(findings: readonly Unmarked[]): readonly Finding[] {
  const seen = new Map<string, number>()
  return findings.map(({ about, ...finding }) => {
    const { layer, id, where } = finding
    const parts = ['dwf.finding/1', layer, id, where.file, where.package ?? '', about ?? '']
    const key = JSON.stringify([...parts, where.image])
    const nth = seen.get(key) ?? 0
    seen.set(key, nth + 1)
    const image = where.image === undefined ? '' : `-${imageMark(where.image)}`
    return { ...finding, fingerprint: hashOf([...parts, nth]) + image }
  })
}

const imageMark = (image: string): string =>
  hashOf(['dwf.image/1', isArchive(image) ? 'archive' : 'image', imageRepository(image)]).slice(0, 32)

/** What the same finding has in common in two images. */
export const withoutImage = (fingerprint: string): string => fingerprint.replace(/^([0-9a-f]{64})-[0-9a-f]{32}$/, '$1')
