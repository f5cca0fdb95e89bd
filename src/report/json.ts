import { mergeFindings } from '../scan/merge.ts'
import type { MergedFinding, ScanDocument } from '../scan/types.ts'
import { canonicalJson } from '../util/canonical.ts'

/** What `--report json=FILE` writes: the document, and its findings as a person counts them. */
export type JsonReport = ScanDocument & { readonly findings: readonly MergedFinding[] }

/** The whole document as JSON with two blanks of indent. Equal documents give equal bytes: members are sorted. */
export function toJson(document: ScanDocument): string {
  const findings = mergeFindings(document.layers.flatMap(({ decisions }) => decisions))
  const { schema, ...rest } = document
  const sorted = JSON.parse(canonicalJson({ ...rest, findings }))
  return `${JSON.stringify({ schema, ...sorted }, null, 2)}\n`
}
