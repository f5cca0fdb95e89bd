import { type Diagnostic, Failure } from '../util/diagnostics.ts'
import { actionData } from './action-data.ts'
import { keyOf } from './action-names.ts'
import { type Choice, chooseAction } from './choose-action.ts'
import type { ActionPin, RemoteTag, RemoteTags } from './types.ts'
import type { PinChange } from './update.ts'

export interface RefreshOptions {
  /** Of the lock. */
  readonly actions: readonly ActionPin[]
  /** Only these; those that the lock does not have come in new. All of the lock where it is undefined. */
  readonly names?: readonly string[]
  /** Nobody is asked where it is undefined. */
  readonly remote?: RemoteTags
  /** Milliseconds since 1970. */
  readonly now: number
  readonly cooldownMs: number
  readonly signal?: AbortSignal
}

/** An action whose repository was not asked, or did not answer. */
export interface NotRefreshed {
  readonly name: string
  readonly why: string
}

export interface Refreshed {
  readonly actions: readonly ActionPin[]
  readonly changes: readonly PinChange[]
  readonly notRefreshed: readonly NotRefreshed[]
  /** Named, but neither known nor found. */
  readonly missing: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Repositories that are asked at the same time. */
const atOnce = 6

/** Moves each action pin to the newest version that may be taken; what cannot be asked stays, and is named. */
export async function refreshActions(options: RefreshOptions): Promise<Refreshed> {
  const { actions, names, remote, now, cooldownMs, signal } = options
  const data = await actionData()
  const wanted = new Map((names ?? actions.map(({ name }) => name)).map((name) => [keyOf(name), name]))
  const choices = await inBatches([...wanted], async ([key, asked]) => {
    const current = actions.find((pin) => keyOf(pin.name) === key)
    const name = data.spelling(asked) ?? current?.name ?? asked
    const answer = await ask(remote, name, signal)
    const tags = 'why' in answer ? {} : { tags: answer.tags }
    const choice = chooseAction({ data, name, ...(current ? { current } : {}), ...tags, now, cooldownMs })
    return { key, name, current, choice, why: 'why' in answer ? answer.why : undefined }
  })
  const chosen = new Map(choices.map(({ key, choice }) => [key, choice]))
  return {
    actions: [
      ...actions.map((pin) => chosen.get(keyOf(pin.name))?.pin ?? pin),
      ...choices.flatMap(({ current, choice }) => (!current && choice.pin ? [choice.pin] : [])),
    ],
    changes: choices.flatMap(({ current, choice }) => changeOf(current, choice)),
    notRefreshed: choices.flatMap(({ name, why }) => (why === undefined ? [] : [{ name, why }])),
    missing: choices.flatMap(({ name, current, choice }) => (current || choice.pin ? [] : [name])),
    diagnostics: choices.flatMap(({ choice }) => choice.diagnostics),
  }
}

type Answer = { readonly tags: readonly RemoteTag[] } | { readonly why: string }

async function ask(remote: RemoteTags | undefined, name: string, signal: AbortSignal | undefined): Promise<Answer> {
  if (!remote) return { why: 'nobody was asked (--offline)' }
  try {
    return { tags: await remote.tags(name, signal) }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { why: error.message }
  }
}

function changeOf(current: ActionPin | undefined, { pin }: Choice): readonly PinChange[] {
  if (!pin || (current?.version === pin.version && current.sha === pin.sha)) return []
  return [{ tool: pin.name, ...(current ? { from: current.version } : {}), to: pin.version }]
}

async function inBatches<T, R>(list: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  for (let at = 0; at < list.length; at += atOnce)
    results.push(...(await Promise.all(list.slice(at, at + atOnce).map(work))))
  return results
}
