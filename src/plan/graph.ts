import type { TaskId } from './types.ts'

type Needs = ReadonlyMap<TaskId, readonly TaskId[]>

/** One circle of needs, its first id repeated at the end; undefined when there is none. */
export function findCycle(needs: Needs): readonly TaskId[] | undefined {
  const done = new Set<TaskId>()
  const walk = (id: TaskId, path: readonly TaskId[]): readonly TaskId[] | undefined => {
    const at = path.indexOf(id)
    if (at >= 0) return [...path.slice(at), id]
    if (done.has(id)) return undefined
    for (const need of needs.get(id) ?? []) {
      const found = walk(need, [...path, id])
      if (found) return found
    }
    done.add(id)
    return undefined
  }
  for (const id of needs.keys()) {
    const found = walk(id, [])
    if (found) return found
  }
  return undefined
}

/** What is needed before what needs it, `first` before all; otherwise the order of the map. */
export function inOrder(needs: Needs, first: readonly TaskId[]): readonly TaskId[] {
  const order: TaskId[] = []
  const seen = new Set<TaskId>()
  const visit = (id: TaskId) => {
    if (seen.has(id)) return
    seen.add(id)
    for (const need of needs.get(id) ?? []) visit(need)
    order.push(id)
  }
  for (const id of first) visit(id)
  for (const id of needs.keys()) visit(id)
  return order
}
