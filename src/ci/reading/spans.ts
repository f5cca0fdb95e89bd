import { placesOf } from '../../scan/rules/places.ts'
import type { Span } from '../../util/diagnostics.ts'

/** What is marked where nobody knows the end: a quoted text, an expression, or the rest of a word. */
const word = /"[^"\n]{0,200}"|'[^'\n]{0,200}'|\$\{\{[^\n}]{0,200}\}\}|[^\s,[\]{}]{1,200}/y

/** Spans of offsets in one text, none longer than its line. Lines are cut once, not for each span. */
export function spansOf(file: string, text: string): (at: number, end?: number) => Span {
  const places = placesOf(text)
  const lines = text.split('\n')
  return (at, end) => {
    const { line, column } = places(at)
    const content = lines[line - 1]!.replace(/\r$/, '')
    word.lastIndex = at
    const length = end === undefined ? (word.exec(text)?.[0].replace(/:$/, '').length ?? 1) : end - at
    const endColumn = Math.max(column + 1, Math.min(column + length, content.length + 1))
    return { file, line, column, endColumn, text: content }
  }
}
