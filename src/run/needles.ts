/** Bytes that decide how far the search may jump. */
const block = 3
/** A jump that looks at more of each needle finds more blocks that stop it. */
const widest = 24
/** Depth at which the automaton is left for a jump: less is read twice than is gained. */
const shallow = 2

/**
 * Many byte strings, looked for at once in a stream: an automaton (Aho and Corasick, 1975) that reads no byte more than
 * a few times, whatever the text, and in front of it a table that jumps over what can be no beginning (Wu and Manber,
 * 1994). Built once; any number of searches use it.
 */
export class Needles {
  readonly isEmpty: boolean
  /** Children of a state are a list: a table of 256 for each would be hundreds of megabytes for a long needle. */
  readonly #child: Int32Array
  readonly #sibling: Int32Array
  readonly #byte: Uint8Array
  readonly #root = new Int32Array(256)
  /** The state of the longest end of what was read that begins a needle too. */
  readonly #fail: Int32Array
  readonly #depth: Int32Array
  /** Length of the longest needle that ends here, or 0. */
  readonly #longest: Int32Array
  /** The length from which the table looks at needles; 0: some are too short to jump. */
  readonly #window: number
  readonly #shift: number
  readonly #jumps: Uint8Array

  constructor(texts: readonly string[]) {
    const needles = [...new Set(texts)].filter((text) => text !== '').map((text) => Buffer.from(text))
    this.isEmpty = needles.length === 0
    const states = needles.reduce((sum, { length }) => sum + length, 1)
    this.#child = new Int32Array(states)
    this.#sibling = new Int32Array(states)
    this.#byte = new Uint8Array(states)
    this.#fail = new Int32Array(states)
    this.#depth = new Int32Array(states)
    this.#longest = new Int32Array(states)
    this.#link(needles.reduce((used, needle) => this.#insert(needle, used), 1))
    const shortest = needles.reduce((least, { length }) => Math.min(least, length), widest)
    this.#window = shortest > block + shallow ? shortest : 0
    const bits = Math.min(20, Math.max(12, Math.ceil(Math.log2(16 * needles.length * shortest + 1))))
    this.#shift = 32 - bits
    this.#jumps = new Uint8Array(this.#window > 0 ? 2 ** bits : 0).fill(Math.max(0, this.#window - block + 1))
    for (const needle of needles) this.#stopAt(needle)
  }

  /** How many of the bytes before a state could begin a needle. */
  depth(state: number): number {
    return this.#depth[state]!
  }

  /**
   * Reads `data` from `start`. What lies before has led to `state`, and as many bytes as its depth are still in `data`.
   * @param found gets the end in `data` and the length of the longest needle there, ends in rising order
   * @returns the state at the end of `data`
   */
  scan(data: Uint8Array, start: number, state: number, found: (end: number, length: number) => void): number {
    const [depth, longest, size] = [this.#depth, this.#longest, data.length]
    let now = state
    let at = start
    while (at < size) {
      let until = at + 1
      if (this.#window > 0 && depth[now]! <= shallow) {
        at = this.#jump(data, at - depth[now]!)
        now = 0
        until = at + this.#window
      }
      for (; at < size && (at < until || depth[now]! > shallow); at++) {
        now = this.#step(now, data[at]!)
        if (longest[now]! > 0) {
          found(at + 1, longest[now]!)
          // Where no needle goes on, nothing has to wait for its end.
          while (now !== 0 && this.#child[now] === 0) now = this.#fail[now]!
        }
      }
    }
    return now
  }

  /** The first place from which a needle may begin, as far as the table knows; past the last one near the end. */
  #jump(data: Uint8Array, from: number): number {
    const [jumps, shift, size] = [this.#jumps, this.#shift, data.length]
    const last = size - this.#window
    const offset = this.#window - block
    let at = from
    while (at <= last) {
      const jump = jumps[hash(data[at + offset]!, data[at + offset + 1]!, data[at + offset + 2]!, shift)]!
      if (jump === 0) return at
      at += jump
    }
    return at
  }

  #step(state: number, byte: number): number {
    for (let from = state; from !== 0; from = this.#fail[from]!) {
      const next = this.#childOf(from, byte)
      if (next !== 0) return next
    }
    return this.#root[byte]!
  }

  #childOf(state: number, byte: number): number {
    if (state === 0) return this.#root[byte]!
    let child = this.#child[state]!
    while (child !== 0 && this.#byte[child] !== byte) child = this.#sibling[child]!
    return child
  }

  #insert(needle: Uint8Array, used: number): number {
    let [state, next] = [0, used]
    for (const byte of needle) {
      let child = this.#childOf(state, byte)
      if (child === 0) {
        child = next++
        this.#byte[child] = byte
        this.#depth[child] = this.#depth[state]! + 1
        if (state === 0) this.#root[byte] = child
        else {
          this.#sibling[child] = this.#child[state]!
          this.#child[state] = child
        }
      }
      state = child
    }
    this.#longest[state] = needle.length
    return next
  }

  /** Nearest states first: what a state falls back to is shallower, and known by then. */
  #link(used: number): void {
    const queue = new Int32Array(used)
    let end = 0
    for (const state of this.#root) if (state !== 0) queue[end++] = state
    for (let at = 0; at < end; at++) {
      const state = queue[at]!
      for (let child = this.#child[state]!; child !== 0; child = this.#sibling[child]!) {
        this.#fail[child] = this.#step(this.#fail[state]!, this.#byte[child]!)
        queue[end++] = child
      }
      this.#longest[state] ||= this.#longest[this.#fail[state]!]!
    }
  }

  /** The table may not jump over a block of this needle. */
  #stopAt(needle: Uint8Array): void {
    for (let end = block; end <= this.#window; end++) {
      const place = hash(needle[end - 3]!, needle[end - 2]!, needle[end - 1]!, this.#shift)
      this.#jumps[place] = Math.min(this.#jumps[place]!, this.#window - end)
    }
  }
}

const hash = (a: number, b: number, c: number, shift: number): number =>
  Math.imul((a << 16) | (b << 8) | c, 0x9e3779b1) >>> shift
