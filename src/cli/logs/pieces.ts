import { statSync } from 'node:fs'
import type { TaskId } from '../../plan/types.ts'
import { logFiles } from '../../run/log.ts'
import { Cursor, LineCursor } from './cursor.ts'

export const streams = ['stdout', 'stderr'] as const
export type Stream = (typeof streams)[number]

/** What a task said at once, or a part of it. */
export interface Piece {
  readonly task: TaskId
  readonly stream: Stream
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Undefined in a log that does not say. */
  readonly attempt: number | undefined
  readonly bytes: Buffer
  /** Nothing of this task comes after it. */
  readonly isLast: boolean
}

const timeLine = /^(\d{1,16}) ([012]) (\d{1,16})$/

/** The log of a task, with what says when it said what. */
export class TaskReader {
  readonly #task: TaskId
  readonly #bytes: Cursor
  readonly #times: LineCursor
  readonly #path: string
  #at: number | undefined
  #stream: Stream = 'stdout'
  #attempt: number | undefined
  /** Bytes that the line of times tells of and that were not taken yet. */
  #left = 0
  #isDone = false

  /** @param folder of the logs of a run */
  constructor(folder: string, task: TaskId) {
    const { log, times } = logFiles(folder, task)
    this.#task = task
    this.#path = log
    this.#bytes = new Cursor(log)
    this.#times = new LineCursor(times)
  }

  /**
   * What is there by now and was not told yet.
   * @param hasEnded nothing more is written: bytes without a time, of a dwf that was killed between the two files, are
   * told with the last time there is
   */
  *pieces(hasEnded: boolean): Generator<Piece> {
    if (this.#isDone) return
    while (this.#left > 0 || this.#readTime()) {
      const bytes = this.#bytes.take(this.#left)
      if (bytes.length === 0) break
      this.#left -= bytes.length
      yield this.#piece(bytes)
    }
    if (!hasEnded) return
    for (let bytes = this.#bytes.take(65_536); bytes.length > 0; bytes = this.#bytes.take(65_536))
      yield this.#piece(bytes)
    this.#isDone = true
    yield { ...this.#piece(Buffer.alloc(0)), isLast: true }
  }

  /** Goes on to the next bytes that have a time. */
  #readTime(): boolean {
    for (let line = this.#times.take(); line !== undefined; line = this.#times.take()) {
      const match = timeLine.exec(line)
      if (!match) continue
      const [at, stream, number] = match.slice(1).map(Number) as [number, number, number]
      this.#at = at
      if (stream === 0) this.#attempt = number
      else {
        this.#stream = stream === 1 ? 'stdout' : 'stderr'
        this.#left = number
        if (number > 0) return true
      }
    }
    return false
  }

  #piece(bytes: Buffer): Piece {
    this.#at ??= statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? 0
    return {
      task: this.#task,
      stream: this.#stream,
      at: Math.floor(this.#at),
      attempt: this.#attempt,
      bytes,
      isLast: false,
    }
  }
}

/** Pieces of several tasks by their time; each task's own stay in their order. */
export function* merged(sources: readonly Generator<Piece>[]): Generator<Piece> {
  const heads: { readonly piece: Piece; readonly source: Generator<Piece> }[] = []
  const advance = (source: Generator<Piece>) => {
    const next = source.next()
    if (next.done) return
    let low = 0
    let high = heads.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (heads[middle]!.piece.at <= next.value.at) low = middle + 1
      else high = middle
    }
    heads.splice(low, 0, { piece: next.value, source })
  }
  for (const source of sources) advance(source)
  for (let first = heads.shift(); first; first = heads.shift()) {
    yield first.piece
    advance(first.source)
  }
}
