import type { ToolchainRequest } from '../project/types.ts'
import type { ToolchainRecipe } from '../stacks/types.ts'
import type { Diagnostic } from '../util/diagnostics.ts'

/** A container image fixed by its index digest. */
export interface ImagePin {
  /** `base`, or the tool it brings: `node`, `python`, … */
  readonly tool: string
  /** With registry and tag, without digest: `docker.io/library/node:24-trixie-slim`. */
  readonly ref: string
  /** `sha256:…` of the index. */
  readonly digest: string
  /** Version of the tool in it, as npm semver reads it. */
  readonly version: string
  /** Where the digest was read, for whoever reviews the lock; no part of what is built. */
  readonly source?: string
}

/** A tool that comes from a package registry at an exact version. */
export interface PackagePin {
  /** `pnpm`, `yarn`, `poetry`, … */
  readonly tool: string
  readonly registry: 'npm' | 'pypi'
  /** Its name there. */
  readonly name: string
  readonly version: string
  /** Of the package's archive, as npm writes it (`sha512-…`): then the build checks it. */
  readonly integrity?: string
  readonly source?: string
}

/** A program of the host that dwf calls. */
export interface ToolPin {
  readonly name: string
  /** The lowest version that dwf was tested with. */
  readonly minimum: string
  /** Versions known to be hijacked or broken: never run. */
  readonly denied: readonly string[]
  /** The very programs that may be run, `linux/amd64:sha256:…`; any that is new enough where there is none. */
  readonly checksums?: readonly string[]
  /** The tool as a container image, `ref@sha256:…`: run where the program itself is not installed. */
  readonly image?: string
}

/** devflow.lock: everything fixed by content, and the version of dwf that wrote it. */
export interface Lock {
  readonly schema: 'dwf.lock/1'
  readonly dwf: string
  /** YYYY-MM-DD; part of the image's fingerprint, so that moving it brings Debian's fixes. */
  readonly epoch: string
  readonly images: readonly ImagePin[]
  readonly packages: readonly PackagePin[]
  readonly tools: readonly ToolPin[]
}

/** The pins that came with this version of dwf, and the day on which they were collected. */
export interface ShippedPins {
  readonly date: string
  readonly images: readonly ImagePin[]
  readonly packages: readonly PackagePin[]
  readonly tools: readonly ToolPin[]
}

/** How a tool comes into an image; undefined for a tool that no stack knows. */
export type RecipeOf = (tool: string) => ToolchainRecipe | undefined

interface ResolvedBase {
  readonly tool: string
  /** Exact, as npm semver reads it. */
  readonly version: string
  readonly recipe: ToolchainRecipe
  /** Who asked for it; [] when only another tool needs it. */
  readonly requests: readonly ToolchainRequest[]
}

/** A tool with the one version that every request for it is content with, and where that comes from. */
export type ResolvedToolchain =
  | (ResolvedBase & { readonly from: 'image'; readonly pin: ImagePin })
  | (ResolvedBase & { readonly from: 'debian' })
  | (ResolvedBase & { readonly from: 'package'; readonly pin: PackagePin })

export interface Resolution {
  /** The Debian image that everything is built on; undefined only when the lock has none, which is an error among the diagnostics. */
  readonly base?: ImagePin
  /** What a tool needs stands before it; otherwise in code-unit order. Tools with an error are left out. */
  readonly toolchains: readonly ResolvedToolchain[]
  readonly diagnostics: readonly Diagnostic[]
}
