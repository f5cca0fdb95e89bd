import type { Plan } from '../../plan/types.ts'
import type { Graph } from '../../report/graph/types.ts'
import type { TaskState } from '../../store/journal.ts'

/** A plan, or a run of one, as a graph. */
export function graphOf(plan: Pick<Plan, 'tasks'>, title: string, states?: ReadonlyMap<string, TaskState>): Graph {
  return {
    title,
    tasks: plan.tasks.map(({ id, kind, needs, after, workflow }) => {
      const state = states?.get(id)
      return {
        id,
        kind,
        needs,
        ...(after.length > 0 ? { after } : {}),
        ...(workflow?.onFailure === undefined ? {} : { onFailure: workflow.onFailure }),
        ...(state === undefined ? {} : { state }),
      }
    }),
  }
}
