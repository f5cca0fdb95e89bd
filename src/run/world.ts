import type { Session } from '../engine/types.ts'
import type { PlannedTask } from '../plan/types.ts'
import type { SetupStamps } from './setup-stamps.ts'
import type { DwfEvent, GateRunner, Journal, Locks } from './types.ts'
import type { Watched } from './watch.ts'

/** The secrets of a run. */
export interface Secrets {
  /** Those of one task: in its environment, or as files whose paths stand there. By name. */
  of(task: PlannedTask): {
    readonly env: Readonly<Record<string, string>>
    readonly files: Readonly<Record<string, string>>
  }
  /** The values of all of them. */
  readonly values: readonly string[]
}

/** Where a task writes its outputs: the same file, as the task and as dwf sees it. */
export interface OutputFile {
  /** For `$DWF_OUTPUT`. */
  readonly inside: string
  readonly outside: string
}

/** Where a plan meets this machine: everything that touches the world comes in here. */
export interface World {
  readonly runId: string
  readonly root: string
  readonly logs: string
  /** Where the root of the project is for a task: `/workspace` in a container, its own path on the host. */
  readonly workspace: (task: PlannedTask) => string
  /** Values that name a cache, as they are where the task runs: `/cache/NAME` in a container, a folder on the host. */
  readonly here: (task: PlannedTask, values: Readonly<Record<string, string>>) => Readonly<Record<string, string>>
  /** @param signal gives up while a container is starting */
  readonly open: (classId: string, signal: AbortSignal) => Promise<Session>
  readonly gate: GateRunner
  readonly stamps: SetupStamps
  readonly watched: Watched
  readonly secrets: Secrets
  readonly outputs: (task: PlannedTask, attempt: number) => OutputFile
  /** Hash of the files that a task is made from; undefined where it names none. */
  readonly inputs: (task: PlannedTask) => string | undefined
  readonly journal: Journal
  readonly locks: Locks
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** 0 to 1. */
  readonly chance: () => number
  /** Resolves after the time, or when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  readonly emit: (event: DwfEvent) => void
  /** While whoever reads the events does not keep up: tasks wait for it. */
  readonly pressure: () => Promise<void> | undefined
}

export interface RunOptions {
  readonly jobs: number
  readonly keepGoing: boolean
  readonly graceMs: number
  /** Ends the run in good order; its reason may be `deadline`. */
  readonly signal: AbortSignal
  /** Ends it at once, handlers too. */
  readonly hurry: AbortSignal
}
