import { createHash } from 'node:crypto'
import { readTemplate, renderTemplate } from '../../scaffold/template.ts'
import { short, visible } from '../text.ts'
import { drawnEdges, stateLook } from './edges.ts'
import { layoutOf, type Point } from './layout.ts'
import type { Graph, GraphTask } from './types.ts'

const template = 'graph.html.hbs'

/** Width of a character of the labels, and what is beside them, in pixels. */
const characterWidth = 7.9
const boxPadding = 34
/** Longer ids are cut in the drawing; the list below it has them whole. */
const shownLength = 48

/** The graph as one page that needs nothing else: no script, no network, no other file. */
export function graphHtml(graph: Graph): string {
  const labels = graph.tasks.map((task) => `${short(task.id, shownLength)}`)
  const layout = layoutOf(graph, (task) => Math.round([...labels[task]!].length * characterWidth + boxPadding))
  const { width, height } = layout
  return renderTemplate(template, {
    policy: policy(),
    title: visible(graph.title),
    facts: factsOf(graph),
    width: String(width),
    height: String(height),
    ways: layout.ways.map(({ edge, points }) => ({ kind: edge.kind, path: pathOf(points) })),
    boxes: graph.tasks.map((task, index) => {
      const { x, y, width: boxWidth, height: boxHeight } = layout.boxes[index]!
      return {
        ...toneOf(task),
        x: String(x),
        y: String(y),
        width: String(boxWidth),
        height: String(boxHeight),
        round: task.kind === 'handler' ? String(boxHeight / 2) : task.kind === 'gate' ? '0' : '7',
        signX: String(x + 11),
        labelX: String(x + 26),
        labelY: String(y + boxHeight / 2 + 4.5),
        label: labels[index]!,
        whole: `${visible(task.id)}: ${wordOf(task)}`,
      }
    }),
    tasks: graph.tasks.map((task) => ({
      ...toneOf(task),
      id: visible(task.id),
      kind: visible(task.kind),
      needs: [...task.needs, ...(task.after ?? [])].map(visible).join(', '),
    })),
    hasStates: graph.tasks.some(({ state }) => state !== undefined),
  })
}

function factsOf(graph: Graph): string {
  const [tasks, edges] = [graph.tasks.length, drawnEdges(graph).length]
  return `${tasks} ${tasks === 1 ? 'task' : 'tasks'}, ${edges} ${edges === 1 ? 'edge' : 'edges'}`
}

function toneOf(task: GraphTask) {
  const look = stateLook(task)
  return {
    tone: look?.tone ?? 'plain',
    sign: look?.sign ?? (task.kind === 'gate' ? '◆' : task.kind === 'handler' ? '◇' : '○'),
    word: look ? visible(look.word) : '',
  }
}

const wordOf = (task: GraphTask): string => toneOf(task).word || visible(task.kind)

/** Curves from point to point that begin and end level. */
function pathOf([start, ...others]: readonly Point[]): string {
  let last = start!
  let text = `M${last.x} ${last.y}`
  for (const point of others) {
    const middle = (last.x + point.x) / 2
    text += last.y === point.y ? `H${point.x}` : `C${middle} ${last.y} ${middle} ${point.y} ${point.x} ${point.y}`
    last = point
  }
  return text
}

let known: string | undefined

/** Nothing is allowed but the style of the template, by its hash. */
function policy(): string {
  known ??= [
    "default-src 'none'",
    `style-src 'sha256-${createHash('sha256').update(styleText()).digest('base64')}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  return known
}

/** No mustache stands in it, so what the template has is what the page has. */
function styleText(): string {
  const [found, ...others] = [...readTemplate(template).matchAll(/<style>([\s\S]*?)<\/style>/g)]
  if (!found || others.length > 0) throw new Error(`${template} has not exactly one style`)
  return found[1]!
}
