import { visible } from '../text.ts'
import { drawnEdges, type StateLook, stateLook } from './edges.ts'
import type { Graph, GraphTask } from './types.ts'

/** Text in one of the colours of a state, or as it is. */
export type Paint = (tone: StateLook['tone'], text: string) => string

/** The line down from a task to those that need it. */
interface Lane {
  readonly task: number
  readonly all: number
  /** Those that are not drawn yet. */
  left: number
}

type Lanes = readonly (Lane | undefined)[]

/**
 * One row a task, what is needed above what needs it, and lines from one to the other:
 *
 *     ○ setup:fetch@node
 *     │
 *     ○ setup:deps@node
 *     ├─○ build:debug@node
 *     └─○ test:unit@node
 *
 * @param width cuts what is too long for it
 */
export function ascii(graph: Graph, paint: Paint = (_, text) => text, width?: number): string {
  const needed: number[][] = graph.tasks.map(() => [])
  const needing = graph.tasks.map(() => 0)
  // A handler has no place in the order: who calls it is said in words.
  for (const { from, to } of drawnEdges(graph).filter(({ kind }) => kind !== 'on-failure')) {
    needed[to]!.push(from)
    needing[from]!++
  }
  const lines = [cut(visible(graph.title), width), '']
  const lanes: (Lane | undefined)[] = []
  for (const [index, task] of graph.tasks.entries()) {
    const own = lanes.flatMap((lane, column) => (lane && needed[index]!.includes(lane.task) ? [column] : []))
    const isBelow = own.length === 1 && lanes[own[0]!]!.all === 1
    const column = isBelow ? own[0]! : freeColumn(lanes, own)
    if (isBelow) lines.push(lanes.map((lane) => (lane ? '│' : ' ')).join(' '))
    for (const one of own) lanes[one]!.left--
    const before = draw(lanes, isBelow ? [] : own, column)
    const look = stateLook(task)
    const sign = look?.sign ?? signOf(task)
    const text = cut(textOf(task, look), width === undefined ? undefined : width - before.length - 1)
    lines.push(
      `${before.slice(0, 2 * column)}${look ? paint(look.tone, sign) : sign}${before.slice(2 * column + 1)} ${text}`,
    )
    for (const one of own) if (lanes[one]!.left === 0) lanes[one] = undefined
    if (needing[index]! > 0) lanes[column] = { task: index, all: needing[index]!, left: needing[index]! }
    while (lanes.length > 0 && lanes.at(-1) === undefined) lanes.pop()
  }
  return lines.join('\n')
}

/** The first one to the right of all that the task needs. */
function freeColumn(lanes: Lanes, own: readonly number[]): number {
  let column = (own.at(-1) ?? -1) + 1
  while (lanes[column] !== undefined) column++
  return column
}

/** The row of a task with a blank for its sign: two characters a column, the last one without its gap. */
function draw(lanes: Lanes, own: readonly number[], column: number): string {
  const first = own[0] ?? column
  let text = ''
  for (let at = 0; at < Math.max(lanes.length, column + 1); at++) {
    const isInside = at >= first && at < column
    if (at === column) text += ' '
    else if (own.includes(at)) text += joint(lanes[at]!.left === 0, at === first)
    else text += lanes[at] ? '│' : isInside ? '─' : ' '
    text += isInside ? '─' : ' '
  }
  return text.slice(0, -1)
}

const joint = (ends: boolean, isFirst: boolean): string => (ends ? (isFirst ? '└' : '┴') : isFirst ? '├' : '┼')

const signOf = ({ kind }: GraphTask): string => (kind === 'gate' ? '◆' : kind === 'handler' ? '◇' : '○')

function textOf({ id, kind, onFailure }: GraphTask, look: StateLook | undefined): string {
  const notes = [
    ...(kind === 'gate' || kind === 'handler' ? [kind] : []),
    ...(onFailure === undefined ? [] : [`on failure: ${visible(onFailure)}`]),
    ...(look ? [visible(look.word)] : []),
  ]
  return `${visible(id)}${notes.length > 0 ? `  ${notes.join(', ')}` : ''}`
}

function cut(text: string, most: number | undefined): string {
  const characters = [...text]
  return most === undefined || characters.length <= most
    ? text
    : `${characters.slice(0, Math.max(8, most) - 1).join('')}…`
}
