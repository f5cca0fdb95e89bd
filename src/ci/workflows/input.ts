import type { CiConfig } from '../../config/types.ts'
import type { ActionPin } from '../../pins/types.ts'
import type { Part } from '../../plan/parts.ts'
import type { StackUnit } from '../../project/types.ts'

/** A part of CI, and the targets that have it: `pr` for pull requests, `main` for pushes. */
export interface CiPart extends Part {
  readonly targets: readonly CiTarget[]
  /** Those of them that have it only when what it looks at has changed. */
  readonly onChange: readonly CiTarget[]
  /** It does what a person has to approve. */
  readonly needsTrust: boolean
}

export type CiTarget = 'pr' | 'main' | 'nightly' | 'release'

/** Everything that the generated files are made of. */
export interface CiInput {
  /** Version of dwf. */
  readonly dwf: string
  readonly ci: CiConfig
  readonly units: readonly Pick<StackUnit, 'stack' | 'dir' | 'manager'>[]
  readonly parts: readonly CiPart[]
  /** Tasks run in an image that dwf builds. */
  readonly hasImage: boolean
  /** Files of the repository that accept findings, and rules of scanners: paths from the root. */
  readonly policyFiles: readonly string[]
  /** CodeQL runs already, by a workflow of the repository's own. */
  readonly hasCodeql: boolean
  /** The repository as a whole asks for something that a person has to approve. */
  readonly needsTrust: boolean
  readonly pin: (name: string) => ActionPin
}

export const partsOfTarget = (input: CiInput, target: CiTarget): readonly CiPart[] =>
  input.parts.filter(({ targets }) => targets.includes(target))

export type WorkflowName = 'ci' | 'nightly' | 'codeql' | 'release' | 'publish'

/** Where a workflow lies, in .github/workflows. */
export const fileOf = ({ ci }: Pick<CiInput, 'ci'>, name: WorkflowName): `${string}.yml` => `${ci.prefix}${name}.yml`
