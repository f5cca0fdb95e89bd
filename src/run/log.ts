import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { escapeTaskId } from '../plan/task-id.ts'
import type { TaskId } from '../plan/types.ts'

/**
 * The output of one task on disk: the bytes as they came in `<id>.log`, and beside them in `<id>.times` one line
 * a chunk: milliseconds since the epoch, stream (1 or 2), bytes. Written at once, so that nothing waits in memory.
 */
export class TaskLog {
  readonly path: string
  readonly #bytes: number
  readonly #times: number

  constructor(folder: string, task: TaskId) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.path = join(folder, `${escapeTaskId(task)}.log`)
    this.#bytes = openSync(this.path, 'a+', 0o600)
    this.#times = openSync(join(folder, `${escapeTaskId(task)}.times`), 'a', 0o600)
  }

  write(stream: 'stdout' | 'stderr', chunk: Buffer, at: number): void {
    for (let done = 0; done < chunk.length; ) done += writeSync(this.#bytes, chunk, done)
    writeSync(this.#times, `${at} ${stream === 'stdout' ? 1 : 2} ${chunk.length}\n`)
  }

  /** The last lines, at most `count`, of at most 64 KiB. */
  tail(count: number): readonly string[] {
    const { size } = fstatSync(this.#bytes)
    const buffer = Buffer.alloc(Math.min(size, 64 * 1024))
    readSync(this.#bytes, buffer, 0, buffer.length, size - buffer.length)
    const lines = buffer.toString('utf8').replace(/\n$/, '').split('\n')
    return size === 0 ? [] : lines.slice(-count)
  }

  close(): void {
    closeSync(this.#bytes)
    closeSync(this.#times)
  }
}
