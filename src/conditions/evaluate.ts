import { unreachable } from '../util/diagnostics.ts'
import { numberOf } from './parse.ts'
import { parsePattern } from './pattern.ts'
import { longestText, matchesPattern } from './pattern-steps.ts'
import type { Condition, Operand } from './types.ts'

/** What a condition is asked about. */
export interface Facts {
  /** Undefined: the variable has no value. */
  value(name: string): string | undefined
  readonly status: { success(): boolean; failure(): boolean; cancelled(): boolean }
}

/** `problem` is a sentence; `variable` the name it is about. A condition that cannot be answered is never false. */
export type Evaluation = { readonly ok: boolean } | { readonly problem: string; readonly variable: string }

/** Longer values are not matched with patterns, in characters. */
const valueLimit = 64 * 1024

class Unanswerable extends Error {
  readonly variable: string
  constructor(variable: string, message: string) {
    super(message)
    this.variable = variable
  }
}

/** Asks no more than it needs: `a or b` with a true does not look at b. */
export function evaluate(condition: Condition, facts: Facts): Evaluation {
  try {
    return { ok: holds(condition, facts) }
  } catch (error) {
    if (error instanceof Unanswerable) return { problem: error.message, variable: error.variable }
    throw error
  }
}

function holds(condition: Condition, facts: Facts): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.of.every((part) => holds(part, facts))
    case 'or':
      return condition.of.some((part) => holds(part, facts))
    case 'not':
      return !holds(condition.of, facts)
    case 'truth':
      return !['', 'false', '0'].includes(textOf(condition.of, facts))
    case 'status':
      return condition.name === 'always' || facts.status[condition.name]()
    case 'compare':
      return compares(condition, facts)
    default:
      return unreachable(condition)
  }
}

function textOf(operand: Operand, facts: Facts): string {
  if (operand.kind !== 'variable') return String(operand.value)
  const value = facts.value(operand.name)
  if (value === undefined) throw new Unanswerable(operand.name, `the variable "${operand.name}" has no value`)
  return value
}

const nameOf = (operand: Operand): string => (operand.kind === 'variable' ? operand.name : String(operand.value))

function compares(condition: Condition & { kind: 'compare' }, facts: Facts): boolean {
  const { left, operator, right } = condition
  const [a, b] = [textOf(left, facts), textOf(right, facts)]
  switch (operator) {
    case '==':
      return isEqual(a, right, b)
    case '!=':
      return !isEqual(a, right, b)
    case 'contains':
      return a.includes(b)
    case 'starts_with':
      return a.startsWith(b)
    case 'ends_with':
      return a.endsWith(b)
    case 'matches':
      return isMatch(nameOf(left), a, b)
    default: {
      const [x, y] = [numberOf(a), numberOf(b)]
      if (x === undefined || y === undefined) {
        const shown = JSON.stringify(x === undefined ? a.slice(0, 80) : b)
        throw new Unanswerable(nameOf(left), `"${operator}" compares numbers, and ${nameOf(left)} is ${shown}`)
      }
      return operator === '<' ? x < y : operator === '<=' ? x <= y : operator === '>' ? x > y : x >= y
    }
  }
}

/** Numbers where the condition has a number and the value reads as one (`1.0 == 1`); text in all other cases. */
function isEqual(value: string, right: Operand, text: string): boolean {
  return right.kind === 'number' ? numberOf(value) === right.value : value === text
}

function isMatch(variable: string, value: string, source: string): boolean {
  if (value.length > valueLimit)
    throw new Unanswerable(variable, `${variable} is too long for "matches": more than ${valueLimit} characters`)
  const pattern = parsePattern(source)
  if ('message' in pattern) throw new Unanswerable(variable, pattern.message)
  const limit = longestText(pattern)
  if (value.length > limit)
    throw new Unanswerable(
      variable,
      `${variable} is too long for this pattern: with its repetitions written out it takes at most ${limit} characters`,
    )
  return matchesPattern(pattern, value)
}
