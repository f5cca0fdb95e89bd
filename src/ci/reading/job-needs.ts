import type { Job, Step, WorkflowFile } from '../../scan/rules/workflow-model.ts'
import { get } from '../../scan/rules/yaml.ts'
import { byCodeUnit } from '../../util/text.ts'
import { factsOf, hasOwnToken, type Need } from './action-needs.ts'
import { tokenUseOf } from './scripts.ts'
import { namesToken, textsBelow } from './token.ts'

/** What the token of a job has to be able to do. */
export type JobNeeds =
  | {
      readonly kind: 'known'
      /** One for each scope, in code-unit order. */
      readonly needs: readonly Need[]
      /** What it may have beyond that, for good reasons: no words why. */
      readonly may: readonly Need[]
    }
  /** Only its author knows; `what` was seen at `at`. */
  | { readonly kind: 'open'; readonly at: number; readonly what: string }

type Open = Extract<JobNeeds, { kind: 'open' }>

/** Never a guess: one step whose needs are not known leaves the whole job open. */
export function needsOfJob(file: WorkflowFile, job: Job): JobNeeds {
  if (job.calls) return { kind: 'open', at: job.calls.at, what: 'it calls another workflow' }
  const shared = tokenIn([get(file.root, 'env')]) ?? tokenIn([job.map], new Set(['steps']))
  if (shared) return { ...shared, what: 'all its steps get the token' }
  const needs: Need[] = []
  const may: Need[] = []
  for (const step of job.steps) {
    const seen = step.uses ? ofAction(file, job, step) : ofScript(step)
    if ('kind' in seen) return seen
    needs.push(...seen.needs)
    may.push(...seen.needs, ...seen.may)
  }
  return { kind: 'known', needs: merged(needs), may: merged(may) }
}

interface Seen {
  readonly needs: readonly Need[]
  readonly may: readonly Need[]
}

function ofAction(file: WorkflowFile, job: Job, step: Step): Seen | Open {
  const uses = step.uses!
  const facts = factsOf(step)
  const place = { step, job, triggers: file.triggers }
  const needs = facts?.needs(place)
  if (!facts || !needs) return { kind: 'open', at: uses.at, what: `nobody knows what ${uses.text} needs` }
  return { needs: hasOwnToken(place, facts) ? [] : needs, may: [...needs, ...(facts.may ?? [])] }
}

function ofScript(step: Step): Seen | Open {
  const given = tokenIn([step.map])
  const use = tokenUseOf(step.run?.text ?? '', given !== undefined)
  const at = step.run?.at ?? step.map.at
  if (use.kind === 'open') return { kind: 'open', at: given?.at ?? at, what: `its script uses ${use.what}` }
  if (use.kind === 'none') return { needs: [], may: [] }
  const why = use.access === 'write' ? 'to publish a release' : 'to read releases'
  return { needs: [{ scope: 'contents', access: use.access, why }], may: [] }
}

function tokenIn(
  values: readonly Parameters<typeof textsBelow>[0][],
  except?: ReadonlySet<string>,
): Omit<Open, 'what'> | undefined {
  for (const value of values)
    for (const { text, at } of textsBelow(value, except)) if (namesToken(text)) return { kind: 'open', at }
  return undefined
}

function merged(needs: readonly Need[]): readonly Need[] {
  const scopes = new Map<string, Need>()
  for (const need of needs) {
    const other = scopes.get(need.scope)
    if (!other || (other.access === 'read' && need.access === 'write')) scopes.set(need.scope, need)
  }
  return [...scopes.values()].sort((a, b) => byCodeUnit(a.scope, b.scope))
}
