import { mergeFindings } from '../scan/merge.ts'
import { count } from '../scan/text.ts'
import type { MergedFinding, ScanDocument } from '../scan/types.ts'
import { findingText, placeText, short } from './text.ts'
import { workflowCommand } from './workflow-commands.ts'

/**
 * Lines for the log of GitHub Actions that mark what refuses: gates that could not look first, then findings, worst
 * first. GitHub shows ten errors of a step (seen 2026 in "Workflow commands" of its documentation); what is beyond
 * `limit` is counted in one notice.
 */
export function annotations(document: ScanDocument, limit = 10): readonly string[] {
  const broken = document.layers
    .filter(({ verdict }) => verdict === 'broken')
    .map((layer) => workflowCommand('error', { title: `scan:${layer.layer} is broken` }, short(layer.summary, 1000)))
  const findings = mergeFindings(document.layers.flatMap(({ decisions }) => decisions)).filter(({ refuses }) => refuses)
  const lines = [...broken, ...findings.slice(0, Math.max(0, limit - broken.length)).map(annotation)]
  const shown = lines.slice(0, limit)
  const left = broken.length + findings.length - shown.length
  if (left === 0) return shown
  return [...shown, workflowCommand('notice', { title: 'dwf scan' }, `${left} more that refuse: see the report`)]
}

function annotation(finding: MergedFinding): string {
  const refusing = finding.places.filter((place) => place.refuses)
  // A file of an image is none that GitHub could show; `.` is no file.
  const place = refusing.find(({ where }) => where.image === undefined && where.file !== '.')
  const { file, line, endLine } = place?.where ?? {}
  const others = refusing.filter((one) => one !== place).map(({ where }) => placeText(where))
  const more = others.length > 3 ? [...others.slice(0, 3), count(others.length - 3, 'more place')] : others
  const says = (place ?? refusing[0]!).says
  const message = [
    findingText(finding),
    says,
    ...(more.length > 0 ? [`${place ? 'also in' : 'in'} ${more.join(', ')}`] : []),
    ...(finding.advice ? [finding.advice] : []),
  ]
  return workflowCommand(
    'error',
    { file, line, endLine, title: `${finding.severity}: ${finding.id}` },
    message.map((part) => short(part, 1000)).join('\n'),
  )
}
