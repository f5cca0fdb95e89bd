import type { KnownActions } from '../../pins/types.ts'
import type { Diagnostic, Span } from '../../util/diagnostics.ts'
import type { WorkflowText } from '../reading/workflow.ts'
import type { Layout } from './layout.ts'

/** One thing that was made safer. */
export interface HardenChange {
  readonly code:
    | 'pin-action'
    | 'version-comment'
    | 'top-permissions'
    | 'job-permissions'
    | 'persist-credentials'
    | 'timeout-minutes'
    | 'concurrency'
  /** `jobs.build: timeout-minutes: 30`. */
  readonly message: string
  /** In the text as it was. */
  readonly where: Span
}

export interface Hardened {
  readonly text: string
  /** In the order of the text; empty where nothing was to be done. */
  readonly changes: readonly HardenChange[]
  /** What a person has to decide: left as it was, in the order of the text. */
  readonly undecided: readonly Diagnostic[]
}

export interface HardenModel extends WorkflowText {
  readonly known: KnownActions
  readonly layout: Layout
}

/** A piece of text that is replaced. Those at one place stay in the order in which they were made. */
export interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

/** What the edits of a change mean: this key of the map that begins at `map` has this value now. */
export interface Meaning {
  readonly map: number
  readonly key: string
  readonly value: Plain
}

/** YAML without its notation: texts as they are written. */
export type Plain = string | null | readonly Plain[] | { readonly [key: string]: Plain }

export interface Step {
  readonly kind: 'change'
  readonly at: number
  readonly change: Omit<HardenChange, 'where'>
  readonly edits: readonly Edit[]
  /** None for a comment. */
  readonly means: readonly Meaning[]
}

export interface Open {
  readonly kind: 'open'
  readonly at: number
  readonly diagnostic: Omit<Diagnostic, 'where'>
}

export type Outcome = Step | Open

/** Something for a person to decide; `what` was seen, `hint` is the way out. */
export function open(at: number, code: string, message: string, hint: string, severity?: 'error'): Open {
  return { kind: 'open', at, diagnostic: { severity: severity ?? 'warning', code, message, hint } }
}
