import type { ActionPin, GeneratedPin, KnownActions } from '../../pins/types.ts'
import type { FileWrite } from '../../scaffold/write-files.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'

/** What is known of actions besides the texts. */
export type PinRules = Partial<Pick<KnownActions, 'commitOf' | 'denied'>> & {
  /** For whose versions other files have other commits. */
  readonly contradicting?: readonly ActionPin[]
}

/** Whose lines are taken where both changed the same ones. */
export type Preference = 'mine' | 'dwf'

export interface MergeInput {
  readonly path: string
  /** Whether devflow.lock names the file as one that dwf wrote. */
  readonly isRecorded: boolean
  /** What dwf wrote last; undefined when that text is not there. */
  readonly base?: string | undefined
  /** Whether the base is the text that devflow.lock recorded. */
  readonly baseIsWhole: boolean
  /** What is in the repository; undefined when nothing is. */
  readonly current?: string | undefined
  /** What dwf would write now. */
  readonly next: string
  readonly pins?: PinRules
  /** Undefined: two changes of the same lines are a conflict. */
  readonly prefer?: Preference | undefined
}

/** Lines that both changed. */
export interface Conflict {
  /** The first of them in the file as it is now, from 1. */
  readonly line: number
  readonly mine: readonly string[]
  readonly base: readonly string[]
  readonly dwf: readonly string[]
}

/** A text that can be written without losing an edit. */
interface Clean {
  readonly text: string
  /** Whether it differs from what dwf alone would write. */
  readonly isEdited: boolean
  /** What the next merge starts from: dwf's own text with the final pins. */
  readonly nextBase: string
  /** Of the file, where they are newer than dwf's: for devflow.lock. */
  readonly pins: readonly ActionPin[]
}

/**
 * What becomes of a file.
 *
 * - `created`: nothing was there.
 * - `unchanged`: the text is what is there already.
 * - `updated`: the text is what dwf writes; nobody had edited the file.
 * - `merged`: the text has dwf's changes and people's edits.
 * - `kept-deleted`: a person removed it, so it stays removed.
 * - `foreign`: a person's own file at this place; it is not touched.
 * - `conflict`: both changed the same lines.
 * - `base-lost`: it differs from what dwf would write, and nobody knows who changed what.
 * - `not-text`: it is not UTF-8.
 */
export type Merged = { readonly path: string; readonly diagnostics: readonly Diagnostic[] } & (
  | ({ readonly kind: 'created' | 'unchanged' | 'updated' | 'merged' } & Clean)
  | { readonly kind: 'conflict'; readonly conflicts: readonly Conflict[] }
  | { readonly kind: 'kept-deleted' | 'foreign' | 'base-lost' | 'not-text' }
)

/**
 * What becomes of a file that dwf does not write any more: `removed` when nobody edited it, else `kept` as a person's
 * own; `gone` when it is not there.
 */
export interface Stale {
  readonly kind: 'stale'
  readonly path: string
  readonly action: 'removed' | 'kept' | 'gone'
  readonly diagnostics: readonly Diagnostic[]
}

/** `before` is what is in the repository; undefined when nothing is, or no text. */
export type Outcome = (Merged | Stale) & { readonly before: string | undefined }

/** Everything that a generation would do. */
export interface Generation {
  /** The files in the order in which they came, then the stale ones by path. */
  readonly outcomes: readonly Outcome[]
  /** Files and base texts. Empty when everything is as it should be. */
  readonly writes: readonly FileWrite[]
  /** For devflow.lock, by path. */
  readonly generated: readonly GeneratedPin[]
  /** Newer ones than dwf's, found in files: for devflow.lock. */
  readonly pins: readonly ActionPin[]
  readonly diagnostics: readonly Diagnostic[]
}
