import { baseLost, conflict, foreign, keptDeleted } from './messages.ts'
import { normalised } from './text.ts'
import { differInPinsOnly, threeWay } from './three-way.ts'
import type { Merged, MergeInput } from './types.ts'

/** What becomes of a generated file. Pure. */
export function mergeFile(input: MergeInput): Merged {
  const { path, current, next, isRecorded } = input
  if (current === undefined) return ofMissing(input)
  const base = isRecorded && input.baseIsWhole ? input.base : undefined
  // Without a base, a file that has only other pins than dwf's text is dwf's: nobody changed a line of it.
  if (base === undefined && !differInPinsOnly(current, next)) {
    if (!isRecorded) return { kind: 'foreign', path, diagnostics: [foreign(path)] }
    if (input.prefer === undefined) {
      return { kind: 'base-lost', path, diagnostics: [baseLost(path, input.base === undefined)] }
    }
  }
  const merged = threeWay({
    path,
    base: base ?? (input.prefer === 'dwf' ? current : next),
    current,
    next,
    rules: input.pins ?? {},
    prefer: input.prefer,
  })
  if (merged.conflicts) {
    const diagnostics = merged.conflicts.map((one) => conflict(path, current, one))
    return { kind: 'conflict', path, conflicts: merged.conflicts, diagnostics }
  }
  const { text, nextBase, pins, diagnostics } = merged
  if (!isRecorded && text !== current) return { kind: 'foreign', path, diagnostics: [foreign(path)] }
  const isEdited = normalised(text) !== nextBase
  const kind = text === current ? 'unchanged' : isEdited ? 'merged' : 'updated'
  return { kind, path, text, isEdited, nextBase, pins, diagnostics }
}

/** A base text says that the file was there: without it, a file that is missing is one to be written. */
function ofMissing({ path, isRecorded, base, next }: MergeInput): Merged {
  if (isRecorded && base !== undefined) return { kind: 'kept-deleted', path, diagnostics: [keptDeleted(path)] }
  return { kind: 'created', path, text: next, isEdited: false, nextBase: next, pins: [], diagnostics: [] }
}
