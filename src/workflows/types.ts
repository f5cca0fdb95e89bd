import type { Condition } from '../conditions/types.ts'
import type { Network, RetryDelay } from '../config/types.ts'

/** One `{{.name}}` of a command: the value travels in the environment, never in the text of the script. */
export interface Reference {
  readonly variable: string
  /** Environment variable that the script reads it from, such as `DWF_VALUE_1`. */
  readonly env: string
}

/** A value of `env` with its references: text and names of variables in turn. */
export type Template = readonly ({ readonly text: string } | { readonly variable: string })[]

/** One node: a task of the file, or one cell of its matrix. */
export interface WorkflowTask {
  /** `build`, or `build[arch=amd64,os=linux]`. */
  readonly id: string
  /** The task's name in the file. */
  readonly base: string
  readonly name: string
  readonly description: string
  /** For `sh -c`: each reference of the command stands in it as an environment variable, quoted for its place. */
  readonly script: string
  readonly references: readonly Reference[]
  /** Ids of nodes, in the order of the plan. */
  readonly needs: readonly string[]
  /** From the root of the project, or absolute on the host; `''` is the root. */
  readonly dir: string
  readonly env: Readonly<Record<string, Template>>
  /** Nothing but `env` reaches the task. Undefined: the default of where it runs. */
  readonly cleanEnv?: boolean
  readonly condition?: Condition
  /** Values of this cell: read-only variables of the task. */
  readonly matrix?: Readonly<Record<string, string>>
  /** Variable that gets the last line of stdout that is not empty. */
  readonly register?: string
  readonly ignoreFailure: boolean
  readonly retries: number
  readonly retryDelay: RetryDelay
  /** Of one attempt. */
  readonly timeoutMs?: number
  /** Of all attempts and the waits between them. */
  readonly totalMs?: number
  /** Runs when this task has failed for good: the name of a handler of the file. */
  readonly onFailure?: string
  /** Runs only when something names it: `on_failure`, `on_cancel`, `always`. */
  readonly isHandler: boolean
  /** How many of `-j` it takes. */
  readonly weight: number
  /** Tasks of this name never overlap, in this run or in another. */
  readonly concurrency?: string
  readonly network?: Network
  readonly secrets: readonly string[]
  /** Patterns of files, from the root: when one of them changes, the task is not done any more. */
  readonly inputs: readonly string[]
}

/** The cells of one task. */
export interface MatrixGroup {
  readonly base: string
  readonly nodes: readonly string[]
  /** Cells at the same time; undefined: as many as -j. */
  readonly limit?: number
  /** The first cell that fails cancels the others. */
  readonly failFast: boolean
}

/** A workflow file, validated and expanded: code that takes it never checks it again. Times in ms. */
export interface Workflow {
  /** As it is asked for: `deploy`, `team/deploy`. */
  readonly name: string
  /** Absolute. */
  readonly file: string
  readonly text: string
  readonly description: string
  readonly tags: readonly string[]
  readonly runtime: 'container' | 'host'
  readonly network: Network
  readonly timeoutMs?: number
  readonly concurrency?: string
  readonly onFailure?: string
  readonly onCancel?: string
  readonly always?: string
  /** Nodes that run, by level and then by id; then handlers, by id. */
  readonly tasks: readonly WorkflowTask[]
  readonly matrices: readonly MatrixGroup[]
  /** How many `[[triggers]]` the file has: read, never acted on. */
  readonly triggers: number
  /** Variables that no task sets: `--var` has to. Name → the nodes that use it. */
  readonly wanted: Readonly<Record<string, readonly string[]>>
}
