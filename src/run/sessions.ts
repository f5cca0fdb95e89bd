import type { Session } from '../engine/types.ts'

/** The open containers of a run, one a class: opened when the first task of the class starts, closed after the last. */
export class Sessions {
  readonly #open: (classId: string, signal: AbortSignal) => Promise<Session>
  readonly #sessions = new Map<string, Promise<Session>>()
  readonly #left: Map<string, number>

  /** @param classes the class of every task that will ask for a session, once a task */
  constructor(open: (classId: string, signal: AbortSignal) => Promise<Session>, classes: readonly string[]) {
    this.#open = open
    this.#left = new Map()
    for (const id of classes) this.#left.set(id, (this.#left.get(id) ?? 0) + 1)
  }

  /** @param signal gives up while the container is starting */
  get(classId: string, signal: AbortSignal): Promise<Session> {
    let session = this.#sessions.get(classId)
    if (!session) {
      const opening = this.#open(classId, signal)
      // One that did not come up is no reason for the next task not to try.
      opening.catch(() => {
        if (this.#sessions.get(classId) === opening) this.#sessions.delete(classId)
      })
      session = opening
      this.#sessions.set(classId, session)
    }
    return session
  }

  /** A container that went away is not used again: the next attempt gets a new one. */
  async drop(classId: string): Promise<void> {
    const session = this.#sessions.get(classId)
    this.#sessions.delete(classId)
    await (await session?.catch(() => undefined))?.close()
  }

  /** One task of the class has ended or will not run. */
  async done(classId: string): Promise<void> {
    const left = (this.#left.get(classId) ?? 1) - 1
    this.#left.set(classId, left)
    if (left === 0) await this.drop(classId)
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.drop(id)))
  }
}
