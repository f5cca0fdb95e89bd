import { visible } from './text.ts'

/** An element of XML; a string among its children is text. */
export interface Element {
  readonly name: string
  readonly attributes?: Readonly<Record<string, string | number | undefined>>
  readonly children?: readonly (Element | string)[]
}

/** A whole document in UTF-8. */
export function xmlDocument(root: Element): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${render(root, '')}`
}

function render({ name, attributes = {}, children = [] }: Element, indent: string): string {
  const head = Object.entries(attributes)
    .map(([key, value]) => (value === undefined ? '' : ` ${key}="${xml(String(value))}"`))
    .join('')
  if (children.length === 0) return `${indent}<${name}${head}/>\n`
  if (children.every((child) => typeof child === 'string'))
    return `${indent}<${name}${head}>${children.map(xmlLines).join('\n')}</${name}>\n`
  const inner = children.map((child) => (typeof child === 'string' ? xmlLines(child) : render(child, `${indent}  `)))
  return `${indent}<${name}${head}>\n${inner.join('')}${indent}</${name}>\n`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** One line of text. What XML 1.0 cannot hold even as a reference, a control character or half of a pair, is made visible. */
function xml(text: string): string {
  return visible(text)
    .replace(/[\ufffe\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"']/g, (char) => entities[char]!)
}

/** Our own line ends stay. */
const xmlLines = (text: string): string => text.split('\n').map(xml).join('\n')
