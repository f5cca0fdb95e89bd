import type { Severity } from '../config/types.ts'
import { byCodeUnit, listing } from '../util/text.ts'
import { fixedVersions, mergeFindings } from './merge.ts'
import { isVulnerability } from './policy/names.ts'
import { purlType } from './policy/purl.ts'
import { upgradeOf } from './policy/upgrade.ts'
import { count, oneLine, shownPath } from './text.ts'
import type { Decision, Finding, FindingPlace, MergedFinding } from './types.ts'

/** More are counted, not listed. */
const listed = 200

/** More places of one thing are counted. */
const placesListed = 3

/** The parts of a gate's findings, each merged by itself: what is accepted in one file may refuse in another. */
export interface Parts {
  readonly refused: readonly MergedFinding[]
  readonly below: readonly MergedFinding[]
  /** They pass because no version fixes them. */
  readonly unfixed: readonly MergedFinding[]
  readonly accepted: readonly MergedFinding[]
}

export function partsOf(decisions: readonly Decision[]): Parts {
  const part = (isIn: (decision: Decision) => boolean) => mergeFindings(decisions.filter(isIn))
  const passes = ({ refuses, rule }: Decision, ...kinds: readonly string[]) => !refuses && kinds.includes(rule.kind)
  return {
    refused: part(({ refuses }) => refuses),
    below: part((decision) => passes(decision, 'limit', 'unknown-severity')),
    unfixed: part((decision) => passes(decision, 'no-fix')),
    accepted: part((decision) => passes(decision, 'ignore', 'vex', 'suppressed', 'baseline')),
  }
}

/**
 * Findings for people: those that refuse first, worst first, vulnerabilities by package with the version that cures
 * them, others by file; what is accepted comes last, with its reason. Each line is one line and drives no terminal.
 * @param others how many that do not refuse are listed, at the most
 */
export function findingTable(decisions: readonly Decision[], limit: Severity, others = listed): readonly string[] {
  const { refused, below, unfixed, accepted } = partsOf(decisions)
  const upgrades = upgradesOf(decisions)
  let room = Math.min(listed, refused.length + others)
  const take = (found: readonly MergedFinding[]): readonly MergedFinding[] => {
    const taken = found.slice(0, room)
    room -= taken.length
    return taken
  }
  const section = (heading: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [heading, ...lines.map((line) => `  ${line}`)]
  const lines = [
    ...section('refused', grouped(take(refused), upgrades)),
    ...section(`below the limit ${limit}`, grouped(take(below), upgrades)),
    ...section('without a fix', grouped(take(unfixed), upgrades)),
    ...section('accepted', take(accepted).flatMap(acceptedLines)),
  ]
  const all = [refused, below, unfixed, accepted].reduce((sum, found) => sum + found.length, 0)
  const left = all - Math.min(all, listed, refused.length + others)
  return left > 0 ? [...lines, `… and ${left} more`] : lines
}

/** `CVE-2021-23337 lodash 4.17.20, fixed in 4.17.21: command injection via template (package-lock.json:12)` */
export function findingLine({ id, title, where, fixedIn, advice }: Finding): string {
  const fix = fixedIn ? `, fixed in ${oneLine(fixedIn)}` : ', no fix known'
  const what = where.package === undefined ? '' : ` ${packageOf(where)}${fix}`
  return `${oneLine(id)}${what}: ${oneLine(title)}${adviceOf(advice)} (${placeOf(where)})`
}

type Place = MergedFinding['places'][number]

/** The findings below what they are in: a package, or a file. */
function grouped(found: readonly MergedFinding[], upgrades: Upgrades): readonly string[] {
  const groups = Map.groupBy(found, (finding) => {
    const { layer, where } = finding.places[0]!
    return isVulnerability({ layer, where })
      ? JSON.stringify([where.package, purlType(where.purl)])
      : JSON.stringify([where.image ?? '', where.file, 0])
  })
  return [...groups.values()].flatMap((group) => {
    const { layer, where } = group[0]!.places[0]!
    return isVulnerability({ layer, where }) ? packageLines(group, upgrades) : fileLines(group)
  })
}

/**
 *     lodash 4.17.20 → 4.17.21  package-lock.json:12
 *       critical  CVE-2019-10744  prototype pollution
 */
function packageLines(group: readonly MergedFinding[], upgrades: Upgrades): readonly string[] {
  const places = group.flatMap((finding) => finding.places)
  const versions = [...Map.groupBy(places, ({ where }) => where.version ?? '')].sort(([a], [b]) => byCodeUnit(a, b))
  const headings = versions.map(([, found]) => {
    const { where } = found[0]!
    const upgrade = upgrades(where, new Set(found.map(({ fingerprint }) => fingerprint)))
    return `${packageOf(where)}${upgrade === '' ? ', no fix known' : ` → ${oneLine(upgrade)}`}  ${placesOf(found)}`
  })
  const isCurable = group.some(({ fixedIn }) => fixedIn !== undefined)
  const rows = group.map((finding) => {
    const own = new Set(finding.places.map(({ where }) => where.version ?? ''))
    // With several versions installed, which of them has it.
    const some =
      own.size < versions.length ? ` (${listing([...own].sort(byCodeUnit).map((name) => oneLine(name)))})` : ''
    const prefix = `${finding.package}: `
    const title = finding.title.startsWith(prefix) ? finding.title.slice(prefix.length) : finding.title
    const fix = isCurable && finding.fixedIn === undefined ? ' (no fix known)' : ''
    return [
      finding.severity,
      finding.id,
      `${oneLine(title)}${some}${fix}${adviceOf(finding.advice)}${foundBy(finding)}`,
    ]
  })
  return [...headings, ...table(rows)]
}

/**
 *     docker/Dockerfile
 *       high  DS-0002  line 7: image user should not be root → add USER
 */
function fileLines(group: readonly MergedFinding[]): readonly string[] {
  const rows = group.map((finding) => {
    const { where } = finding.places[0]!
    const line = where.line === undefined ? '' : `line ${where.line}: `
    const name = where.package === undefined ? '' : `${packageOf(where)}: `
    return [
      finding.severity,
      finding.id,
      `${line}${name}${oneLine(finding.title)}${adviceOf(finding.advice)}${foundBy(finding)}`,
    ]
  })
  const { line: _, ...where } = group[0]!.places[0]!.where
  return [placeOf(where), ...table(rows)]
}

/** One line for each reason: the same finding can be accepted in two places for two. */
function acceptedLines(finding: MergedFinding): readonly string[] {
  return [...Map.groupBy(finding.places, ({ says }) => says)].map(([says, places]) => {
    const packages = [
      ...new Set(places.flatMap(({ where }) => (where.package === undefined ? [] : [packageOf(where)]))),
    ]
    const name = packages.length === 0 ? '' : ` ${packages.join(', ')}`
    return `${finding.severity}  ${oneLine(finding.id)}${name} (${placesOf(places)}): ${oneLine(says, 1000)}`
  })
}

/** Severity and id in columns. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const cells = rows.map(([severity = '', id = '', text = '']) => ({ severity, id: oneLine(id, 80), text }))
  const severityWidth = Math.max(...cells.map(({ severity }) => severity.length))
  // One long name of a rule must not push all others aside.
  const idWidth = Math.min(24, Math.max(...cells.map(({ id }) => id.length)))
  return cells.map(({ severity, id, text }) =>
    `  ${severity.padEnd(severityWidth)}  ${id.padEnd(idWidth)}  ${text}`.trimEnd(),
  )
}

function packageOf({ package: name = '', version }: FindingPlace): string {
  return `${oneLine(name)}${version ? ` ${oneLine(version, 80)}` : ''}`
}

/** `package-lock.json:12`, `usr/bin/app in localhost/dwf/shop`. */
function placeOf({ file, line, image }: FindingPlace): string {
  const place = `${shownPath(file)}${line ? `:${line}` : ''}`
  return image === undefined ? place : file === '.' ? shownPath(image) : `${place} in ${shownPath(image)}`
}

function placesOf(places: readonly Place[]): string {
  const all = [...new Set(places.map(({ where }) => placeOf(where)))].sort(byCodeUnit)
  const more = all.length - placesListed
  return `${all.slice(0, placesListed).join(', ')}${more > 0 ? ` and ${count(more, 'more place')}` : ''}`
}

const adviceOf = (advice: string | undefined): string => (advice ? ` → ${oneLine(advice)}` : '')

/** Said where it is news: that two agree. */
function foundBy({ places }: MergedFinding): string {
  const scanners = [...new Set(places.flatMap((place) => place.scanners))].sort(byCodeUnit)
  return scanners.length < 2 ? '' : ` (${listing(scanners.map((name) => oneLine(name, 40)))})`
}

type Upgrades = (where: FindingPlace, fingerprints: ReadonlySet<string>) => string

/** Merged findings no longer know which place has which fix: that is asked of the decisions. */
function upgradesOf(decisions: readonly Decision[]): Upgrades {
  const fixes = Map.groupBy(decisions, ({ finding }) => finding.fingerprint)
  return ({ version, purl }, fingerprints) => {
    const found = [...fingerprints].flatMap((fingerprint) => fixes.get(fingerprint) ?? [])
    const lists = found
      .map(({ finding }) => fixedVersions(finding.fixedIn ?? ''))
      .filter((versions) => versions.length > 0)
    return upgradeOf(version, lists, purlType(purl))
  }
}
