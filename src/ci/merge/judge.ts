import { compareVersions } from '../../pins/order.ts'
import type { ActionPin } from '../../pins/types.ts'
import type { PinRules } from './types.ts'
import { isSameAction } from './uses.ts'

/**
 * Whose pin stands at the end. It is dwf's also where the file's is `lowered` (somebody put an older version there),
 * `suspicious` (the commit is not that of the version), `contradicting` (two lines have two commits for the version) or
 * `denied` (it must not run).
 */
export type Judgement =
  | { readonly kind: 'mine' | 'dwf' | 'lowered' | 'contradicting' }
  | { readonly kind: 'suspicious'; readonly expected: string }
  | { readonly kind: 'denied'; readonly reason: string }

/** A pin of the file beside dwf's of the same action. `written` are the pins of the base. */
export function judge(
  mine: ActionPin,
  dwf: ActionPin,
  { written, rules }: { readonly written: readonly ActionPin[]; readonly rules: PinRules },
): Judgement {
  if (mine.sha === dwf.sha && mine.version === dwf.version) return { kind: 'dwf' }
  const isNewer = compareVersions(mine.version, dwf.version) > 0
  if (!isNewer && has(written, mine)) return { kind: 'dwf' }
  const reason = rules.denied?.(mine.name, mine.version) ?? rules.denied?.(mine.name, mine.sha)
  if (reason !== undefined) return { kind: 'denied', reason }
  const expected = commitOf(mine, [dwf, ...written], rules)
  if (expected !== undefined && expected !== mine.sha) return { kind: 'suspicious', expected }
  if (rules.contradicting?.some((pin) => isSameVersion(pin, mine))) return { kind: 'contradicting' }
  if (isNewer) return { kind: 'mine' }
  const isLowered = written.some((pin) => isSameAction(pin, mine) && compareVersions(pin.version, mine.version) > 0)
  return { kind: isLowered ? 'lowered' : 'dwf' }
}

/** Whether the very pin is among them. */
export function has(pins: readonly ActionPin[], pin: ActionPin): boolean {
  return pins.some((one) => isSameAction(one, pin) && one.version === pin.version && one.sha === pin.sha)
}

function isSameVersion(a: ActionPin, b: ActionPin): boolean {
  return isSameAction(a, b) && compareVersions(a.version, b.version) === 0
}

/** The commit of the pin's version, where that is known. */
export function commitOf(pin: ActionPin, pins: readonly ActionPin[], rules: PinRules): string | undefined {
  const same = pins.find((one) => isSameVersion(one, pin))
  return rules.commitOf?.(pin.name, pin.version) ?? same?.sha
}

export interface Agreement {
  /** The newest of each action. */
  readonly pins: readonly ActionPin[]
  /** Pins of one version with two commits. */
  readonly contradicting: readonly ActionPin[]
}

/** One pin for each action, out of those that files have. */
export function agree(pins: readonly ActionPin[]): Agreement {
  const contradicting = pins.filter((pin) => pins.some((one) => isSameVersion(one, pin) && one.sha !== pin.sha))
  const result: ActionPin[] = []
  for (const pin of pins) {
    if (contradicting.includes(pin)) continue
    const at = result.findIndex((one) => isSameAction(one, pin))
    if (at < 0) result.push(pin)
    else if (compareVersions(pin.version, result[at]!.version) > 0) result[at] = pin
  }
  return { pins: result, contradicting }
}

/** The pin, or the one of the same action among `pins` when that is newer. */
export function raised(pin: ActionPin, pins: readonly ActionPin[]): ActionPin {
  const other = pins.find((one) => isSameAction(one, pin))
  return other && compareVersions(other.version, pin.version) > 0 ? other : pin
}
