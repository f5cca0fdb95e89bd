import { hunks } from './hunks.ts'
import type { Range } from './regions.ts'
import type { Line } from './uses.ts'

/** In lines that were rewritten, the first use of an action belongs to the first one on the other side, and so on. */
export function partners(lines: readonly Line[], range: Range): (line: Line) => number | undefined {
  const free = new Map<string, number[]>()
  for (let index = range.from; index < range.to; index++) {
    const name = lines[index]!.pin?.name.toLowerCase()
    if (name !== undefined) free.set(name, [...(free.get(name) ?? []), index])
  }
  return (line) => (line.pin ? free.get(line.pin.name.toLowerCase())?.shift() : undefined)
}

/** For each line the one of the others that stands in its place: an equal one, or one that uses the same action. */
export function counterparts(lines: readonly Line[], others: readonly Line[]): readonly (Line | undefined)[] {
  const keys = (list: readonly Line[]): readonly string[] => list.map((line) => line.key)
  const result: (Line | undefined)[] = []
  let at = 0
  const equal = (to: number): void => {
    while (result.length < to) result.push(others[at++])
  }
  for (const { from, to, otherFrom, otherTo } of hunks(keys(lines), keys(others))) {
    equal(from)
    const partner = partners(others, { from: otherFrom, to: otherTo })
    for (const line of lines.slice(from, to)) result.push(others[partner(line) ?? -1])
    at = otherTo
  }
  equal(lines.length)
  return result
}
