import { type ScanLayer, scanLayers } from '../config/commands.ts'
import { withoutImage } from '../scan/fingerprint.ts'
import { mergeFindings } from '../scan/merge.ts'
import type { Component, Decision, MergedFinding, ScanDocument } from '../scan/types.ts'
import { byCodeUnit } from '../util/text.ts'
import { type Coverage, coverageOf, subjectOf } from './coverage.ts'

/** What is another than it was, in the words that a person reads. */
export interface Change {
  readonly what: 'severity' | 'version' | 'fix' | 'decision'
  readonly from: string
  readonly to: string
}

export interface FindingChange {
  /** As it is in the second document. */
  readonly finding: MergedFinding
  readonly changes: readonly Change[]
}

export interface ComponentChange {
  readonly component: Component
  readonly what: 'version' | 'licences'
  readonly from: string
  readonly to: string
}

/** A layer, or one image of it, that only one of the documents judged. */
export interface NotCompared {
  readonly layer: ScanLayer
  /** `repository`, or the name of an image. */
  readonly subject: string
  /** The document that did not judge it. */
  readonly missing: 'first' | 'second'
  readonly why: 'not-scanned' | 'broken'
  /** Merged findings of the other document, which are neither new nor fixed. */
  readonly findings: number
}

export interface ScanDifference {
  readonly first: Pick<ScanDocument, 'run' | 'at' | 'commit' | 'ok'>
  readonly second: Pick<ScanDocument, 'run' | 'at' | 'commit' | 'ok'>
  readonly notCompared: readonly NotCompared[]
  readonly findings: {
    readonly new: readonly MergedFinding[]
    readonly fixed: readonly MergedFinding[]
    readonly changed: readonly FindingChange[]
    /** Places whose findings are as they were. */
    readonly same: number
  }
  readonly components: {
    readonly added: readonly Component[]
    readonly removed: readonly Component[]
    readonly changed: readonly ComponentChange[]
  }
}

/**
 * What became of the findings and components of one document in another one. A finding is fixed only where the second
 * document judged what the first had found it in: the same layer, of the same subject, with the same scanner.
 */
export function difference(a: ScanDocument, b: ScanDocument): ScanDifference {
  const [before, after] = [coverageOf(a), coverageOf(b)]
  const [first, second] = [decisionsOf(a), decisionsOf(b)]
  const gone = [...first].filter(([key]) => !second.has(key)).map(([, decision]) => decision)
  const come = [...second].filter(([key]) => !first.has(key)).map(([, decision]) => decision)
  const both = [...second].flatMap(([key, decision]) => (first.has(key) ? [[first.get(key)!, decision] as const] : []))
  const pairs = both.map(([from, to]) => ({ decision: to, changes: changesOf(from, to) }))
  const changed = pairs.filter(({ changes }) => changes.length > 0)
  return {
    first: about(a),
    second: about(b),
    notCompared: notCompared(before, after, gone, come),
    findings: {
      new: mergeFindings(come.filter((decision) => before.judged(decision.finding, after))),
      fixed: mergeFindings(gone.filter((decision) => after.judged(decision.finding, before))),
      changed: mergeChanges(changed),
      same: pairs.length - changed.length,
    },
    components: componentDifference(a, b, before, after),
  }
}

const about = ({ run, at, commit, ok }: ScanDocument) => ({ run, at, ok, ...(commit === undefined ? {} : { commit }) })

/**
 * The fingerprint knows neither the line nor the version. Which image it is says the subject: two images that are compared
 * with each other are one subject, whatever they are called.
 */
function decisionsOf({ layers }: ScanDocument): ReadonlyMap<string, Decision> {
  const decisions = layers.flatMap((layer) => layer.decisions)
  return new Map(
    decisions.map((decision) => {
      const { layer, where, fingerprint } = decision.finding
      return [JSON.stringify([layer, subjectOf(where), withoutImage(fingerprint)]), decision]
    }),
  )
}

function changesOf(from: Decision, to: Decision): readonly Change[] {
  const rows: readonly (readonly [Change['what'], string, string])[] = [
    ['severity', from.finding.severity, to.finding.severity],
    ['version', from.finding.where.version ?? 'none', to.finding.where.version ?? 'none'],
    ['fix', from.finding.fixedIn || 'none', to.finding.fixedIn || 'none'],
    ['decision', decisionText(from), decisionText(to)],
  ]
  const changes = rows.filter(([, a, b]) => a !== b).map(([what, a, b]) => ({ what, from: a, to: b }))
  // The sentence of the limit has the severity in it, which has been said then.
  const isSaid = changes.some(({ what }) => what === 'severity') && from.refuses === to.refuses
  const byLimit = from.rule.kind === 'limit' && to.rule.kind === 'limit'
  return changes.filter(({ what }) => what !== 'decision' || !(isSaid && byLimit))
}

const decisionText = ({ refuses, says }: Decision): string => `${refuses ? 'refuses' : 'passes'} (${says})`

/** What changed in the same way in several places of one finding is one line. */
function mergeChanges(
  changed: readonly { readonly decision: Decision; readonly changes: readonly Change[] }[],
): readonly FindingChange[] {
  const alike = Map.groupBy(changed, ({ changes }) => JSON.stringify(changes))
  return [...alike.values()].flatMap((group) =>
    mergeFindings(group.map(({ decision }) => decision)).map((finding) => ({ finding, changes: group[0]!.changes })),
  )
}

function notCompared(
  before: Coverage,
  after: Coverage,
  gone: readonly Decision[],
  come: readonly Decision[],
): readonly NotCompared[] {
  const rows = (missing: NotCompared['missing']): readonly NotCompared[] => {
    const [lacks, has, decisions] = missing === 'first' ? [before, after, come] : [after, before, gone]
    return has.subjects().flatMap(({ layer, subject, name }) => {
      const why = lacks.lack(layer, subject)
      if (why === undefined) return []
      const own = decisions.filter(({ finding }) => finding.layer === layer && subjectOf(finding.where) === subject)
      return [{ layer, subject: name, missing, why, findings: mergeFindings(own).length }]
    })
  }
  const order = (row: NotCompared) => scanLayers.indexOf(row.layer)
  return [...rows('first'), ...rows('second')].sort((a, b) => order(a) - order(b) || byCodeUnit(a.subject, b.subject))
}

/** A component at one place, by version, with the licences that each layer knows of it. */
type Versions = ReadonlyMap<
  string,
  { readonly component: Component; readonly licenses: ReadonlyMap<ScanLayer, string> }
>

function componentsOf({ layers }: ScanDocument): ReadonlyMap<string, Versions> {
  const places = new Map<string, Map<string, { component: Component; licenses: Map<ScanLayer, string> }>>()
  for (const { layer, components } of layers) {
    for (const component of components) {
      const type = /^pkg:([^/]+)\//.exec(component.purl ?? '')?.[1] ?? ''
      const key = JSON.stringify([subjectOf(component), component.file, type, component.name])
      const versions = places.get(key) ?? new Map()
      places.set(key, versions)
      const entry = versions.get(component.version) ?? { component, licenses: new Map() }
      versions.set(component.version, entry)
      entry.licenses.set(layer, [...component.licenses].sort(byCodeUnit).join(', ') || 'not known')
    }
  }
  return places
}

function componentDifference(
  a: ScanDocument,
  b: ScanDocument,
  before: Coverage,
  after: Coverage,
): ScanDifference['components'] {
  const [first, second] = [componentsOf(a), componentsOf(b)]
  const added: Component[] = []
  const removed: Component[] = []
  const changed: ComponentChange[] = []
  for (const key of new Set([...first.keys(), ...second.keys()])) {
    const [from, to] = [first.get(key) ?? new Map(), second.get(key) ?? new Map()] as readonly [Versions, Versions]
    const gone = [...from].filter(([version]) => !to.has(version)).map(([, entry]) => entry)
    const come = [...to].filter(([version]) => !from.has(version)).map(([, entry]) => entry)
    if (gone.length === 1 && come.length === 1) {
      const [one, other] = [gone[0]!.component, come[0]!.component]
      changed.push({ component: other, what: 'version', from: one.version, to: other.version })
    } else {
      removed.push(...gone.filter((entry) => sees(after, entry)).map(({ component }) => component))
      added.push(...come.filter((entry) => sees(before, entry)).map(({ component }) => component))
    }
    for (const [version, { component, licenses }] of to) {
      for (const [layer, now] of licenses) {
        const then = from.get(version)?.licenses.get(layer)
        if (then === undefined || then === now) continue
        changed.push({ component, what: 'licences', from: then, to: now })
        break
      }
    }
  }
  return {
    added: added.sort(byComponent),
    removed: removed.sort(byComponent),
    changed: changed.sort((x, y) => byComponent(x.component, y.component) || byCodeUnit(x.what, y.what)),
  }
}

/** A component is gone only where a layer that told of it looked again. */
function sees(
  coverage: Coverage,
  { component, licenses }: { component: Component; licenses: ReadonlyMap<ScanLayer, string> },
) {
  return [...licenses.keys()].some((layer) => coverage.lack(layer, subjectOf(component)) === undefined)
}

function byComponent(a: Component, b: Component): number {
  return (
    byCodeUnit(a.name, b.name) ||
    byCodeUnit(a.image ?? '', b.image ?? '') ||
    byCodeUnit(a.file, b.file) ||
    byCodeUnit(a.version, b.version)
  )
}
