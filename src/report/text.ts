import { shownPath } from '../scan/text.ts'
import type { FindingPlace, FindingSeverity, LayerResult, MergedFinding, Rule } from '../scan/types.ts'

/**
 * Text of a document on one line, with everything visible that moves a cursor or turns the direction of reading. The
 * scanners' texts are so already; a document that was read from a file may hold anything.
 */
export function visible(text: string): string {
  return shownPath(text.toWellFormed()).replaceAll('\u061c', '\\u061c')
}

/** `visible`, and no longer than `limit`. */
export function short(text: string, limit: number): string {
  const line = visible(text)
  return line.length <= limit ? line : `${line.slice(0, limit - 1).toWellFormed()}…`
}

/** `short` for a message of SARIF, in which `[text](target)` would be a link. */
export const sarifText = (text: string, limit: number): string => short(text, limit).replaceAll('](', '] (')

/** `2026-11-22 07:31 UTC`. */
export function timeText(at: number): string {
  const iso = isoTime(at)
  return iso === undefined ? 'an unknown time' : `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
}

/** ISO 8601 in UTC; undefined for what is no time, or in a year that other programs cannot read. */
export function isoTime(at: number): string | undefined {
  const date = new Date(at)
  const iso = Number.isNaN(date.getTime()) ? '' : date.toISOString()
  return /^\d{4}-/.test(iso) ? iso : undefined
}

/** `package-lock.json:12`, `usr/lib/libc.so in shop:1`. */
export function placeText({
  file,
  image,
  line,
}: Pick<FindingPlace, 'file' | 'line'> & { readonly image?: string | undefined }): string {
  const place = `${file}${line === undefined ? '' : `:${line}`}`
  if (image === undefined) return visible(place)
  return visible(file === '.' ? image : `${place} in ${image}`)
}

/** `CVE-2021-23337 lodash, fixed in 4.17.21: command injection`. */
export function findingText(finding: Pick<MergedFinding, 'id' | 'package' | 'fixedIn' | 'title'>): string {
  const { id, package: name, fixedIn, title } = finding
  return visible(`${id}${name === undefined ? '' : ` ${name}`}${fixedIn ? `, fixed in ${fixedIn}` : ''}: ${title}`)
}

/** The scanners of a gate: `trivy 0.76.0, semgrep 1.2.3`. */
export function scannerText({ scanners }: LayerResult): string {
  return scanners.map(({ name, version }) => visible(`${name} ${version}`.trim())).join(', ')
}

/** What became of a finding: `accepted` by somebody who says why, or `let-pass` by a limit. */
export type Standing = 'refusing' | 'accepted' | 'let-pass'

const accepting: ReadonlySet<Rule['kind']> = new Set(['ignore', 'vex', 'suppressed', 'baseline'])

export function standingOf(decision: { readonly refuses: boolean; readonly rule: Rule }): Standing {
  if (decision.refuses) return 'refusing'
  return accepting.has(decision.rule.kind) ? 'accepted' : 'let-pass'
}

/** Of all places together: what refuses in one place refuses. */
export function standingOfMerged(finding: MergedFinding): Standing {
  if (finding.refuses) return 'refusing'
  return finding.places.some((place) => standingOf(place) === 'accepted') ? 'accepted' : 'let-pass'
}

/** An address that may become a link, in its normal form; undefined for every other text. */
export function linkOf(reference: string): string | undefined {
  if (!/^https?:\/\/[^/]/i.test(reference)) return undefined
  const url = URL.parse(reference)
  // Whoever writes an address with a user in it wants it to look like another one.
  if (url?.username !== '' || url.password !== '') return undefined
  // What browsers take is more than what RFC 3986 calls a URI.
  const [before, ...after] = url.href
    .replace(/[^\w\-.~:/?#@!$&'()*+,;=%]/g, (char) => encodeURIComponent(char))
    .replace(/%(?![0-9a-f]{2})/gi, '%25')
    .split('#')
  return after.length === 0 ? before : `${before}#${after.join('%23')}`
}

export type Counts = Readonly<Record<FindingSeverity, number>>

export function countSeverities(findings: readonly { readonly severity: FindingSeverity }[]): Counts {
  const counts = { critical: 0, unknown: 0, high: 0, medium: 0, low: 0 }
  for (const { severity } of findings) counts[severity]++
  return counts
}
