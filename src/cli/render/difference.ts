import { formatDuration } from '../../util/units.ts'
import type { ComparedRun, Difference, RunDifference, TaskDifference } from '../looks/differences.ts'
import { localTime } from '../looks/times.ts'
import { oneLine } from './events.ts'
import { runLook } from './states.ts'
import type { Style } from './style.ts'

/** Two runs held against each other, for people: what differs, and how long each task took in both. */
export function renderDifference(
  difference: RunDifference,
  [a, b]: readonly [ComparedRun, ComparedRun],
  style: Style,
): readonly string[] {
  const { same, facts, variables, tasks } = difference
  const told = tasks.filter((task) => task.differences.length > 0 || task.isFarApart)
  const equal = tasks.length - told.length
  return [
    headOf('a', a, style),
    headOf('b', b, style),
    ...section('run', facts, style),
    ...section('variables', variables, style),
    ...told.flatMap((task) => ['', taskHead(task, style), ...lines(task, style)]),
    '',
    ...(equal > 0 ? [style('dim', `${equal} ${equal === 1 ? 'task is' : 'tasks are'} the same`)] : []),
    same ? style('green', 'the same but for times') : style('yellow', 'they differ'),
  ]
}

const headOf = (side: string, { run }: ComparedRun, style: Style): string =>
  `${style('bold', side)}  ${run.id}  ${oneLine(run.title)}  ${style(...runLook(run.state))}  ${localTime(run.startedAt)}`

const section = (name: string, of: readonly Difference[], style: Style): readonly string[] =>
  of.length === 0 ? [] : ['', style('bold', name), ...of.map((one) => line(one, style))]

function taskHead({ id, in: where, ms, isFarApart }: TaskDifference, style: Style): string {
  const only = where === 'both' ? '' : `  only in ${where}`
  const [a, b] = [ms.a, ms.b].map((one) => (one === undefined ? '–' : formatDuration(one)))
  const times = where === 'both' && (ms.a !== undefined || ms.b !== undefined) ? `  ${a} → ${b}` : ''
  const slower = isFarApart ? style('yellow', `  ${ms.b! > ms.a! ? 'slower' : 'faster'}`) : ''
  return `${style('bold', oneLine(id))}${only}${style('dim', times)}${slower}`
}

const lines = ({ in: where, differences }: TaskDifference, style: Style): readonly string[] =>
  where === 'both' ? differences.map((one) => line(one, style)) : []

const line = ({ what, a, b }: Difference, style: Style): string =>
  `  ${oneLine(what)}: ${style('red', a === undefined ? 'nothing' : oneLine(a))} → ${style('green', b === undefined ? 'nothing' : oneLine(b))}`
