import type { Families } from './nodes.ts'
import { nearName } from './nodes.ts'
import { errorAt, type FileProblem, warningAt } from './problems.ts'
import type { RawWorkflow } from './raw.ts'

/** What a handler is told beside the variables of the run. */
export const handlerVariables: ReadonlySet<string> = new Set(['failed_task', 'failed_dag', 'error_message'])

const runKeys = ['on_failure', 'on_cancel', 'always'] as const

/** The tasks that run only when something names them, and what is wrong with them. */
export function findHandlers(
  raw: RawWorkflow,
  families: Families,
): { readonly handlers: ReadonlySet<string>; readonly problems: readonly FileProblem[] } {
  const problems: FileProblem[] = []
  const named = new Map<string, FileProblem['path']>()
  const name = (target: string, path: FileProblem['path']) => {
    if (families.has(target)) named.set(target, named.get(target) ?? path)
    else
      problems.push(
        errorAt(path, 'value', 'unknown-handler', `there is no task "${target}"`, nearName(families, target)),
      )
  }
  for (const key of runKeys) if (raw[key] !== undefined) name(raw[key], [key])
  for (const { base, raw: task } of families.values())
    if (task.on_failure !== undefined) name(task.on_failure, ['tasks', base, 'on_failure'])
  const handlers = new Set([
    ...named.keys(),
    ...[...families.values()].flatMap(({ base, raw: task }) => (task.type === 'forensic' ? [base] : [])),
  ])
  for (const handler of handlers) problems.push(...checkHandler(handler, families, named.get(handler)))
  return { handlers, problems }
}

function* checkHandler(base: string, families: Families, by: FileProblem['path'] | undefined): Generator<FileProblem> {
  const { raw } = families.get(base)!
  const path = ['tasks', base]
  if (by === undefined)
    yield warningAt(
      path,
      'key',
      'unused-handler',
      `nothing runs "${base}": it is a handler that nothing names`,
      'name it with on_failure, on_cancel or always',
    )
  else if (raw.type !== 'forensic')
    yield warningAt(
      by,
      'value',
      'not-forensic',
      `"${base}" is taken for a handler: it runs only when this calls it`,
      'say so in the task: type = "forensic"',
    )
  if (raw.depends_on?.length)
    yield errorAt(
      [...path, 'depends_on'],
      'key',
      'handler-with-needs',
      `the handler "${base}" cannot depend on tasks: it runs when something calls it`,
    )
  if (raw.matrix)
    yield errorAt(
      [...path, 'matrix'],
      'key',
      'handler-with-matrix',
      `the handler "${base}" cannot have a matrix: it runs once`,
    )
  if (raw.on_failure !== undefined)
    yield errorAt(
      [...path, 'on_failure'],
      'key',
      'handler-with-handler',
      `the handler "${base}" cannot have a handler of its own`,
    )
}
