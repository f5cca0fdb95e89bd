import type { Finding } from '../types.ts'
import { cycloneDx } from './cyclonedx.ts'
import { JsonValue } from './json.ts'
import { nameKeys } from './names.ts'
import { openVex } from './openvex.ts'
import { parsePurl, purlMatches } from './purl.ts'
import type { VexStatement } from './types.ts'

/**
 * An OpenVEX (0.2.0 and what came before) or CycloneDX (1.4 to 1.7) document, as JSON → its statements, one for each
 * product. A file that is neither, or damaged, is a located `Failure` (wrong-input).
 */
export function readVex(file: string, text: string): readonly VexStatement[] {
  const document = JsonValue.parse(file, text)
  const context = document.get('@context')
  if (typeof context.value === 'string' && context.value.startsWith('https://openvex.dev/ns'))
    return openVex(file, document)
  if (document.get('bomFormat').value === 'CycloneDX') return cycloneDx(file, document)
  throw document.wrong(
    'neither OpenVEX nor CycloneDX',
    'an OpenVEX document has "@context": "https://openvex.dev/ns/v0.2.0", a CycloneDX one "bomFormat": "CycloneDX"',
  )
}

/**
 * The statement that says a finding is none; undefined where there is none, or where it is not later than every one that
 * says otherwise. Of two that contradict each other and have the same time, or none, nobody knows which one holds.
 */
export function vexFinder(statements: readonly VexStatement[]): (finding: Finding) => Acquittal | undefined {
  const byName = new Map<string, VexStatement[]>()
  for (const statement of statements) {
    for (const name of nameKeys(statement)) {
      const same = byName.get(name)
      if (same) same.push(statement)
      else byName.set(name, [statement])
    }
  }
  return (finding) => {
    const about = nameKeys(finding)
      .flatMap((name) => byName.get(name) ?? [])
      .filter((statement) => matches(statement, finding))
    const against = about.filter((statement) => !isAcquittal(statement))
    return about.filter(isAcquittal).find(({ at }) => against.every((other) => isLater(at, other.at)))
  }
}

const isLater = (at: number | undefined, other: number | undefined): boolean =>
  at !== undefined && other !== undefined && at > other

type Acquittal = VexStatement & { readonly status: 'not_affected' | 'fixed' }

const isAcquittal = (statement: VexStatement): statement is Acquittal =>
  statement.status === 'not_affected' || statement.status === 'fixed'

/**
 * Whether a statement is about a finding: one of its names, and its package by package URL. A statement without a
 * product matches nothing: an acquittal must name what it is about, or one line would acquit every package there is.
 */
export function matches(statement: VexStatement, finding: Finding): boolean {
  if (statement.purl === undefined || !purlMatches(statement.purl, finding.where.purl)) return false
  if (statement.image !== undefined && !isImage(statement.image, finding.where.image)) return false
  const names = new Set(nameKeys(finding))
  return nameKeys(statement).some((name) => names.has(name))
}

/** `pkg:oci/shop@sha256:…` is the image localhost/dwf/shop:ci, if its reference tells the digest. */
function isImage(wanted: string, image: string | undefined): boolean {
  const purl = parsePurl(wanted)
  const [reference = '', digest] = (image ?? '').split('@')
  const name = reference.split('/').at(-1)!.split(':')[0]!.toLowerCase()
  return (
    purl !== undefined && name === purl.name.toLowerCase() && (purl.version === undefined || purl.version === digest)
  )
}
