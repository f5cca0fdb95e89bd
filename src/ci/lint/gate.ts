import type { Job } from '../../scan/rules/workflow-model.ts'
import { get, textOf, textsOf, type YamlMap } from '../../scan/rules/yaml.ts'
import { listing } from '../../util/text.ts'
import type { LintRule, Seen } from './types.ts'

/** A job called `gate` is the one check that a repository requires. */
export const gateRules: readonly LintRule[] = [
  {
    id: 'DWF-CI-021',
    severity: 'error',
    title: 'The gate always runs, and looks at other jobs',
    hint: 'give it needs and if: always(), and let it fail on every result that is not success',
    look: ({ file }) => {
      const gate = gateOf(file.jobs)
      if (!gate) return []
      const condition = gate.map.entries.get('if')
      const seen: Seen[] = []
      if (!/^(\$\{\{\s*)?always\(\s*\)(\s*\}\})?$/.test(textOf(condition?.value)?.trim() ?? '')) {
        const what = textOf(condition?.value) ?? 'not set'
        const message = `jobs.gate.if: ${what}, and a gate that is skipped counts as passed`
        seen.push({ at: condition?.value.at ?? gate.at, message })
      }
      if (needsOf(gate).length === 0)
        seen.push({ at: gate.at, message: 'jobs.gate.needs: nothing, so it passes whatever happens' })
      return seen
    },
  },
  {
    id: 'DWF-CI-022',
    severity: 'warning',
    title: 'The gate looks at every job of a change',
    hint: 'add them to its needs, or give them a condition that leaves out pull requests or merge queues',
    look: ({ file }) => {
      const gate = gateOf(file.jobs)
      const events = ['pull_request', 'merge_group'].filter((name) => file.triggers.has(name))
      if (!gate || events.length === 0 || needsOf(gate).length === 0) return []
      const needs = new Map(file.jobs.map((job) => [job.id, needsOf(job)]))
      const pairs = [...needs].flatMap(([id, all]) => all.map((needed) => ({ id, needed })))
      const neededBy = Map.groupBy(pairs, ({ needed }) => needed)
      const before = reachable(gate.id, (id) => needs.get(id) ?? [])
      const after = reachable(gate.id, (id) => (neededBy.get(id) ?? []).map((pair) => pair.id))
      const left = file.jobs
        .filter(({ id, map }) => !before.has(id) && !after.has(id) && events.every((event) => runsOn(map, event)))
        .map(({ id }) => id)
      if (left.length === 0) return []
      const message = `jobs.gate.needs: without ${listing(left)}, which may fail and nobody is stopped`
      return [{ at: gate.map.entries.get('needs')!.at, message }]
    },
  },
]

/** Whether a job may run on an event: false where one of the conditions that all have to hold names another event. */
function runsOn(job: YamlMap, event: string): boolean {
  const condition = (textOf(get(job, 'if')) ?? '').replace(/^\s*\$\{\{|\}\}\s*$/g, '')
  return !conjuncts(condition).some((one) => {
    const [, sign, name] = /^github\.event_name\s*([=!])=\s*'(\w+)'$/.exec(one.trim()) ?? []
    return sign === '=' ? name !== event : sign === '!' && name === event
  })
}

/** The parts of a condition between `&&`, none in brackets; nothing where one of several is enough. */
function conjuncts(condition: string): readonly string[] {
  const parts: string[] = []
  let [depth, from] = [0, 0]
  for (const { 0: sign, index } of condition.matchAll(/'[^']*'|[()]|&&|\|\|/g)) {
    if (sign === '(') depth++
    else if (sign === ')') depth--
    else if (depth === 0 && sign === '||') return []
    else if (depth === 0 && sign === '&&') {
      parts.push(condition.slice(from, index))
      from = index + 2
    }
  }
  return [...parts, condition.slice(from)]
}

const gateOf = (jobs: readonly Job[]): Job | undefined => jobs.find(({ id }) => id === 'gate')

const needsOf = (job: Job | undefined): readonly string[] => textsOf(get(job?.map, 'needs')).map(({ text }) => text)

function reachable(from: string, next: (id: string) => readonly string[]): ReadonlySet<string> {
  const seen = new Set([from])
  // What is added on the way is visited, too.
  for (const id of seen) for (const one of next(id)) seen.add(one)
  return seen
}
