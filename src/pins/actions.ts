import gte from 'semver/functions/gte.js'
import lt from 'semver/functions/lt.js'
import valid from 'semver/functions/valid.js'
import { type Diagnostic, Failure, failure } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { type ActionData, actionData, knownPin } from './action-data.ts'
import { isExact, keyOf, rangeOf } from './action-names.ts'
import { compareVersions, newest } from './order.ts'
import { placeOf } from './places.ts'
import type { ActionPin, KnownActions, Lock } from './types.ts'

/**
 * Actions by what this version of dwf knows and by what the lock says. The lock counts first, since people reviewed it;
 * what must not run counts over both. Names are compared without regard to case, and come back as their owners write them.
 */
export async function knownActions(lock?: Pick<Lock, 'actions'>): Promise<KnownActions> {
  return withLock(await actionData(), lock?.actions ?? [])
}

export function withLock(data: ActionData, own: readonly ActionPin[]): KnownActions {
  const spelled = (pin: ActionPin): ActionPin => {
    const name = data.spelling(pin.name) ?? pin.name
    return name === pin.name ? pin : { ...pin, name }
  }
  const locked = (name: string) => own.find((pin) => keyOf(pin.name) === keyOf(name))
  const tagOf = (name: string, tag: string): string | undefined => {
    const pin = locked(name)
    return pin?.version === tag ? pin.sha : data.tags(name).get(tag)
  }
  const isFree = (pin: ActionPin) => deniedBecause(data, pin) === undefined

  return {
    pin: (name) => {
      const pin = locked(name)
      if (pin) {
        const refusal = refusalOf(data, pin)
        if (refusal) throw new Failure('refused', refusal)
        return spelled(pin)
      }
      const known = data.newest(name)
      if (known) return known
      const why = [...data.tags(name).keys()].flatMap((tag) =>
        isExact(tag) ? (tagDenied(data, name, tag) ?? []) : [],
      )[0]
      throw why === undefined ? unknown(data, name) : allDenied(data, name, why)
    },
    commitOf: (name, tag) => {
      const sha = tagOf(name, tag)
      return sha === undefined || data.denied(name, tag) || data.denied(name, sha) ? undefined : sha
    },
    versionOf: (name, sha) => {
      const wanted = sha.toLowerCase()
      const pin = locked(name)
      if (pin?.sha === wanted) return pin.version
      return mostExact([...data.tags(name)].flatMap(([tag, commit]) => (commit === wanted ? [tag] : [])))
    },
    exact: (name, tag) => {
      const range = rangeOf(tag)
      if (!range) return undefined
      const isWithin = ({ version }: ActionPin) =>
        isExact(version) && gte(version, range.from) && lt(version, range.end)
      const spelling = data.spelling(name) ?? name
      const pins = [locked(name), data.shipped(name)].flatMap((pin) => (pin ? [spelled(pin)] : []))
      const table = [...data.tags(name)].map(([version, sha]) => knownPin(spelling, version, sha))
      return (
        pins.find((pin) => isWithin(pin) && isFree(pin)) ?? newest(table.filter((pin) => isWithin(pin) && isFree(pin)))
      )
    },
    denied: (name, ref) => data.denied(name, ref),
  }
}

function deniedBecause(data: ActionData, { name, version, sha }: ActionPin): string | undefined {
  return data.denied(name, sha) ?? data.denied(name, version)
}

/** The error for a pin that must not run, at its place; undefined for one that may. */
export function refusalOf(data: ActionData, pin: ActionPin): Diagnostic | undefined {
  const why = deniedBecause(data, pin)
  if (why === undefined) return undefined
  const where = placeOf(pin, data.denied(pin.name, pin.sha) ? 'sha' : 'version')
  const name = printable(pin.name)
  return {
    severity: 'error',
    code: 'denied-action',
    message: `${name} ${pin.version} (${pin.sha}) must not run: ${why}`,
    hint: `run "dwf pin update ${name}", or write a version into devflow.lock that is not denied`,
    ...(where ? { where } : {}),
  }
}

const tagDenied = (data: ActionData, name: string, version: string): string | undefined =>
  deniedBecause(data, { name, version, sha: data.tags(name).get(version) ?? '' })

function allDenied(data: ActionData, asked: string, why: string): Failure {
  return failure(
    'refused',
    'denied-action',
    `no known version of ${printable(data.spelling(asked) ?? asked)} may run: ${why}`,
    'take another action, or write a version into "actions" of devflow.lock that is not denied',
  )
}

function unknown(data: ActionData, asked: string): Failure {
  const name = printable(data.spelling(asked) ?? asked)
  return failure(
    'wrong-input',
    'unknown-action',
    `no exact version of the action ${name} is known`,
    `run "dwf pin update ${name}" where github.com can be reached, or write its version and commit into "actions" of devflow.lock`,
  )
}

/** `v4.2.2` before `v4.2.2-beta` before `v4.2` before `v4`; words that are no versions name none. */
function mostExact(tags: readonly string[]): string | undefined {
  const rank = (tag: string): number => {
    if (isExact(tag)) return 3
    return valid(tag) === null ? tag.split('.').length - 1 : 2
  }
  const first = (tag: string): string => valid(tag) ?? rangeOf(tag)!.from
  return tags
    .filter((tag) => valid(tag) !== null || rangeOf(tag) !== undefined)
    .sort(
      (a, b) =>
        rank(b) - rank(a) ||
        compareVersions(first(b), first(a)) ||
        Number(b.startsWith('v')) - Number(a.startsWith('v')),
    )[0]
}
