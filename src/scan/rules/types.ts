import type { FindingSeverity } from '../types.ts'

/** One place at which a rule holds. */
export interface Found {
  /** Offset in the text. */
  readonly at: number
  /**
   * Where in the structure, and what: `services.db.volumes /etc`. Leads the title, and tells two findings of one rule
   * apart when lines move. Never a value that may be a secret.
   */
  readonly about: string
  /** Shown right behind `about`, and no part of the fingerprint: a version, which changes. */
  readonly detail?: string
  /** Where this place is worse, or better, than the rule says. */
  readonly severity?: FindingSeverity
}

/** One rule on files of one kind, which were read into a `Model`. */
export interface FileRule<Model> {
  readonly id: string
  readonly severity: FindingSeverity
  /** Goes on after "about: ". */
  readonly title: string
  readonly advice: string
  readonly reference: string
  readonly look: (model: Model) => Iterable<Found>
}

/** A text that is not what its name says; becomes a finding of unknown severity, which refuses. */
export class Unreadable extends Error {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.name = 'Unreadable'
    this.at = at
  }
}
