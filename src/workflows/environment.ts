import { errorAt, type FileProblem, warningAt } from './problems.ts'
import { whyDenied } from './template/denied.ts'
import { findReferences, strayTemplates } from './template/references.ts'
import type { Template } from './types.ts'

/** Names of `env`, and its values with their references. */
export function checkEnv(
  task: string,
  env: Readonly<Record<string, string>>,
  secrets: readonly string[],
  isKnown: (name: string) => boolean,
): readonly FileProblem[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const path = ['tasks', task, 'env', name]
    const why = whyDenied(name, { hasValue: findReferences(value).length > 0 })
    const problems: FileProblem[] = []
    if (why !== undefined)
      problems.push(errorAt(path, 'key', 'denied-variable', `env cannot set ${name}: ${why}`, 'give it another name'))
    if (name === 'PATH')
      problems.push(
        warningAt(
          path,
          'key',
          'path',
          'env replaces PATH: it decides which programs are run',
          'name programs by their path in cmd',
        ),
      )
    if (secrets.includes(name))
      problems.push(errorAt(path, 'key', 'secret-twice', `${name} is in env and in secrets`, 'remove it from env'))
    for (const { severity, code, message, hint, at, length } of strayTemplates(value, isKnown))
      problems.push({ ...errorAt(path, 'value', code, message, hint), severity, within: { at, length, of: value } })
    return problems
  })
}

/** `a {{.b}} c` → text and variables in turn. */
export function templateOf(value: string): Template {
  const parts: ({ text: string } | { variable: string })[] = []
  let from = 0
  for (const { name, at, length } of findReferences(value)) {
    if (at > from) parts.push({ text: value.slice(from, at) })
    parts.push({ variable: name })
    from = at + length
  }
  if (from < value.length || parts.length === 0) parts.push({ text: value.slice(from) })
  return parts
}
