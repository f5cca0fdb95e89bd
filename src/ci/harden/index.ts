import type { KnownActions } from '../../pins/types.ts'
import { oneLine } from '../../scan/text.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'
import { isDiagnostic, readWorkflow, type WorkflowText } from '../reading/workflow.ts'
import type { Addition } from './additions.ts'
import { applied, meansTheSame } from './check.ts'
import { forgetCredentials } from './checkouts.ts'
import { layoutOf } from './layout.ts'
import { limitRuns, limitTime } from './limits.ts'
import { grantPermissions } from './permissions.ts'
import { pinActions } from './pins.ts'
import { addAtTop } from './top.ts'
import type { Hardened, Outcome } from './types.ts'

export type { HardenChange, Hardened } from './types.ts'

/**
 * A workflow that people wrote, made safer where that cannot break it: actions pinned, grants, time limits, concurrency,
 * no token left behind. Everything else stays byte for byte; what only a person can decide is left as it is, and listed.
 * Pure, and done when it is done: a second time nothing changes. A text that cannot be edited is refused as a whole.
 * @param path from the root of the repository
 */
export function hardenWorkflow(path: string, text: string, known: KnownActions): Hardened {
  const refused = (diagnostic: Diagnostic): Hardened => ({ text, changes: [], undecided: [diagnostic] })
  const read = readWorkflow(path, text)
  if (isDiagnostic(read)) return refused(read)
  const layout = layoutOf(read)
  if ('sharedAt' in layout) {
    const message = 'an anchor or alias: what is changed at one place would change at others'
    return refused(refusal(read, layout.sharedAt, message, 'write out what it stands for'))
  }
  const outcomes = plan({ ...read, known, layout })
  const steps = outcomes.filter((one) => one.kind === 'change')
  const after = applied(
    text,
    steps.flatMap(({ edits }) => edits),
  )
  const means = steps.flatMap((step) => step.means)
  if (steps.length > 0 && !meansTheSame(text, after, means)) {
    const message = 'it is laid out in a way that cannot be edited without a change of what it means'
    return refused(refusal(read, 0, message, 'write it in a simpler way'))
  }
  const places = [...outcomes].sort((a, b) => a.at - b.at)
  return {
    text: after,
    changes: places.flatMap((one) =>
      one.kind === 'change' ? [{ ...one.change, message: oneLine(one.change.message), where: read.span(one.at) }] : [],
    ),
    undecided: places.flatMap((one) =>
      one.kind === 'open'
        ? [{ ...one.diagnostic, message: oneLine(one.diagnostic.message), where: read.span(one.at) }]
        : [],
    ),
  }
}

function plan(model: Parameters<typeof pinActions>[0]): readonly Outcome[] {
  const runs = limitRuns(model)
  const { jobs, isTopOpen } = grantPermissions(model)
  const atTop: readonly Addition[] = [
    ...(isTopOpen ? [{ key: 'permissions', value: [] }] : []),
    ...(runs && 'key' in runs ? [runs] : []),
  ]
  return [
    ...addAtTop(model, atTop),
    ...(runs && 'kind' in runs ? [runs] : []),
    ...pinActions(model),
    ...limitTime(model),
    ...jobs,
    ...forgetCredentials(model),
  ]
}

function refusal({ span }: WorkflowText, at: number, message: string, hint: string): Diagnostic {
  return { severity: 'error', code: 'workflow-not-editable', message, where: span(at), hint }
}
