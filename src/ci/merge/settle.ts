import type { ActionPin } from '../../pins/types.ts'
import { type Diagnostic, unreachable } from '../../util/diagnostics.ts'
import { agree, commitOf, has, type Judgement, judge, raised } from './judge.ts'
import { contradictingPin, deniedPin, loweredPin, type Place, suspiciousPin } from './messages.ts'
import { counterparts } from './partners.ts'
import type { PinRules } from './types.ts'
import { isSameAction, type Line, withPin } from './uses.ts'

/** A line of the merged text; `place` is where its pin stands in the file as it is now, from 1. */
export interface MergedLine {
  readonly line: Line
  readonly place?: number
}

interface Texts {
  readonly path: string
  /** The file as it is now. */
  readonly current: string
  /** What dwf would write. */
  readonly dwf: readonly Line[]
  /** Pins of the base. */
  readonly written: readonly ActionPin[]
  readonly rules: PinRules
}

interface Settled {
  readonly lines: readonly string[]
  /** Taken from the file. */
  readonly pins: readonly ActionPin[]
  readonly diagnostics: readonly Diagnostic[]
}

/** A line with what became of its pin. `dwf` is the pin that dwf has in its place; undefined where it has none. */
interface JudgedLine extends MergedLine {
  readonly dwf: ActionPin | undefined
  readonly judgement: Judgement
}

/**
 * Gives each line that is dwf's the newer pin of dwf's and the file's. It asks only which lines of the merged text are
 * dwf's: so it decides the same when that text is merged again.
 */
export function settlePins(merged: readonly MergedLine[], texts: Texts): Settled {
  const { dwf, written } = texts
  const places = counterparts(
    merged.map(({ line }) => line),
    dwf,
  )
  const dwfs = dwf.flatMap(({ pin }) => (pin ? [pin] : []))
  const judged = merged.map((one, index): JudgedLine => {
    const mine = one.line.pin
    const other = mine && (sameAction(mine, places[index]?.pin) ?? ofCopy(mine, { written, dwfs }))
    return { ...one, dwf: other, judgement: mine && other ? judge(mine, other, texts) : { kind: 'dwf' } }
  })
  const { pins, contradicting } = agree(
    judged.flatMap(({ line, judgement }) => (judgement.kind === 'mine' ? [line.pin!] : [])),
  )
  return {
    lines: judged.map(({ line, dwf: other }) => (other ? withPin(line, raised(other, pins)) : line.text)),
    pins,
    diagnostics: judged.flatMap((one) => said(one, texts, { contradicting, dwfs })),
  }
}

function sameAction(pin: ActionPin, other: ActionPin | undefined): ActionPin | undefined {
  return other && isSameAction(pin, other) ? other : undefined
}

/**
 * A line that a person copied or moved has the pin that dwf wrote: then it follows dwf's as it did before. dwf writes
 * one version of each action.
 */
function ofCopy(
  pin: ActionPin,
  { written, dwfs }: { readonly written: readonly ActionPin[]; readonly dwfs: readonly ActionPin[] },
): ActionPin | undefined {
  return has(written, pin) ? dwfs.find((one) => isSameAction(one, pin)) : undefined
}

/** What a person has to know about the pin of a line. */
function said(
  { line: { pin }, place, dwf, judgement }: JudgedLine,
  { path, current, written, rules }: Texts,
  { contradicting, dwfs }: { readonly contradicting: readonly ActionPin[]; readonly dwfs: readonly ActionPin[] },
): readonly Diagnostic[] {
  if (!pin || place === undefined) return []
  const where: Place = { path, text: current, line: place }
  if (!dwf) {
    const expected = commitOf(pin, [...dwfs, ...written], rules)
    return expected === undefined || expected === pin.sha ? [] : [suspiciousPin(where, pin, { expected })]
  }
  switch (judgement.kind) {
    case 'suspicious':
      return [suspiciousPin(where, pin, { expected: judgement.expected, instead: dwf })]
    case 'denied':
      return [deniedPin(where, pin, { reason: judgement.reason, instead: dwf })]
    case 'lowered':
      return [loweredPin(where, pin, dwf)]
    case 'contradicting':
      return [contradictingPin(where, pin, dwf)]
    case 'mine':
      return contradicting.includes(pin) ? [contradictingPin(where, pin, dwf)] : []
    case 'dwf':
      return []
    default:
      return unreachable(judgement)
  }
}
