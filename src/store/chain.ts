import { createHash } from 'node:crypto'

/** One row of a run's event stream, as it is kept. `data` is JSON text, hashed as it stands. */
export interface EventRow {
  readonly run: string
  /** From 1, without a gap. */
  readonly sequence: number
  readonly at: number
  readonly type: string
  readonly task: string | null
  readonly data: string
  readonly hash: string
}

/** What the first event of a run follows. */
export const genesis = '0'.repeat(64)

/** Hash of a row and of all before it: SHA-256, hex. A list in JSON has one reading, whatever stands in its texts. */
export const hashAfter = (before: string, row: Omit<EventRow, 'hash'>): string =>
  createHash('sha256')
    .update(JSON.stringify([before, row.run, row.sequence, row.at, row.type, row.task, row.data]))
    .digest('hex')

export interface ChainVerdict {
  readonly ok: boolean
  /** Hash of the last row that fits. */
  readonly head: string
  /** Of the rows that fit, in their order. */
  readonly hashes: readonly string[]
  /** Rows of them that were let pass, though their hash is not of what they say. */
  readonly excused: readonly number[]
  /** The first row that does not fit, and why. */
  readonly broken?: { readonly sequence: number; readonly why: string }
}

/**
 * Holds rows against their own hashes, in the order of their sequence.
 * @param excuses whether a row may have another text than its hash is of; the hash that it has goes on
 */
export function verifyChain(rows: Iterable<EventRow>, excuses: (row: EventRow) => boolean = () => false): ChainVerdict {
  const hashes: string[] = []
  const excused: number[] = []
  const verdict = (broken?: ChainVerdict['broken']): ChainVerdict => ({
    ok: !broken,
    head: hashes.at(-1) ?? genesis,
    hashes,
    excused,
    ...(broken ? { broken } : {}),
  })
  for (const row of rows) {
    const sequence = hashes.length + 1
    if (row.sequence !== sequence) return verdict({ sequence, why: 'it is missing' })
    if (hashAfter(hashes.at(-1) ?? genesis, row) !== row.hash) {
      if (!excuses(row)) return verdict({ sequence, why: 'its hash does not fit what it says and what came before' })
      excused.push(sequence)
    }
    hashes.push(row.hash)
  }
  return verdict()
}
