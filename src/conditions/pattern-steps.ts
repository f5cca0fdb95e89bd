/** One character of the text, as its code point. */
export type Test = (codePoint: number) => boolean

type Assertion = 'start' | 'end' | 'boundary' | 'no-boundary'

export type Piece =
  | { readonly kind: 'one'; readonly test: Test }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Piece[] }
  | { readonly kind: 'repeat'; readonly of: Piece; readonly min: number; readonly max: number }

type Step =
  | { readonly kind: 'one'; readonly test: Test }
  | { readonly kind: 'assert'; readonly what: Assertion }
  | { readonly kind: 'go'; to: readonly number[] }
  | { readonly kind: 'done' }

/** Ready to be matched. */
export type Pattern = readonly Step[]

/** What a pattern may grow to when its `{n}` are written out. */
const stepLimit = 1000
/** A pattern that cannot be read, with the place. */
export class Refused extends Error {
  readonly at: number
  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** Writes out the pieces as steps. Counts its work also where it writes nothing: `(){1000}` many times in each other. */
export function compile(piece: Piece): Pattern {
  const steps: Step[] = []
  let work = 0
  const push = (step: Step): number => steps.push(step) - 1
  const emit = (one: Piece): void => {
    if (++work > 20 * stepLimit || steps.length > stepLimit)
      throw new Refused('too large when its repetitions are written out', 0)
    switch (one.kind) {
      case 'one':
      case 'assert':
        push(one)
        return
      case 'all':
        for (const part of one.of) emit(part)
        return
      case 'any': {
        const fork = { kind: 'go' as const, to: [] as number[] }
        push(fork)
        const exits = one.of.map((part) => {
          fork.to.push(steps.length)
          emit(part)
          const exit = { kind: 'go' as const, to: [] as readonly number[] }
          push(exit)
          return exit
        })
        for (const exit of exits) exit.to = [steps.length]
        return
      }
      case 'repeat': {
        for (let count = 0; count < one.min; count++) emit(one.of)
        if (one.max === Infinity) {
          const fork = { kind: 'go' as const, to: [] as readonly number[] }
          const from = push(fork)
          emit(one.of)
          push({ kind: 'go', to: [from] })
          fork.to = [from + 1, steps.length]
          return
        }
        const forks = []
        for (let count = one.min; count < one.max; count++) {
          const fork = { kind: 'go' as const, to: [] as readonly number[] }
          forks.push([fork, push(fork)] as const)
          emit(one.of)
        }
        for (const [fork, from] of forks) fork.to = [from + 1, steps.length]
      }
    }
  }
  emit(piece)
  push({ kind: 'done' })
  return steps
}

const isWord = (codePoint: number | undefined): boolean =>
  codePoint !== undefined && codePoint < 128 && /\w/.test(String.fromCharCode(codePoint))

function holds(what: Assertion, before: number | undefined, after: number | undefined): boolean {
  switch (what) {
    case 'start':
      return before === undefined
    case 'end':
      return after === undefined
    case 'boundary':
      return isWord(before) !== isWord(after)
    case 'no-boundary':
      return isWord(before) === isWord(after)
  }
}

/** Steps times characters: about a tenth of a second. */
const workLimit = 5_000_000

/** The longest text that a pattern is matched with, in characters. */
export const longestText = (pattern: Pattern): number => Math.floor(workLimit / pattern.length)

/** True when the pattern is found anywhere in the text. */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  /** The place at which a step was reached last, so that each is looked at once a place. */
  const reached = new Int32Array(pattern.length).fill(-1)
  let waiting: number[] = []
  let before: number | undefined
  let place = 0
  for (let at = 0; ; ) {
    const after = at < text.length ? text.codePointAt(at)! : undefined
    const open = [...waiting, 0]
    const now: number[] = []
    while (open.length > 0) {
      const index = open.pop()!
      if (reached[index] === place) continue
      reached[index] = place
      const step = pattern[index]!
      if (step.kind === 'done') return true
      if (step.kind === 'go') open.push(...step.to)
      else if (step.kind === 'one') now.push(index)
      else if (holds(step.what, before, after)) open.push(index + 1)
    }
    if (after === undefined) return false
    waiting = now.flatMap((index) => ((pattern[index] as { test: Test }).test(after) ? [index + 1] : []))
    before = after
    at += after > 0xffff ? 2 : 1
    place++
  }
}
