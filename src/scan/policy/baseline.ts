import { baselineFile, type ScanLayer, scanLayers } from '../../config/commands.ts'
import { byCodeUnit } from '../../util/text.ts'
import { dayOf } from '../../util/units.ts'
import { oneLine, shownPath } from '../text.ts'
import type { Decision, LayerResult } from '../types.ts'
import { JsonValue } from './json.ts'
import { isNeverBaselined } from './names.ts'
import { ownFindings } from './own.ts'
import type { Baseline, BaselineEntry } from './types.ts'

const schema = 'dwf.baseline/1'

/** A gate that was run. One that is broken did not see everything: nothing is taken for gone because of it. */
export type JudgedLayer = Pick<LayerResult, 'layer' | 'verdict' | 'decisions'>

/** Strict: a key or a value that is not understood is a located `Failure` (wrong-input), never an entry less. */
export function readBaseline(text: string, file: string = baselineFile): Baseline {
  const document = JsonValue.parse(file, text)
  document.get('schema').oneOf([schema])
  document.only(['schema', 'since', 'entries'])
  const since = document.get('since')
  const seen = new Set<string>()
  const entries = document
    .get('entries')
    .items()
    .map((item) => {
      item.only(['fingerprint', 'layer', 'id', 'where', 'since'])
      const entry: BaselineEntry = {
        fingerprint: item.get('fingerprint').string(),
        layer: item.get('layer').oneOf<ScanLayer>(scanLayers),
        id: item.get('id').string(),
        where: item.get('where').string(),
        since: day(item.get('since')),
      }
      if (seen.has(keyOf(entry))) throw item.get('fingerprint').wrong('it is in the file twice')
      seen.add(keyOf(entry))
      return entry
    })
  return { ...(since.isAbsent ? {} : { since: day(since) }), entries }
}

function day(value: JsonValue): string {
  const found = dayOf(value.string())
  if (found === undefined)
    throw value.wrong(`expected a day such as 2027-03-31, found ${JSON.stringify(value.string())}`)
  return found
}

/**
 * The text of a baseline that accepts everything that refuses now and may be lived with, and keeps what is in it and
 * still found. Entries of layers that were not judged stay as they are.
 */
export function writeBaseline(old: Baseline | undefined, judged: readonly JudgedLayer[], today: string): string {
  const known = new Map(old?.entries.map((entry) => [keyOf(entry), entry]))
  const taken = judged
    .flatMap(({ decisions }) => decisions)
    .filter((decision) => decision.refuses && !isOwn(decision) && !isNeverBaselined(decision.finding))
    .map(({ finding: { fingerprint, layer, id, where } }): BaselineEntry => {
      const name = where.package === undefined ? '' : ` ${where.package}`
      // A text that a scanner left empty would not be read again.
      const entry = { fingerprint, layer, id: oneLine(id) || '?', where: oneLine(shownPath(where.file) + name) || '?' }
      return { ...entry, since: known.get(keyOf(entry))?.since ?? today }
    })
  const never = new Set(
    judged.flatMap(({ decisions }) =>
      decisions.flatMap(({ finding }) => (isNeverBaselined(finding) ? [keyOf(finding)] : [])),
    ),
  )
  const kept = (old?.entries ?? []).filter((entry) => !isGone(entry, judged) && !never.has(keyOf(entry)))
  return textOf(old?.since ?? today, [...kept, ...taken])
}

/** The text of the baseline without the entries of these layers that nothing was found for. It adds none. */
export function pruneBaseline(old: Baseline, judged: readonly JudgedLayer[]): string {
  return textOf(
    old.since,
    old.entries.filter((entry) => !isGone(entry, judged)),
  )
}

/** An entry that something else accepts by now is still found: it stays until the finding goes. */
function isGone(entry: BaselineEntry, judged: readonly JudgedLayer[]): boolean {
  const results = judged.filter(({ layer }) => layer === entry.layer)
  return (
    results.length > 0 &&
    results.every(
      ({ verdict, decisions }) =>
        verdict !== 'broken' && decisions.every(({ finding }) => keyOf(finding) !== keyOf(entry)),
    )
  )
}

function isOwn({ finding: { scanner, id } }: Decision): boolean {
  return scanner === 'dwf' && ownFindings.some((own) => own === id)
}

/** Sorted, and one member a line, so that a difference shows what was added. */
function textOf(since: string | undefined, entries: readonly BaselineEntry[]): string {
  const sorted = [...new Map(entries.map((entry) => [keyOf(entry), entry])).values()].sort(
    (a, b) =>
      byCodeUnit(a.layer, b.layer) ||
      byCodeUnit(a.where, b.where) ||
      byCodeUnit(a.id, b.id) ||
      byCodeUnit(a.fingerprint, b.fingerprint),
  )
  return `${JSON.stringify({ schema, ...(since === undefined ? {} : { since }), entries: sorted.map(members) }, undefined, 2)}\n`
}

/** In the order in which they are written. */
const members = ({ fingerprint, layer, id, where, since }: BaselineEntry): BaselineEntry => {
  return { fingerprint, layer, id, where, since }
}

const keyOf = ({ layer, fingerprint }: Pick<BaselineEntry, 'layer' | 'fingerprint'>): string =>
  `${layer} ${fingerprint}`
