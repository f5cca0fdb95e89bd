/** A range of text in a file; lines and columns count from 1, `endColumn` is exclusive. */
export interface Span {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly endColumn: number
  /** The whole line, so that a renderer needs no file system to draw it. */
  readonly text: string
}

/** Every problem that a person is shown. `code` is a stable kebab-case word. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning' | 'note'
  readonly code: string
  readonly message: string
  readonly where?: Span
  /** What to do next; never a repetition of the message. */
  readonly hint?: string
}

/** Why a command could not do what was asked; cli/ maps each kind to an exit code. */
export type FailureKind = 'failed' | 'wrong-input' | 'machine-cannot' | 'refused' | 'drift' | 'deadline' | 'interrupted'

/** The one error type that is thrown on purpose: anything else that reaches cli/ is a bug of dwf. */
export class Failure extends Error {
  readonly kind: FailureKind
  readonly diagnostics: readonly Diagnostic[]

  constructor(kind: FailureKind, diagnostics: Diagnostic | readonly Diagnostic[]) {
    const list = Array.isArray(diagnostics) ? (diagnostics as readonly Diagnostic[]) : [diagnostics as Diagnostic]
    super(list.map((diagnostic) => diagnostic.message).join('; '))
    this.name = 'Failure'
    this.kind = kind
    this.diagnostics = list
  }
}

/** What a failure says where there is no terminal to draw it: each message, and below it the way out. */
export function failureLines({ diagnostics }: Failure): readonly string[] {
  return diagnostics.flatMap(({ message, hint }) => [...message.split('\n'), ...(hint ? [`→ ${hint}`] : [])])
}

/** Shorthand for the commonest case: one error with a code, a sentence and a way out. */
export function failure(kind: FailureKind, code: string, message: string, hint?: string, where?: Span): Failure {
  return new Failure(kind, {
    severity: 'error',
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { where }),
  })
}

/** The lines of the text that was asked for last: the problems of one file come one after another. */
let last: { readonly text: string; readonly lines: readonly string[] } = { text: '', lines: [''] }

/** The span of `needle` (or of the whole line) at 1-based `line` of `text`. */
export function spanAt(file: string, text: string, line: number, column = 1, length?: number): Span {
  if (last.text !== text) last = { text, lines: text.split('\n') }
  const content = last.lines[line - 1]?.replace(/\r$/, '') ?? ''
  return { file, line, column, endColumn: column + (length ?? Math.max(1, content.length - column + 1)), text: content }
}

/** The span of the first occurrence of `needle` at or after `from`; undefined when it is not there. */
export function spanOf(file: string, text: string, needle: string, from = 0): Span | undefined {
  const at = text.indexOf(needle, from)
  if (at < 0) return undefined
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = at - before.lastIndexOf('\n')
  return spanAt(file, text, line, column, needle.split('\n')[0]?.length ?? 1)
}

/** Makes a switch over a union exhaustive at compile time. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`)
}
