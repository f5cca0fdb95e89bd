import type { Condition } from './types.ts'

type Leaf = Exclude<Condition, { kind: 'and' | 'or' } | { kind: 'not' }>

/** Each part of a condition that is not made of others. */
function* leaves(condition: Condition): Generator<Leaf> {
  switch (condition.kind) {
    case 'and':
    case 'or':
      for (const part of condition.of) yield* leaves(part)
      return
    case 'not':
      yield* leaves(condition.of)
      return
    default:
      yield condition
  }
}

/** The variables that a condition may ask for, each once, in the order of its text. */
export function variablesOf(condition: Condition): readonly string[] {
  const names = [...leaves(condition)].flatMap((leaf) => {
    const operands = leaf.kind === 'compare' ? [leaf.left, leaf.right] : leaf.kind === 'truth' ? [leaf.of] : []
    return operands.flatMap((operand) => (operand.kind === 'variable' ? [operand.name] : []))
  })
  return [...new Set(names)]
}

/** True when it names a status function: then it is asked also when something before it did not pass. */
export function asksStatus(condition: Condition): boolean {
  return [...leaves(condition)].some((leaf) => leaf.kind === 'status')
}
