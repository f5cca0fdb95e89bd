import type { Job } from '../../scan/rules/workflow-model.ts'
import { get, textOf, textsOf } from '../../scan/rules/yaml.ts'
import { textsBelow } from '../reading/token.ts'
import type { LintRule, Seen } from './types.ts'

const guard = 'step-security/harden-runner'

export const jobRules: readonly LintRule[] = [
  {
    id: 'DWF-CI-008',
    severity: 'error',
    title: 'No checkout leaves the token behind',
    hint: 'add persist-credentials: false to the checkout; a step that pushes is given the token by itself',
    look: ({ file }) =>
      file.steps.flatMap(({ step, job }): readonly Seen[] => {
        if (step.uses?.repository !== 'actions/checkout') return []
        const text = textOf(get(step.with, 'persist-credentials'))
        if (/^false$/i.test(text ?? '')) return []
        const what = text === undefined ? 'not set' : text
        const message = `jobs.${job!.id} ${step.uses.text} persist-credentials: ${what}, so the token stays in .git/config`
        return [{ at: step.uses.at, message }]
      }),
  },
  {
    id: 'DWF-CI-009',
    severity: 'warning',
    title: 'Each job has a time limit',
    hint: 'add timeout-minutes to the job: one that hangs runs for six hours',
    look: ({ file }) =>
      file.jobs.flatMap(({ id, at, map, calls }) =>
        calls || map.entries.has('timeout-minutes') ? [] : [{ at, message: `jobs.${id}.timeout-minutes: not set` }],
      ),
  },
  {
    id: 'DWF-CI-015',
    severity: 'warning',
    title: 'Runners have a version',
    hint: 'name the version: ubuntu-24.04',
    look: ({ file }) =>
      file.jobs.flatMap((job) =>
        labels(job)
          .filter(({ text }) => /-latest\b/.test(text))
          .map(({ text, at }) => ({ at, message: `jobs.${job.id}.runs-on: ${text} becomes another one some day` })),
      ),
  },
  {
    id: 'DWF-CI-016',
    severity: 'warning',
    title: 'Jobs run on the runner itself',
    hint: 'run the container in a step: the runner can be hardened then',
    look: ({ file }) =>
      file.jobs.flatMap(({ id, map }) => {
        const container = map.entries.get('container')
        return container
          ? [{ at: container.at, message: `jobs.${id}.container: harden-runner does not work in it` }]
          : []
      }),
  },
  {
    id: 'DWF-CI-017',
    severity: 'error',
    title: 'Each job hardens its runner first',
    hint: `make ${guard} with egress-policy: block its first step`,
    look: ({ file }) =>
      file.jobs.flatMap(({ id, at, map, steps }): readonly Seen[] => {
        const [first] = steps
        if (!first || map.entries.has('container') || first.uses?.repository === guard) return []
        const later = steps.find(({ uses }) => uses?.repository === guard)
        return later
          ? [{ at: later.uses!.at, message: `jobs.${id}: ${guard} comes when other steps have run` }]
          : [{ at, message: `jobs.${id}: no ${guard}, so whatever runs can send anything to anyone` }]
      }),
  },
  {
    id: 'DWF-CI-018',
    severity: 'warning',
    title: 'The runner reaches named hosts only',
    hint: 'set egress-policy: block, with the hosts that it needs in allowed-endpoints',
    look: ({ file }) =>
      file.steps.flatMap(({ step, job }): readonly Seen[] => {
        if (step.uses?.repository !== guard) return []
        const policy = get(step.with, 'egress-policy')
        const text = textOf(policy) ?? ''
        if (text === 'block' || text.includes('${{')) return []
        const what = text === '' ? 'not set' : text
        return [
          { at: policy?.at ?? step.uses.at, message: `jobs.${job!.id} egress-policy: ${what}, which only watches` },
        ]
      }),
  },
]

/** Of a runner; of a matrix where that names it. */
function labels({ map }: Job): readonly { readonly text: string; readonly at: number }[] {
  const runner = get(map, 'runs-on')
  const own = textsOf(runner?.kind === 'map' ? get(runner, 'labels') : runner)
  const isMatrix = own.some(({ text }) => /\$\{\{[^}]*\bmatrix\b/.test(text))
  return [...own, ...(isMatrix ? textsBelow(get(get(map, 'strategy'), 'matrix')) : [])]
}
