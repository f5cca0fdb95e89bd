import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { escapeTaskId } from '../plan/task-id.ts'
import type { TaskId } from '../plan/types.ts'

/** Absolute paths of the log of a task, and of what says when it said what. */
export function logFiles(folder: string, task: TaskId): { readonly log: string; readonly times: string } {
  const name = escapeTaskId(task)
  return { log: join(folder, `${name}.log`), times: join(folder, `${name}.times`) }
}

/**
 * The output of one task on disk: the bytes as they came in `<id>.log`, and beside them in `<id>.times` one line a
 * chunk: milliseconds since the epoch, stream (1 or 2), bytes; stream 0 stands for the beginning of an attempt, with its
 * number. Written at once, so that nothing waits in memory. A task that says nothing has no log.
 */
export class TaskLog {
  readonly #paths: { readonly log: string; readonly times: string }
  #files: { readonly bytes: number; readonly times: number } | undefined
  #begun: string | undefined

  constructor(folder: string, task: TaskId) {
    this.#paths = logFiles(folder, task)
  }

  /** Absolute; undefined while nothing was said, now or in an earlier session of the run. */
  get path(): string | undefined {
    return this.#files || existsSync(this.#paths.log) ? this.#paths.log : undefined
  }

  /** What follows is of this attempt. */
  begin(attempt: number, at: number): void {
    this.#begun = `${at} 0 ${attempt}\n`
  }

  write(stream: 'stdout' | 'stderr', chunk: Buffer, at: number): void {
    this.#files ??= openBoth(this.#paths, at)
    const { bytes, times } = this.#files
    if (this.#begun !== undefined) writeSync(times, this.#begun)
    this.#begun = undefined
    for (let done = 0; done < chunk.length; ) done += writeSync(bytes, chunk, done)
    writeSync(times, `${at} ${stream === 'stdout' ? 1 : 2} ${chunk.length}\n`)
  }

  /** The last lines, at most `count`, of at most 64 KiB. */
  tail(count: number): readonly string[] {
    if (!this.#files) return []
    const { size } = fstatSync(this.#files.bytes)
    const buffer = Buffer.alloc(Math.min(size, 64 * 1024))
    readSync(this.#files.bytes, buffer, 0, buffer.length, size - buffer.length)
    const lines = buffer.toString('utf8').replace(/\n$/, '').split('\n')
    return size === 0 ? [] : lines.slice(-count)
  }

  close(): void {
    if (!this.#files) return
    closeSync(this.#files.bytes)
    closeSync(this.#files.times)
  }
}

/** A dwf that was killed between the two files left bytes without a time: they get the time they are found at. */
function openBoth(paths: { readonly log: string; readonly times: string }, at: number) {
  mkdirSync(dirname(paths.log), { recursive: true, mode: 0o700 })
  const bytes = openSync(paths.log, 'a+', 0o600)
  const times = openSync(paths.times, 'a', 0o600)
  const { size } = fstatSync(bytes)
  if (size > 0) {
    const text = readFileSync(paths.times, 'utf8')
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    if (whole.length < text.length) ftruncateSync(times, Buffer.byteLength(whole))
    const untold = size - timedBytes(whole)
    if (untold > 0) writeSync(times, `${at} 1 ${untold}\n`)
  }
  return { bytes, times }
}

function timedBytes(text: string): number {
  let total = 0
  for (const line of text.split('\n')) {
    const [, stream, length] = line.split(' ')
    if (stream === '1' || stream === '2') total += Number(length)
  }
  return total
}
