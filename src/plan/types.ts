import type { ScanLayer } from '../config/commands.ts'
import type { Network, ScanConfig, Source } from '../config/types.ts'

/** `COMMAND@STACK[:DIR]`; a task of devflow.toml and a gate have `project` in the place of the stack. */
export type TaskId = string

export interface PlannedTask {
  readonly id: TaskId
  readonly command: string
  readonly stack: string
  /** Folder to run in, from the root; `''` is the root. */
  readonly dir: string
  /** fetch: dependencies, with network; setup: dependencies, offline; gate: a scan, outside of every container. */
  readonly kind: 'fetch' | 'setup' | 'task' | 'gate'
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
  readonly timeoutMs: number
  readonly retries: number
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
  readonly hash: string
}

/** Tasks that may share one container. */
export interface TaskClass {
  readonly id: string
  readonly runtime: 'container' | 'host'
  readonly network: Network
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
  readonly image?: PlannedImage
  readonly limits: { readonly memory: number; readonly pids: number; readonly cpus: number; readonly tmp: number }
  readonly policy: { readonly scan: ScanConfig; readonly scripts: 'offline' | 'online' | 'never' }
  readonly settings: Readonly<Record<string, { readonly value: unknown; readonly source: Source }>>
  /** Files that no task may change, from the root. */
  readonly watched: readonly string[]
  readonly notes: readonly string[]
  readonly hash: string
}
