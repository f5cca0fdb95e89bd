import { type Span, spanAt } from '../util/diagnostics.ts'

/** One element that holds text: the names on the way to it, its text, and where that begins. */
export interface XmlText {
  /** `project/properties/java.version`. */
  readonly path: string
  readonly text: string
  /** Worked out when it is asked for: that costs a walk through the text. */
  readonly where: Span
}

export type XmlResult =
  | { readonly ok: true; readonly texts: readonly XmlText[] }
  | { readonly ok: false; readonly message: string; readonly where: Span }

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * The texts of an XML document, in order. Enough of XML for a pom.xml: elements, comments, CDATA, the five entities.
 * A document type is refused, since the entities that it may define would have to be followed.
 */
export function readXml(file: string, text: string): XmlResult {
  const texts: XmlText[] = []
  const open: string[] = []
  let content = ''
  let start = 0
  let isLeaf = false
  const locate = (offset: number, length: number): Span => {
    const before = text.slice(0, offset)
    return spanAt(file, text, before.split('\n').length, offset - before.lastIndexOf('\n'), Math.max(1, length))
  }
  const fail = (message: string, offset: number): XmlResult => ({ ok: false, message, where: locate(offset, 1) })
  const token =
    /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<(\/?)([^\s<>/!?][^\s<>/]*)((?:"[^"]*"|'[^']*'|[^<>"'])*)>|[^<]+|</y
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [whole, data, closing, name, rest] = match
    if (data !== undefined) content += data
    else if (name === undefined) {
      if (whole === '<')
        return fail(
          text.startsWith('<!DOCTYPE', match.index) ? 'a document type is not allowed here' : 'this is no XML element',
          match.index,
        )
      if (!whole.startsWith('<')) content += whole
    } else if (closing) {
      if (open.at(-1) !== name) return fail(`expected </${open.at(-1) ?? ''}>, found </${name}>`, match.index)
      const trimmed = content.trim()
      if (isLeaf && trimmed !== '' && texts.length < 5000) {
        const offset = start + text.slice(start).search(/\S/)
        const length = trimmed.split('\n')[0]!.length
        texts.push({
          path: open.join('/'),
          text: decode(trimmed),
          get where() {
            return locate(offset, length)
          },
        })
      }
      open.pop()
      isLeaf = false
    } else if (!rest!.endsWith('/')) {
      if (open.length >= 100) return fail('elements are nested more than 100 deep', match.index)
      open.push(name)
      content = ''
      start = token.lastIndex
      isLeaf = true
    }
  }
  return open.length > 0 ? fail(`</${open.at(-1)}> is missing`, text.length) : { ok: true, texts }
}

function decode(text: string): string {
  return text.replace(/&(\w+);/g, (whole, name: string) => (Object.hasOwn(entities, name) ? entities[name]! : whole))
}
