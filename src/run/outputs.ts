import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, rmSync } from 'node:fs'

/** Longest value, bytes: it travels in an environment variable, and Linux takes 128 KiB for one. */
export const longestValue = 64 * 1024
const longestFile = 1024 * 1024

export type Outputs =
  | { readonly values: ReadonlyMap<string, string>; readonly problem?: never }
  | { readonly problem: string; readonly values?: never }

/**
 * What a task wrote to `$DWF_OUTPUT`: `name=value` lines, and for values of several lines `name<<WORD`, the lines, and
 * WORD on a line of its own, as GitHub Actions has it. The task made the file: it is not followed where it is a link,
 * and not read where it is anything but a file. What is said of it has no word of its own: it may have a secret.
 */
export function readOutputs(path: string): Outputs {
  let text: string | undefined
  try {
    text = readBounded(path)
  } catch (error) {
    return { problem: `cannot be read: ${(error as Error).message}` }
  }
  return text === undefined ? { values: new Map() } : parseOutputs(text)
}

export function parseOutputs(text: string): Outputs {
  const values = new Map<string, string>()
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!
    if (line.trim() === '') continue
    const at = index + 1
    const several = /^([A-Za-z_][A-Za-z0-9_.-]{0,99})<<(\S{1,100})\r?$/.exec(line)
    const one = /^([A-Za-z_][A-Za-z0-9_.-]{0,99})=([\s\S]*)$/.exec(line)
    const name = (several ?? one)?.[1]
    if (name === undefined)
      return { problem: `line ${at} is neither name=value nor name<<WORD; a name is letters, digits, "_", "." and "-"` }
    let value = one?.[2] ?? ''
    if (several) {
      const end = lines.indexOf(several[2]!, index + 1)
      if (end < 0) return { problem: `line ${at} begins a value that nothing ends` }
      value = lines.slice(index + 1, end).join('\n')
      index = end
    }
    const problem = badValue(value)
    if (problem) return { problem: `line ${at}: the value ${problem}` }
    values.set(name, value)
  }
  return { values }
}

/** What a task left there: it may hold a secret, whatever became of it. */
export const dropOutputs = (path: string): void => rmSync(path, { recursive: true, force: true })

/** Why a value cannot travel on; undefined where it can. */
export function badValue(value: string): string | undefined {
  if (value.includes('\0')) return 'has a NUL in it'
  return Buffer.byteLength(value) > longestValue ? `is longer than ${longestValue / 1024} KiB` : undefined
}

function readBounded(path: string): string | undefined {
  // Most tasks write none: asking costs a tenth of an error.
  if (!lstatSync(path, { throwIfNoEntry: false })) return undefined
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw code === 'ELOOP' ? new Error('it is a link') : error
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw new Error('it is no file')
    if (stat.size > longestFile) throw new Error(`it is larger than ${longestFile / 1024} KiB`)
    const bytes = Buffer.alloc(stat.size)
    const size = readSync(file, bytes)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, size))
  } finally {
    closeSync(file)
  }
}

/** The last line of a stream that is not empty, as it flows by: for `register`. */
export class LastLine {
  #line = ''
  #open = ''
  #isCut = false
  readonly #decoder = new TextDecoder()

  add(chunk: Buffer): void {
    const lines = (this.#open + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#open = lines.pop()!
    for (const line of lines) if (line.trim() !== '') this.#take(line)
    if (this.#open.length > longestValue * 2) this.#open = this.#open.slice(0, longestValue * 2)
  }

  /** Trimmed; undefined where it is too long to travel on. */
  end(): string | undefined {
    if (this.#open.trim() !== '') this.#take(this.#open)
    return this.#isCut ? undefined : this.#line
  }

  #take(line: string): void {
    const trimmed = line.trim()
    this.#isCut = badValue(trimmed) !== undefined
    this.#line = this.#isCut ? '' : trimmed
  }
}
