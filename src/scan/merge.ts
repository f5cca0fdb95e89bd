import { canonicalJson } from '../util/canonical.ts'
import { byCodeUnit } from '../util/text.ts'
import { isVulnerability, nameKey, nameKeys } from './policy/names.ts'
import { byDecision, byPlace, bySeverity } from './policy/order.ts'
import { purlType } from './policy/purl.ts'
import { severities } from './severity.ts'
import type { Decision, FindingSeverity, MergedFinding } from './types.ts'

type Place = MergedFinding['places'][number]

/**
 * Decisions as a person reads them. The same vulnerability of the same package is one finding over layers, files,
 * images and scanners; anything else is one over scanners. The order of the decisions changes nothing.
 */
export function mergeFindings(decisions: readonly Decision[]): readonly MergedFinding[] {
  const sorted = [...decisions].sort(byDecision)
  const vulnerabilities = Map.groupBy(
    sorted.filter(({ finding }) => isVulnerability(finding)),
    ({ finding: { where } }) => JSON.stringify([where.package, purlType(where.purl)]),
  )
  const others = Map.groupBy(
    sorted.filter(({ finding }) => !isVulnerability(finding)),
    ({ finding: { id, layer, where } }) =>
      JSON.stringify([id, where.image, where.file, where.line, layer, where.package, where.version]),
  )
  return [...[...vulnerabilities.values()].flatMap(sameNames), ...others.values()].map(merged).sort(byMerged)
}

/** Parts decisions about one package into those of one vulnerability each: they share a name, or a third joins them. */
function sameNames(decisions: readonly Decision[]): readonly (readonly Decision[])[] {
  const ids = new Set(decisions.map(({ finding }) => nameKey(finding.id)))
  // An advisory of a distribution is about many vulnerabilities: that two have it in common makes them not the same.
  const joins = (name: string) => ids.has(name) || /^(CVE|GHSA)-/.test(name)
  const parents = new Map<string, string>()
  const root = (name: string): string => {
    let at = name
    for (let up = parents.get(at); up !== undefined; up = parents.get(at)) at = up
    return at
  }
  for (const { finding } of decisions) {
    for (const name of nameKeys(finding).filter(joins)) {
      const [from, to] = [root(name), root(nameKey(finding.id))]
      if (from !== to) parents.set(from, to)
    }
  }
  return [...Map.groupBy(decisions, ({ finding }) => root(nameKey(finding.id))).values()]
}

/** `decisions` are in their whole order, so that the first speaks for the rest where only one can. */
function merged(decisions: readonly Decision[]): MergedFinding {
  const findings = decisions.map(({ finding }) => finding)
  const first = findings[0]!
  // What everybody calls a CVE is looked up by that name.
  const id = distinct(findings.map((finding) => finding.id)).sort(
    (a, b) => Number(isCve(b)) - Number(isCve(a)) || byCodeUnit(a, b),
  )[0]!
  const fixes = distinct(findings.flatMap(({ fixedIn = '' }) => fixedVersions(fixedIn))).sort(byCodeUnit)
  const advice = findings.find((finding) => finding.advice !== undefined)?.advice
  const places = placesOf(decisions)
  return {
    id,
    aliases: aliasesOf(
      id,
      findings.flatMap((finding) => [finding.id, ...(finding.aliases ?? [])]),
    ),
    severity: worst(findings.map(({ severity }) => severity)),
    title: findings.find(({ title }) => title !== '')?.title ?? '',
    ...(first.where.package === undefined ? {} : { package: first.where.package }),
    ...(fixes.length === 0 ? {} : { fixedIn: findings.length === 1 ? first.fixedIn! : fixes.join(', ') }),
    ...(advice === undefined ? {} : { advice }),
    references: distinct(findings.flatMap(({ references }) => references)),
    refuses: places.some(({ refuses }) => refuses),
    fingerprint: places.map(({ fingerprint }) => fingerprint).sort(byCodeUnit)[0]!,
    places,
  }
}

/** The versions of `4.17.21, 5.0.1`. */
export function fixedVersions(fixedIn: string): readonly string[] {
  return fixedIn
    .split(',')
    .map((version) => version.trim())
    .filter((version) => version !== '')
}

function placesOf(decisions: readonly Decision[]): readonly Place[] {
  const same = Map.groupBy(decisions, ({ finding }) =>
    canonicalJson([finding.layer, finding.where, finding.fingerprint]),
  )
  const places = [...same.values()].map((found): Place => {
    // The first refuses if any of them does.
    const { finding, refuses, rule, says } = found[0]!
    return {
      layer: finding.layer,
      scanners: distinct(found.map((decision) => decision.finding.scanner)).sort(byCodeUnit),
      where: finding.where,
      refuses,
      rule,
      says,
      fingerprint: finding.fingerprint,
    }
  })
  return places.sort(
    (a, b) =>
      Number(b.refuses) - Number(a.refuses) ||
      byCodeUnit(a.layer, b.layer) ||
      byPlace(a.where, b.where) ||
      byCodeUnit(a.fingerprint, b.fingerprint) ||
      byCodeUnit(canonicalJson(a), canonicalJson(b)),
  )
}

function aliasesOf(id: string, names: readonly string[]): readonly string[] {
  const spellings = new Map<string, string>()
  for (const name of [...names].sort(byCodeUnit)) if (!spellings.has(nameKey(name))) spellings.set(nameKey(name), name)
  spellings.delete(nameKey(id))
  return [...spellings.values()]
}

function byMerged(a: MergedFinding, b: MergedFinding): number {
  return (
    Number(b.refuses) - Number(a.refuses) ||
    bySeverity(a.severity, b.severity) ||
    byCodeUnit(a.id, b.id) ||
    byCodeUnit(a.package ?? '', b.package ?? '') ||
    byPlace(a.places[0]!.where, b.places[0]!.where) ||
    byCodeUnit(canonicalJson(a), canonicalJson(b))
  )
}

function worst(found: readonly FindingSeverity[]): FindingSeverity {
  return severities.find((severity) => found.includes(severity))!
}

const isCve = (id: string): boolean => /^CVE-/i.test(id)
const distinct = <T>(items: readonly T[]): T[] => [...new Set(items)]
