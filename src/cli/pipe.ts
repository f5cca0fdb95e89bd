import { writeSync } from 'node:fs'

/** Queued bytes above which whoever writes should wait, and below which it goes on. */
const high = 1024 * 1024
const low = 64 * 1024

/**
 * One way out. What is written stays whole and in order, also into a slow pipe; a reader that does not read makes
 * tasks wait (`pressure`) and never dwf itself, which must go on hearing signals and deadlines.
 */
export class Pipe {
  readonly #file: 1 | 2
  #queue: Buffer[] = []
  #size = 0
  #isScheduled = false
  #waiting: (() => void)[] = []

  constructor(file: 1 | 2) {
    this.#file = file
  }

  write(text: string): void {
    const bytes = Buffer.from(text, 'utf8')
    this.#queue.push(bytes)
    this.#size += bytes.length
    if (!this.#isScheduled) this.#flush()
  }

  /** Undefined when there is room; else resolves when there is again. */
  pressure(): Promise<void> | undefined {
    if (this.#size <= high) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #flush(): void {
    this.#isScheduled = false
    while (this.#queue.length > 0) {
      const bytes = this.#queue[0]!
      try {
        const done = writeSync(this.#file, bytes)
        this.#size -= done
        if (done === bytes.length) this.#queue.shift()
        else this.#queue[0] = bytes.subarray(done)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EAGAIN') {
          this.#isScheduled = true
          setTimeout(() => this.#flush(), 5)
          break
        }
        // The reader went away (`dwf … | head`): what it wanted it has.
        // A terminal that was closed answers with EIO.
        if (code !== 'EPIPE' && code !== 'EIO') throw error
        this.#queue = []
        this.#size = 0
      }
    }
    if (this.#size <= low) for (const go of this.#waiting.splice(0)) go()
  }
}
