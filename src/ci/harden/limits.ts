import type { Job, WorkflowFile } from '../../scan/rules/workflow-model.ts'
import { isRelease } from '../../scan/rules/workflows.ts'
import { get } from '../../scan/rules/yaml.ts'
import { needsOfJob } from '../reading/job-needs.ts'
import { type Addition, addEntry } from './additions.ts'
import { type HardenModel, type Outcome, open } from './types.ts'

/** Longer than most jobs take, and shorter than GitHub's six hours. */
const minutes = '60'

/** A time limit for each job that has none. */
export function limitTime(model: HardenModel): readonly Outcome[] {
  return model.file.jobs.flatMap((job): readonly Outcome[] => {
    if (job.calls || job.map.entries.has('timeout-minutes')) return []
    const place = { map: job.map.at, key: job.at, behind: ['runs-on', 'if', 'needs', 'name'] }
    return [
      {
        kind: 'change',
        at: job.at,
        change: { code: 'timeout-minutes', message: `jobs.${job.id}: timeout-minutes: ${minutes}` },
        edits: [addEntry(model, place, { key: 'timeout-minutes', value: minutes })],
        means: [{ map: job.map.at, key: 'timeout-minutes', value: minutes }],
      },
    ]
  })
}

/** Runs for these know by their ref what they are about; of all others the ref is the default branch. */
const ofRefs: ReadonlySet<string> = new Set([
  'push',
  'pull_request',
  'merge_group',
  'schedule',
  'workflow_dispatch',
  'release',
])

/**
 * One run for each workflow and ref, where that loses none that matters: of those that wait in a group GitHub keeps only
 * the last.
 */
export function limitRuns(model: HardenModel): Addition | Outcome | undefined {
  const { root, triggers } = model.file
  if (root.entries.has('concurrency')) return undefined
  const why = reasonAgainst(model)
  if (why !== undefined) {
    const hint = 'add concurrency with a group in which only runs stand that may replace each other'
    return open(root.entries.get('jobs')!.at, 'concurrency-unknown', `concurrency: not set, ${why}`, hint)
  }
  const isTagged = isRelease(triggers, root)
  return {
    key: 'concurrency',
    value: [
      { key: 'group', value: '${{ github.workflow }}-${{ github.ref }}' },
      { key: 'cancel-in-progress', value: isTagged ? 'false' : "${{ github.event_name == 'pull_request' }}" },
    ],
  }
}

function reasonAgainst({ file }: HardenModel): string | undefined {
  const { root, triggers, jobs } = file
  if (triggers.has('workflow_call')) return 'and the group would be that of the workflow that calls it'
  const other = [...triggers].find((name) => !ofRefs.has(name))
  if (other !== undefined) return `and runs for ${other} have no ref of their own`
  if (get(get(get(root, 'on'), 'workflow_dispatch'), 'inputs')) return 'and each run may be asked for something else'
  if (!isOfPullRequests(triggers) && jobs.some((job) => mayPublish(file, job)))
    return 'and a run that publishes must not be left out for a later one'
  const job = jobs.find(({ map }) => map.entries.has('concurrency'))
  return job && `and jobs.${job.id} has a group of its own, which may be the same`
}

const isOfPullRequests = (triggers: ReadonlySet<string>): boolean =>
  [...triggers].every((name) => name === 'pull_request' || name === 'merge_group')

/** It writes somewhere, or nobody knows what it does. */
function mayPublish(file: WorkflowFile, job: Job): boolean {
  const needs = needsOfJob(file, job)
  return needs.kind === 'open' || needs.needs.some(({ access }) => access === 'write')
}
