import { validate } from '../config/validate.ts'
import { workflowDefinition } from './definition.ts'
import { errorAt, type FileProblem } from './problems.ts'

/**
 * What the definition says of a document. A key that dwf does not know is a warning, since wf reads over it; one that is
 * nearly a known key is a slip of the pen, and an error.
 */
export function checkShape(document: unknown, options: { readonly strict: boolean }): readonly FileProblem[] {
  const problems = validate(workflowDefinition, withoutTriggers(document))
  return problems.map((problem) => {
    if (problem.code === 'missing-key' && problem.path.length === 0)
      return errorAt([], 'key', 'no-tasks', 'a workflow has at least one task', 'add [tasks.NAME] with cmd = "…"')
    const isMild = problem.code === 'unknown-key' && !options.strict && !problem.hint?.startsWith('did you mean')
    return isMild ? { ...problem, severity: 'warning' } : problem
  })
}

/** wf's documentation and wf disagree on the keys of a trigger, and dwf acts on none. */
function withoutTriggers(document: unknown): unknown {
  const { triggers, ...rest } = document as { readonly triggers?: unknown }
  const isFine = Array.isArray(triggers) && triggers.every((one) => typeof one === 'object' && !Array.isArray(one))
  return isFine || triggers === undefined ? rest : { ...rest, triggers }
}
