import type { ScanLayer } from '../config/commands.ts'
import { imageRepository } from '../scan/image-name.ts'
import { severities } from '../scan/severity.ts'
import type { Decision, Finding, FindingPlace, FindingSeverity } from '../scan/types.ts'
import { markdown, markdownLink } from './markdown.ts'
import { linkOf, sarifText, short, standingOf, visible } from './text.ts'

/** GitHub's own steps: over 9.0 critical, from 7.0 high, from 4.0 medium. Nothing is said where nobody knows. */
const scores: Readonly<Record<FindingSeverity, string | undefined>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
  low: '2.0',
  unknown: undefined,
}

/** Unknown refuses like the worst. */
const levels: Readonly<Record<FindingSeverity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  unknown: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
}

const kinds: Readonly<Record<ScanLayer, string>> = {
  deps: 'VulnerablePackage',
  image: 'ImageFinding',
  config: 'Misconfiguration',
  secrets: 'Secret',
  licenses: 'License',
  code: 'CodeFinding',
}

/**
 * The rules of a run, one for each id. A rule has one severity: the worst of its findings.
 * `indexOf(undefined)` is the rule for a gate that could not look.
 */
export function rulesOf(decisions: readonly Decision[], hasBroken: boolean) {
  const groups = new Map<string, Finding[]>()
  for (const { finding } of decisions) {
    const id = ruleId(finding)
    const group = groups.get(id)
    if (group) group.push(finding)
    else groups.set(id, [finding])
  }
  const rules = [...(hasBroken ? [gateRule] : []), ...[...groups].map(([id, findings]) => rule(id, findings))]
  const indexes = new Map(rules.map(({ id }, index) => [id, index]))
  return {
    rules,
    indexOf: (finding: Finding | undefined) => indexes.get(finding ? ruleId(finding) : gateRule.id)!,
  }
}

/** GitHub wants none of the required texts empty. */
const ruleId = ({ id }: Finding): string => short(id, 255) || 'unnamed'

const gateRule = {
  id: 'dwf-gate-broken',
  name: 'GateBroken',
  shortDescription: { text: 'A gate could not look' },
  fullDescription: { text: 'A gate that did not look at everything is a failure: nothing was passed.' },
  help: { text: 'See the log of the gate for what could not be looked at; dwf doctor says what this machine lacks.' },
  defaultConfiguration: { level: 'error' },
  properties: { tags: ['security', 'gate'] },
}

function rule(id: string, findings: readonly Finding[]) {
  const first = findings[0]!
  const severity = severities.find((one) => findings.some((finding) => finding.severity === one))!
  const score = scores[severity]
  const title = sarifText(first.title, 1024) || id
  const aliases = [...new Set(findings.flatMap((finding) => finding.aliases ?? []))].slice(0, 20)
  const references = [...new Set(findings.flatMap((finding) => finding.references))].slice(0, 10)
  const link = references.map(linkOf).find((reference) => reference !== undefined)
  const advice = [...new Set(findings.flatMap((finding) => finding.advice ?? []))].slice(0, 5)
  const also = aliases.length > 0 ? `Also called ${aliases.join(', ')}.` : undefined
  const lines = [also, ...advice].filter((line) => line !== undefined)
  return {
    id,
    name: kinds[first.layer],
    shortDescription: { text: title },
    fullDescription: { text: sarifText([title, ...lines].join(' · '), 1024) },
    help: {
      text: [title, ...lines, ...references].map((line) => sarifText(line, 1024)).join('\n'),
      markdown: [
        markdown(title, 1024),
        ...lines.map((line) => markdown(line, 1024)),
        references.map((reference) => `- ${markdownLink(reference, reference)}`).join('\n'),
      ]
        .filter((part) => part !== '')
        .join('\n\n'),
    },
    ...(link === undefined ? {} : { helpUri: link }),
    defaultConfiguration: { level: levels[severity] },
    properties: {
      tags: ['security', first.layer, severity],
      precision: first.where.package === undefined ? 'high' : 'very-high',
      ...(score === undefined ? {} : { 'security-severity': score }),
    },
  }
}

export function resultOf(decision: Decision, ruleIndex: number) {
  const { finding, says } = decision
  const { where, fixedIn, severity, fingerprint } = finding
  return {
    ruleId: ruleId(finding),
    ruleIndex,
    level: levels[severity],
    message: { text: message(decision) },
    locations: [location(where)],
    partialFingerprints: {
      'dwf/v1': visible(fingerprint),
      // The only one that GitHub reads ("SARIF support for code scanning", seen 2026). Its own is made of the line, and
      // all packages of a lock file whose lines nobody knows would be the same alert.
      primaryLocationLineHash: visible(fingerprint),
    },
    ...(standingOf(decision) === 'accepted' ? { suppressions: [suppression(decision)] } : {}),
    properties: {
      severity,
      refuses: decision.refuses,
      says: visible(says),
      ...(where.package === undefined ? {} : { package: visible(where.package) }),
      ...(where.version === undefined ? {} : { version: visible(where.version) }),
      ...(where.purl === undefined ? {} : { purl: visible(where.purl) }),
      ...(fixedIn === undefined ? {} : { fixedIn: visible(fixedIn) }),
    },
  }
}

/** A comment in the file itself is `inSource`; everything else that accepts a finding is written down elsewhere. */
function suppression({ rule, says }: Decision) {
  const isInSource = rule.kind === 'suppressed' && rule.by === 'inline'
  return { kind: isInSource ? 'inSource' : 'external', status: 'accepted', justification: sarifText(says, 2000) }
}

/** The first sentence is what a list of alerts shows. */
function message({ finding, says }: Decision): string {
  const { id, title, where, fixedIn, advice } = finding
  const what = where.package === undefined ? '' : `${`${where.package} ${where.version ?? ''}`.trim()}: `
  const parts = [
    `${what}${title || id}`,
    `${id}${where.image === undefined ? '' : ` in the image ${where.image}`}`,
    ...(fixedIn ? [`Fixed in ${fixedIn}`] : []),
    ...(advice ? [advice] : []),
    says,
  ]
  return parts.map((part) => sarifText(part, 1000).replace(/\.$/, '')).join('. ')
}

/**
 * GitHub shows a result only at a path and a line. What is in an image has neither: like Trivy 0.76 dwf makes a path of the
 * image's name without registry and tag, so that it stays, and of the file in it; the logical place has the whole name.
 */
function location({ file, image, line, column, endLine }: FindingPlace) {
  const region = {
    startLine: line ?? 1,
    ...(column === undefined ? {} : { startColumn: column }),
    ...(endLine === undefined || endLine < (line ?? 1) ? {} : { endLine }),
  }
  if (image === undefined) {
    const uri = file === '.' ? 'devflow.toml' : path(file)
    return { physicalLocation: { artifactLocation: { uri, uriBaseId: '%SRCROOT%' }, region } }
  }
  const uri = path(file === '.' ? imageRepository(image) : `${imageRepository(image)}/${file}`)
  return {
    physicalLocation: { artifactLocation: { uri }, region },
    logicalLocations: [{ fullyQualifiedName: visible(`${image}:${file}`), name: visible(file), kind: 'resource' }],
  }
}

/** A relative URI: no part of it can be read as a scheme, a host or a query. */
function path(file: string): string {
  const parts = file
    .toWellFormed()
    .split('/')
    .filter((part) => part !== '')
  return parts.map((part) => encodeURIComponent(part)).join('/') || 'unnamed'
}
