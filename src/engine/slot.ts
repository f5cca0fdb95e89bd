import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { slotTask } from './slot-script.ts'
import type { ExecRequest, Exit, Running } from './types.ts'

/** Longest marker: the separator, 32 hex digits, a blank, three digits, a line end. */
const markerLength = 1 + 32 + 1 + 3 + 1
const separator = 0x1e

interface Current {
  readonly ok: string
  readonly fail: string
  readonly request: Pick<ExecRequest, 'onOutput'>
  readonly seen: { stdout?: Ended; stderr?: Ended }
  readonly settle: (exit: Exit) => void
}
interface Ended {
  readonly ok: boolean
  readonly code: number
}

/**
 * One kept-open shell: it runs one task at a time, and says when the task has ended by a marker on both streams.
 *
 * The marker names one of two tokens that were made for this task: one stands for success, the other for failure,
 * and the shell gives away only the one that is true. A process that steals a marker from a pipe can hold it back,
 * but cannot turn a failure into a success. The shell's memory, environment and descriptors are closed to tasks
 * (its file is execute-only, which makes its process non-dumpable).
 */
export class Slot {
  readonly #child: ChildProcess
  readonly #carry: { stdout: Buffer; stderr: Buffer } = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  #current: Current | undefined
  #lost: string | undefined
  /** What the shell or the engine's client said outside of any task: the reason when it is lost. */
  #said = ''
  readonly lost: Promise<string>

  constructor(child: ChildProcess, prelude: string) {
    this.#child = child
    child.stdout!.on('data', (chunk: Buffer) => this.#read('stdout', chunk))
    child.stderr!.on('data', (chunk: Buffer) => this.#read('stderr', chunk))
    // A shell that is gone is noticed by 'close'; writing to it then is no error of its own.
    child.stdin!.on('error', () => {})
    this.lost = new Promise((resolve) => {
      const lose = (reason: string) => {
        if (this.#lost !== undefined) return
        this.#lost = this.#said.trim() || reason
        this.#current?.settle({ kind: 'lost', reason: this.#lost })
        this.#current = undefined
        resolve(this.#lost)
      }
      child.once('error', (error) => lose(error.message))
      const ended = (code: number | null, signal: string | null) =>
        lose(`the shell ended (${signal ?? `exit ${code}`})`)
      child.once('close', ended)
      // A process that outlived the shell may hold its streams open: then there is no 'close' to wait for.
      child.once('exit', (code, signal) => void setTimeout(ended, 250, code, signal))
    })
    child.stdin!.write(prelude)
  }

  get busy(): boolean {
    return this.#current !== undefined
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** Lets the shell itself answer. @throws when it does not within a minute, or is lost */
  async ready(limitMs = 60_000): Promise<void> {
    const { exit } = this.#begin({ onOutput: () => {} }, (ok, fail) => `dwf_end 0 ${ok} ${fail}\n`)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Exit>((resolve) => {
      timer = setTimeout(resolve, limitMs, {
        kind: 'lost',
        reason: `the shell did not answer within ${limitMs / 1000} s`,
      })
    })
    const end = await Promise.race([exit, late])
    clearTimeout(timer)
    if (end.kind === 'lost') throw new Error(end.reason)
  }

  start(request: ExecRequest): Running {
    return this.#begin(request, (ok, fail) => slotTask({ ...request, ok, fail }))
  }

  /** Ends the shell by the end of its input. */
  end(): void {
    this.#child.stdin!.end()
  }

  #begin(request: Pick<ExecRequest, 'onOutput'>, script: (ok: string, fail: string) => string): Running {
    if (this.#current) throw new Error('the slot is busy')
    const ok = randomBytes(16).toString('hex')
    const fail = randomBytes(16).toString('hex')
    const exit = new Promise<Exit>((settle) => {
      if (this.#lost !== undefined) return settle({ kind: 'lost', reason: this.#lost })
      this.#said = ''
      this.#current = { ok, fail, request, seen: {}, settle }
      this.#child.stdin!.write(script(ok, fail))
    })
    return {
      exit,
      // KILL travels as USR1: tini passes every signal on to the supervisor but KILL, which it cannot catch.
      signal: (name) => void this.#child.stdin!.write(`dwf_signal ${name === 'KILL' ? 'USR1' : name}\n`),
    }
  }

  #read(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const current = this.#current
    if (!current || current.seen[stream]) {
      if (stream === 'stderr') this.#said = (this.#said + chunk.toString('utf8')).slice(-4096)
      return
    }
    let data = this.#carry[stream].length > 0 ? Buffer.concat([this.#carry[stream], chunk]) : chunk
    this.#carry[stream] = Buffer.alloc(0)
    const end = findMarker(data, current)
    if (end) {
      if (end.at > 0) this.#say(current, stream, data.subarray(0, end.at))
      current.seen[stream] = end
      this.#finish(current)
      return
    }
    // Only what may be the beginning of a marker waits for more.
    const tail = beginningOfMarker(data, current)
    if (tail >= 0) {
      this.#carry[stream] = Buffer.from(data.subarray(tail))
      data = data.subarray(0, tail)
    }
    if (stream === 'stderr') this.#said = data.subarray(-4096).toString('utf8')
    if (data.length > 0) this.#say(current, stream, data)
  }

  #say(current: Current, stream: 'stdout' | 'stderr', data: Buffer): void {
    const wait = current.request.onOutput(stream, data)
    if (!wait) return
    const source = this.#child[stream]!
    source.pause()
    void wait.then(() => source.resume())
  }

  #finish(current: Current): void {
    const { stdout, stderr } = current.seen
    if (!stdout || !stderr) return
    this.#current = undefined
    if (stdout.ok !== stderr.ok || stdout.code !== stderr.code) {
      current.settle({ kind: 'lost', reason: 'the end markers of the two streams do not agree' })
    } else current.settle({ kind: 'code', code: stdout.code })
  }
}

function findMarker(data: Buffer, tokens: { ok: string; fail: string }): (Ended & { at: number }) | undefined {
  for (let at = data.indexOf(separator); at >= 0; at = data.indexOf(separator, at + 1)) {
    const text = data.toString('latin1', at + 1, at + markerLength)
    const match = /^([0-9a-f]{32}) (\d{1,3})\n/.exec(text)
    if (!match) continue
    const code = Number(match[2])
    if (match[1] === tokens.ok && code === 0) return { at, ok: true, code }
    if (match[1] === tokens.fail && code !== 0) return { at, ok: false, code }
  }
  return undefined
}

/** Where the last bytes of `data` begin what may become a marker of this task; -1 when they do not. */
function beginningOfMarker(data: Buffer, { ok, fail }: { ok: string; fail: string }): number {
  for (
    let at = data.indexOf(separator, Math.max(0, data.length - markerLength));
    at >= 0;
    at = data.indexOf(separator, at + 1)
  ) {
    const text = data.toString('latin1', at + 1)
    const begins = (token: string) =>
      text.length <= token.length
        ? token.startsWith(text)
        : text.startsWith(token) && /^ \d{0,3}$/.test(text.slice(token.length))
    if (begins(ok) || begins(fail)) return at
  }
  return -1
}
