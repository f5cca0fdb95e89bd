import { createHash } from 'node:crypto'
import { readTemplate, renderTemplate } from '../scaffold/template.ts'
import type { ScanDocument } from '../scan/types.ts'
import type { HistoryEntry } from './history.ts'
import { historyView } from './html-history.ts'
import { pageView } from './html-view.ts'

const template = 'report.html.hbs'

/**
 * The document as one page that needs nothing else: no network, no other file, and no script to be read whole.
 * @param history earlier runs, in any order; this run is added where it is not among them
 */
export function html(document: ScanDocument, history: readonly HistoryEntry[] = []): string {
  return renderTemplate(template, { ...pageView(document), history: historyView(document, history), policy: policy() })
}

let known: string | undefined

/** Nothing is allowed but the style and the script of the template, by their hashes. */
function policy(): string {
  known ??= [
    "default-src 'none'",
    `style-src ${hashOf('style')}`,
    `script-src ${hashOf('script')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return known
}

/** No mustache stands in either, so what the template has is what the page has. */
function hashOf(element: 'style' | 'script'): string {
  const found = [...readTemplate(template).matchAll(new RegExp(`<${element}>([^]*?)</${element}>`, 'g'))]
  if (found.length !== 1) throw new Error(`${template} has ${found.length} elements ${element}, not one`)
  return `'sha256-${createHash('sha256').update(found[0]![1]!).digest('base64')}'`
}
