import { drawnEdges, type Edge, levelsOf } from './edges.ts'
import type { Graph } from './types.ts'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Box extends Point {
  readonly width: number
  readonly height: number
}

export interface Layout {
  readonly width: number
  readonly height: number
  /** One for each task. */
  readonly boxes: readonly Box[]
  /** Each way goes from box to box through the free places of the columns between. */
  readonly ways: readonly { readonly edge: Edge; readonly points: readonly Point[] }[]
}

const boxHeight = 34
const rowGap = 14
const columnGap = 72
const margin = 12
/** How often the order within the columns is made better. */
const rounds = 6

/** A place in a column: that of a task, or one where a long edge goes through. */
interface Place {
  readonly task?: number
  readonly width: number
  order: number
  y: number
  readonly before: Place[]
  readonly after: Place[]
}

/** Columns by level, from left to right; in each the order that crosses fewer lines: a task goes where its needs are. */
export function layoutOf(graph: Graph, widthOf: (task: number) => number): Layout {
  const edges = drawnEdges(graph)
  const levels = levelsOf(graph, edges)
  const columns: Place[][] = Array.from({ length: Math.max(0, ...levels) + 1 }, () => [])
  const place = (level: number, task?: number): Place => {
    const made = {
      ...(task === undefined ? {} : { task }),
      width: task === undefined ? 0 : widthOf(task),
      order: columns[level]!.length,
      y: 0,
      before: [],
      after: [],
    }
    columns[level]!.push(made)
    return made
  }
  const places = graph.tasks.map((_, index) => place(levels[index]!, index))
  const ways = edges.map((edge) => ({ edge, through: throughOf(edge, levels, places, place) }))
  for (let round = 0; round < rounds; round++) {
    for (const column of columns) arrange(column, 'before')
    for (const column of [...columns].reverse()) arrange(column, 'after')
  }
  const height = margin * 2 + Math.max(0, ...columns.map(heightOf))
  const lefts: number[] = []
  let x = margin
  for (const column of columns) {
    lefts.push(x)
    let y = (height - heightOf(column)) / 2
    for (const one of column) {
      one.y = y
      y += boxHeight + rowGap
    }
    x += Math.max(0, ...column.map(({ width }) => width)) + columnGap
  }
  const boxes = places.map(({ width, y }, index) => ({ x: lefts[levels[index]!]!, y, width, height: boxHeight }))
  return {
    width: x - columnGap + margin,
    height,
    boxes,
    ways: ways.map(({ edge, through }) => ({ edge, points: pointsOf(edge, through, boxes, levels, lefts, columns) })),
  }
}

const heightOf = (column: readonly Place[]): number => Math.max(0, column.length * (boxHeight + rowGap) - rowGap)

/** A place in each column that an edge passes. */
function throughOf(
  { from, to }: Edge,
  levels: readonly number[],
  places: readonly Place[],
  place: (level: number) => Place,
): readonly Place[] {
  const between: Place[] = []
  let last = places[from]!
  const link = (next: Place) => {
    last.after.push(next)
    next.before.push(last)
    last = next
  }
  for (let level = levels[from]! + 1; level < levels[to]!; level++) {
    const made = place(level)
    between.push(made)
    link(made)
  }
  link(places[to]!)
  return between
}

/** Sorts a column by the middle of its neighbours; what has none stays where it is. */
function arrange(column: Place[], side: 'before' | 'after'): void {
  const middle = new Map(
    column.map((one): [Place, number] => {
      const near = one[side]
      return [one, near.length === 0 ? one.order : near.reduce((sum, { order }) => sum + order, 0) / near.length]
    }),
  )
  column.sort((a, b) => middle.get(a)! - middle.get(b)! || a.order - b.order)
  for (const [order, one] of column.entries()) one.order = order
}

function pointsOf(
  { from, to }: Edge,
  through: readonly Place[],
  boxes: readonly Box[],
  levels: readonly number[],
  lefts: readonly number[],
  columns: readonly (readonly Place[])[],
): readonly Point[] {
  const [start, end] = [boxes[from]!, boxes[to]!]
  const half = boxHeight / 2
  return [
    { x: start.x + start.width, y: start.y + half },
    ...through.flatMap((one, index) => {
      const level = levels[from]! + 1 + index
      const width = Math.max(0, ...columns[level]!.map((other) => other.width))
      return [
        { x: lefts[level]!, y: one.y + half },
        { x: lefts[level]! + width, y: one.y + half },
      ]
    }),
    { x: end.x, y: end.y + half },
  ]
}
