import { type Hunk, hunks } from './hunks.ts'

/** Lines [from, to), counted from 0. */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * A part of three texts. `same`: nobody changed it; `mine`, `dwf`: only that side did; `both`: both did, to the same;
 * `conflict`: both did, differently.
 */
export interface Region {
  readonly kind: 'same' | 'mine' | 'dwf' | 'both' | 'conflict'
  readonly base: Range
  readonly mine: Range
  readonly dwf: Range
}

type Change = Hunk & { readonly side: 'mine' | 'dwf' }

/** Three lists of lines, cut into regions that hold all of each. Changes that touch each other are one region, as in git. */
export function regions(base: readonly string[], mine: readonly string[], dwf: readonly string[]): readonly Region[] {
  const changes: readonly Change[] = [
    ...hunks(base, mine).map((hunk) => ({ ...hunk, side: 'mine' as const })),
    ...hunks(base, dwf).map((hunk) => ({ ...hunk, side: 'dwf' as const })),
  ].sort((a, b) => a.from - b.from || a.to - b.to)
  const result: Region[] = []
  let done = { base: 0, mine: 0, dwf: 0 }
  const add = (kind: Region['kind'], to: typeof done): void => {
    result.push({
      kind,
      base: { from: done.base, to: to.base },
      mine: { from: done.mine, to: to.mine },
      dwf: { from: done.dwf, to: to.dwf },
    })
    done = to
  }
  const stay = (length: number): void => {
    if (length > 0) add('same', { base: done.base + length, mine: done.mine + length, dwf: done.dwf + length })
  }
  for (const group of touching(changes)) {
    stay(group[0]!.from - done.base)
    const end = Math.max(...group.map((change) => change.to))
    const to = {
      base: end,
      mine: done.mine + (end - done.base) + growth(group, 'mine'),
      dwf: done.dwf + (end - done.base) + growth(group, 'dwf'),
    }
    const isSame = (): boolean => equal(mine.slice(done.mine, to.mine), dwf.slice(done.dwf, to.dwf))
    if (group.every((change) => change.side === 'mine')) add('mine', to)
    else if (group.every((change) => change.side === 'dwf')) add('dwf', to)
    else add(isSame() ? 'both' : 'conflict', to)
  }
  stay(base.length - done.base)
  return result
}

function touching(changes: readonly Change[]): readonly (readonly Change[])[] {
  const groups: Change[][] = []
  let end = -1
  for (const change of changes) {
    if (change.from > end) groups.push([change])
    else groups.at(-1)!.push(change)
    end = Math.max(end, change.to)
  }
  return groups
}

/** By how many lines a side got longer. */
function growth(group: readonly Change[], side: Change['side']): number {
  return group
    .filter((change) => change.side === side)
    .reduce((sum, change) => sum + (change.otherTo - change.otherFrom) - (change.to - change.from), 0)
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index])
}
