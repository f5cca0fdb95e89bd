import type { EngineInfo } from '../../engine/types.ts'
import type { PlannedTask, TaskId } from '../../plan/types.ts'
import { type DwfEvent, isFailure, isGood, type RunResult, type TaskResult } from '../../run/types.ts'
import { unreachable } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'
import { formatDuration } from '../../util/units.ts'
import type { Style } from './style.ts'
import { isWorkflowLog, withoutCommands } from './workflow-log.ts'

const signs = {
  passed: ['✔', 'green', 'passed'],
  current: ['✔', 'green', 'up to date'],
  ignored: ['!', 'yellow', 'failed, and may'],
  skipped: ['–', 'dim', 'skipped'],
  failed: ['✖', 'red', 'failed'],
  'timed-out': ['✖', 'red', 'timed out'],
  lost: ['✖', 'red', 'lost'],
  cancelled: ['■', 'yellow', 'cancelled'],
  'not-run': ['–', 'dim', 'not run'],
} as const

/** Output of a task as lines with its name before them; a line that never ends is cut into pieces. */
export class Lines {
  #open = ''
  readonly #decoder = new TextDecoder()
  readonly #write: (line: string) => void

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  add(chunk: Buffer): void {
    const lines = (this.#open + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#open = lines.pop()!
    for (const line of lines) this.#write(line)
    if (this.#open.length > 16_384) {
      this.#write(this.#open)
      this.#open = ''
    }
  }

  end(): void {
    if (this.#open) this.#write(this.#open)
    this.#open = ''
  }
}

/** Text of a task for the terminal: colours stay, what moves the cursor or changes the terminal does not. */
export function tame(text: string, colour: boolean): string {
  const kept = text.replace(/\r$/, '').replace(/^[\s\S]*\r(?=.)/, '')
  return kept
    .split(/(\u001b\[[0-9;]*m)/)
    .map((part, index) =>
      index % 2 === 1
        ? colour
          ? part
          : ''
        : printable(part.replace(/\u001b(\[[0-9;?]*[A-Za-z]|\][^\u0007]*\u0007)/g, '')),
    )
    .join('')
}

/** Events → lines for people, as they happen. */
export function humanRun(options: {
  readonly out: (line: string) => void
  readonly style: Style
  readonly stream: boolean
  readonly env?: NodeJS.ProcessEnv
}) {
  const { style, env = process.env } = options
  const out = isWorkflowLog(env) ? (text: string) => options.out(withoutCommands(text)) : options.out
  const open = new Map<TaskId, Lines>()
  const linesOf = (task: TaskId) => {
    let lines = open.get(task)
    if (!lines) {
      const before = style('dim', `${task} │`)
      lines = new Lines((line) => out(`${before} ${tame(line, style('red', 'x') !== 'x')}`))
      open.set(task, lines)
    }
    return lines
  }
  return (event: DwfEvent): void => {
    switch (event.type) {
      case 'run-started':
      case 'run-interrupted':
      case 'run-ended':
        break
      case 'run-resumed':
        out(style('dim', `going on: ${event.kept.length} of ${event.tasks.length} done already`))
        break
      case 'lock-taken':
        out(style('dim', `${event.task ?? 'the run'} has the lock ${event.lock.name}`))
        break
      case 'task-started':
        out(`${style('cyan', '▶')} ${event.task}${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}`)
        break
      case 'output':
        if (options.stream) linesOf(event.task).add(event.chunk)
        break
      case 'task-retried':
        open.get(event.task)?.end()
        out(`${style('yellow', '↻')} ${event.task} ${event.outcome}, ${againAfter(event.delayMs)}`)
        break
      case 'task-ended':
        open.get(event.result.id)?.end()
        if (!isQuiet(event.result)) out(line(event.result, style))
        break
      case 'note':
        out(style('dim', event.text))
        break
      default:
        unreachable(event)
    }
  }
}

/** Nothing happened that a person has to see as it happens. */
export const isQuiet = ({ outcome, attempts }: TaskResult): boolean =>
  outcome === 'not-run' || (outcome === 'skipped' && attempts === 0)

/** When a task that failed is tried again. */
export const againAfter = (delayMs: number): string =>
  delayMs === 0 ? 'trying again' : `trying again in ${formatDuration(delayMs)}`

/** `✖`, and `failed (exit 1)`: how a task ended. */
export function outcomeOf(result: TaskResult): { readonly sign: string; readonly says: string } {
  const [sign, , word] = signs[result.outcome]
  const code = result.code !== undefined && result.code !== 0 ? ` (exit ${result.code})` : ''
  const what = result.gate === 'broken' ? 'did not run' : result.gate === 'refused' ? 'refused' : word
  return { sign, says: `${what}${code}` }
}

/** Undefined where there is none to tell. */
export const timeOf = ({ outcome, ms }: TaskResult): number | undefined =>
  outcome === 'not-run' || outcome === 'current' || outcome === 'skipped' ? undefined : ms

/** How a task ended, on one line. */
export function line(result: TaskResult, style: Style): string {
  const [sign, colour] = signs[result.outcome]
  const tries = result.attempts > 1 ? `, ${result.attempts} attempts` : ''
  const ms = timeOf(result)
  const time = ms === undefined ? '' : `  ${formatDuration(ms)}`
  const before = result.kept ? style('dim', '  done before') : ''
  return `${style(colour, `${sign} ${result.id}`)}  ${outcomeOf(result).says}${tries}${time}${before}${result.reason ? style('dim', `  ${printable(result.reason)}`) : ''}`
}

export interface SummaryOf {
  readonly result: RunResult
  readonly tasks: readonly PlannedTask[]
  readonly planHash: string
  /** Hash of the run's last event: what its audit is held against. */
  readonly head: string
  readonly engine?: EngineInfo
  /** What a reader must know before believing the result: TEST DATABASE, a stand-in image, the host profile. */
  readonly remarks: readonly string[]
  /** Failed output was shown live already. */
  readonly streamed: boolean
  /** It is a run that can be gone on with. */
  readonly canResume: boolean
  readonly env?: NodeJS.ProcessEnv
}

/** What is left on the screen when a run has ended. */
export function summary(of: SummaryOf, style: Style): string {
  const isLog = isWorkflowLog(of.env ?? process.env)
  // A mark in front of what others said, as streamed output has it.
  const lines = linesOf(of, isLog ? '  │ ' : '  ', style)
  return isLog ? withoutCommands(lines.join('\n')) : lines.join('\n')
}

function linesOf(
  { result, planHash, head, engine, remarks, streamed, canResume }: SummaryOf,
  mark: string,
  style: Style,
): readonly string[] {
  const lines: string[] = ['']
  const width = Math.max(...result.tasks.map((task) => task.id.length), 4)
  for (const task of result.tasks) lines.push(`  ${line({ ...task, id: task.id.padEnd(width) }, style)}`)
  for (const task of result.tasks) {
    if (isGood(task.outcome) || task.outcome === 'cancelled' || !task.tail) continue
    if (!streamed || task.gate) {
      lines.push(
        '',
        `${style('bold', task.id)}${task.gate ? '' : ', its last lines:'}`,
        ...task.tail.map((text) => `${mark}${tame(text, false)}`),
      )
    }
    if (task.log) lines.push(style('dim', `  the whole log: ${task.log}`))
  }
  for (const violation of result.violations)
    lines.push('', `${style('red', 'error:')} ${violation.message}`, `  ${violation.hint}`)
  lines.push('')
  const where = engine ? `${engineText(engine)}; ` : ''
  lines.push(style('dim', `${where}plan ${planHash.slice(0, 12)}; run ${result.id}; audit ${head.slice(0, 12)}`))
  for (const gap of engine?.unenforced ?? []) lines.push(style('dim', `not enforced here: ${gap}`))
  for (const remark of remarks) lines.push(style('yellow', remark))
  if (canResume && !result.ok) lines.push(style('dim', `dwf resume ${result.id} goes on with what is not done`))
  lines.push(
    `${style(result.ok ? ['green', 'bold'] : ['red', 'bold'], verdictOf(result))} in ${formatDuration(result.ms)}`,
  )
  return lines
}

/** Of the whole run: `passed`, `2 of 7 failed`. */
export function verdictOf({ ok, ended, tasks }: RunResult): string {
  if (ok) return 'passed'
  if (ended === 'cancelled') return 'cancelled'
  if (ended === 'deadline') return 'out of time'
  const bad = tasks.filter((task) => isFailure(task.outcome)).length
  return bad > 0 ? `${bad} of ${tasks.length} failed` : 'failed'
}

/** `podman 5.4.2, rootless`. */
export const engineText = ({ name, version, rootless }: EngineInfo): string =>
  `${name} ${version}, ${rootless ? 'rootless' : 'NOT rootless'}`
