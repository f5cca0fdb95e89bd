import type { Argv } from '../project/types.ts'
import type { Command } from './commands.ts'

/** Where a setting came from. Flags and environment can tighten, never loosen. */
export type Source = 'flag' | 'environment' | 'file' | 'default'

export type Network = 'none' | 'egress'
export type Severity = 'low' | 'medium' | 'high' | 'critical'

export interface TaskConfig {
  readonly command: string
  readonly argv: Argv
  readonly needs: readonly string[]
  readonly dir: string
  readonly timeoutMs?: number
  readonly retries: number
  readonly network?: Network
  readonly runtime?: 'container' | 'host'
  readonly env: Readonly<Record<string, string>>
  readonly secrets: readonly string[]
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
  readonly scan: { readonly severity: Severity }
  readonly extensions: readonly ExtensionConfig[]
  /** Dotted key → where its value came from, for every setting. */
  readonly sources: Readonly<Record<string, Source>>
}
