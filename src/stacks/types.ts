import type { Argv, StackName, StackUnit, Tree } from '../project/types.ts'

/** One file a stack: it finds its units in a tree and says what they offer. Pure but for reading the tree. */
export interface Stack {
  readonly name: StackName
  /** All units of this stack below the folders of the tree, in code-unit order of `dir`. */
  readonly detect: (tree: Tree, folders: readonly string[]) => readonly StackUnit[]
}

/**
 * How a toolchain comes into the image; tables, one a tool, kept beside the stack that uses it. In every path, line and
 * value `{version}` stands for the version that was chosen, `{minor}` for its first two numbers, `{major}` for the first.
 */
export interface ToolchainRecipe {
  readonly tool: string
  /** The official image without tag, e.g. `docker.io/library/node`; undefined when it never comes from an image. */
  readonly image?: string
  /** What to copy from the official image, to the same place. */
  readonly copy?: readonly string[]
  /**
   * The official image leaves what is copied writable for everyone (rust does): it is made `go-w` in a stage of its
   * own, so that no layer is doubled. Not for images without a shell.
   */
  readonly tighten?: boolean
  /** Links to make again: [link, target as written]. COPY of a single link would follow it. */
  readonly links?: readonly (readonly [string, string])[]
  /** Debian packages whose libraries the copied files need. */
  readonly packages?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Folders to put in front of PATH. */
  readonly path?: readonly string[]
  /** Run as root in the toolchain stage after the copy; each is a shell line that ends non-zero when it fails. */
  readonly run?: readonly string[]
  /** A package of the npm registry, by its name, that is installed globally at the exact version that was chosen. */
  readonly npm?: string
  /** A package of PyPI, by its name, that is installed with what it needs in a folder of its own, such as `poetry`. */
  readonly pypi?: string
  /**
   * The way without an official image: Debian packages, and the version that Debian 13 has. `env` and `path` of the
   * recipe hold for the official image only; these hold for Debian's package.
   */
  readonly debian?: {
    readonly packages: readonly string[]
    readonly version: string
    readonly run?: readonly string[]
    readonly env?: Readonly<Record<string, string>>
  }
  /** Other tools that must be in the image first: pnpm needs node. */
  readonly needs?: readonly string[]
  /** Proves it works: run as 1001 on a read-only root at build time. */
  readonly smoke: Argv
}
