import { hashOf } from '../util/canonical.ts'

/** What a run is about: all of its row that nothing that happens changes. */
export interface About {
  readonly kind: string
  readonly title: string
  readonly project: string
  readonly root: string
  readonly workflow: string | null
  /** JSON. */
  readonly tags: string
  readonly plan_hash: string
  /** JSON. */
  readonly options: string
  readonly image: string
  readonly dwf: string
}

/** SHA-256, hex: stands in the event that begins a session, so that the chain holds the plan too. */
export function aboutHash(about: About): string {
  const { kind, title, project, root, workflow, plan_hash, image, dwf } = about
  const [tags, options] = [about.tags, about.options].map((json) => JSON.parse(json))
  return hashOf([kind, title, project, root, workflow, tags, plan_hash, options, image, dwf])
}
