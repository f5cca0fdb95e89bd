/** So much of one line at most is kept, and of a line that never ends the end. */
const mostBytes = 64 * 1024 * 1024

/** The last lines of bytes that come in pieces, as they are. */
export class LastBytes {
  readonly #count: number
  #parts: { readonly bytes: Buffer; readonly endsLine: boolean }[] = []
  /** Where they begin: what is before it was dropped. */
  #first = 0
  #lines = 0
  #size = 0

  constructor(count: number) {
    this.#count = count
  }

  add(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) {
      const end = bytes.indexOf(10, from)
      const part = bytes.subarray(from, end < 0 ? bytes.length : end + 1)
      this.#parts.push({ bytes: part, endsLine: end >= 0 })
      this.#size += part.length
      if (end >= 0) this.#lines++
      from += part.length
    }
    while (this.#lines > this.#count || (this.#size > mostBytes && this.#parts.length - this.#first > 1)) this.#drop()
  }

  /** What is left; what has no line end yet counts as a line. */
  take(): readonly Buffer[] {
    const isOpen = this.#parts.at(-1)?.endsLine === false
    while (this.#lines > 0 && this.#lines + (isOpen ? 1 : 0) > this.#count) this.#drop()
    return this.#count === 0 ? [] : this.#parts.slice(this.#first).map(({ bytes }) => bytes)
  }

  #drop(): void {
    const first = this.#parts[this.#first++]!
    // Seldom, since it moves all of them.
    if (this.#first > 1024 && this.#first > this.#parts.length / 2) {
      this.#parts = this.#parts.slice(this.#first)
      this.#first = 0
    }
    this.#size -= first.bytes.length
    if (first.endsLine) this.#lines--
  }
}
