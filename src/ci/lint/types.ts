import type { KnownActions } from '../../pins/types.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'
import type { WorkflowText } from '../reading/workflow.ts'

/** One workflow, and what is known of actions. */
export interface LintModel extends WorkflowText {
  readonly known: KnownActions
}

/** One place at which a rule of the house does not hold. */
export interface Seen {
  /** Offsets in the text; without an end the word at `at` is marked. */
  readonly at: number
  readonly end?: number
  /** What was seen: `jobs.build.timeout-minutes: not set`. */
  readonly message: string
  /** Where this place is less than the rule says. */
  readonly severity?: Diagnostic['severity']
  /** Where the way out is another one than the rule's. */
  readonly hint?: string
}

/** A matter of house style, which the gates leave alone. */
export interface LintRule {
  readonly id: string
  /** Security is an error, style a warning. */
  readonly severity: 'error' | 'warning'
  /** What holds where nothing is found. */
  readonly title: string
  readonly hint: string
  readonly look: (model: LintModel) => Iterable<Seen>
}
