import type { Job } from '../../scan/rules/workflow-model.ts'
import { get, textOf, type YamlValue } from '../../scan/rules/yaml.ts'
import type { Need } from '../reading/action-needs.ts'
import { needsOfJob } from '../reading/job-needs.ts'
import { type Addition, addEntry, plainOf } from './additions.ts'
import { type HardenModel, type Open, type Outcome, open } from './types.ts'

/**
 * What each job needs, where that is known. The whole workflow grants nothing only when no job has to live on what it
 * grants.
 */
export function grantPermissions(model: HardenModel): {
  readonly jobs: readonly Outcome[]
  readonly isTopOpen: boolean
} {
  const { root, jobs } = model.file
  const top = get(root, 'permissions')
  const outcomes = jobs.filter(({ map }) => !map.entries.has('permissions')).map((job) => ofJob(model, job, top))
  const isTopOpen = !root.entries.has('permissions') && outcomes.every(({ kind }) => kind === 'change')
  return { jobs: outcomes, isTopOpen }
}

function ofJob(model: HardenModel, job: Job, top: YamlValue | undefined): Outcome {
  const found = needsOfJob(model.file, job)
  if (found.kind === 'open') return unknown(job, found.what)
  const needs = top ? found.needs.flatMap((need) => within(need, top)) : found.needs
  if (!top && needs.length > 0 && model.file.triggers.has('workflow_call'))
    return unknown(job, 'who calls the workflow may grant it less')
  const addition: Addition = {
    key: 'permissions',
    value: needs.map(({ scope, access, why }) => ({ key: scope, value: access, comment: why })),
  }
  const place = { map: job.map.at, key: job.at, behind: ['runs-on', 'if', 'needs', 'name'] }
  const said = needs.map(({ scope, access }) => `${scope}: ${access}`).join(', ') || '{}'
  return {
    kind: 'change',
    at: job.at,
    change: { code: 'job-permissions', message: `jobs.${job.id}: permissions: ${said}` },
    edits: [addEntry(model, place, addition)],
    means: [{ map: job.map.at, key: 'permissions', value: plainOf(addition) }],
  }
}

function unknown(job: Job, what: string): Open {
  const message = `jobs.${job.id}.permissions: not set, and what the job needs is not known: ${what}`
  return open(job.at, 'permissions-unknown', message, 'write what it needs under permissions, {} for nothing')
}

/** Never more than the job has now by the grants at the top. */
function within(need: Need, top: YamlValue): readonly Need[] {
  const all = textOf(top)
  const access = all === 'write-all' ? 'write' : all === 'read-all' ? 'read' : textOf(get(top, need.scope))
  if (access === 'write' || access === need.access) return [need]
  return access === 'read' ? [{ ...need, access }] : []
}
