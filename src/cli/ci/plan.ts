import type { CiInput } from '../../ci/index.ts'
import { workflowsOf } from '../../ci/index.ts'
import { knownActions } from '../../pins/index.ts'
import type { Globals } from '../globals.ts'
import { requireVersion } from '../lock-version.ts'
import type { Output } from '../output.ts'
import { describeImage, plannedImage } from '../prepare.ts'
import { openWorkspace } from '../workspace.ts'
import { ciInput } from './input.ts'

interface PlannedJob {
  readonly workflow: string
  readonly job: string
  readonly about: string
  readonly needs: readonly string[]
  /** `SCOPE: ACCESS`, each. */
  readonly grants: readonly string[]
  readonly when: string
}

/** `dwf ci:plan`: the jobs of the generated workflows, what they may, and when each runs. */
export async function ciPlan(
  options: { readonly anyVersion?: boolean },
  globals: Globals,
  output: Output,
): Promise<number> {
  const workspace = await openWorkspace(globals)
  requireVersion(workspace.lock, options.anyVersion === true)
  const image = workspace.config.runtime.profile === 'container' ? describeImage(workspace) : undefined
  const { input } = await ciInput(workspace, image && plannedImage(image), await knownActions(workspace.lock))
  const jobs = jobsOf(input)
  if (globals.json) output.json({ schema: 'dwf.ci-plan/1', jobs })
  else output.result(table(jobs, output))
  return 0
}

function jobsOf(input: CiInput): readonly PlannedJob[] {
  return workflowsOf(input).flatMap(({ file, on, jobs }) => {
    const triggers = Object.keys(on)
      .map((name) => name.replaceAll('_', ' '))
      .join(', ')
    return Object.entries(jobs).map(([id, { about, needs = [], permissions, if: condition }]) => ({
      workflow: file,
      job: id,
      about,
      needs,
      grants: Object.entries(permissions).map(([scope, { access }]) => `${scope}: ${access}`),
      when: condition ? `${triggers}; if ${condition.expression}` : triggers,
    }))
  })
}

function table(jobs: readonly PlannedJob[], { style }: Output): string {
  const lines: string[] = []
  const widthOf = (file: string) =>
    Math.max(...jobs.filter(({ workflow }) => workflow === file).map(({ job }) => job.length))
  for (const [index, { workflow, job, about, needs, grants, when }] of jobs.entries()) {
    if (workflow !== jobs[index - 1]?.workflow) lines.push(...(index > 0 ? [''] : []), style('bold', workflow))
    const width = widthOf(workflow)
    const indent = ' '.repeat(width + 4)
    lines.push(
      `  ${job.padEnd(width)}  ${about}`,
      ...(needs.length > 0 ? [style('dim', `${indent}after ${needs.join(', ')}`)] : []),
      style('dim', `${indent}may ${grants.length > 0 ? grants.join(', ') : 'nothing'}`),
      style('dim', `${indent}on ${when}`),
    )
  }
  return lines.join('\n')
}
