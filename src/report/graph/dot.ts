import { visible } from '../text.ts'
import { drawnEdges, stateLook } from './edges.ts'
import type { Graph, GraphTask } from './types.ts'

/** A graph for Graphviz: `dot -Tsvg`. Nodes are numbered, and ids only stand in quoted labels. */
export function dot(graph: Graph): string {
  return [
    'digraph {',
    `  label=${quoted(graph.title)}`,
    '  labelloc="t"',
    '  rankdir="LR"',
    '  node [shape="box", style="rounded,filled", fillcolor="#ffffff", fontname="monospace"]',
    ...graph.tasks.map((task, index) => `  n${index} [${attributes(task)}]`),
    ...drawnEdges(graph).map(({ from, to, kind }) => `  n${from} -> n${to}${arrows[kind]}`),
    '}',
  ].join('\n')
}

const arrows = {
  needs: '',
  after: ' [style="dashed"]',
  'on-failure': ' [style="dotted", label="on failure"]',
} as const

const tones = {
  good: ['#e6f5ec', '#17693b'],
  bad: ['#fdebef', '#9d1437'],
  warn: ['#fdf0db', '#7a4a00'],
  busy: ['#e9f2fb', '#24588f'],
  quiet: ['#f6f6f4', '#5b5f68'],
} as const

function attributes(task: GraphTask): string {
  const look = stateLook(task)
  const [fill, line] = look ? tones[look.tone] : []
  return [
    `label=${quoted(`${task.id}${look ? ` ${look.sign} ${look.word}` : ''}`)}`,
    ...(task.kind === 'gate' ? ['shape="hexagon"'] : task.kind === 'handler' ? ['shape="ellipse"'] : []),
    ...(fill ? [`fillcolor="${fill}"`, `color="${line}"`, `fontcolor="${line}"`] : []),
  ].join(', ')
}

/**
 * A string in double quotes, in which only `\"` and `\\` are escapes of the language; a backslash of a label would begin
 * one of its own (`\N`, `\l`), and `&` an entity of HTML (graphviz.org, "The DOT Language", escString).
 */
const quoted = (text: string): string =>
  `"${visible(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('&', '&amp;')}"`
