import type { ScanLayer } from '../config/commands.ts'
import type { TaskId } from '../plan/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'

/**
 * How a task ended. `current`: a setup with nothing to do; `ignored`: it failed, and may; `skipped`: its condition said
 * no, or nothing called it; `not-run`: something it needs did not pass, or the run stopped.
 */
export type Outcome =
  | 'passed'
  | 'current'
  | 'ignored'
  | 'skipped'
  | 'failed'
  | 'timed-out'
  | 'lost'
  | 'cancelled'
  | 'not-run'

const good: readonly Outcome[] = ['passed', 'current', 'ignored', 'skipped']
const bad: readonly Outcome[] = ['failed', 'timed-out', 'lost']

/** What needs it can go on. */
export const isGood = (outcome: Outcome): boolean => good.includes(outcome)

/** It ran and did not do what it should, as opposed to not having run, or not to the end. */
export const isFailure = (outcome: Outcome): boolean => bad.includes(outcome)

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
  /** Absolute path of the log, where it said anything. */
  readonly log?: string
  /** Why, where the outcome does not say it all. */
  readonly reason?: string
  /** The last lines, where it did not pass. */
  readonly tail?: readonly string[]
  readonly gate?: Verdict['kind']
  /** Done in an earlier session of this run, and still good. */
  readonly kept?: boolean
  /** Hash of what its definition does not say: the files it is made from. */
  readonly inputs?: string
  /** What it gave to the tasks after it. */
  readonly outputs?: Readonly<Record<string, string>>
}

export interface RunResult {
  readonly id: string
  readonly ok: boolean
  /** A signal or the deadline ended it. */
  readonly ended?: 'cancelled' | 'deadline'
  readonly ms: number
  readonly tasks: readonly TaskResult[]
  /** What fails the run beside its tasks: a changed lock file, a planted .git. */
  readonly violations: readonly Diagnostic[]
}

/** A lock that is held across runs; each holder of a name has a higher token than the one before. */
export interface LockToken {
  readonly name: string
  readonly token: number
}

interface Happening {
  readonly run: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What the store keeps of a run: the chain that `dwf audit` verifies, and all that resume needs. */
export type RecordedEvent =
  | (Happening & {
      readonly type: 'run-started'
      readonly tasks: readonly TaskId[]
      /** Hash of plan, options and whatever else is kept of the run itself: the store adds it. */
      readonly about?: string
    })
  | (Happening & {
      readonly type: 'run-resumed'
      readonly session: number
      /** Every task, in the order of the plan. */
      readonly tasks: readonly TaskId[]
      /** Of them those that are done already. */
      readonly kept: readonly TaskId[]
      readonly about?: string
    })
  /** Written by the command that found its dwf gone. */
  | (Happening & { readonly type: 'run-interrupted'; readonly pid: number; readonly host: string })
  | (Happening & { readonly type: 'lock-taken'; readonly lock: LockToken; readonly task?: TaskId })
  | (Happening & { readonly type: 'task-started'; readonly task: TaskId; readonly attempt: number })
  | (Happening & {
      readonly type: 'task-retried'
      readonly task: TaskId
      readonly attempt: number
      readonly outcome: Outcome
      readonly code?: number
      readonly delayMs: number
    })
  | (Happening & {
      readonly type: 'task-ended'
      readonly task: TaskId
      readonly result: TaskResult
      /** Refused by the store when somebody else has it by now. */
      readonly lock?: LockToken
    })
  | (Happening & { readonly type: 'run-ended'; readonly result: RunResult })

/** Everything that happens in a run. */
export type DwfEvent =
  | RecordedEvent
  | (Happening & {
      readonly type: 'output'
      readonly task: TaskId
      readonly stream: 'stdout' | 'stderr'
      readonly chunk: Buffer
    })
  | (Happening & { readonly type: 'note'; readonly text: string })

/** Where a run is kept. */
export interface Journal {
  /** Resolves when the event, and what it says of its task, is on the disk. */
  record(event: RecordedEvent, options?: { /** Nobody waits for it. */ readonly isIdle?: boolean }): Promise<void>
  /** Hash of the last event that is on the disk: the head of the chain. */
  head(): string
  /** Calls back when somebody else has the run: nothing of it can be kept any more. */
  onLost(listener: (error: Error) => void): void
}

/** Locks across runs. */
export interface Locks {
  /** Waits until nobody alive has it. @throws the signal's reason when it is aborted before */
  take(
    name: string,
    options: { readonly signal: AbortSignal; readonly onWait: (run: string) => void },
  ): Promise<LockToken>
  release(lock: LockToken): Promise<void>
}

/** Judges one layer. `subjects`: the images that were named, [] for what the repository itself has. */
export type GateRunner = (
  gate: { readonly layer: ScanLayer; readonly subjects: readonly string[] },
  signal: AbortSignal,
) => Promise<Verdict>
