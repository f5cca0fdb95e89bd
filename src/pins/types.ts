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

/** An action of GitHub Actions, fixed by its commit. */
export interface ActionPin {
  /** `owner/name`, lower or upper case as its owner writes it, without a folder. */
  readonly name: string
  /** Exact, as it is tagged: `v7.0.1`. */
  readonly version: string
  /** 40 hexadecimal digits. */
  readonly sha: string
  readonly source?: string
}

/** dwf itself as a file of the repository, which the jobs run. */
export interface BundlePin {
  readonly path: string
  readonly version: string
  /** Hex. */
  readonly sha256: string
}

/** A generated file as dwf wrote it: what people changed since is kept when it is written again. */
export interface GeneratedPin {
  /** From the root. */
  readonly path: string
  /** Of its base text, hex. */
  readonly sha256: string
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
  readonly actions: readonly ActionPin[]
  readonly bundle?: BundlePin
  readonly generated: readonly GeneratedPin[]
}

/** The pins that came with this version of dwf, and the day on which they were collected. */
export interface ShippedPins {
  readonly date: string
  readonly images: readonly ImagePin[]
  readonly packages: readonly PackagePin[]
  readonly tools: readonly ToolPin[]
  readonly actions: readonly ActionPin[]
}

/** What is known of actions without asking anybody: tags and commits, and what must never run. */
export interface KnownActions {
  /**
   * The pin of the lock; else the one that came with dwf; else the newest known tag. Never a denied one.
   * @throws Failure('wrong-input') for an action that is not known, 'refused' for one that must not run
   */
  readonly pin: (name: string) => ActionPin
  /** Commit of a tag such as `v4` or `v4.2.2`; undefined for one that is not known. */
  readonly commitOf: (name: string, tag: string) => string | undefined
  /** The most exact version of a commit; undefined for one that is not known. */
  readonly versionOf: (name: string, sha: string) => string | undefined
  /** The exact version for a moving tag such as `v4`, with its commit: of those in its range the one that `pin` prefers. */
  readonly exact: (name: string, tag: string) => ActionPin | undefined
  /** Why it must not run; undefined for what nobody has warned of. `ref` is a tag or a commit. */
  readonly denied: (name: string, ref: string) => string | undefined
}

/** A tag as the repository of an action has it. */
export interface RemoteTag {
  readonly name: string
  /** The commit, whatever the tag itself is. */
  readonly sha: string
  /** Of an annotated tag: the tag, which people pin by mistake. */
  readonly object?: string
  /** Milliseconds since 1970; undefined when nobody tells. */
  readonly publishedAt?: number
  /** Its release is marked as one that is not for everybody. */
  readonly isPrerelease?: boolean
}

/** Where the tags of actions are read. */
export interface RemoteTags {
  /**
   * @param repository `owner/name`
   * @throws Failure('machine-cannot') when it cannot be asked
   */
  readonly tags: (repository: string, signal?: AbortSignal) => Promise<readonly RemoteTag[]>
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
