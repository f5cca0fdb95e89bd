import type { ScanLayer } from '../config/commands.ts'

/** `unknown`: the scanner gave none, or one that dwf does not know. It refuses whatever the limit is. */
export type FindingSeverity = 'unknown' | 'low' | 'medium' | 'high' | 'critical'

export interface FindingPlace {
  /** From the root of the project, with `/`. */
  readonly file: string
  /** From 1. */
  readonly line?: number
  readonly column?: number
  readonly package?: string
  readonly version?: string
}

/** One result of one scanner, in one shape whatever the scanner. All texts are one line and printable. */
export interface Finding {
  readonly id: string
  readonly severity: FindingSeverity
  readonly layer: ScanLayer
  readonly where: FindingPlace
  readonly title: string
  /** The version, or versions, that no longer have it. */
  readonly fixedIn?: string
  /** What to do about it, where that is no upgrade. */
  readonly advice?: string
  readonly references: readonly string[]
  /** Stays the same when lines move or the version of the package changes. */
  readonly fingerprint: string
}

/** A file that the scanner says it looked at. */
export interface ScanTarget {
  readonly file: string
  readonly kind: 'packages' | 'config' | 'secrets' | 'other'
  /** The scanner's own word: `npm`, `dockerfile`, … */
  readonly type: string
  readonly packages: number
}

export interface ScanReport {
  readonly layer: ScanLayer
  readonly scanner: { readonly name: string; readonly version: string }
  /** What was looked at, as far as the scanner tells: one that looks for secrets names only files that have one. */
  readonly targets: readonly ScanTarget[]
  readonly findings: readonly Finding[]
}

export interface ScanRequest {
  /** Absolute path of the folder to look at; paths of the report are relative to it. */
  readonly root: string
  readonly layer: ScanLayer
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** One adapter for each scanner. `scan` rejects with a `Failure` for everything that is not a whole, readable report. */
export interface Scanner {
  readonly name: string
  readonly version: string
  readonly scan: (request: ScanRequest) => Promise<ScanReport>
}

/** The vulnerability database as it lies on this machine. Times in ms since the epoch. */
export type Database =
  | { readonly kind: 'absent'; readonly dir: string }
  | { readonly kind: 'unreadable'; readonly dir: string; readonly reason: string }
  | {
      readonly kind: 'ready'
      readonly dir: string
      readonly updatedAt: number
      readonly ageMs: number
      /** A small one for tests, which says nothing about the world; how many entries it has, where that is written down. */
      readonly test?: { readonly entries?: number }
    }
