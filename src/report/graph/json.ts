import { levelsOf } from './edges.ts'
import type { Graph } from './types.ts'

/** The graph for other programs; `level` is how many tasks have to come before, one after the other. */
export function graphJson(graph: Graph) {
  const levels = levelsOf(graph)
  return {
    schema: 'dwf.graph/1',
    title: graph.title,
    tasks: graph.tasks.map((task, index) => ({ ...task, level: levels[index]! })),
  }
}
