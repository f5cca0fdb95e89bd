import gt from 'semver/functions/gt.js'
import type { Diagnostic } from '../util/diagnostics.ts'
import { formatDuration } from '../util/units.ts'
import type { ActionData } from './action-data.ts'
import { isExact } from './action-names.ts'
import { refusalOf } from './actions.ts'
import { movedTags } from './moved-tags.ts'
import { compareVersions, newest } from './order.ts'
import { placeOf } from './places.ts'
import type { ActionPin, RemoteTag } from './types.ts'

export interface ChooseOptions {
  readonly data: ActionData
  /** As its owner writes it. */
  readonly name: string
  /** The pin of the lock; undefined for an action that comes in new. */
  readonly current?: ActionPin
  /** What its repository says; undefined when it was not asked. */
  readonly tags?: readonly RemoteTag[]
  /** Milliseconds since 1970. */
  readonly now: number
  readonly cooldownMs: number
}

/** What to pin; undefined when there is nothing that may run. */
export interface Choice {
  readonly pin?: ActionPin
  readonly diagnostics: readonly Diagnostic[]
}

/**
 * The newest version of an action that may be taken: of the lock's own, the one that dwf knows, and those that its
 * repository has and that are old enough. Where a tag names another commit than it did, nothing of what its repository
 * offers is taken: that is how actions are hijacked.
 */
export function chooseAction(options: ChooseOptions): Choice {
  const { data, current, name } = options
  const refusal = current && refusalOf(data, current)
  const known = data.newest(name)
  const { diagnostics, isSuspect } = movedTags(options)
  const offers = isSuspect ? [] : offersOf(options)
  const ripe = offers.flatMap(({ pin, unripe }) => (unripe === undefined ? [pin] : []))
  const pin = newest([...(current && !refusal ? [current] : []), ...(known ? [known] : []), ...ripe])
  const held = offers.findLast((offer) => pin === undefined || gt(offer.pin.version, pin.version))?.unripe
  const where = current && placeOf(current, 'version')
  return {
    ...(pin ? { pin } : {}),
    diagnostics: [
      ...diagnostics,
      ...(held ? [{ severity: 'note', code: 'tag-held', message: held, ...(where ? { where } : {}) } as const] : []),
      ...(refusal ? [pin ? ({ ...refusal, severity: 'warning' } as const) : refusal] : []),
    ],
  }
}

interface Offer {
  readonly pin: ActionPin
  /** Why it may not be taken, or not yet. */
  readonly unripe?: string
}

/** The exact versions that its repository has and that nobody has warned of, the newest last. */
function offersOf(options: ChooseOptions): readonly Offer[] {
  const { data, name, tags = [], now } = options
  const source = `tags of github.com/${name}, ${new Date(now).toISOString().slice(0, 10)}`
  return tags
    .filter((tag) => isExact(tag.name) && !tag.isPrerelease)
    .filter((tag) => !data.denied(name, tag.name) && !data.denied(name, tag.sha))
    .sort((a, b) => compareVersions(a.name, b.name))
    .map((tag) => {
      const unripe = unripeBecause(tag, options)
      return { pin: { name, version: tag.name, sha: tag.sha, source }, ...(unripe === undefined ? {} : { unripe }) }
    })
}

function unripeBecause({ name: tag, sha, publishedAt }: RemoteTag, options: ChooseOptions): string | undefined {
  const { data, name, now, cooldownMs } = options
  if (publishedAt === undefined)
    return data.tags(name).get(tag) === sha
      ? undefined
      : `${name} ${tag} is there, but nobody says since when: it is not taken`
  const age = now - publishedAt
  if (age >= cooldownMs) return undefined
  return `${name} ${tag} is there since ${inWords(Math.max(age, 0))}: it is taken after ${inWords(cooldownMs)}`
}

const day = 86_400_000

const inWords = (ms: number): string => (ms < 2 * day ? formatDuration(ms) : `${Math.floor(ms / day)} days`)
