import { unreachable } from '../util/diagnostics.ts'
import type { Condition, Operand } from './types.ts'

/** A condition as text: parsed again, it is the same condition. */
export function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.of.map(part).join(` ${condition.kind} `)
    case 'not':
      return `not ${part(condition.of)}`
    case 'compare':
      return `${operand(condition.left)} ${condition.operator} ${operand(condition.right)}`
    case 'truth':
      return operand(condition.of)
    case 'status':
      return `${condition.name}()`
    default:
      return unreachable(condition)
  }
}

function part(condition: Condition): string {
  return condition.kind === 'and' || condition.kind === 'or'
    ? `(${printCondition(condition)})`
    : printCondition(condition)
}

function operand(value: Operand): string {
  switch (value.kind) {
    case 'variable':
      return value.name
    case 'text':
      return `"${value.value.replace(/[\\"]/g, '\\$&')}"`
    default:
      return String(value.value)
  }
}
