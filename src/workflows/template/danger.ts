import type { Range } from './words.ts'

/** A part of a script whose values somebody would run, or read as something else than text. */
export interface Danger extends Range {
  readonly severity: 'error' | 'warning'
  readonly code:
    | 'program-text'
    | 'fed-program'
    | 'name-from-value'
    | 'command-from-value'
    | 'denied-variable'
    | 'expanded-again'
    | 'one-word'
    | 'option-from-value'
    | 'format'
    | 'path'
  /** What reads it: `sh -c`. */
  readonly by: string
}

export const program = ({ from, to }: Range, by: string): Danger => ({
  severity: 'error',
  code: 'program-text',
  from,
  to,
  by,
})
