import type { Finished } from '../util/process.ts'

/** What runs containers. Everything that knows Podman's or Docker's ways lives behind this interface. */
export type EngineName = 'podman' | 'docker' | 'host'

/** How ids inside a container meet ids outside. */
export type IdMapping =
  /** Rootless Podman: UID 1001 inside is the person outside. */
  | 'keep-id'
  /** Rootless Docker: uid 0 inside is the person outside (a named relaxation). */
  | 'root-is-person'
  /** Rootful Docker: the person's own ids (a named relaxation). */
  | 'same-ids'
  /** No container. */
  | 'none'

/** What cgroups can limit of a container. */
export type Limit = 'memory' | 'cpus' | 'pids'

export interface EngineInfo {
  readonly name: EngineName
  readonly version: string
  readonly rootless: boolean
  readonly idMapping: IdMapping
  readonly cgroups: 'v1' | 'v2' | 'none'
  /** The limits that are enforced here. */
  readonly limits: readonly Limit[]
  /** What of the second promise this engine does not keep here, in words; [] when all of it. */
  readonly unenforced: readonly string[]
  readonly selinux: boolean
  readonly arch: 'amd64' | 'arm64' | string
}

export interface Mount {
  /** Absolute, on the host. */
  readonly from: string
  /** Absolute, in the container. */
  readonly to: string
  readonly readOnly: boolean
}

/** Everything that a container of one class needs: the meeting of a class of the plan with this machine. */
export interface ContainerSpec {
  /** Unique on this machine; letters, digits and dashes. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly image: string
  readonly mounts: readonly Mount[]
  readonly network: 'none' | 'egress'
  /** Bytes. */
  readonly memory: number
  readonly pids: number
  readonly cpus: number
  /** Bytes, for /tmp and for HOME, each. */
  readonly tmp: number
  readonly env: Readonly<Record<string, string>>
  readonly workdir: string
}

/** How a process ended: its code, or the signal that ended it, or that the container went away under it. */
export type Exit = { readonly kind: 'code'; readonly code: number } | { readonly kind: 'lost'; readonly reason: string }

export interface ExecRequest {
  readonly argv: readonly string[]
  /** Absolute, in the container. */
  readonly dir: string
  /** On top of the container's environment. */
  readonly env: Readonly<Record<string, string>>
  /** Folders that come first in PATH. */
  readonly path?: readonly string[]
  /**
   * Name of a variable → text without NUL. The task finds the text in a file of its own (0600, in memory where there is
   * such a place) whose path the variable has; the file is gone when the task has ended.
   */
  readonly files?: Readonly<Record<string, string>>
  /** A promise makes the stream wait until it is resolved. */
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void | Promise<void>
}

/** A process that is running: what it said comes through `onOutput`; `signal` reaches its whole subtree. */
export interface Running {
  readonly exit: Promise<Exit>
  signal(name: 'TERM' | 'KILL'): void
}

/** One open container (or the host) with shells kept open in it. */
export interface Session {
  /** Starts a task; at most `slots` may run at once. */
  exec(request: ExecRequest): Promise<Running>
  /** Ends everything in it; safe to call twice. */
  close(): Promise<void>
  /** Resolves when the session ended for any reason. */
  readonly ended: Promise<{ readonly reason: string }>
}

export interface BuildRequest {
  /** Absolute. */
  readonly dockerfile: string
  readonly context: string
  readonly target: string
  readonly tags: readonly string[]
  readonly args: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  /** Pinned reference as it stands in the Dockerfile → local image that takes its place. */
  readonly substitutes: Readonly<Record<string, string>>
  /** Bundle of CA certificates to lay over the build's own, and proxy variables; never copied into the image. */
  readonly caBundle?: string
  readonly onLine: (line: string) => void
  readonly signal: AbortSignal
}

export interface ImageInfo {
  readonly id: string
  readonly tags: readonly string[]
  /** ISO 8601. */
  readonly created: string
  /** Bytes. */
  readonly size: number
  readonly labels: Readonly<Record<string, string>>
}

export interface ProgramOptions {
  /** An image of somebody else has no tini of dwf's: its own program comes first then. */
  readonly entrypoint?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Bytes of each stream that are kept, from the end. */
  readonly keep?: number
}

export interface Engine {
  readonly info: EngineInfo
  /** The image with this name, or undefined. */
  image(reference: string): Promise<ImageInfo | undefined>
  /** Builds; throws Failure('machine-cannot' | 'failed') with the engine's message explained. */
  build(request: BuildRequest): Promise<void>
  /** Images that carry a label, newest first. */
  images(label: string): Promise<readonly ImageInfo[]>
  removeImage(reference: string): Promise<void>
  tagImage(reference: string, tag: string): Promise<void>
  /** Loads a tar of a root file system as an image. */
  importImage(tar: string, reference: string): Promise<void>
  /** Writes an image as a docker-archive to `path`, a new file. Throws a `Failure` when there is no such image. */
  saveImage(reference: string, path: string, signal?: AbortSignal): Promise<void>
  /** Reads an archive that `saveImage` wrote, with its tags. Throws a `Failure` when it cannot. */
  loadImage(path: string, signal?: AbortSignal): Promise<void>
  /** Fetches an image from its registry, unless it is here. Throws a `Failure` when it cannot be had. */
  pullImage(reference: string, signal?: AbortSignal): Promise<void>
  /**
   * Runs one program in a fresh hardened container, until it ends or its time is up; then the container is gone. Throws a
   * `Failure` when the container could not be started.
   */
  runProgram(spec: ContainerSpec, argv: readonly string[], options?: ProgramOptions): Promise<Finished>
  open(spec: ContainerSpec, slots: number): Promise<Session>
  /** Containers that carry a label; for reaping what a dead run left. */
  containers(
    label: string,
  ): Promise<readonly { readonly id: string; readonly labels: Readonly<Record<string, string>> }[]>
  removeContainer(id: string): Promise<void>
}
