import { oneLine, shownPath } from '../text.ts'
import { type JsonValue, optional } from './json.ts'
import { parsePurl } from './purl.ts'
import type { VexStatement } from './types.ts'
import { mustBePurl, plain, reasonOf, time } from './vex-values.ts'

type Status = VexStatement['status']

const cycloneStates = {
  not_affected: 'not_affected',
  false_positive: 'not_affected',
  resolved: 'fixed',
  resolved_with_pedigree: 'fixed',
  exploitable: 'affected',
  affected: 'affected',
  in_triage: 'under_investigation',
} as const satisfies Readonly<Record<string, Status>>

/** What the vulnerabilities of a CycloneDX document say about components. */
export function cycloneDx(file: string, document: JsonValue): readonly VexStatement[] {
  const version = document.get('specVersion')
  version.oneOf(['1.4', '1.5', '1.6', '1.7'])
  const metadata = document.get('metadata')
  const components = componentPurls(document, metadata)
  const by = metadata.isAbsent ? undefined : authorOf(metadata)
  const written = metadata.isAbsent ? undefined : time(metadata.get('timestamp'))
  return document
    .get('vulnerabilities')
    .optionalItems()
    .flatMap((item, index): readonly VexStatement[] => {
      const analysis = item.get('analysis')
      // A list of vulnerabilities that nobody has judged yet.
      if (analysis.isAbsent || analysis.get('state').isAbsent) return []
      const status = cycloneStates[analysis.get('state').oneOf(Object.keys(cycloneStates) as State[])]
      const at = time(analysis.get('lastUpdated')) ?? time(analysis.get('firstIssued')) ?? written
      const reason = reasonOf([analysis.get('justification'), analysis.get('detail')])
      const aliases = item
        .get('references')
        .optionalItems()
        .map((reference) => oneLine(reference.get('id').string()))
      const said = {
        id: oneLine(item.get('id').string()),
        ...(aliases.length === 0 ? {} : { aliases }),
        status,
        ...optional({ reason, by, at }),
        file,
        source: `${shownPath(file)}, vulnerability ${index + 1}`,
      }
      const about = item
        .get('affects')
        .optionalItems()
        .flatMap((affected) => affectedPurls(affected, document, components))
      return (about.length === 0 ? [undefined] : about).map((purl) => ({ ...said, ...optional({ purl }) }))
    })
}

type State = keyof typeof cycloneStates

/** `bom-ref` → package URL, of the components at every depth and of what the document is about. */
function componentPurls(document: JsonValue, metadata: JsonValue): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const left = [...document.get('components').optionalItems()]
  const root = metadata.isAbsent ? metadata : metadata.get('component')
  if (!root.isAbsent) left.push(root)
  for (let component = left.pop(); component !== undefined; component = left.pop()) {
    const ref = component.get('bom-ref').optionalString()
    const purl = component.get('purl')
    if (ref !== undefined && found.has(ref)) throw component.get('bom-ref').wrong('it is in the document twice')
    if (ref !== undefined && !purl.isAbsent) found.set(ref, mustBePurl(purl))
    for (const inner of component.get('components').optionalItems()) left.push(inner)
  }
  return found
}

/** `undefined` stands for a product that the document does not name by package URL. */
function affectedPurls(
  affected: JsonValue,
  document: JsonValue,
  components: ReadonlyMap<string, string>,
): readonly (string | undefined)[] {
  const ref = affected.get('ref')
  const link = /^urn:cdx:([^#/]+)(?:\/[^#]*)?#(.*)$/i.exec(ref.string())
  const serial = String(document.get('serialNumber').value ?? '').replace(/^urn:uuid:/i, '')
  const name = link ? decoded(link[2]!, ref) : ref.string()
  // What another document calls by a name may be called otherwise in this one.
  const isHere = !link || (serial !== '' && link[1]!.toLowerCase() === serial.toLowerCase())
  const purl = (isHere ? components.get(name) : undefined) ?? (parsePurl(name) ? name : undefined)
  const versions = affected.get('versions').optionalItems()
  const bare = purl === undefined ? undefined : parsePurl(purl)
  if (versions.length === 0 || purl === undefined || bare === undefined) return [purl]
  // The list says of each version by itself whether it is affected, and does where it says nothing. A range acquits
  // nothing: the ecosystems do not agree on what is in it.
  return versions
    .filter((entry) => entry.get('status').value === 'unaffected')
    .flatMap((entry) => {
      const version = entry.get('version').optionalString()
      if (version === undefined || (bare.version !== undefined && bare.version !== version)) return [undefined]
      return [bare.version === undefined ? withVersion(purl, version) : purl]
    })
}

function withVersion(purl: string, version: string): string {
  const end = purl.search(/[?#]|$/)
  return `${purl.slice(0, end)}@${encodeURIComponent(version)}${purl.slice(end)}`
}

function decoded(text: string, from: JsonValue): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw from.wrong('the percent-encoding is damaged')
  }
}

function authorOf(metadata: JsonValue): string | undefined {
  const author = metadata.get('authors').optionalItems()[0]?.get('name')
  if (author && !author.isAbsent) return plain(author.string())
  const supplier = metadata.get('supplier')
  return supplier.isAbsent ? undefined : plain(supplier.get('name').optionalString())
}
