import type { ScanDocument } from '../scan/types.ts'
import { annotations } from './annotations.ts'
import { annotationsOfTask, type FailedTask } from './task-annotations.ts'
import { workflowCommand } from './workflow-commands.ts'

/** Errors of one step that GitHub shows (seen 2026 in "Workflow commands" of its documentation); the log has all. */
const shownOfStep = 10

/**
 * Every annotation of a run, in the order in which GitHub should run out of room: one of each failed task, what no task
 * may change, the gates', then the other places of the tasks by turns.
 */
export function runAnnotations(
  run: {
    readonly tasks: readonly FailedTask[]
    /** What fails a run beside its tasks. */
    readonly violations: readonly { readonly message: string; readonly hint?: string }[]
    readonly document?: ScanDocument | undefined
  },
  limit = 50,
): readonly string[] {
  const tasks = run.tasks.map((task) => annotationsOfTask(task))
  const turns = Math.max(0, ...tasks.map(({ lines }) => lines.length))
  const turn = (index: number) => tasks.flatMap(({ lines }) => lines.slice(index, index + 1))
  const all = [
    ...turn(0),
    ...run.violations.map(({ message, hint }) =>
      workflowCommand('error', { title: 'dwf' }, [message, ...(hint ? [hint] : [])].join('\n')),
    ),
    ...(run.document ? annotations(run.document) : []),
    ...Array.from({ length: turns }, (_, index) => turn(index + 1)).flat(),
  ]
  const said = all.slice(0, limit)
  const left = all.length - said.length + tasks.reduce((sum, task) => sum + task.left, 0)
  const errors = said.filter((line) => line.startsWith('::error')).length
  const hidden = Math.max(0, errors - shownOfStep)
  if (left + hidden === 0) return said
  const parts = [
    ...(hidden > 0 ? [`GitHub shows ${shownOfStep} errors of a step, and the log ${hidden} more`] : []),
    ...(left > 0 ? [`${left} more ${left === 1 ? 'is' : 'are'} in the output of the tasks`] : []),
  ]
  return [...said, workflowCommand('notice', { title: 'dwf' }, parts.join('; '))]
}
