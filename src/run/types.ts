import type { ScanLayer } from '../config/commands.ts'
import type { TaskId } from '../plan/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'

/** How a task ended. `current`: a setup with nothing to do; `not-run`: something it needs did not pass, or the run stopped. */
export type Outcome = 'passed' | 'current' | 'failed' | 'timed-out' | 'lost' | 'cancelled' | 'not-run'

export const isGood = (outcome: Outcome): boolean => outcome === 'passed' || outcome === 'current'

/** What a gate decided, or why it could not: `broken` is never a pass. */
export interface Verdict {
  readonly kind: 'passed' | 'refused' | 'broken'
  /** One line a person reads in the summary. */
  readonly summary: string
  /** Lines for the log. */
  readonly lines: readonly string[]
  /** Lines for the terminal, where the gate did not pass; all of `lines` when not given. */
  readonly shown?: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}

export interface TaskResult {
  readonly id: TaskId
  readonly outcome: Outcome
  /** The child's own exit code, where it had one. */
  readonly code?: number
  readonly ms: number
  readonly attempts: number
  /** Absolute path of the log. */
  readonly log?: string
  /** Why, where the outcome does not say it all. */
  readonly reason?: string
  /** The last lines, where it did not pass. */
  readonly tail?: readonly string[]
  readonly gate?: Verdict['kind']
}

export interface RunResult {
  readonly id: string
  readonly ok: boolean
  /** A signal or the deadline ended it. */
  readonly ended?: 'interrupted' | 'deadline'
  readonly ms: number
  readonly tasks: readonly TaskResult[]
  /** What fails the run beside its tasks: a changed lock file, a planted .git. */
  readonly violations: readonly Diagnostic[]
}

/** Everything that happens in a run. Times are milliseconds since the epoch. */
export type DwfEvent =
  | { readonly type: 'run-started'; readonly run: string; readonly at: number; readonly tasks: readonly TaskId[] }
  | {
      readonly type: 'task-started'
      readonly run: string
      readonly task: TaskId
      readonly attempt: number
      readonly at: number
    }
  | {
      readonly type: 'output'
      readonly run: string
      readonly task: TaskId
      readonly stream: 'stdout' | 'stderr'
      readonly chunk: Buffer
      readonly at: number
    }
  | {
      readonly type: 'task-retried'
      readonly run: string
      readonly task: TaskId
      readonly attempt: number
      readonly at: number
      readonly outcome: Outcome
    }
  | { readonly type: 'task-ended'; readonly run: string; readonly at: number; readonly result: TaskResult }
  | { readonly type: 'note'; readonly run: string; readonly at: number; readonly text: string }
  | { readonly type: 'run-ended'; readonly run: string; readonly at: number; readonly result: RunResult }

/** Judges one layer. `subjects`: the images that were named, [] for what the repository itself has. */
export type GateRunner = (
  gate: { readonly layer: ScanLayer; readonly subjects: readonly string[] },
  signal: AbortSignal,
) => Promise<Verdict>
