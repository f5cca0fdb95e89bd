import { isRelease } from '../../scan/rules/workflows.ts'
import { get, isTrue, itemsOf, textOf, type YamlMap } from '../../scan/rules/yaml.ts'
import type { LintRule, Seen } from './types.ts'

/** pull_request_target and workflow_run are found by a rule of the gates, DWF-ACTIONS-008. */
export const triggerRules: readonly LintRule[] = [
  {
    id: 'DWF-CI-010',
    severity: 'warning',
    title: 'Runs do not pile up',
    hint: 'add concurrency with a group for the workflow and the ref',
    look: ({ file: { root, triggers } }) =>
      // In a workflow that is called, github.workflow is that of the caller, and both would wait for each other.
      root.entries.has('concurrency') || triggers.has('workflow_call')
        ? []
        : [
            {
              at: root.entries.get('jobs')!.at,
              message: 'concurrency: not set, so each push adds a run to those before',
            },
          ],
  },
  {
    id: 'DWF-CI-011',
    severity: 'error',
    title: 'No release is cancelled half way',
    hint: "set cancel-in-progress: false, or ${{ github.event_name == 'pull_request' }}",
    look: ({ file: { root, triggers, jobs } }) => {
      if (!isRelease(triggers, root) && !get(get(get(root, 'on'), 'push'), 'tags')) return []
      return [
        ...cancelling(root, 'concurrency'),
        ...jobs.flatMap(({ id, map }) => cancelling(map, `jobs.${id}.concurrency`)),
      ]
    },
  },
  {
    id: 'DWF-CI-012',
    severity: 'warning',
    title: 'No trigger filters paths of pull requests',
    hint: 'look at the paths in a first job, and let the others depend on it',
    look: ({ file: { root } }) =>
      ['pull_request', 'pull_request_target'].flatMap((name) => {
        const trigger = get(get(root, 'on'), name)
        if (trigger?.kind !== 'map') return []
        return ['paths', 'paths-ignore'].flatMap((key): readonly Seen[] => {
          const filter = trigger.entries.get(key)
          const message = `on.${name}.${key}: a required check that is left out stays pending for ever`
          return filter ? [{ at: filter.at, message }] : []
        })
      }),
  },
  {
    id: 'DWF-CI-013',
    severity: 'warning',
    title: 'No schedule at the full hour',
    hint: 'choose another minute: 23 2 * * *',
    look: ({ file: { root } }) =>
      itemsOf(get(get(root, 'on'), 'schedule')).flatMap((item): readonly Seen[] => {
        const cron = get(item, 'cron')
        const text = textOf(cron)?.trim() ?? ''
        if (
          !cron ||
          !text
            .split(/\s+/)[0]!
            .split(',')
            .some((minute) => /^0+$/.test(minute))
        )
          return []
        return [
          {
            at: cron.at,
            message: `on.schedule "${text}": at minute 0 everybody's runs start, and are late or left out`,
          },
        ]
      }),
  },
  {
    id: 'DWF-CI-014',
    severity: 'warning',
    title: 'The gate runs in merge queues',
    hint: 'add merge_group to on',
    look: ({ file: { root, triggers, jobs } }) => {
      const gate = jobs.find(({ id }) => id === 'gate')
      return gate && triggers.has('pull_request') && !triggers.has('merge_group')
        ? [
            {
              at: root.entries.get('on')!.at,
              message: 'on.merge_group: not set, so a merge queue waits for "gate" for ever',
            },
          ]
        : []
    },
  },
]

function cancelling(map: YamlMap, about: string): readonly Seen[] {
  const concurrency = get(map, 'concurrency')
  const cancel = get(concurrency, 'cancel-in-progress')
  if (!cancel || !(isTrue(cancel) || /^\$\{\{\s*true\s*\}\}$/.test(textOf(cancel) ?? ''))) return []
  const message = `${about}.cancel-in-progress: ${textOf(cancel)}, and the workflow runs for tags or releases`
  return [{ at: cancel.at, message }]
}
