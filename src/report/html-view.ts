import { scanLayers } from '../config/commands.ts'
import { mergeFindings } from '../scan/merge.ts'
import { severities } from '../scan/severity.ts'
import { count } from '../scan/text.ts'
import type { Component, LayerResult, MergedFinding, ScanDocument } from '../scan/types.ts'
import { byCodeUnit, listing } from '../util/text.ts'
import { formatDuration } from '../util/units.ts'
import {
  countSeverities,
  isoTime,
  linkOf,
  placeText,
  type Standing,
  scannerText,
  short,
  standingOf,
  standingOfMerged,
  timeText,
  visible,
} from './text.ts'

const groups: readonly { readonly standing: Standing; readonly heading: string; readonly explanation: string }[] = [
  { standing: 'refusing', heading: 'Refusing', explanation: 'Each of these alone fails its gate.' },
  { standing: 'accepted', heading: 'Accepted', explanation: 'Somebody wrote down why these do not count.' },
  { standing: 'let-pass', heading: 'Let pass', explanation: 'Below the limit of their gate, or without a known fix.' },
]

const signs = { passed: '✓', refused: '✕', broken: '!' } as const

/** Everything that the template shows, as text; no text of the document is more than text. */
export function pageView(document: ScanDocument) {
  const { project, commit, run, at, dwf, ok, layers } = document
  const findings = mergeFindings(layers.flatMap(({ decisions }) => decisions))
  const components = componentRows(layers)
  const anchorOf = anchors()
  return {
    title: `${ok ? 'Passed' : 'Not passed'}: scan of ${short(project, 80)}`,
    project: short(project, 120),
    commit: commit === undefined ? '' : short(commit.slice(0, 12), 12),
    run: visible(run),
    at: timeText(at),
    atIso: isoTime(at) ?? '',
    dwf: visible(dwf),
    state: ok ? 'passed' : 'refused',
    sign: ok ? '✓' : '✕',
    verdict: verdictText(document),
    broken: layers
      .filter(({ verdict }) => verdict === 'broken')
      .map(({ layer, summary }) => ({ gate: `scan:${layer}`, summary: visible(summary) })),
    tiles: tiles(findings),
    gates: layers.map(gateView),
    hasFindings: findings.length > 0,
    findingsCount: String(findings.length),
    findingsText: count(findings.length, 'finding'),
    severityFilters: severities.filter((one) => findings.some(({ severity }) => severity === one)),
    gateFilters: scanLayers.filter((one) => findings.some(({ places }) => places.some(({ layer }) => layer === one))),
    standingFilters: groups.map(({ standing, heading }) => ({ standing, heading })),
    groups: groups.flatMap(({ standing, heading, explanation }) => {
      const own = findings.filter((finding) => standingOfMerged(finding) === standing)
      if (own.length === 0) return []
      return [
        {
          standing,
          heading,
          explanation,
          count: String(own.length),
          findings: own.map((one) => findingView(one, anchorOf)),
        },
      ]
    }),
    components,
    hasComponents: components.length > 0,
    componentsText: count(components.length, 'component'),
  }
}

function verdictText({ ok, layers }: ScanDocument): string {
  if (ok) return `${layers.length === 1 ? 'The gate' : `All ${layers.length} gates`} passed`
  const having = (verdict: string) => layers.filter((layer) => layer.verdict === verdict).length
  const parts = [
    ...(having('refused') > 0 ? [`${having('refused')} refused`] : []),
    ...(having('broken') > 0 ? [`${having('broken')} could not look`] : []),
    ...(having('passed') > 0 ? [`${having('passed')} passed`] : []),
  ]
  return parts.length === 0 ? 'No gate ran' : `Of ${count(layers.length, 'gate')} ${listing(parts)}`
}

function tiles(findings: readonly MergedFinding[]) {
  const all = countSeverities(findings)
  const refusing = countSeverities(findings.filter(({ refuses }) => refuses))
  return severities.map((severity) => ({
    severity,
    count: String(all[severity]),
    isNone: all[severity] === 0,
    refusing:
      refusing[severity] === 0 ? 'none refuses' : `${refusing[severity]} refuse${refusing[severity] === 1 ? 's' : ''}`,
  }))
}

function gateView(layer: LayerResult) {
  const findings = mergeFindings(layer.decisions)
  const counts = countSeverities(findings)
  return {
    gate: `scan:${layer.layer}`,
    verdict: layer.verdict,
    sign: signs[layer.verdict],
    summary: visible(layer.summary),
    limit: visible(layer.limit),
    hasFindings: findings.length > 0,
    counts: severities
      .filter((severity) => counts[severity] > 0)
      .map((severity) => ({ severity, count: String(counts[severity]) })),
    subjects: layer.subjects.map(visible).join(', '),
    scanners: scannerText(layer),
    database: visible(layer.database ?? ''),
    isCached: layer.isCached,
    scannedAt: timeText(layer.scannedAt),
    took: formatDuration(layer.ms),
    lines: layer.lines.map(visible),
    hasLines: layer.lines.length > 0,
    linesText: count(layer.lines.length, 'remark'),
  }
}

function findingView(finding: MergedFinding, anchorOf: (fingerprint: string) => string) {
  const { places, fixedIn, advice, aliases } = finding
  const versions = [...new Set(places.flatMap(({ where }) => where.version ?? []))]
  const links = finding.references.map((text) => ({ text: visible(text), href: linkOf(text) ?? '' }))
  return {
    severity: finding.severity,
    standing: standingOfMerged(finding),
    gates: [...new Set(places.map(({ layer }) => layer))].join(' '),
    id: visible(finding.id),
    title: visible(finding.title),
    package: visible(finding.package ?? ''),
    versions: versions.map(visible).join(', '),
    fixedIn: visible(fixedIn ?? ''),
    hasNoFix: finding.package !== undefined && !fixedIn && !advice,
    advice: visible(advice ?? ''),
    aliases: aliases.map(visible).join(', '),
    references: links,
    hasMore: aliases.length > 0 || links.length > 0,
    places: places.map((place) => ({
      anchor: anchorOf(place.fingerprint),
      gate: `scan:${place.layer}`,
      file: placeText({ ...place.where, image: undefined }),
      image: visible(place.where.image ?? ''),
      version: visible(place.where.version ?? ''),
      scanners: place.scanners.map(visible).join(', '),
      standing: standingOf(place),
      says: visible(place.says),
    })),
  }
}

/** Where a link to a finding leads. A page has a name only once, whatever a document that was read has. */
function anchors(): (fingerprint: string) => string {
  const seen = new Set<string>()
  return (fingerprint) => {
    if (seen.has(fingerprint)) return ''
    seen.add(fingerprint)
    return `finding-${visible(fingerprint)}`
  }
}

/** One row for each component in each place, whichever gates told of it. */
function componentRows(layers: readonly LayerResult[]) {
  const all = layers.flatMap(({ components }) => components)
  const rows = Map.groupBy(all, ({ name, version, file, image = '' }) => JSON.stringify([name, version, file, image]))
  return [...rows.values()]
    .map((same) => ({ component: same[0]!, licenses: [...new Set(same.flatMap(({ licenses }) => licenses))] }))
    .sort((a, b) => byComponent(a.component, b.component))
    .map(({ component, licenses }) => ({
      name: visible(component.name),
      version: visible(component.version),
      licenses: licenses.map(visible).join(', ') || 'not known',
      isUnlicensed: licenses.length === 0,
      where: placeText(component),
    }))
}

function byComponent(a: Component, b: Component): number {
  return (
    byCodeUnit(a.name.toLowerCase(), b.name.toLowerCase()) ||
    byCodeUnit(a.name, b.name) ||
    byCodeUnit(a.version, b.version) ||
    byCodeUnit(a.image ?? '', b.image ?? '') ||
    byCodeUnit(a.file, b.file)
  )
}
