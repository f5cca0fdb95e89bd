import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { ExecRequest, Exit, Running } from './types.ts'

/** Longest marker: the separator, 32 hex digits, a blank, three digits, a line end. */
const markerLength = 1 + 32 + 1 + 3 + 1
const separator = 0x1e
/** The exit code of a task that left something which even KILL did not end. */
const stillThere = 125

/** What the shell is told about one task. */
export type SlotTask = (
  request: Omit<ExecRequest, 'onOutput'>,
  /** Two tokens for the end, made for this task alone; the name of a folder, which only this shell knows. */
  words: { readonly ok: string; readonly fail: string; readonly name: string },
) => string

/** How the shells of one place are spoken to. */
export interface SlotScript {
  /** What each shell reads first. */
  readonly prelude: string
  readonly task: SlotTask
  /** Sends a signal to everything that the running task has started. */
  signal(child: ChildProcess, name: 'TERM' | 'KILL', isRunning: () => boolean): void
  /** Ends what the task left, where the shell has not done it. Says whether nothing is left; undefined: nothing was. */
  clear?(child: ChildProcess): Promise<boolean> | undefined
  /** What it means for the running task that the shell is gone. */
  lost?(reason: string, signal: NodeJS.Signals | null, name: string): Exit
}

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
  readonly #script: SlotScript
  readonly #carry: { stdout: Buffer; stderr: Buffer } = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  #current: Current | undefined
  #lost: string | undefined
  /** Of the folder of this shell's task. */
  readonly #name = randomBytes(16).toString('hex')
  /** What the shell or the engine's client said outside of any task: the reason when it is lost. */
  #said = ''
  readonly lost: Promise<string>

  constructor(child: ChildProcess, script: SlotScript) {
    this.#child = child
    this.#script = script
    child.stdout!.on('data', (chunk: Buffer) => this.#read('stdout', chunk))
    child.stderr!.on('data', (chunk: Buffer) => this.#read('stderr', chunk))
    // A shell that is gone is noticed by 'close'; writing to it then is no error of its own.
    child.stdin!.on('error', () => {})
    this.lost = new Promise((resolve) => {
      const lose = (why: string, signal: NodeJS.Signals | null = null) => {
        if (this.#lost !== undefined) return
        const reason = this.#said.trim() || why
        this.#lost = reason
        this.#current?.settle(script.lost?.(reason, signal, this.#name) ?? { kind: 'lost', reason })
        this.#current = undefined
        resolve(this.#lost)
      }
      child.once('error', (error) => lose(error.message))
      const ended = (code: number | null, signal: NodeJS.Signals | null) =>
        lose(`the shell ended (${signal ?? `exit ${code}`})`, signal)
      child.once('close', ended)
      // A process that outlived the shell may hold its streams open: then there is no 'close' to wait for.
      child.once('exit', (code, signal) => void setTimeout(ended, 250, code, signal).unref())
    })
    child.stdin!.write(script.prelude)
  }

  get busy(): boolean {
    return this.#current !== undefined
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** Lets the shell itself answer. @returns what the prelude said @throws when it does not within a minute, or is lost */
  async ready(limitMs = 60_000): Promise<string> {
    let said = ''
    const onOutput = (stream: 'stdout' | 'stderr', chunk: Buffer) => {
      if (stream === 'stdout') said += chunk.toString('utf8')
    }
    const { exit } = this.#begin({ onOutput }, (ok, fail) => `dwf_end 0 ${ok} ${fail}\n`)
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
    return said
  }

  start(request: ExecRequest): Running {
    return this.#begin(request, (ok, fail) => this.#script.task(request, { ok, fail, name: this.#name }))
  }

  /** Ends the shell by the end of its input. */
  end(): void {
    this.#child.stdin!.end()
  }

  #begin(request: Pick<ExecRequest, 'onOutput'>, script: (ok: string, fail: string) => string): Running {
    if (this.#current) throw new Error('the slot is busy')
    const random = randomBytes(32).toString('hex')
    const ok = random.slice(0, 32)
    const fail = random.slice(32)
    let current: Current | undefined
    const exit = new Promise<Exit>((settle) => {
      if (this.#lost !== undefined) return settle({ kind: 'lost', reason: this.#lost })
      const text = script(ok, fail)
      this.#said = ''
      current = { ok, fail, request, seen: {}, settle }
      this.#current = current
      this.#child.stdin!.write(text)
    })
    // A task that has ended is out of reach: the shell may be at the next one.
    const isRunning = () => current !== undefined && this.#current === current
    return {
      exit,
      signal: (name) => {
        if (isRunning()) this.#script.signal(this.#child, name, isRunning)
      },
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
    const isAgreed = stdout.ok === stderr.ok && stdout.code === stderr.code
    const settle = (isClear: boolean) => {
      if (this.#current !== current) return
      this.#current = undefined
      if (!isAgreed) current.settle({ kind: 'lost', reason: 'the end markers of the two streams do not agree' })
      else current.settle({ kind: 'code', code: isClear ? stdout.code : stillThere })
    }
    const clearing = this.#script.clear?.(this.#child)
    if (clearing) void clearing.then(settle)
    else settle(true)
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
