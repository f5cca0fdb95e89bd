import type { StoredAttempt, StoredTask } from '../../store/read.ts'
import { canonicalJson } from '../../util/canonical.ts'
import { formatDuration } from '../../util/units.ts'
import type { InspectedRun } from '../looks/inspected.ts'
import { localTime } from '../looks/times.ts'
import { oneLine } from './events.ts'
import { renderFacts } from './facts.ts'
import { lookOf, runLook, saysOf, timeOfTask } from './states.ts'
import type { Style } from './style.ts'
import { shorten } from './table.ts'

/** Everything of a run, for people; only long values are cut, which JSON has whole. */
export function renderInspect(of: InspectedRun, now: number, style: Style): readonly string[] {
  const { run, plan, options, audit, files, holder, elapsedMs, tasks } = of
  const [format, word] = runLook(run.state)
  const { workflow } = plan
  return [
    `${style('bold', oneLine(run.title))}  run ${run.id}  ${style(format, word)}`,
    ...renderFacts(
      [
        ['kind', run.kind],
        ['project', run.project],
        ['root', run.root],
        ['workflow', workflow && `${workflow.name} (${workflow.file})`],
        ['tags', run.tags.join(', ')],
        ['began', localTime(run.startedAt)],
        ['ended', run.endedAt === undefined ? undefined : localTime(run.endedAt)],
        ['took', formatDuration(elapsedMs)],
        ['sessions', String(run.sessions)],
        ['imported', run.importedAt === undefined ? undefined : localTime(run.importedAt)],
        ['process', holder && `${holder.pid} on ${holder.host}, last heard of ${localTime(holder.heartbeat)}`],
        ['dwf', run.dwf],
        ['engine', run.engine],
        ['image', run.image],
        ['plan', run.planHash],
        ['audit', `${audit.head} (${audit.events} events)`],
        ['folder', files.folder],
        ['store', files.store],
      ],
      style,
    ),
    ...section('options', facts(options), style),
    ...section('variables', facts(workflow?.variables ?? {}), style),
    '',
    ...tasks.flatMap((task) => describe(task, of, now, style)),
  ]
}

const section = (name: string, of: readonly (readonly [string, string])[], style: Style): readonly string[] =>
  of.length === 0 ? [] : ['', style('bold', name), ...renderFacts(of, style, '  ')]

const facts = (of: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] =>
  Object.entries(of)
    .filter(([name]) => name !== 'schema')
    .map(([name, value]) => [oneLine(name), short(typeof value === 'string' ? value : canonicalJson(value))])

const short = (text: string): string => shorten(text, 200)

function describe(task: StoredTask, of: InspectedRun, now: number, style: Style): readonly string[] {
  const [sign, format] = lookOf(task.state)
  const planned = of.plan.tasks.find(({ id }) => id === task.id)
  const ms = timeOfTask(task, now)
  const attempts = of.attempts.get(task.id) ?? []
  return [
    `${style(format, `${sign} ${oneLine(task.id)}`)}  ${saysOf(task)}${ms === undefined ? '' : `  ${formatDuration(ms)}`}`,
    ...renderFacts(
      [
        ['reason', task.reason],
        ['gate', task.gate],
        ['command', planned && planned.argv.length > 0 ? short(planned.argv.join(' ')) : undefined],
        ['needs', planned?.needs.join(', ')],
        ['hash', task.hash],
        ['inputs', task.inputs],
        ...(attempts.length > 1 || attempts.some(({ session }) => session > 1)
          ? attempts.map((attempt) => ['attempt', attemptText(attempt)] as const)
          : []),
        ...Object.entries(task.outputs).map(
          ([name, value]) => ['output', `${name} = ${short(JSON.stringify(value))}`] as const,
        ),
        ['log', of.files.logs[task.id]],
      ],
      style,
      '    ',
    ),
  ]
}

function attemptText({ session, number, state, code, startedAt, endedAt }: StoredAttempt): string {
  const exit = code !== undefined && code !== 0 ? ` (exit ${code})` : ''
  const time = endedAt === undefined ? '' : `, ${formatDuration(Math.max(0, endedAt - startedAt))}`
  return `${number}${session > 1 ? ` of session ${session}` : ''}: ${lookOf(state)[2]}${exit}, ${localTime(startedAt)}${time}`
}
