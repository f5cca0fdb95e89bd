import { mergeFindings } from '../scan/merge.ts'
import type { ScanDocument } from '../scan/types.ts'
import { type Counts, countSeverities } from './text.ts'

/** One run as the history of the page shows it; findings are counted merged, as everywhere on the page. */
export interface HistoryEntry {
  readonly run: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly commit?: string
  readonly ok: boolean
  readonly counts: Counts
}

export function historyEntry({ run, at, commit, ok, layers }: ScanDocument): HistoryEntry {
  const counts = countSeverities(mergeFindings(layers.flatMap(({ decisions }) => decisions)))
  return { run, at, ...(commit === undefined ? {} : { commit }), ok, counts }
}
