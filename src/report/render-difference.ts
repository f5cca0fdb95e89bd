import { count } from '../scan/text.ts'
import type { Component, MergedFinding } from '../scan/types.ts'
import { listing } from '../util/text.ts'
import type { Change, ComponentChange, NotCompared, ScanDifference } from './difference.ts'
import { findingText, placeText, timeText, visible } from './text.ts'

/** The difference for a terminal or a log, a line each, without colours. */
export function renderDifference(difference: ScanDifference): readonly string[] {
  const { first, second, findings, components, notCompared } = difference
  const changes = components.changed
  return [
    `${runText(first)} → ${runText(second)}`,
    ...notCompared.map(notComparedText),
    `findings: ${findings.new.length} new, ${findings.fixed.length} fixed, ${findings.changed.length} changed, ${findings.same} as before`,
    ...findings.new.map((finding) => `  + ${findingLine(finding, finding.refuses ? 'refuses' : 'passes')}`),
    ...findings.fixed.map((finding) => `  - ${findingLine(finding)}`),
    ...findings.changed.map(
      ({ finding, changes: list }) => `  ~ ${findingLine(finding)}: ${list.map(changeText).join('; ')}`,
    ),
    `components: ${components.added.length} added, ${components.removed.length} removed, ${changes.length} changed`,
    ...components.added.map((component) => `  + ${componentText(component)}${licences(component)}`),
    ...components.removed.map((component) => `  - ${componentText(component)}`),
    ...changes.map((change) => `  ~ ${componentChangeText(change)}`),
  ]
}

function runText({ run, at, commit }: ScanDifference['first']): string {
  return visible(`run ${run} (${timeText(at)}${commit === undefined ? '' : `, commit ${commit.slice(0, 12)}`})`)
}

function notComparedText({ layer, subject, missing, why, findings }: NotCompared): string {
  const lack = why === 'broken' ? 'could not look' : 'did not scan it'
  const other = missing === 'first' ? 'new' : 'fixed'
  const left =
    findings === 0
      ? ''
      : `; ${count(findings, 'finding')} of the other ${findings === 1 ? 'is' : 'are'} not counted as ${other}`
  return visible(`not compared: scan:${layer} of ${subject}, the ${missing} run ${lack}${left}`)
}

function findingLine(finding: MergedFinding, decision?: string): string {
  const places = finding.places.map(({ where }) => placeText(where))
  const shown = places.length > 3 ? [...places.slice(0, 3), count(places.length - 3, 'more place')] : places
  return `${finding.severity} ${findingText(finding)} (${listing(shown)})${decision ? `, ${decision}` : ''}`
}

const changeText = ({ what, from, to }: Change): string => visible(`${what} ${from} → ${to}`)

const componentText = ({ name, version, ...place }: Component): string =>
  visible(`${name} ${version} (${placeText(place)})`)

const licences = ({ licenses }: Component): string =>
  licenses.length === 0 ? '' : `, ${licenses.map(visible).join(', ')}`

function componentChangeText({ component, what, from, to }: ComponentChange): string {
  const { name, version, ...place } = component
  const subject = what === 'version' ? name : `${name} ${version}: licences`
  return visible(`${subject} ${from} → ${to} (${placeText(place)})`)
}
