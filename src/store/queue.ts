import type { DatabaseSync } from 'node:sqlite'
import { Failure } from '../util/diagnostics.ts'
import { inTransaction, storeFailure } from './open.ts'

interface Waiting {
  readonly write: () => void
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

/** How long what nobody waits for may wait for company, ms. */
const idleMs = 50

/** Writes that come in the same turn share one commit: a durable one costs as much as a process. */
export class WriteQueue {
  readonly #database: DatabaseSync
  /** Absolute path of the database. */
  readonly file: string
  readonly #waiting: Waiting[] = []
  #isSoon = false
  #idle: NodeJS.Timeout | undefined

  constructor(database: DatabaseSync, file: string) {
    this.#database = database
    this.file = file
  }

  /**
   * Resolves when what `write` does is on the disk. One that is refused is refused alone; where
   * the store itself cannot write, nothing of the turn is there.
   * @param options.isIdle nobody waits for it: it goes with the next that somebody does wait for, in a moment at the latest
   */
  add(write: () => void, { isIdle = false } = {}): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ write, done, failed })
      if (isIdle) this.#idle ??= setTimeout(() => this.flush(), idleMs)
      else if (!this.#isSoon) {
        this.#isSoon = true
        setImmediate(() => this.flush())
      }
    })
  }

  /** What waits is written now. */
  flush(): void {
    clearTimeout(this.#idle)
    this.#idle = undefined
    this.#isSoon = false
    const all = this.#waiting.splice(0)
    if (all.length === 0) return
    const refused = new Map<Waiting, unknown>()
    try {
      inTransaction(this.#database, () => {
        for (const one of all) {
          try {
            this.#alone(one.write, all.length > 1)
          } catch (error) {
            if (!(error instanceof Failure)) throw error
            refused.set(one, error)
          }
        }
      })
      for (const one of all) if (!refused.has(one)) one.done()
    } catch (error) {
      for (const one of all) if (!refused.has(one)) one.failed(storeFailure(error, this.file))
    }
    for (const [one, error] of refused) one.failed(error)
  }

  /** One that is refused leaves nothing, and the others of its turn stay. */
  #alone(write: () => void, isShared: boolean): void {
    if (!isShared) {
      write()
      return
    }
    this.#database.exec('SAVEPOINT one')
    try {
      write()
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK TO one')
      throw error
    } finally {
      if (this.#database.isTransaction) this.#database.exec('RELEASE one')
    }
  }
}
