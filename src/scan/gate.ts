import type { Severity } from '../config/types.ts'
import type { Verdict } from '../run/types.ts'
import type { PolicyResult } from './policy/types.ts'
import { severities } from './severity.ts'
import { findingTable, partsOf } from './table.ts'
import { count } from './text.ts'

export { findingLine } from './table.ts'

/** Of those that do not refuse, as many as fit beside the others on a screen; the log has them all. */
const others = 10

/**
 * What became of the findings → verdict. The summary counts all of them as the table shows them: merged, those that
 * somebody accepted apart from the severities.
 */
export function gate({ decisions, lines }: PolicyResult, limit: Severity): Verdict {
  const { refused, below, unfixed, accepted } = partsOf(decisions)
  const open = [...refused, ...below]
  const amounts = severities.flatMap((severity) => {
    const amount = open.filter((finding) => finding.severity === severity).length
    return amount === 0 ? [] : [`${amount} ${severity === 'unknown' ? 'of unknown severity, which refuses' : severity}`]
  })
  return {
    kind: decisions.some(({ refuses }) => refuses) ? 'refused' : 'passed',
    summary: `${[
      count(open.length + unfixed.length + accepted.length, 'finding'),
      ...amounts,
      ...(unfixed.length > 0 ? [`${unfixed.length} without a fix`] : []),
      ...(accepted.length > 0 ? [`${accepted.length} accepted`] : []),
    ].join(', ')}; limit ${limit}`,
    lines: [...findingTable(decisions, limit), ...lines],
    shown: [...findingTable(decisions, limit, others), ...lines],
    diagnostics: [],
  }
}
