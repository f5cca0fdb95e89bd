import { closeSync, openSync, readSync } from 'node:fs'

/** Bytes that are read at once. */
const blockSize = 256 * 1024

const nothing = Buffer.alloc(0)

/**
 * Reads a file that may grow, a block at a time. Nothing stays open in between: a run can have more tasks than a process
 * may have files.
 */
export class Cursor {
  readonly #path: string
  #position = 0
  #block: Buffer = nothing

  constructor(path: string) {
    this.#path = path
  }

  /** The next bytes, at most so many; none at the end of what is there by now. */
  take(most: number): Buffer {
    if (this.#block.length === 0) this.#block = this.#read()
    const taken = this.#block.subarray(0, most)
    this.#block = this.#block.subarray(taken.length)
    return taken
  }

  #read(): Buffer {
    let file: number
    try {
      file = openSync(this.#path, 'r')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return nothing
      throw error
    }
    try {
      const block = Buffer.allocUnsafe(blockSize)
      const length = readSync(file, block, 0, blockSize, this.#position)
      this.#position += length
      return block.subarray(0, length)
    } finally {
      closeSync(file)
    }
  }
}

/** The whole lines of a text file that may grow. */
export class LineCursor {
  readonly #cursor: Cursor
  #open = ''
  #lines: string[] = []
  #next = 0

  constructor(path: string) {
    this.#cursor = new Cursor(path)
  }

  /** The next line without its end; undefined while there is none. */
  take(): string | undefined {
    while (this.#next === this.#lines.length) {
      const bytes = this.#cursor.take(blockSize)
      if (bytes.length === 0) return undefined
      this.#lines = (this.#open + bytes.toString('latin1')).split('\n')
      this.#open = this.#lines.pop()!
      this.#next = 0
    }
    return this.#lines[this.#next++]
  }
}
