import type { Network } from '../config/types.ts'

/** `[tasks.X]`, as the definition describes it. */
export interface RawTask {
  readonly cmd: string
  readonly name?: string
  readonly description?: string
  readonly type?: 'normal' | 'forensic'
  readonly depends_on?: readonly string[]
  readonly working_dir?: string
  readonly env?: Readonly<Record<string, string>>
  readonly clean_env?: boolean
  readonly if?: string
  readonly matrix?: RawMatrix
  readonly matrix_limit?: number
  readonly fail_fast?: boolean
  readonly register?: string
  readonly ignore_failure?: boolean
  readonly retries?: number
  readonly retry_delay?: string
  readonly retry_backoff?: 'fixed' | 'exponential'
  readonly retry_max_delay?: string
  readonly retry_jitter?: number
  readonly timeout?: string
  readonly total_timeout?: string
  readonly on_failure?: string
  readonly network?: Network
  readonly secrets?: readonly string[]
  readonly concurrency?: string
  readonly weight?: number
  readonly inputs?: readonly string[]
}

/** Axis → values; `include` and `exclude` may be lists of tables. */
export type RawMatrix = Readonly<Record<string, readonly (string | Readonly<Record<string, string>>)[]>>

/** A workflow file, as the definition describes it: nothing is read from it before it was validated. */
export interface RawWorkflow {
  readonly name?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly runtime?: 'container' | 'host'
  readonly network?: Network
  readonly timeout?: string
  readonly concurrency?: string
  readonly on_failure?: string
  readonly on_cancel?: string
  readonly always?: string
  readonly triggers?: readonly unknown[]
  readonly tasks: Readonly<Record<string, RawTask>>
}
