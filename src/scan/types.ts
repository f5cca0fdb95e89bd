import type { ScanLayer } from '../config/commands.ts'
import type { Verdict } from '../run/types.ts'

/** `unknown`: the scanner gave none, or one that dwf does not know. It refuses whatever the limit is. */
export type FindingSeverity = 'unknown' | 'low' | 'medium' | 'high' | 'critical'

export interface FindingPlace {
  /** From the root of the project, or of the image, with `/`; `.` where a scanner names no file. */
  readonly file: string
  /** The image in which it is; undefined in the repository. */
  readonly image?: string
  /** From 1. */
  readonly line?: number
  readonly column?: number
  readonly endLine?: number
  readonly package?: string
  readonly version?: string
  /** Package URL, with version. */
  readonly purl?: string
}

/** One result of one scanner at one place, in one shape whatever the scanner. All texts are one line and printable. */
export interface Finding {
  readonly id: string
  /** Other names of the same: a GHSA of a CVE. */
  readonly aliases?: readonly string[]
  readonly severity: FindingSeverity
  readonly layer: ScanLayer
  /** Who found it: `trivy`, `dwf`, the name of a scanner of code. */
  readonly scanner: string
  readonly where: FindingPlace
  readonly title: string
  /** The version, or versions, that no longer have it. */
  readonly fixedIn?: string
  /** What to do about it, where that is no upgrade. */
  readonly advice?: string
  readonly references: readonly string[]
  /** The file itself says that it is to be passed over: counts only where `[scan] honor` says so. */
  readonly suppressed?: { readonly by: 'inline' | 'suppressions'; readonly says?: string }
  /** Stays the same when lines move or the version of the package changes. */
  readonly fingerprint: string
}

/** Something that a repository or image is made of, for SBOM differences and licences. */
export interface Component {
  readonly name: string
  readonly version: string
  readonly purl?: string
  readonly licenses: readonly string[]
  /** Lock file, or file in the image. */
  readonly file: string
  readonly image?: string
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
  /** Of the image that it is about, where the scanner tells. */
  readonly imageId?: string
  /** What was looked at, as far as the scanner tells: one that looks for secrets names only files that have one. */
  readonly targets: readonly ScanTarget[]
  readonly findings: readonly Finding[]
  readonly components: readonly Component[]
}

/** What a scanner is to look at. */
export type Subject =
  /** Absolute path of the folder; paths of the report are relative to it. */
  | { readonly kind: 'tree'; readonly root: string }
  /** A saved image (docker-archive or OCI, absolute path of a tar); `name` is what the findings call it. */
  | { readonly kind: 'archive'; readonly path: string; readonly name: string }
  /** An image in a registry, asked over the network. */
  | { readonly kind: 'registry'; readonly reference: string }

export interface ScanRequest {
  readonly subject: Subject
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

/** Which rule let a finding pass, or refused it. */
export type Rule =
  /** By its severity alone. */
  | { readonly kind: 'limit' }
  /** Nobody knows how severe it is. */
  | { readonly kind: 'unknown-severity' }
  /** `fix_only`, and there is no version that fixes it. */
  | { readonly kind: 'no-fix' }
  | {
      readonly kind: 'ignore'
      /** `devflow.toml:12`, or the place in an ignore file. */
      readonly source: string
      readonly reason?: string
      /** The last day, YYYY-MM-DD. */
      readonly until?: string
      readonly by?: string
    }
  | {
      readonly kind: 'vex'
      readonly source: string
      readonly status: 'not_affected' | 'fixed'
      readonly reason?: string
      readonly by?: string
    }
  /** A comment in the file, or a suppression in SARIF, that `[scan] honor` lets count. */
  | { readonly kind: 'suppressed'; readonly by: 'inline' | 'suppressions'; readonly reason?: string }
  /** It was there when the baseline was written; `since` is that day. */
  | { readonly kind: 'baseline'; readonly source: string; readonly since: string }

/** What the gate makes of one finding, and why. */
export interface Decision {
  readonly finding: Finding
  readonly refuses: boolean
  readonly rule: Rule
  /** The rule in a sentence: `high, at or above the limit high`; `ignored by devflow.toml:12 until 2027-01-01: no user input`. */
  readonly says: string
}

/**
 * What a person reads as one finding: the same vulnerability of the same package in a lock file and in an image, or by two
 * scanners, is one with several places. Made by `mergeFindings`; nothing is lost in it.
 */
export interface MergedFinding {
  readonly id: string
  readonly aliases: readonly string[]
  /** The worst of its places. */
  readonly severity: FindingSeverity
  readonly title: string
  readonly package?: string
  readonly fixedIn?: string
  readonly advice?: string
  readonly references: readonly string[]
  /** True when one of its places refuses. */
  readonly refuses: boolean
  readonly fingerprint: string
  readonly places: readonly {
    readonly layer: ScanLayer
    readonly scanners: readonly string[]
    readonly where: FindingPlace
    readonly refuses: boolean
    readonly rule: Rule
    readonly says: string
    readonly fingerprint: string
  }[]
}

/** One gate of one run: what was looked at, by whom, with what, and what became of every finding. */
export interface LayerResult {
  readonly layer: ScanLayer
  readonly verdict: Verdict['kind']
  readonly summary: string
  readonly limit: string
  readonly scanners: readonly { readonly name: string; readonly version: string }[]
  /** `repository`, or the names of images. */
  readonly subjects: readonly string[]
  /** The vulnerability database, as described to people; undefined where none was needed. */
  readonly database?: string
  /** Milliseconds since the epoch: when the scanner looked. */
  readonly scannedAt: number
  /** The findings are of an earlier scan of the same contents. */
  readonly isCached: boolean
  readonly decisions: readonly Decision[]
  readonly components: readonly Component[]
  /** What a person must know beyond the findings: what was not looked at, which baseline entries are stale. */
  readonly lines: readonly string[]
  /** How long the gate took, ms. */
  readonly ms: number
}

/** All gates of one run: what reports are made of. Written as JSON to the run's folder, and by `--report json=FILE`. */
export interface ScanDocument {
  readonly schema: 'dwf.scan/1'
  readonly dwf: string
  readonly run: string
  readonly project: string
  /** Of git, where there is one. */
  readonly commit?: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** False when a gate did not pass. */
  readonly ok: boolean
  readonly layers: readonly LayerResult[]
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
