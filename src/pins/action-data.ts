import lt from 'semver/functions/lt.js'
import lte from 'semver/functions/lte.js'
import valid from 'semver/functions/valid.js'
import { isExact, isSha, keyOf, rangeOf } from './action-names.ts'
import { newest } from './order.ts'
import { shippedPins } from './shipped.ts'
import type { ActionPin } from './types.ts'

/** What this version of dwf knows of actions. */
export interface ActionData {
  /** The name as its owner writes it; undefined for one that is not known. */
  readonly spelling: (name: string) => string | undefined
  /** The pin that came with dwf. */
  readonly shipped: (name: string) => ActionPin | undefined
  /** Tag → commit, the shipped pin's among them. */
  readonly tags: (name: string) => ReadonlyMap<string, string>
  /** What to take when nobody is asked: the shipped pin, else the newest exact tag. Never a denied one. */
  readonly newest: (name: string) => ActionPin | undefined
  /** Why a tag or a commit must not run; undefined for what nobody has warned of. */
  readonly denied: (name: string, ref: string) => string | undefined
}

interface Denied {
  readonly commits: readonly { readonly action: string; readonly why: string; readonly shas: readonly string[] }[]
  /** Every tag of the action before this version. */
  readonly tags: readonly { readonly action: string; readonly before: string; readonly why: string }[]
}

let loaded: Promise<ActionData> | undefined

/** Read when it is asked for the first time: most commands have nothing to do with actions. */
export function actionData(): Promise<ActionData> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<ActionData> {
  const [table, denied] = await Promise.all([
    import('./action-tags.json', { with: { type: 'json' } }),
    import('./denied.json', { with: { type: 'json' } }),
  ])
  return readActionData(table.default, denied.default, shippedPins.actions)
}

/** The three parts of what is known, as one. A shipped pin counts over the same tag of the table. */
export function readActionData(
  table: Readonly<Record<string, Readonly<Record<string, string>>>>,
  denied: Denied,
  pins: readonly ActionPin[],
): ActionData {
  const tables = new Map(
    Object.entries(table).map(([name, tags]) => [keyOf(name), { name, tags: new Map(Object.entries(tags)) }] as const),
  )
  const shipped = new Map(pins.map((pin) => [keyOf(pin.name), pin]))
  for (const [key, pin] of shipped) {
    const entry = tables.get(key) ?? { name: pin.name, tags: new Map<string, string>() }
    tables.set(key, { name: pin.name, tags: entry.tags.set(pin.version, pin.sha) })
  }
  // By the commit alone: a fork has the commits of its origin under another name.
  const commits = new Map(denied.commits.flatMap(({ shas, why }) => shas.map((sha) => [sha, why] as const)))
  const none: ReadonlyMap<string, string> = new Map()
  const tagsOf = (name: string) => tables.get(keyOf(name))?.tags ?? none

  const why = (name: string, ref: string): string | undefined => {
    if (isSha(ref)) return commits.get(ref.toLowerCase())
    const tag = ref.replace(/^refs\/tags\//, '')
    const before = denied.tags.find((one) => one.action === keyOf(name) && isBefore(tag, one.before))
    return before?.why ?? commits.get(tagsOf(name).get(tag) ?? '')
  }
  const isFree = (pin: ActionPin): boolean => !why(pin.name, pin.version) && !why(pin.name, pin.sha)

  return {
    spelling: (name) => tables.get(keyOf(name))?.name,
    shipped: (name) => shipped.get(keyOf(name)),
    tags: tagsOf,
    newest: (name) => {
      const own = shipped.get(keyOf(name))
      if (own && isFree(own)) return own
      const spelling = tables.get(keyOf(name))?.name ?? name
      const pins = [...tagsOf(name)].flatMap(([version, sha]) =>
        isExact(version) ? [knownPin(spelling, version, sha)] : [],
      )
      return newest(pins.filter(isFree))
    },
    denied: why,
  }
}

export const knownPin = (name: string, version: string, sha: string): ActionPin => ({
  name,
  version,
  sha,
  source: `tags of its repository, known on ${shippedPins.date}`,
})

/** True for a tag all of whose versions are older. */
function isBefore(tag: string, version: string): boolean {
  const range = rangeOf(tag)
  if (range) return lte(range.end, version)
  return valid(tag) !== null && lt(tag, version)
}
