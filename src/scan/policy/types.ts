import type { ScanLayer } from '../../config/commands.ts'
import type { Severity } from '../../config/types.ts'
import type { Decision } from '../types.ts'

/** One accepted finding as somebody wrote it down: in devflow.toml, or in an ignore file that `[scan] honor` names. */
export interface IgnoreRule {
  /**
   * `config` was checked and has to stay true: an expired or unmatched one is a finding. `file` has the looser rules of
   * the format it comes from, and is only spoken of.
   */
  readonly of: 'config' | 'file'
  readonly file: string
  readonly line?: number
  readonly layers: readonly ScanLayer[]
  readonly id: string
  /** Patterns with `*` and `**`: one of them matches the file. */
  readonly paths?: readonly string[]
  /** `name` or `name@version`. */
  readonly package?: string
  /** One of them names the package. */
  readonly purls?: readonly string[]
  readonly reason?: string
  /** The last day, YYYY-MM-DD. */
  readonly expires?: string
  readonly by?: string
}

/** What a VEX document says about one vulnerability in one product. Texts are one line and printable. */
export interface VexStatement {
  readonly id: string
  readonly aliases?: readonly string[]
  /** Package URL as written. Without one the statement matches nothing. */
  readonly purl?: string
  /** The image in which the package is, where the statement is about that one only: a package URL of type oci or docker. */
  readonly image?: string
  readonly status: 'not_affected' | 'fixed' | 'affected' | 'under_investigation'
  readonly reason?: string
  readonly by?: string
  /** Milliseconds since the epoch: when it was said. A later statement about the same replaces it. */
  readonly at?: number
  readonly file: string
  /** `vex/shop.json, statement 2`. */
  readonly source: string
}

export interface BaselineEntry {
  readonly fingerprint: string
  readonly layer: ScanLayer
  readonly id: string
  /** For whoever reads the file: `package-lock.json lodash`. */
  readonly where: string
  readonly since: string
}

/** devflow.baseline.json: what was there when a repository began to be judged. */
export interface Baseline {
  readonly since?: string
  readonly entries: readonly BaselineEntry[]
}

/** All that decides what becomes of the findings of one gate. */
export interface Policy {
  readonly layer: ScanLayer
  /** The lowest severity that refuses. */
  readonly limit: Severity
  /** A vulnerability refuses only when there is a version that fixes it. */
  readonly fixOnly: boolean
  /** YYYY-MM-DD. */
  readonly today: string
  /** The first that matches is the one that is named. */
  readonly ignores: readonly IgnoreRule[]
  readonly vex: readonly VexStatement[]
  readonly honorsSuppressed: { readonly inline: boolean; readonly suppressions: boolean }
  readonly baseline?: Baseline
}

export interface PolicyResult {
  /** Every finding exactly once, and the policy's own; refusing first, worst first. */
  readonly decisions: readonly Decision[]
  /** What was accepted by whom else than the limit, and what has gone stale. */
  readonly lines: readonly string[]
}
