import { didYouMean } from '../util/text.ts'
import { parseCommand } from './commands.ts'
import type { Problem } from './validate.ts'

/** Entries `check:NAME` of a target name another target: it must exist, and the names must not go round in a circle. */
export function checkTargets(targets: Readonly<Record<string, readonly string[]>>): readonly Problem[] {
  const problems: Problem[] = []
  const references = (name: string) =>
    (targets[name] ?? []).flatMap((entry, index) => {
      const parsed = parseCommand(entry)
      return typeof parsed !== 'string' && parsed.primary === 'check' ? [{ to: parsed.selector, index }] : []
    })
  for (const name of Object.keys(targets)) {
    for (const { to, index } of references(name)) {
      const path = ['targets', name, index] as const
      if (name === 'security' && to === 'security') {
        problems.push({
          severity: 'warning',
          code: 'self-reference',
          path,
          at: 'value',
          message: 'target "security" names itself: read as scan:all',
          hint: 'write security = ["scan:all"]',
        })
      } else if (!Object.hasOwn(targets, to)) {
        const near = didYouMean(to, Object.keys(targets))
        problems.push({
          severity: 'error',
          code: 'unknown-target',
          path,
          at: 'value',
          message: `there is no target "${to}"`,
          hint: near ? `did you mean "check:${near}"?` : `add ${to} = [...] to [targets]`,
        })
      } else {
        const circle = findCircle(name, to, references)
        if (circle)
          problems.push({
            severity: 'error',
            code: 'cycle',
            path,
            at: 'value',
            message: `targets go round in a circle: ${circle.join(' → ')}`,
          })
      }
    }
  }
  return problems
}

function findCircle(
  start: string,
  from: string,
  references: (name: string) => readonly { to: string }[],
): readonly string[] | undefined {
  const seen = new Set<string>()
  const walk = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (name === start) return [...path, name]
    if (seen.has(name)) return undefined
    seen.add(name)
    for (const { to } of references(name)) {
      const found = walk(to, [...path, name])
      if (found) return found
    }
    return undefined
  }
  return walk(from, [start])
}
