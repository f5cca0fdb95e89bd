import type { Condition } from '../conditions/types.ts'
import type { ScanLayer } from '../config/commands.ts'
import type { Network, RetryDelay, ScanConfig, Source } from '../config/types.ts'
import type { MatrixGroup, Reference, Template } from '../workflows/types.ts'

/**
 * `COMMAND@STACK[:DIR]`; a task of devflow.toml and a gate have `project` in the place of the stack. A task of a
 * workflow file has its name there, a cell of a matrix with its values: `build[arch=amd64,os=linux]`.
 */
export type TaskId = string

export interface PlannedTask {
  readonly id: TaskId
  readonly command: string
  readonly stack: string
  /** Folder to run in, from the root; `''` is the root. */
  readonly dir: string
  /**
   * fetch: dependencies, with network; setup: dependencies, offline; gate: a scan, outside of every container; handler:
   * runs only when something calls it.
   */
  readonly kind: 'fetch' | 'setup' | 'task' | 'gate' | 'handler'
  /** What is run; for the gate of images, the images that were named; empty for any other gate. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Folders that come first in PATH. */
  readonly path: readonly string[]
  /** Must have passed before. */
  readonly needs: readonly TaskId[]
  /** Must have ended before, whatever the outcome. */
  readonly after: readonly TaskId[]
  readonly class: string
  /** Of one attempt. */
  readonly timeoutMs: number
  /** Of all attempts and the waits between them. */
  readonly totalMs?: number
  readonly retries: number
  /** Absent: at once. */
  readonly retryDelay?: RetryDelay
  /** How many of the tasks that run at the same time it counts for; absent: 1. */
  readonly weight?: number
  /** Tasks with the same one never overlap, in this run or in another. */
  readonly concurrency?: string
  /** Patterns of files, from the root, that it is made from: when one changes, it is not done any more. */
  readonly inputs?: readonly string[]
  /**
   * On the host, by its class. true: nothing of the environment but PATH, HOME, LANG and what the task names; false: all of it;
   * absent: what dwf lets through for what stacks offer.
   */
  readonly cleanEnv?: boolean
  readonly network: Network
  /** Under the host profile every task is on the host; under the container profile those that ask for it. */
  readonly runtime: 'container' | 'host'
  /** Names only. */
  readonly secrets: readonly string[]
  readonly layer?: ScanLayer
  /** For a setup: what decides whether it is skipped, from the root. */
  readonly lockFiles?: readonly string[]
  readonly outputs?: readonly string[]
  readonly note?: string
  /** What only tasks of workflow files have. */
  readonly workflow?: WorkflowPart
  readonly hash: string
}

export interface WorkflowPart {
  /** Of a matrix: the name of its task, and this cell's values. */
  readonly matrix?: { readonly base: string; readonly values: Readonly<Record<string, string>> }
  readonly condition?: Condition
  /** Variables that the script reads from its environment. */
  readonly references: readonly Reference[]
  /** Values of `env` that have variables in them. */
  readonly templates: Readonly<Record<string, Template>>
  /** Variable that gets the last line of its output. */
  readonly register?: string
  readonly ignoreFailure: boolean
  /** The handler that runs when it has failed for good. */
  readonly onFailure?: TaskId
}

/** What a plan of a workflow file has beside its tasks. */
export interface PlannedWorkflow {
  readonly name: string
  /** From the root of the project, else absolute. */
  readonly file: string
  readonly tags: readonly string[]
  /** Of `--var`. */
  readonly variables: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly concurrency?: string
  /** Handlers of the whole run. */
  readonly onFailure?: TaskId
  readonly onCancel?: TaskId
  readonly always?: TaskId
  readonly matrices: readonly MatrixGroup[]
}

/** Tasks that may share one container. */
export interface TaskClass {
  readonly id: string
  readonly runtime: 'container' | 'host'
  readonly network: Network
  /** On the host: how much of dwf's environment is there; absent: what stacks need. */
  readonly environment?: 'clean' | 'whole'
  readonly secrets: readonly string[]
  readonly caches: readonly string[]
}

export interface PlannedImage {
  /** Hash of everything that the image is made of, but the platform. */
  readonly recipe: string
  /** `ref@digest`, in the order of the stages. */
  readonly pins: readonly string[]
  readonly packages: readonly string[]
}

/** What would run: the same bytes on every machine. How it meets this machine is the Binding. */
export interface Plan {
  readonly schema: 'dwf.plan/1'
  readonly dwf: string
  readonly project: string
  readonly profile: 'container' | 'host'
  readonly requested: readonly string[]
  readonly tasks: readonly PlannedTask[]
  readonly classes: readonly TaskClass[]
  readonly workflow?: PlannedWorkflow
  readonly image?: PlannedImage
  readonly limits: { readonly memory: number; readonly pids: number; readonly cpus: number; readonly tmp: number }
  readonly policy: { readonly scan: ScanConfig; readonly scripts: 'offline' | 'online' | 'never' }
  readonly settings: Readonly<Record<string, { readonly value: unknown; readonly source: Source }>>
  /** Files that no task may change, from the root. */
  readonly watched: readonly string[]
  readonly notes: readonly string[]
  readonly hash: string
}
