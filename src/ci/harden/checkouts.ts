import { isMap, isScalar } from 'yaml'
import type { Job, Step } from '../../scan/rules/workflow-model.ts'
import { get, textOf } from '../../scan/rules/yaml.ts'
import { factsOf } from '../reading/action-needs.ts'
import { gitRemoteIn } from '../reading/scripts.ts'
import { addEntry, addLines, addToFlow } from './additions.ts'
import { pairOf } from './layout.ts'
import { type Edit, type HardenModel, type Outcome, open } from './types.ts'

const key = 'persist-credentials'

/** No checkout leaves the token behind, unless a later step may want it. */
export function forgetCredentials(model: HardenModel): readonly Outcome[] {
  return model.file.jobs.flatMap((job) => {
    // From the end, so that each step is looked at once.
    const outcomes: Outcome[] = []
    let wanted: string | undefined
    for (const step of job.steps.toReversed()) {
      if (step.uses?.repository === 'actions/checkout') outcomes.push(...ofCheckout(model, job, step, wanted))
      else wanted = wants(step) ?? wanted
    }
    return outcomes.reverse()
  })
}

function ofCheckout(model: HardenModel, job: Job, step: Step, wanted: string | undefined): readonly Outcome[] {
  const { at, text } = step.uses!
  const said = textOf(get(step.with, key))
  if (/^false$/i.test(said ?? '')) return []
  const unknown = (why: string) => {
    const hint = `add ${key}: false where nothing later pushes or fetches; give the token to the step that does`
    return [open(at, 'credentials-unknown', `jobs.${job.id} ${text} leaves the token in .git/config: ${why}`, hint)]
  }
  if (said !== undefined) return unknown(`${key}: ${said} is there on purpose`)
  if (wanted !== undefined) return unknown(wanted)
  const edit = forget(model, step)
  if (!edit) return unknown('its inputs are written in a way that cannot be edited')
  const map = step.with?.kind === 'map' ? step.with.at : undefined
  return [
    {
      kind: 'change',
      at,
      change: { code: key, message: `jobs.${job.id} ${text}: ${key}: false` },
      edits: [edit],
      means: [
        map === undefined ? { map: step.map.at, key: 'with', value: { [key]: 'false' } } : { map, key, value: 'false' },
      ],
    },
  ]
}

/** Why a step may need what a checkout left. */
function wants(step: Step): string | undefined {
  if (step.run) {
    const seen = gitRemoteIn(step.run.text)
    return seen === undefined ? undefined : `a later script uses ${seen}`
  }
  if (!step.uses) return undefined
  const facts = factsOf(step)
  if (!facts) return `nobody knows whether ${step.uses.text} pushes or fetches`
  return facts.usesGit ? `${step.uses.text} may push or fetch` : undefined
}

function forget(model: HardenModel, step: Step): Edit | undefined {
  const { layout } = model
  const map = layout.mapAt(step.map.at)
  const line = { key, value: 'false' }
  const given = pairOf(map, 'with')
  if (!given) {
    const place = { map: step.map.at, key: step.uses!.at, behind: ['uses'] }
    return addEntry(model, place, { key: 'with', value: [line] })
  }
  const inputs = given.value
  if (isMap(inputs) && inputs.flow) return addToFlow(model, inputs, line)
  const name = isScalar(given.key) ? given.key.range?.[0] : undefined
  if (map.flow || name === undefined) return undefined
  const isEmpty = inputs === null || (isScalar(inputs) && inputs.value === null)
  if (!isEmpty && !isMap(inputs)) return undefined
  const column = isMap(inputs) ? layout.columnOf(inputs.range![0]) : layout.columnOf(name) + layout.unit
  return addLines(model, name, [`${' '.repeat(column)}${key}: false`])
}
