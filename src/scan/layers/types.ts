import type { CodeScannerConfig, ScanConfig } from '../../config/types.ts'
import type { Finished } from '../../util/process.ts'
import type { Contents } from '../content.ts'
import type { KeptResults } from '../kept.ts'
import type { ScanTree } from '../tree.ts'
import type { Guarded } from '../trivy/isolation.ts'
import type { TrivyProgram } from '../trivy/program.ts'
import type { Component, Finding } from '../types.ts'

/** What a layer found, before any policy. Kept as it is, so that it must be plain data. */
export interface Looked {
  readonly findings: readonly Finding[]
  readonly components: readonly Component[]
  readonly scanners: readonly { readonly name: string; readonly version: string }[]
  /** `repository`, or the names of images. */
  readonly subjects: readonly string[]
  /** How much was looked at, for the summary: `12 packages in 1 lock file`. */
  readonly extent: string
  /** What was there and not looked at: the gate is broken by it. */
  readonly blind: readonly string[]
  /** What a person must know beside. */
  readonly lines: readonly string[]
}

/** The images of this machine, and the one that tasks run in; the engine's side of it is the caller's. */
export interface ImageAccess {
  /** Made ready where it is not. Throws a `Failure` when it cannot be. */
  readonly ofTasks: (signal: AbortSignal | undefined) => Promise<{ readonly reference: string; readonly id: string }>
  /** The image that the engine has under a name; undefined when it has none. */
  readonly find: (name: string) => Promise<{ readonly id: string } | undefined>
  /** Writes it as an archive to a new file. */
  readonly save: (reference: string, path: string, signal: AbortSignal | undefined) => Promise<void>
}

/** Runs scanners of code like tasks: in the image, without network, with `tree` as a read-only workspace. */
export interface CodeRunner {
  /** Of the image, with what stands in for its parts here: another image is another scanner. */
  readonly identity: () => Promise<string>
  readonly run: (
    scanner: CodeScannerConfig,
    tree: string,
    signal: AbortSignal | undefined,
  ) => Promise<{ readonly workspace: string; readonly ended: Finished }>
}

/** What the layers of one run share: each is made once, at the first need. */
export interface LayerContext {
  /** Absolute, links resolved. */
  readonly root: string
  /** Nothing that decides or is run may lie in these: `root`, and the project that it is a copy of. */
  readonly guarded: Guarded
  /** What names of archives are relative to, absolute. */
  readonly cwd: string
  readonly policy: ScanConfig
  /** Where the files are that the policy names, where that is not the repository itself. */
  readonly policyRoot?: string
  readonly dwf: string
  readonly env: NodeJS.ProcessEnv
  readonly offline: boolean
  readonly now: () => number
  readonly timeoutMs: number
  readonly tree: () => Promise<ScanTree>
  readonly contents: () => Promise<Contents>
  /** Whether the tree is still the one of `contents`: listed and looked at anew. */
  readonly isUnchanged: () => Promise<boolean>
  /** Told what takes a while. */
  readonly note: (text: string) => void
  readonly trivy: () => Promise<TrivyProgram>
  readonly kept: KeptResults<KeptLook>
  readonly images?: ImageAccess
  readonly code?: CodeRunner
}

export interface KeptLook {
  readonly looked: Looked
  /** ms since the epoch. */
  readonly at: number
}

/** A look at a layer with where it comes from. */
export interface Look {
  readonly looked: Looked
  readonly scannedAt: number
  readonly isCached: boolean
  /** The vulnerability database, as described to people. */
  readonly database?: string
  /** What is to be said of the database. */
  readonly lines: readonly string[]
}
