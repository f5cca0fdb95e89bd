import type { Plan, PlannedTask } from '../plan/types.ts'
import { shortestSecret as shortest } from '../run/masker.ts'
import { failure } from '../util/diagnostics.ts'

/**
 * The values of the secrets that a plan names, from the environment of dwf. They go into the environment of their task
 * only, and stand as dots in everything that the task prints.
 */
export function secretsOf(plan: Plan, env: NodeJS.ProcessEnv) {
  const values = new Map<string, string>()
  for (const name of new Set(plan.tasks.flatMap((task) => task.secrets))) {
    const value = env[name]
    if (!value)
      throw failure(
        'wrong-input',
        'no-secret',
        `the secret ${name} is not set`,
        `set the environment variable ${name} for this run; a pull request of a fork or of Dependabot gets no secrets, so such a task belongs into the target main`,
      )
    if (value.length < shortest)
      throw failure(
        'wrong-input',
        'short-secret',
        `the secret ${name} is shorter than ${shortest} characters: it could not be told from other text`,
        'use a longer one',
      )
    values.set(name, value)
  }
  return (task: PlannedTask): Readonly<Record<string, string>> =>
    Object.fromEntries(task.secrets.map((name) => [name, values.get(name)!]))
}
