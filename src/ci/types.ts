/** A file that dwf generates for CI. */
export interface GeneratedFile {
  /** Relative to the root, `/` between its parts. */
  readonly path: string
  readonly content: string
}
