import { count } from '../scan/text.ts'
import { type FileOf, placesIn } from './places/index.ts'
import { short } from './text.ts'
import { workflowCommand } from './workflow-commands.ts'

export interface FailedTask {
  readonly id: string
  /** `failed (exit 1)`. */
  readonly outcome: string
  /** The end of what it printed, without colours and control characters. */
  readonly lines: readonly string[]
  readonly fileOf: FileOf
}

/** What the log shows of a task that names no place. */
const lastLines = 10

/**
 * The places that a failed task names, errors first, as commands to GitHub Actions; its last lines where it names none.
 * `left`: places beyond the limit.
 */
export function annotationsOfTask(
  task: FailedTask,
  limit = 10,
): { readonly lines: readonly string[]; readonly left: number } {
  const places = placesIn(task.lines, task.fileOf)
  const shown = places.slice(0, limit)
  const left = places.length - shown.length
  if (shown.length === 0) {
    const last = task.lines.filter((line) => line.trim() !== '').slice(-lastLines)
    return { lines: [error(task, {}, [task.outcome, ...last])], left: 0 }
  }
  return {
    lines: shown.map(({ message, level: _, ...place }, index) => {
      const more = left > 0 && index === shown.length - 1 ? [`… and ${count(left, 'more place')} in the log`] : []
      return error(task, place, [...message, ...more])
    }),
    left,
  }
}

function error(
  { id }: FailedTask,
  { file, line, column }: { readonly file?: string; readonly line?: number; readonly column?: number },
  message: readonly string[],
): string {
  const text = message.map((part) => short(part, 500)).join('\n')
  return workflowCommand('error', { file, line, col: column, title: short(id, 200) }, text)
}
