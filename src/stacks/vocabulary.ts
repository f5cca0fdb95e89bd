import type { MissingTask, OfferedTask } from '../project/types.ts'

/** The primaries that a stack may offer commands of; the others are dwf's own. */
const offered: ReadonlySet<string> = new Set(['fmt', 'lint', 'build', 'test', 'package', 'release'])

/** What a repository is expected to have; a unit without one of them says what to add. */
export const usualCommands = [
  'fmt:check',
  'fmt:fix',
  'lint:static',
  'build:debug',
  'build:release',
  'test:unit',
  'test:integration',
  'package:artifact',
] as const
export type UsualCommand = (typeof usualCommands)[number]

/**
 * The command that a name of the repository stands for as it is: `test:e2e` of a script, `test-e2e` of a recipe. Only
 * plain names: a command is typed, and becomes part of ids, paths and job names.
 */
export function commandOf(name: string, separator: ':' | '-'): string | undefined {
  const at = name.search(separator === ':' ? /:/ : /[-_:]/)
  if (at < 0) return undefined
  const primary = name.slice(0, at)
  const selector = name.slice(at + 1)
  const isPlain = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,62}$/.test(selector) && !selector.endsWith(':')
  return offered.has(primary) && isPlain ? `${primary}:${selector}` : undefined
}

/** True when a name begins like a command but cannot be one. */
export function isOddCommand(name: string): boolean {
  const at = name.indexOf(':')
  return at > 0 && at < name.length - 1 && offered.has(name.slice(0, at)) && commandOf(name, ':') === undefined
}

/** For each usual command that is not offered, the hint that the stack has for it. */
export function missingOf(
  tasks: readonly OfferedTask[],
  hints: Readonly<Partial<Record<UsualCommand, string>>>,
): readonly MissingTask[] {
  return usualCommands.flatMap((command) => {
    const hint = hints[command]
    return hint === undefined || tasks.some((task) => task.command === command) ? [] : [{ command, hint }]
  })
}
