import type { Step } from '../../scan/rules/workflow-model.ts'
import { caching } from '../../scan/rules/workflows.ts'
import { get, isTrue, textOf } from '../../scan/rules/yaml.ts'
import type { LintRule } from './types.ts'

/** Caches of releases are found by a rule of the gates, DWF-ACTIONS-020; those of pull_request_target by 019. */
export const cacheRules: readonly LintRule[] = [
  {
    id: 'DWF-CI-020',
    // Only the pull request itself reads them again (GitHub's scopes of caches), but they push out those of others.
    severity: 'warning',
    title: 'Pull requests read caches and write none',
    hint: 'use actions/cache/restore, or a condition that leaves out pull requests',
    look: ({ file }) =>
      file.triggers.has('pull_request')
        ? file.steps.flatMap(({ step, job }) => {
            const conditions = [get(step.map, 'if'), get(job!.map, 'if')].map((one) => textOf(one) ?? '')
            if (conditions.some(leavesOutPulls) || !writes(step)) return []
            const { at, text } = step.uses!
            return [{ at, message: `jobs.${job!.id} ${text} writes a cache, on pull requests too` }]
          })
        : [],
  },
]

const leavesOutPulls = (condition: string): boolean =>
  /github\.event_name\s*(!=\s*'pull_request'|==\s*'(push|schedule|merge_group|workflow_dispatch|release)')/.test(
    condition,
  ) && !condition.includes('||')

function writes(step: Step): boolean {
  const { uses } = step
  if (uses?.kind !== 'repository') return false
  const input = (name: string) => get(step.with, name)
  if (uses.repository === 'actions/setup-go') return !/^false$/i.test(textOf(input('cache')) ?? '')
  if (uses.repository === 'ruby/setup-ruby') return isTrue(input('bundler-cache'))
  if (uses.repository === 'astral-sh/setup-uv')
    return isTrue(input('enable-cache')) && !/^false$/i.test(textOf(input('save-cache')) ?? '')
  const saves = textOf(input('save-if')) ?? ''
  if (uses.repository === 'swatinem/rust-cache' && saves !== '') return isTrue(input('save-if'))
  return caching(step, true).length > 0
}
