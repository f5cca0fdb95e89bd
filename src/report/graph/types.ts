export interface GraphTask {
  readonly id: string
  /** Must have passed before. */
  readonly needs: readonly string[]
  /** Must have ended before. */
  readonly after?: readonly string[]
  /** The handler that runs when it fails. */
  readonly onFailure?: string
  /** task, gate, setup, fetch, handler. */
  readonly kind: string
  /** How it ended in a run, or where it is. */
  readonly state?: string
}

/** What is drawn. Ids and title may be any text. */
export interface Graph {
  readonly title: string
  /** In an order in which what is needed comes before what needs it. */
  readonly tasks: readonly GraphTask[]
}

export const graphFormats = ['ascii', 'mermaid', 'dot', 'html', 'json'] as const
export type GraphFormat = (typeof graphFormats)[number]
