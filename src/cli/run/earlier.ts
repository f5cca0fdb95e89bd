import { variablesOf } from '../../conditions/names.ts'
import type { Plan, PlannedTask, TaskId } from '../../plan/types.ts'
import type { TaskResult } from '../../run/types.ts'
import type { StoredTask } from '../../store/read.ts'
import { canonicalJson } from '../../util/canonical.ts'

/** A task that was done, and is not what it was then. */
export interface Change {
  readonly task: TaskId
  /** One line each: what differs. */
  readonly what: readonly string[]
}

export interface EarlierRun {
  readonly plan: Plan
  readonly tasks: readonly StoredTask[]
  /** Fingerprint of the image then; empty without one. */
  readonly image: string
}

export interface Now {
  readonly plan: Plan
  readonly image: string
  readonly inputs: (task: PlannedTask) => string | undefined
  /** Files that changed since the run; for tasks that do not say what they are made from. */
  readonly changedFiles: readonly string[]
}

/** What stays done, and what was done and has changed since. Pure. */
export function compareRuns(
  before: EarlierRun,
  now: Now,
  from: TaskId | undefined,
): { readonly kept: ReadonlyMap<TaskId, TaskResult>; readonly changes: readonly Change[] } {
  const stored = new Map(before.tasks.map((task) => [task.id, task]))
  const planned = new Map(before.plan.tasks.map((task) => [task.id, task]))
  const newVariables = variablesThatDiffer(before.plan, now.plan)
  const changes: Change[] = []
  const kept = new Map<TaskId, TaskResult>()
  const again = new Set<TaskId>()
  for (const task of now.plan.tasks) {
    const done = stored.get(task.id)
    const needsAgain = task.needs.some((id) => again.has(id))
    if (!done || !canStay(task, done)) {
      // Setups, gates and conditions are asked for again, and answer as before unless something before them changed.
      const isAsBefore =
        done?.state === 'skipped' &&
        differences(task, done, planned.get(task.id), before, now, newVariables).length === 0
      if (task.id === from || (task.kind === 'task' && (needsAgain || !isAsBefore))) again.add(task.id)
      continue
    }
    const what = differences(task, done, planned.get(task.id), before, now, newVariables)
    if (what.length > 0) changes.push({ task: task.id, what })
    if (needsAgain || what.length > 0 || task.id === from) again.add(task.id)
    else kept.set(task.id, resultOf(done))
  }
  return { kept, changes }
}

/** Setups have their stamps, gates judge what is there now, handlers are called or not: only tasks stay done. */
const canStay = (task: PlannedTask, done: StoredTask): boolean =>
  task.kind === 'task' && ['passed', 'ignored'].includes(done.state)

function differences(
  task: PlannedTask,
  done: StoredTask,
  old: PlannedTask | undefined,
  before: EarlierRun,
  now: Now,
  newVariables: ReadonlySet<string>,
): readonly string[] {
  const what: string[] = []
  if (task.hash !== done.hash) what.push(...(old ? fieldsThatDiffer(old, task) : ['its definition']))
  const inputs = now.inputs(task)
  if (inputs !== undefined && inputs !== done.inputs) what.push('the files that it names as inputs')
  if (task.runtime === 'container' && now.image !== before.image) what.push('the image that it runs in')
  for (const name of readBy(task)) if (newVariables.has(name)) what.push(`the variable ${name}`)
  if (inputs === undefined && !task.workflow && now.changedFiles.length > 0)
    what.push(`files of the repository: ${some(now.changedFiles)}`)
  return what
}

function fieldsThatDiffer(old: PlannedTask, now: PlannedTask): readonly string[] {
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter(
    (key) => key !== 'hash',
  ) as (keyof PlannedTask)[]
  return (
    keys
      .filter((key) => canonicalJson(old[key] ?? null) !== canonicalJson(now[key] ?? null))
      // Values of the environment are shown to nobody.
      .map((key) => (key === 'env' ? 'env' : `${key}: ${short(shown(old[key]))} → ${short(shown(now[key]))}`))
  )
}

function shown(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('templates' in value)) return value
  return { ...value, templates: Object.keys(value.templates as object) }
}

const short = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : canonicalJson(value)
  return text.length > 200 ? `${text.slice(0, 199)}…` : text
}

const some = (files: readonly string[]): string =>
  files.length <= 3 ? files.join(', ') : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more`

function variablesThatDiffer(before: Plan, now: Plan): ReadonlySet<string> {
  const [old, fresh] = [before.workflow?.variables ?? {}, now.workflow?.variables ?? {}]
  return new Set([...Object.keys(old), ...Object.keys(fresh)].filter((name) => old[name] !== fresh[name]))
}

function readBy({ workflow }: PlannedTask): readonly string[] {
  if (!workflow) return []
  return [
    ...workflow.references.map(({ variable }) => variable),
    ...Object.values(workflow.templates).flatMap((parts) =>
      parts.flatMap((part) => ('variable' in part ? [part.variable] : [])),
    ),
    ...(workflow.condition ? variablesOf(workflow.condition) : []),
  ]
}

function resultOf({ id, state, code, ms, attempts, reason, inputs, outputs }: StoredTask): TaskResult {
  return {
    id,
    outcome: state as 'passed' | 'ignored',
    ms,
    attempts,
    ...(code === undefined ? {} : { code }),
    ...(reason === undefined ? {} : { reason }),
    ...(inputs === undefined ? {} : { inputs }),
    ...(Object.keys(outputs).length > 0 ? { outputs } : {}),
  }
}
