import { oneLine, shownPath } from '../text.ts'
import { type JsonValue, optional } from './json.ts'
import { purlType } from './purl.ts'
import type { VexStatement } from './types.ts'
import { mustBePurl, plain, reasonOf, time } from './vex-values.ts'

type Status = VexStatement['status']
type About = Pick<VexStatement, 'purl' | 'image'>

const openStatuses = ['not_affected', 'fixed', 'affected', 'under_investigation'] as const satisfies readonly Status[]

/** The statements of an OpenVEX document. */
export function openVex(file: string, document: JsonValue): readonly VexStatement[] {
  const by = plain(document.get('author').optionalString())
  const written = time(document.get('timestamp'))
  return document
    .get('statements')
    .items()
    .flatMap((item, index): readonly VexStatement[] => {
      const status = item.get('status').oneOf(openStatuses)
      const at = time(item.get('timestamp')) ?? written
      const reason = reasonOf([item.get('justification'), item.get('impact_statement')])
      const said = { ...names(item.get('vulnerability')), status, ...optional({ reason, by, at }), file }
      const source = `${shownPath(file)}, statement ${index + 1}`
      return productsOf(item).map((about) => ({ ...said, ...about, source }))
    })
}

/** Before 0.2.0 a vulnerability was its name alone. */
function names(vulnerability: JsonValue): Pick<VexStatement, 'id' | 'aliases'> {
  if (typeof vulnerability.value === 'string') return { id: oneLine(vulnerability.string()) }
  const aliases = vulnerability
    .get('aliases')
    .optionalItems()
    .map((alias) => oneLine(alias.string()))
  return { id: oneLine(vulnerability.get('name').string()), ...(aliases.length === 0 ? {} : { aliases }) }
}

/**
 * What a statement is about: its subcomponents where it names some, since the product is then only what holds them. One
 * that names no package URL is kept, about nothing: what it says is read, and matches no finding.
 */
function productsOf(statement: JsonValue): readonly About[] {
  const about = statement
    .get('products')
    .optionalItems()
    .flatMap((product): readonly About[] => {
      const own = productPurl(product)
      const parts = typeof product.value === 'string' ? [] : product.get('subcomponents').optionalItems()
      if (parts.length === 0) return [optional({ purl: own })]
      // Elsewhere the product is the project or some part of it, which no scanner names: only images can be told apart.
      const image = ['oci', 'docker'].includes(purlType(own)) ? own : undefined
      return parts.map((part) => optional({ purl: productPurl(part), image }))
    })
  return about.length === 0 ? [{}] : about
}

/** `identifiers.purl`, else the identifier, which may be any IRI. */
function productPurl(product: JsonValue): string | undefined {
  if (typeof product.value === 'string') return purlOf(product)
  const identifiers = product.get('identifiers')
  const purl = identifiers.isAbsent ? identifiers : identifiers.get('purl')
  if (!purl.isAbsent) return mustBePurl(purl)
  const id = product.get('@id')
  return id.isAbsent ? undefined : purlOf(id)
}

/** Undefined for an identifier of another kind. */
function purlOf(value: JsonValue): string | undefined {
  return /^pkg:/i.test(value.string()) ? mustBePurl(value) : undefined
}
