import { get, textOf, textsOf } from '../../scan/rules/yaml.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'
import type { Workflow } from '../model/index.ts'
import { isDiagnostic, readWorkflow } from '../reading/workflow.ts'

/** What a step can have that keeps its failure from counting, or makes another program of it. */
const softened = ['if', 'continue-on-error', 'shell', 'working-directory']

/**
 * What must not be edited away in a workflow of dwf's own: the last job looks at all others, and asks dwf whether they ran
 * the whole plan. All else is what `lintWorkflow` has to say.
 */
export function lintOwn(path: string, text: string, own: Pick<Workflow, 'jobs'>): readonly Diagnostic[] {
  const read = readWorkflow(path, text)
  if (isDiagnostic(read)) return [read]
  return Object.entries(own.jobs).flatMap(([id, wanted]): readonly Diagnostic[] => {
    if (!('steps' in wanted) || !wanted.steps.some((step) => 'run' in step && step.run.includes('ci:gate'))) return []
    const job = read.file.jobs.find((one) => one.id === id)
    const diagnostic = (message: string, at: number): Diagnostic => ({
      severity: 'error',
      code: 'gate-edited',
      message,
      where: read.span(at),
      hint: 'put it back: without it the job passes whatever ran',
    })
    if (!job) return [diagnostic(`the job ${id} is gone`, read.file.root.at)]
    const asking = wanted.steps.flatMap((step) =>
      'run' in step && step.run.includes('ci:gate') ? [step.run.trim() as string] : [],
    )
    const asks = job.steps.some(
      ({ run, map }) =>
        asking.includes(run?.text.trim() ?? '') &&
        textOf(get(get(map, 'env'), 'NEEDS')) === '${{ toJSON(needs) }}' &&
        !softened.some((key) => map.entries.has(key)),
    )
    const isSoft = job.map.entries.has('continue-on-error')
    const needs = new Set(textsOf(get(job.map, 'needs')).map(({ text: name }) => name))
    const open = (wanted.needs ?? []).filter((name) => !needs.has(name))
    return [
      ...(asks && !isSoft ? [] : [diagnostic(`jobs.${id} does not run "dwf ci:gate" any more`, job.at)]),
      ...open.map((name) => diagnostic(`jobs.${id} does not need ${name} any more`, job.at)),
    ]
  })
}
