import { printCondition } from '../../conditions/print.ts'
import type { Plan, PlannedTask } from '../../plan/types.ts'
import { printable, shellQuote } from '../../util/text.ts'
import { formatDuration, formatSize } from '../../util/units.ts'
import type { Style } from './style.ts'

/** A plan for people: what runs, where, with what. `plan --json` has all of it. */
export function renderPlan(plan: Plan, style: Style): string {
  const lines = [
    `${style('bold', printable(plan.project))}  plan ${plan.hash.slice(0, 12)}  ${printable(plan.requested.join(' '))}`,
  ]
  if (plan.image)
    lines.push(
      `image ${plan.image.recipe.slice(0, 12)}: ${plan.image.pins.map((pin) => pin.replace(/@sha256:([0-9a-f]{12}).*/, '@$1')).join(', ')}`,
    )
  const { memory, pids, cpus } = plan.limits
  if (plan.classes.some(({ runtime }) => runtime === 'container'))
    lines.push(
      style(
        'dim',
        `each container: UID 1001, no capabilities, read-only root, ${formatSize(memory)} memory, ${pids} processes, ${cpus} processors`,
      ),
    )
  lines.push('')
  for (const task of plan.tasks) lines.push(...describe(task, style))
  if (plan.notes.length > 0) lines.push('', ...plan.notes.map((note) => style('yellow', printable(note))))
  return lines.join('\n')
}

function describe(task: PlannedTask, style: Style): readonly string[] {
  const marks = [
    task.kind === 'gate' || task.kind === 'handler' ? task.kind : undefined,
    task.kind === 'gate'
      ? undefined
      : task.runtime === 'host'
        ? 'on this machine'
        : task.network === 'egress'
          ? 'network'
          : undefined,
    task.secrets.length > 0 ? `secrets ${task.secrets.join(', ')}` : undefined,
    task.kind === 'fetch' || task.kind === 'setup' ? 'skipped when nothing changed' : undefined,
    task.retries > 0 ? `${task.retries} retries` : undefined,
    task.concurrency === undefined ? undefined : `lock ${task.concurrency}`,
    task.weight === undefined ? undefined : `weight ${task.weight}`,
    task.workflow?.ignoreFailure ? 'may fail' : undefined,
    task.kind === 'gate' ? undefined : `at most ${formatDuration(task.timeoutMs)}`,
  ].filter(Boolean)
  const lines = [`  ${style('cyan', printable(task.id))}  ${style('dim', marks.join(', '))}`]
  const { condition, register } = task.workflow ?? {}
  if (task.argv.length > 0) lines.push(`      ${printable(task.argv.map(shellQuote).join(' '))}`)
  if (task.needs.length > 0) lines.push(style('dim', `      after ${printable(task.needs.join(', '))}`))
  if (condition) lines.push(style('dim', `      if ${printable(printCondition(condition))}`))
  if (register !== undefined) lines.push(style('dim', `      gives ${printable(register)}`))
  return lines
}
