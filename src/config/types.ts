import type { Argv } from '../project/types.ts'
import type { Command, ScanLayer } from './commands.ts'

/** Where a setting came from. Flags and environment can tighten, never loosen. */
export type Source = 'flag' | 'environment' | 'file' | 'default'

export type Network = 'none' | 'egress'
export type Severity = 'low' | 'medium' | 'high' | 'critical'

/** How long to wait before the next attempt: `delayMs × factor^(attempt − 1)`, at most `maxDelayMs`, ± `jitter` of it. */
export interface RetryDelay {
  readonly delayMs: number
  readonly factor: number
  readonly maxDelayMs: number
  /** 0 to 1: the part of the delay that is drawn by chance. */
  readonly jitter: number
}

export interface TaskConfig {
  readonly command: string
  readonly argv: Argv
  readonly needs: readonly string[]
  readonly dir: string
  /** Of one attempt. */
  readonly timeoutMs?: number
  /** Of all attempts and the waits between them. */
  readonly totalMs?: number
  readonly retries: number
  readonly retryDelay: RetryDelay
  /** How many of `-j` it takes. */
  readonly weight: number
  /** Tasks of this name never overlap, in this run or in another. */
  readonly concurrency?: string
  /** Patterns of files, from the root: when one of them changes, the task is not done any more. */
  readonly inputs: readonly string[]
  readonly network?: Network
  readonly runtime?: 'container' | 'host'
  readonly env: Readonly<Record<string, string>>
  /** False, on the host only: the whole environment of dwf reaches it. */
  readonly cleanEnv: boolean
  readonly secrets: readonly string[]
}

/** Longest wait before the next attempt where nothing is said, ms. */
export const longestWaitMs = 3_600_000

/** Where the value of a secret comes from. */
export type SecretSource =
  /** A variable of dwf's own environment. */
  | { readonly kind: 'env'; readonly name: string }
  /** Absolute, `~/…`, or from the root of the repository. */
  | { readonly kind: 'file'; readonly path: string }
  /** A program of this machine that prints it. */
  | { readonly kind: 'command'; readonly argv: Argv }

/** One `[secrets.NAME]`. */
export interface SecretConfig {
  readonly source: SecretSource
  /** What the task's variable holds: the value, or the path of a file with it. */
  readonly as: 'env' | 'file'
}

/** One `[[scan.ignore]]`. */
export interface IgnoreConfig {
  readonly layers: readonly ScanLayer[]
  /** Of the vulnerability, licence or rule. */
  readonly id: string
  /** Pattern with `*` and `**`. */
  readonly path?: string
  /** `name` or `name@version`. */
  readonly package?: string
  readonly reason: string
  /** The last day, YYYY-MM-DD. */
  readonly expires: string
  readonly by?: string
}

/** A program that looks at the code and writes SARIF. */
export interface CodeScannerConfig {
  readonly name: string
  readonly argv: Argv
  /** File or folder of the repository that must be there. */
  readonly rules?: string
  readonly timeoutMs: number
}

export interface LayerConfig {
  readonly severity: Severity
  /** Refuse vulnerabilities only that have a fix. */
  readonly fixOnly: boolean
}

export interface ScanConfig {
  /** What counts where a layer says nothing of its own. */
  readonly severity: Severity
  readonly layers: Readonly<Record<ScanLayer, LayerConfig>>
  readonly licenses: {
    readonly allow: readonly string[]
    readonly deny: readonly string[]
    readonly unknown: 'report' | 'refuse'
  }
  readonly code: readonly CodeScannerConfig[]
  readonly ignore: readonly IgnoreConfig[]
  /** Paths from the root. */
  readonly vex: readonly string[]
  readonly honor: {
    readonly inline: boolean
    readonly suppressions: boolean
    /** Paths of .trivyignore files, from the root. */
    readonly files: readonly string[]
    /** Paths of .semgrepignore files. */
    readonly semgrep: readonly string[]
  }
}

/** `[ci]` */
export interface CiConfig {
  readonly codeScanning: boolean
  readonly defaultBranch: string
  readonly egress: 'block' | 'audit'
  /** `NAME:PORT`, each. */
  readonly hosts: readonly string[]
  readonly install: 'vendored' | 'npm'
  readonly owners: readonly string[]
  /** Of the names of the workflow files. */
  readonly prefix: string
  readonly publish: boolean
}

export interface ExtensionConfig {
  readonly name: string
  readonly source: 'builtin' | 'path'
  readonly path?: string
  readonly trusted: boolean
}

/** devflow.toml, validated, with defaults: code that takes it never checks it again. Sizes in bytes, times in ms. */
export interface Config {
  /** Absolute path of devflow.toml; undefined when the repository has none. */
  readonly file?: string
  /** The file's text, for spans. */
  readonly text: string
  /** Absolute path of the folder that holds it: the root of the project. */
  readonly root: string
  readonly project: { readonly name?: string; readonly stack?: readonly string[] }
  readonly runtime: { readonly profile: 'container' | 'host' }
  readonly container: {
    readonly image?: string
    readonly engine: 'auto' | 'podman' | 'docker'
    readonly network: Network
    readonly memory: number
    readonly pids: number
    readonly cpus: number
    readonly tmp: number
    readonly toolchains: 'official' | 'debian'
    readonly caCertificates: string
    readonly packages: readonly string[]
    readonly fingerprintInputs: readonly string[]
  }
  readonly cache: { readonly root: string; readonly strategy: 'local' | 'none' }
  readonly setup: { readonly scripts: 'offline' | 'online' | 'never' }
  readonly targets: Readonly<Record<string, readonly Command[]>>
  readonly tasks: Readonly<Record<string, TaskConfig>>
  /** Those with a table of their own; `secretOf` knows the others too. */
  readonly secrets: Readonly<Record<string, SecretConfig>>
  readonly scan: ScanConfig
  readonly ci: CiConfig
  readonly extensions: readonly ExtensionConfig[]
  /** Dotted key → where its value came from, for every setting. */
  readonly sources: Readonly<Record<string, Source>>
}
