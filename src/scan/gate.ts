import type { Severity } from '../config/types.ts'
import type { Verdict } from '../run/types.ts'
import { byCodeUnit } from '../util/text.ts'
import { isRefusing, severities } from './severity.ts'
import { count, shownPath } from './text.ts'
import type { Finding } from './types.ts'

/** More are counted, not listed. */
const listed = 200

/**
 * Findings → verdict. A finding refuses when it is at least as severe as the limit, or when nobody knows how severe it is.
 * The summary counts all of them; the lines have the refusing ones first, worst first.
 */
export function gate(findings: readonly Finding[], limit: Severity): Verdict {
  const sorted = [...findings].sort((a, b) => rank(a, limit) - rank(b, limit) || byPlace(a, b))
  const amounts = severities.flatMap((severity) => {
    const amount = findings.filter((finding) => finding.severity === severity).length
    return amount === 0 ? [] : [`${amount} ${severity === 'unknown' ? 'of unknown severity, which refuses' : severity}`]
  })
  return {
    kind: findings.some((finding) => isRefusing(finding.severity, limit)) ? 'refused' : 'passed',
    summary: `${[count(findings.length, 'finding'), ...amounts].join(', ')}; limit ${limit}`,
    lines: list(sorted, limit),
    diagnostics: [],
  }
}

function rank({ severity }: Finding, limit: Severity): number {
  return severities.indexOf(severity) + (isRefusing(severity, limit) ? 0 : severities.length)
}

function byPlace(a: Finding, b: Finding): number {
  const x = a.where
  const y = b.where
  return (
    byCodeUnit(x.file, y.file) ||
    (x.line ?? 0) - (y.line ?? 0) ||
    byCodeUnit(x.package ?? '', y.package ?? '') ||
    byCodeUnit(a.id, b.id)
  )
}

function list(sorted: readonly Finding[], limit: Severity): readonly string[] {
  const lines: string[] = []
  let heading: string | undefined
  for (const finding of sorted.slice(0, listed)) {
    if (finding.severity !== heading)
      lines.push(`${finding.severity}${isRefusing(finding.severity, limit) ? '' : ' (below the limit)'}`)
    heading = finding.severity
    lines.push(`  ${findingLine(finding)}`)
  }
  if (sorted.length > listed) lines.push(`  … and ${sorted.length - listed} more`)
  return lines
}

/** `CVE-2021-23337 lodash 4.17.20, fixed in 4.17.21: command injection via template (package-lock.json:12)` */
export function findingLine({ id, title, where, fixedIn, advice }: Finding): string {
  const what =
    where.package === undefined
      ? ''
      : ` ${where.package}${where.version ? ` ${where.version}` : ''}${fixedIn ? `, fixed in ${fixedIn}` : ', no fix known'}`
  const place = `${shownPath(where.file)}${where.line ? `:${where.line}` : ''}`
  return `${id}${what}: ${title}${advice ? ` → ${advice}` : ''} (${place})`
}
