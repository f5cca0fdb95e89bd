import type { ImagePin } from '../pins/types.ts'
import type { Argv } from '../project/types.ts'

/** One official image that files are copied from. */
export interface ImageStage {
  readonly tool: string
  readonly pin: ImagePin
  /** Absolute paths, copied to the same place. */
  readonly copy: readonly string[]
  /** Of these, what to take everyone's right to write from, before it is copied. */
  readonly tighten: readonly string[]
}

/** A command that proves that a tool of the image works. */
export interface SmokeCommand {
  readonly tool: string
  readonly argv: Argv
}

/** The image that a repository's tasks run in, as data: the Dockerfile is one way to write it down. */
export interface ImageModel {
  readonly title: string
  /** URL of the repository, where it has one. */
  readonly source?: string
  readonly base: ImagePin
  /** YYYY-MM-DD: Debian's packages are those of that day or later; moving it brings newer ones. */
  readonly epoch: string
  /** Debian packages, beyond those of the base. */
  readonly packages: readonly string[]
  readonly stages: readonly ImageStage[]
  /** [link, target as written] */
  readonly links: readonly (readonly [string, string])[]
  readonly env: Readonly<Record<string, string>>
  /** Folders in front of Debian's own PATH. */
  readonly path: readonly string[]
  /** Shell lines that run as root after everything is copied; each ends non-zero when it fails. */
  readonly run: readonly string[]
  readonly smoke: readonly SmokeCommand[]
  /** Each tool with its version and where that comes from, for people. */
  readonly contents: readonly {
    readonly tool: string
    readonly version: string
    readonly from: 'image' | 'debian' | 'package'
  }[]
}
