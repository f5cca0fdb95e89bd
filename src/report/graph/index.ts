import { unreachable } from '../../util/diagnostics.ts'
import { ascii, type Paint } from './ascii.ts'
import { dot } from './dot.ts'
import { graphHtml } from './html.ts'
import { graphJson } from './json.ts'
import { mermaid } from './mermaid.ts'
import type { Graph, GraphFormat } from './types.ts'

export type { Paint } from './ascii.ts'
export { graphJson } from './json.ts'
export { type Graph, type GraphFormat, type GraphTask, graphFormats } from './types.ts'

/** A graph as text, without an end of line after the last one. `paint` and `width` are for ascii. */
export function drawGraph(
  graph: Graph,
  format: GraphFormat,
  { paint, width }: { readonly paint?: Paint; readonly width?: number | undefined } = {},
): string {
  switch (format) {
    case 'ascii':
      return ascii(graph, paint, width)
    case 'mermaid':
      return mermaid(graph)
    case 'dot':
      return dot(graph)
    case 'html':
      return graphHtml(graph).trimEnd()
    case 'json':
      return JSON.stringify(graphJson(graph), undefined, 2)
    default:
      return unreachable(format)
  }
}
