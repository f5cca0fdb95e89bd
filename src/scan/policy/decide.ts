import { baselineFile } from '../../config/commands.ts'
import { byCodeUnit } from '../../util/text.ts'
import { withFingerprints } from '../fingerprint.ts'
import { isRefusing } from '../severity.ts'
import { count, oneLine, shownPath } from '../text.ts'
import type { Decision, Finding, Rule } from '../types.ts'
import { ignoreFinder, ignoreSource, ignoreState, ignoreSubject } from './ignores.ts'
import { optional } from './json.ts'
import { isMalicious, isNeverBaselined, isVulnerability } from './names.ts'
import { byDecision } from './order.ts'
import type { OwnFinding } from './own.ts'
import type { IgnoreRule, Policy, PolicyResult } from './types.ts'
import { vexFinder } from './vex.ts'

interface Judged {
  readonly decision: Decision
  /** What accepted it, as the lines name it. */
  readonly acceptedBy?: string
}

/** The names of ignores that a line lists; more are counted. */
const listed = 10

/**
 * Findings of one gate → what becomes of each, and why. The first rule that holds decides: ignores, VEX, suppressions
 * that are honoured, the baseline; then the severity, which `fixOnly` may soften. No order of findings changes anything.
 */
export function decide(findings: readonly Finding[], policy: Policy): PolicyResult {
  const ignores = policy.ignores.filter(({ layers }) => layers.includes(policy.layer))
  const inForce = ignores.filter((rule) => ignoreState(rule, policy.today) === 'in-force')
  const used = new Set<IgnoreRule>()
  const judge = judgeOf(policy, inForce, used)
  const judged = findings.map(judge)
  const unmatched = inForce.filter((rule) => !used.has(rule))
  // Past the rules: an ignore must not be able to ignore that it has expired.
  const own = ownOf(ignores, unmatched, policy).map((finding) => bySeverityAlone(finding, policy))
  return {
    decisions: [...judged.map(({ decision }) => decision), ...own].sort(byDecision),
    lines: [...accepted(judged), ...aboutFiles(ignores, unmatched, policy), ...stale(findings, policy)],
  }
}

function judgeOf(policy: Policy, inForce: readonly IgnoreRule[], used: Set<IgnoreRule>): (finding: Finding) => Judged {
  const ignoresOf = ignoreFinder(inForce)
  const vexOf = vexFinder(policy.vex)
  const baseline = new Map(policy.baseline?.entries.map((entry) => [`${entry.layer} ${entry.fingerprint}`, entry]))
  return (finding) => {
    const pass = (rule: Rule, says: string, acceptedBy: string): Judged => ({
      decision: { finding, refuses: false, rule, says: oneLine(says, 1000) },
      acceptedBy,
    })
    const ignores = ignoresOf(finding)
    for (const rule of ignores) used.add(rule)
    if (ignores[0]) return pass(ignoreRule(ignores[0]), saysIgnore(ignores[0]), shownPath(ignores[0].file))
    const vex = vexOf(finding)
    if (vex) {
      const { source, status, reason, by } = vex
      const says = `${status === 'fixed' ? 'fixed' : 'not affected'}, says ${source}${by ? ` (${by})` : ''}${why(reason)}`
      return pass({ kind: 'vex', source, status, ...optional({ reason, by }) }, says, shownPath(vex.file))
    }
    const { suppressed } = finding
    if (suppressed && policy.honorsSuppressed[suppressed.by]) {
      const { by } = suppressed
      const reason = suppressed.says === undefined ? undefined : oneLine(suppressed.says, 500)
      const says = by === 'inline' ? 'suppressed by a comment in the file' : 'suppressed in the report of its scanner'
      const acceptedBy = by === 'inline' ? 'comments in files (inline)' : 'suppressions in SARIF'
      return pass({ kind: 'suppressed', by, ...optional({ reason }) }, `${says}${why(reason)}`, acceptedBy)
    }
    const entry = baseline.get(`${finding.layer} ${finding.fingerprint}`)
    // Whoever writes the file by hand can put anything into it.
    if (entry && !isNeverBaselined(finding)) {
      const rule = { kind: 'baseline', source: baselineFile, since: entry.since } as const
      return pass(rule, `in ${baselineFile} since ${entry.since}`, baselineFile)
    }
    return { decision: bySeverityAlone(finding, policy) }
  }
}

function bySeverityAlone(finding: Finding, { limit, fixOnly }: Policy): Decision {
  const { severity } = finding
  if (severity === 'unknown')
    return {
      finding,
      refuses: true,
      rule: { kind: 'unknown-severity' },
      says: 'of unknown severity, which refuses at any limit',
    }
  if (!isRefusing(severity, limit))
    return { finding, refuses: false, rule: { kind: 'limit' }, says: `${severity}, below the limit ${limit}` }
  const says = `${severity}, at or above the limit ${limit}`
  if (!fixOnly || !isVulnerability(finding) || finding.fixedIn?.trim())
    return { finding, refuses: true, rule: { kind: 'limit' }, says }
  // There is no fixed version of a package that was written to do harm: it has to go.
  if (isMalicious(finding))
    return { finding, refuses: true, rule: { kind: 'limit' }, says: `${says}: a malicious package waits for no fix` }
  return {
    finding,
    refuses: false,
    rule: { kind: 'no-fix' },
    says: `${severity}, and no version fixes it, which fix_only lets pass`,
  }
}

function ignoreRule(rule: IgnoreRule): Rule {
  const reason = rule.reason === undefined ? undefined : oneLine(rule.reason, 500)
  const by = rule.by === undefined ? undefined : oneLine(rule.by)
  return { kind: 'ignore', source: ignoreSource(rule), ...optional({ reason, until: rule.expires, by }) }
}

function saysIgnore(rule: IgnoreRule): string {
  const by = rule.by === undefined ? '' : ` (${rule.by})`
  const until = rule.expires === undefined ? ' without an end' : ` until ${rule.expires}`
  return `ignored by ${ignoreSource(rule)}${by}${until}${why(rule.reason)}`
}

const why = (reason: string | undefined): string => (reason === undefined ? ', without a reason' : `: ${reason}`)

function ownOf(ignores: readonly IgnoreRule[], unmatched: readonly IgnoreRule[], policy: Policy): readonly Finding[] {
  const found = ignores.flatMap((rule) => {
    if (rule.of !== 'config') return []
    const finding = ownFinding(rule, unmatched.includes(rule), policy)
    return finding === undefined
      ? []
      : [
          {
            ...finding,
            layer: policy.layer,
            scanner: 'dwf',
            where: { file: rule.file, ...(rule.line === undefined ? {} : { line: rule.line }) },
            references: [],
            about: ignoreSubject(rule),
          },
        ]
  })
  return withFingerprints(found)
}

function ownFinding(rule: IgnoreRule, isUnmatched: boolean, { today, layer }: Policy) {
  const subject = ignoreSubject(rule)
  switch (ignoreState(rule, today)) {
    case 'expired':
      return {
        id: 'ignore-expired' satisfies OwnFinding,
        severity: 'high',
        title: `the ignore of ${subject} expired on ${rule.expires}`,
        advice: 'fix what it accepts and remove it, or give it a new day and a reason that still holds',
      } as const
    case 'too-long':
      return {
        id: 'ignore-too-long' satisfies OwnFinding,
        severity: 'high',
        title: `the ignore of ${subject} holds until ${rule.expires}, more than 365 days ahead, and does not count`,
        advice: 'give it a nearer day',
      } as const
    case 'in-force':
      return isUnmatched
        ? ({
            id: 'ignore-unmatched' satisfies OwnFinding,
            severity: 'low',
            title: `the ignore of ${subject} matches nothing in ${layer}`,
            advice: `remove it, or take ${layer} from its layers`,
          } as const)
        : undefined
  }
}

function accepted(judged: readonly Judged[]): readonly string[] {
  const amounts = new Map<string, number>()
  for (const { acceptedBy } of judged)
    if (acceptedBy !== undefined) amounts.set(acceptedBy, (amounts.get(acceptedBy) ?? 0) + 1)
  return [...amounts]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([name, amount]) => `accepted by ${name}: ${count(amount, 'finding')}`)
}

/** What has gone stale in ignore files: one line a file, since each is read by several gates. */
function aboutFiles(
  ignores: readonly IgnoreRule[],
  unmatched: readonly IgnoreRule[],
  { today, layer }: Policy,
): readonly string[] {
  const lines = (rules: readonly IgnoreRule[], one: string, many: string) =>
    [
      ...Map.groupBy(
        rules.filter((rule) => rule.of === 'file'),
        ({ file }) => file,
      ),
    ].map(([file, found]) => {
      const names = found.slice(0, listed).map(({ id, line }) => oneLine(id) + (line ? ` (line ${line})` : ''))
      const more = found.length > listed ? ` and ${found.length - listed} more` : ''
      const what = `${count(found.length, 'entry', 'entries')} of ${shownPath(file)} ${found.length === 1 ? one : many}`
      return `${what}: ${names.join(', ')}${more}`
    })
  const expired = ignores.filter((rule) => ignoreState(rule, today) === 'expired')
  return [
    ...lines(expired, 'has expired and does not count', 'have expired and do not count'),
    ...lines(unmatched, `matches nothing in ${layer}`, `match nothing in ${layer}`),
  ]
}

function stale(findings: readonly Finding[], { baseline, layer }: Policy): readonly string[] {
  const found = new Set(findings.map((finding) => `${finding.layer} ${finding.fingerprint}`))
  const left = baseline?.entries.filter((entry) => entry.layer === layer && !found.has(`${layer} ${entry.fingerprint}`))
  if (!left?.length) return []
  const what = `${count(left.length, 'entry', 'entries')} of ${baselineFile} ${left.length === 1 ? 'matches' : 'match'}`
  return [`${what} nothing any more: dwf scan baseline --prune`]
}
