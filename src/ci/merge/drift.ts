import { unreachable } from '../../util/diagnostics.ts'
import type { Generation, Outcome } from './types.ts'
import { unifiedDiff } from './unified-diff.ts'

/** How a file in the repository stands to what dwf would write. */
export interface Drift {
  readonly path: string
  /**
   * `same`: as dwf writes it; `edited`: dwf's, and edits that it keeps; `kept-deleted`: removed by hand; `foreign`: a
   * person's own. These are no drift. `missing`, `outdated`, `conflict` and `stale` are.
   */
  readonly state: 'same' | 'edited' | 'kept-deleted' | 'foreign' | 'missing' | 'outdated' | 'conflict' | 'stale'
  readonly isDrift: boolean
  /** What ci:generate would change; empty when that is nothing. */
  readonly diff: string
}

/** What ci:check has to say of each file. Pure. */
export function driftOf({ outcomes }: Pick<Generation, 'outcomes'>): readonly Drift[] {
  return outcomes.map((outcome) => {
    const state = stateOf(outcome)
    return {
      path: outcome.path,
      state,
      isDrift: ['missing', 'outdated', 'conflict', 'stale'].includes(state),
      diff: outcomeDiff(outcome),
    }
  })
}

/** What writing would change in a file, for --dry-run and ci:check. */
export function outcomeDiff(outcome: Outcome): string {
  const { path, before } = outcome
  if ('text' in outcome) return unifiedDiff(path, before, outcome.text)
  return outcome.kind === 'stale' && outcome.action === 'removed' ? unifiedDiff(path, before, undefined) : ''
}

function stateOf(outcome: Outcome): Drift['state'] {
  switch (outcome.kind) {
    case 'created':
      return 'missing'
    case 'unchanged':
      return outcome.isEdited ? 'edited' : 'same'
    case 'updated':
    case 'merged':
      return 'outdated'
    case 'conflict':
    case 'base-lost':
    case 'not-text':
      return 'conflict'
    case 'kept-deleted':
    case 'foreign':
    case 'stale':
      return outcome.kind
    default:
      return unreachable(outcome)
  }
}
