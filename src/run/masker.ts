import { Needles } from './needles.ts'
import { formsOf } from './secret-forms.ts'

export { shortestSecret } from './secret-forms.ts'

const mask = Buffer.from('••••••••')
const nothing = Buffer.alloc(0)

/** What to look for: worth keeping, since making it costs more than a search. */
export const needlesOf = (secrets: readonly string[]): Needles => new Needles(secrets.flatMap(formsOf))

/**
 * Replaces secrets in a stream, in every form that `formsOf` knows, also where one is split between two chunks. Those
 * that overlap become one mask. What is held back is never longer than the longest form.
 */
export class Masker {
  readonly #needles: Needles
  #state = 0
  #held = nothing
  /** Places in `held`, and then in what is read, that hold secrets. */
  #found: readonly Place[] = []
  /** So many bytes of `held` belong to a secret whose mask was given out already. */
  #masked = 0

  /** @param secrets values, or what `needlesOf` made of them */
  constructor(secrets: readonly string[] | Needles) {
    this.#needles = secrets instanceof Needles ? secrets : needlesOf(secrets)
  }

  /** What can be shown now; the rest waits until it can no longer be the beginning of a secret. */
  add(chunk: Buffer): Buffer {
    if (this.#needles.isEmpty) return chunk
    const held = this.#held.length
    const data = held === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const found = [...this.#found]
    this.#state = this.#needles.scan(data, held, this.#state, (end, length) => unite(found, end - length, end))
    this.#found = found
    const known = data.length - this.#needles.depth(this.#state)
    const shown = this.#take(data, known)
    this.#held = Buffer.from(data.subarray(known))
    return shown
  }

  /** What was held back: it is the beginning of a secret and no more. The next chunk begins another stream. */
  end(): Buffer {
    const rest = this.#take(this.#held, this.#held.length)
    this.#state = 0
    this.#held = nothing
    return rest
  }

  /** A whole text, apart from the stream. */
  maskText(text: string): string {
    if (!this.finds(text)) return text
    const whole = new Masker(this.#needles)
    return Buffer.concat([whole.add(Buffer.from(text)), whole.end()]).toString()
  }

  /** Whether a text, apart from the stream, has a secret in it. */
  finds(text: string): boolean {
    let isFound = false
    this.#needles.scan(Buffer.from(text), 0, 0, () => {
      isFound = true
    })
    return isFound
  }

  /** The bytes before `end`, which no secret can begin in any more, with masks. */
  #take(data: Buffer, end: number): Buffer {
    const parts: Buffer[] = []
    const whole = this.#found.filter(({ from }) => from < end)
    let at = this.#masked
    for (const { from, to } of whole) {
      if (from >= at) parts.push(data.subarray(at, from), mask)
      at = to
    }
    if (at < end) parts.push(data.subarray(at, end))
    this.#found = this.#found.slice(whole.length).map(({ from, to }) => ({ from: from - end, to: to - end }))
    this.#masked = Math.max(0, at - end)
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }
}

interface Place {
  readonly from: number
  readonly to: number
}

/** Adds a place that ends behind all others; those that it overlaps become one with it. */
function unite(places: Place[], from: number, to: number): void {
  let begin = from
  for (let last = places.at(-1); last && last.to > begin; last = places.at(-1)) {
    begin = Math.min(begin, last.from)
    places.pop()
  }
  places.push({ from: begin, to })
}
