import type { StoredRun, StoredTask } from '../../store/read.ts'
import { formatDuration } from '../../util/units.ts'
import type { LookedRun } from '../looks/looked.ts'
import { ago, localTime } from '../looks/times.ts'
import { oneLine } from './events.ts'
import { lookOf, runLook, saysOf, tallyOf, timeOfTask } from './states.ts'
import type { Style } from './style.ts'
import { type Cell, type Column, table } from './table.ts'

const columns: readonly Column[] = [
  { head: '', shrinks: true },
  { head: '' },
  { head: '', isRight: true },
  { head: '', shrinks: true },
]

/** A run and its tasks, for people. */
export function renderStatus(looked: LookedRun, now: number, style: Style, width?: number): readonly string[] {
  const { tasks } = looked
  const rows = tasks.map((task): readonly Cell[] => taskCells(task, now))
  return [
    ...renderHead(looked, now, style),
    ...(rows.length > 0
      ? ['', ...table(columns, rows, style, width === undefined ? undefined : width - 2).map((line) => `  ${line}`)]
      : []),
    '',
    verdictLine(looked, style),
  ]
}

/** What the run is, where it is, and who has it. */
export function renderHead({ run, holder }: LookedRun, now: number, style: Style): readonly string[] {
  const { id, title, project, root, startedAt, sessions, importedAt } = run
  return [
    `${style('bold', oneLine(title))}  run ${id}`,
    style('dim', `${oneLine(project)} in ${oneLine(root)}`),
    style(
      'dim',
      [
        `began ${localTime(startedAt)}, ${ago(startedAt, now)}`,
        ...(sessions > 1 ? [`session ${sessions}`] : []),
        ...(importedAt === undefined ? [] : [`imported ${localTime(importedAt)}`]),
        ...(holder ? [`process ${holder.pid} on ${oneLine(holder.host)} has it`] : []),
      ].join('; '),
    ),
  ]
}

/** `failed after 12 s: 5 of 7 tasks done, 1 failed`. */
export function verdictLine({ run, tasks, elapsedMs }: LookedRun, style: Style): string {
  const [format, word] = runLook(run.state)
  const { total, done, failed } = tallyOf(countStates(tasks))
  const lines = [
    `${style(format, word)} ${run.state === 'running' ? 'for' : 'after'} ${formatDuration(elapsedMs)}: ${done} of ${total} tasks done${failed > 0 ? `, ${failed} failed` : ''}`,
  ]
  if (canResume(run)) lines.push(style('dim', `dwf resume ${run.id} goes on with it`))
  return lines.join('\n')
}

const canResume = ({ state, importedAt }: StoredRun): boolean =>
  importedAt === undefined && state !== 'running' && state !== 'passed'

/** One task as it is now, on one line. */
export function taskLine(task: StoredTask, now: number, style: Style): string {
  return table(columns, [taskCells(task, now)], style)[0]!
}

function taskCells(task: StoredTask, now: number): readonly Cell[] {
  const [sign, format] = lookOf(task.state)
  const ms = timeOfTask(task, now)
  return [
    [format, `${sign} ${task.id}`],
    task.state === 'running' && task.attempts > 1 ? `running, attempt ${task.attempts}` : saysOf(task),
    ms === undefined ? '' : formatDuration(ms),
    ['dim', task.reason ?? ''],
  ]
}

function countStates(tasks: readonly StoredTask[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { state } of tasks) counts[state] = (counts[state] ?? 0) + 1
  return counts
}
