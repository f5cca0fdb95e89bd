import type { Diagnostic, Span } from '../util/diagnostics.ts'

/** The stacks that ship with dwf. A stack is a toolchain that a repository uses. */
export const stackNames = ['node', 'python', 'rust', 'go', 'java', 'kotlin', 'tauri', 'custom'] as const
export type StackName = (typeof stackNames)[number]

/**
 * A read-only view of the files of a repository. Paths are relative to its root with `/` between the parts.
 * It runs nothing, never follows a link out of the repository, and treats what it may not read as absent.
 */
export interface Tree {
  readonly root: string
  /** True for a regular file. */
  has(path: string): boolean
  isDirectory(path: string): boolean
  /** The text of a file of at most 4 MiB; undefined when there is none. */
  text(path: string): string | undefined
  /** The names in a folder, in code-unit order; [] when there is none. */
  list(path: string): readonly string[]
  /** The names of the real folders in a folder, links to folders left out: a walk over these cannot go in circles. */
  folders(path: string): readonly string[]
}

/** A toolchain version that the repository asks for, with the place that says so. */
export interface ToolchainRequest {
  /** `node`, `python`, `rust`, `go`, `java`, `maven`, `gradle`, `uv`, `poetry`, `pnpm`, `yarn`, `bun`, `just`, `make`, … */
  readonly tool: string
  /** As npm semver understands it (`>=20`, `24.x`, `1.26.8`); `*` when the repository does not say. */
  readonly range: string
  /** As the repository wrote it; empty when it does not say. */
  readonly asked: string
  readonly where?: Span
  /** A hash that the repository itself pins, such as `packageManager`'s `+sha512.…`. */
  readonly integrity?: string
}

/** A process: run as it is, never through a shell, unless the argv itself names one. */
export type Argv = readonly string[]

/** One command that a unit offers; runs in the unit's folder. */
export interface OfferedTask {
  /** `primary:selector`, such as `test:unit`. */
  readonly command: string
  readonly argv: Argv
  /** Commands that must have run before: of the same unit, or of all units where it offers none of that name. */
  readonly needs?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly network?: 'none' | 'egress'
}

/** A command that the stack knows but this repository does not have, and what to add to get it. */
export interface MissingTask {
  readonly command: string
  readonly hint: string
}

/** How a unit's dependencies get in. Each argv runs in the unit's folder with the unit's environment and caches. */
export interface Setup {
  /** Files that decide what is installed: keys of the skip, and watched for change during a run. */
  readonly lockFiles: readonly string[]
  /** Network, no scripts of packages. */
  readonly fetch?: Argv
  /** No network; scripts of packages may run. */
  readonly install?: Argv
  /** One step that needs the network and runs scripts: always there when `split` is false, else what `online` uses. */
  readonly online?: Argv
  /** False when it cannot be done in two halves: `fetch` and `install` are absent, `online` is the only way. */
  readonly split: boolean
  /**
   * Folders or files that exist after it: where one is missing the setup runs again. Relative to the root, or
   * `/cache/<name>/…` for what lies in one of the unit's caches.
   */
  readonly outputs: readonly string[]
  /** There is something to install and no lock file: the setup fails with this. */
  readonly missingLock?: Diagnostic
  /** Said in the plan, e.g. why it cannot split. */
  readonly note?: string
}

/** A cache that outlives the container: a folder `/cache/<name>` there, named to the tool by an environment variable. */
export interface CacheUse {
  /** `[a-z0-9-]+`; shared by all units that name it. */
  readonly name: string
  /** Values that lie in the cache begin with `/cache/<name>`: an engine without that folder replaces this prefix. */
  readonly env: Readonly<Record<string, string>>
  /** Folders of it, relative to `/cache/<name>`, that come first in PATH: a virtual environment's `bin`. */
  readonly path?: readonly string[]
}

/** One stack in one folder of the repository. */
export interface StackUnit {
  readonly stack: StackName
  /** `''` is the root. */
  readonly dir: string
  /** The file that makes it a unit, relative to the root. */
  readonly manifest: string
  /** `npm`, `pnpm`, `cargo`, `maven`, `just`, … */
  readonly manager?: string
  /** The project's name as the manifest gives it. */
  readonly name?: string
  readonly toolchains: readonly ToolchainRequest[]
  /** Debian packages that the image needs beyond the toolchain's own. */
  readonly packages: readonly string[]
  readonly caches: readonly CacheUse[]
  readonly env: Readonly<Record<string, string>>
  readonly setup?: Setup
  readonly tasks: readonly OfferedTask[]
  readonly missing: readonly MissingTask[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Where git keeps things, read from files: git itself is never run, since a repository can make it run programs. */
export interface GitState {
  /** Absolute path of the git dir; for a worktree that of the worktree. */
  readonly dir: string
  /** Absolute path of the common dir; equal to `dir` but in a worktree. */
  readonly commonDir: string
  /** `core.hooksPath` where it lies inside the work tree, relative to the root; `''` is the root itself. */
  readonly hooksPath?: string
  /** The URL of `origin`, without a user name or password in an http URL. */
  readonly remoteUrl?: string
  readonly head?: string
  readonly branch?: string
  /** Of `origin`, where it was cloned from one that says so. */
  readonly defaultBranch?: string
}

/** The repository as found. */
export interface Project {
  /** Absolute, links resolved. */
  readonly root: string
  readonly name: string
  readonly git?: GitState
  readonly units: readonly StackUnit[]
  readonly diagnostics: readonly Diagnostic[]
}
