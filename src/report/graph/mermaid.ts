import { visible } from '../text.ts'
import { drawnEdges, stateLook } from './edges.ts'
import type { Graph, GraphTask } from './types.ts'

/**
 * A flowchart of Mermaid, as GitHub shows it. Nodes are numbered, and of a label nothing but letters, digits and a few
 * signs stands as it is: the rest are Mermaid's entity codes, `#35;`, which mean text wherever they stand
 * (mermaid.js.org, "Entity codes to escape characters").
 */
export function mermaid(graph: Graph): string {
  const lines = ['---', `title: ${yaml(visible(graph.title))}`, '---', 'flowchart LR']
  for (const [index, task] of graph.tasks.entries()) lines.push(`  n${index}${shape(task)}`)
  for (const { from, to, kind } of drawnEdges(graph)) lines.push(`  n${from} ${arrows[kind]} n${to}`)
  const tones = new Set<string>()
  for (const [index, task] of graph.tasks.entries()) {
    const tone = stateLook(task)?.tone
    if (tone === undefined) continue
    tones.add(tone)
    lines.push(`  class n${index} ${tone}`)
  }
  for (const tone of tones) lines.push(`  classDef ${tone} ${classes[tone]}`)
  return lines.join('\n')
}

const arrows = { needs: '-->', after: '-.->', 'on-failure': '-. on failure .->' } as const

const classes: Readonly<Record<string, string>> = {
  good: 'fill:#e6f5ec,stroke:#17693b,color:#17693b',
  bad: 'fill:#fdebef,stroke:#9d1437,color:#9d1437',
  warn: 'fill:#fdf0db,stroke:#7a4a00,color:#7a4a00',
  busy: 'fill:#e9f2fb,stroke:#24588f,color:#24588f',
  quiet: 'fill:#f6f6f4,stroke:#5b5f68,color:#5b5f68',
}

function shape(task: GraphTask): string {
  const look = stateLook(task)
  const text = `"${label(`${visible(task.id)}${look ? ` ${look.sign} ${visible(look.word)}` : ''}`)}"`
  if (task.kind === 'gate') return `{{${text}}}`
  return task.kind === 'handler' ? `([${text}])` : `[${text}]`
}

const label = (text: string): string =>
  [...text].map((char) => (/[A-Za-z0-9 .:@/=,_-]/.test(char) ? char : `#${char.codePointAt(0)};`)).join('')

/** A string in double quotes of YAML, in ASCII: no line of it can end the front matter. */
const yaml = (text: string): string =>
  `"${text.replace(/[^A-Za-z0-9 .:@/=,_-]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
