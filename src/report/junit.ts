import { mergeFindings } from '../scan/merge.ts'
import { count } from '../scan/text.ts'
import type { LayerResult, MergedFinding, ScanDocument } from '../scan/types.ts'
import { findingText, isoTime, placeText, scannerText } from './text.ts'
import { type Element, xmlDocument } from './xml.ts'

/**
 * The document for whatever shows test results: a suite for each gate, a case for each finding of it. What refuses is a
 * failure, what was let pass is skipped and says why, a gate that could not look is an error.
 */
export function junit(document: ScanDocument): string {
  const suites = document.layers.map(suite)
  const sum = (key: string) => suites.reduce((total, { attributes = {} }) => total + Number(attributes[key]), 0)
  return xmlDocument({
    name: 'testsuites',
    attributes: {
      name: `dwf scan of ${document.project}`,
      tests: sum('tests'),
      failures: sum('failures'),
      errors: sum('errors'),
      skipped: sum('skipped'),
      time: seconds(document.layers.reduce((total, { ms }) => total + ms, 0)),
      timestamp: timestamp(document.at),
    },
    children: suites,
  })
}

function suite(layer: LayerResult): Element {
  const className = `scan:${layer.layer}`
  const name = namer()
  const cases = mergeFindings(layer.decisions).map((finding) => findingCase(className, name(finding), finding))
  const broken = layer.verdict === 'broken'
  if (broken) cases.unshift(brokenCase(className, layer))
  // Consumers take a suite without cases for one that did not run.
  if (cases.length === 0)
    cases.push({
      name: 'testcase',
      attributes: { classname: className, name: 'no findings', time: seconds(layer.ms) },
      children: [{ name: 'system-out', children: [layer.summary] }],
    })
  const outcomes = cases.map(({ children = [] }) => children.map((child) => (child as Element).name))
  const having = (outcome: string) => outcomes.filter((names) => names.includes(outcome)).length
  return {
    name: 'testsuite',
    attributes: {
      name: className,
      tests: cases.length,
      failures: having('failure'),
      errors: having('error'),
      skipped: having('skipped'),
      time: seconds(layer.ms),
      timestamp: timestamp(layer.scannedAt),
    },
    children: [properties(layer), ...cases],
  }
}

function properties(layer: LayerResult): Element {
  const rows: readonly (readonly [string, string])[] = [
    ['verdict', layer.verdict],
    ['summary', layer.summary],
    ['limit', layer.limit],
    ['scanners', scannerText(layer)],
    ['subjects', layer.subjects.join(', ')],
    ['database', layer.database ?? ''],
    ['cached', String(layer.isCached)],
  ]
  return {
    name: 'properties',
    children: rows
      .filter(([, value]) => value !== '')
      .map(([name, value]) => ({ name: 'property', attributes: { name, value } })),
  }
}

function brokenCase(className: string, layer: LayerResult): Element {
  return {
    name: 'testcase',
    attributes: { classname: className, name: 'the gate could look', time: seconds(layer.ms) },
    children: [
      { name: 'error', attributes: { message: layer.summary, type: 'gate-broken' }, children: [...layer.lines] },
    ],
  }
}

function findingCase(className: string, name: string, finding: MergedFinding): Element {
  const { refuses, severity, places } = finding
  const first = places[0]!
  // Only a file of the repository can be opened.
  const file = first.where.image === undefined && first.where.file !== '.' ? first.where : undefined
  const details = [
    ...places.map((place) => `${placeText(place.where)}: ${place.says} [${place.fingerprint}]`),
    ...(finding.advice ? [finding.advice] : []),
    ...finding.references,
  ]
  const says = [...new Set(places.map((place) => place.says))].join('; ')
  const message = says.startsWith(severity) ? says : `${severity}: ${says}`
  return {
    name: 'testcase',
    attributes: { classname: className, name, time: '0.000', file: file?.file, line: file?.line },
    children: refuses
      ? [{ name: 'failure', attributes: { message, type: severity }, children: details }]
      : [
          { name: 'skipped', attributes: { message } },
          { name: 'system-out', children: details },
        ],
  }
}

/** Consumers tell cases apart by class and name: a second one of the same name is numbered. */
function namer(): (finding: MergedFinding) => string {
  const seen = new Map<string, number>()
  return (finding) => {
    const { places } = finding
    const more = places.length > 1 ? ` and ${count(places.length - 1, 'more place')}` : ''
    const name = `${findingText(finding)} (${placeText(places[0]!.where)}${more})`
    const nth = (seen.get(name) ?? 0) + 1
    seen.set(name, nth)
    return nth === 1 ? name : `${name} #${nth}`
  }
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3)

/** The schemas for JUnit's XML want no zone and no fractions. */
const timestamp = (at: number): string | undefined => isoTime(at)?.slice(0, 19)
