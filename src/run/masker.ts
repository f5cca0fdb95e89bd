const mask = Buffer.from('••••••••')

/** Characters; a shorter value could not be told from other text. */
export const shortestSecret = 8

/** Replaces secrets in a stream, also where one is split between two chunks. */
export class Masker {
  readonly #needles: readonly Buffer[]
  readonly #longest: number
  #held = Buffer.alloc(0)

  /** @param secrets values; the lines of one with several are masked each */
  constructor(secrets: readonly string[]) {
    const lines = secrets.flatMap((value) => [
      value,
      ...value.split('\n').filter((line) => line.length >= shortestSecret),
    ])
    const needles = [...new Set(lines)].map((text) => Buffer.from(text))
    this.#needles = needles.sort((a, b) => b.length - a.length)
    this.#longest = Math.max(0, ...needles.map((needle) => needle.length))
  }

  /** What can be shown now; the rest waits until it can no longer be the beginning of a secret. */
  add(chunk: Buffer): Buffer {
    if (this.#longest === 0) return chunk
    const data = this.#replace(Buffer.concat([this.#held, chunk]))
    const keep = this.#beginning(data)
    this.#held = Buffer.from(data.subarray(data.length - keep))
    return data.subarray(0, data.length - keep)
  }

  end(): Buffer {
    const rest = this.#held
    this.#held = Buffer.alloc(0)
    return rest
  }

  #replace(data: Buffer): Buffer {
    let result = data
    for (const needle of this.#needles) {
      for (let at = result.indexOf(needle); at >= 0; at = result.indexOf(needle, at + mask.length)) {
        result = Buffer.concat([result.subarray(0, at), mask, result.subarray(at + needle.length)])
      }
    }
    return result
  }

  /** Length of the longest end of `data` that begins a secret. */
  #beginning(data: Buffer): number {
    for (let length = Math.min(this.#longest - 1, data.length); length > 0; length--) {
      const end = data.subarray(data.length - length)
      if (this.#needles.some((needle) => needle.length > length && needle.subarray(0, length).equals(end)))
        return length
    }
    return 0
  }
}
