import type { Plan, PlannedTask, TaskId } from '../../plan/types.ts'
import type { StoredTask } from '../../store/read.ts'
import { canonicalJson } from '../../util/canonical.ts'
import type { LookedRun } from './looked.ts'

/** One thing that differs; undefined on the side that does not have it. Values are cut. */
export interface Difference {
  readonly what: string
  readonly a?: string
  readonly b?: string
}

export interface TaskDifference {
  readonly id: TaskId
  readonly in: 'a' | 'b' | 'both'
  readonly differences: readonly Difference[]
  /** Ms of each side, where it took time. */
  readonly ms: { readonly a?: number; readonly b?: number }
  /** One took more than twice as long as the other. */
  readonly isFarApart: boolean
}

export interface RunDifference {
  /** Nothing differs but times. */
  readonly same: boolean
  readonly facts: readonly Difference[]
  readonly variables: readonly Difference[]
  /** Of every task of either, in the order of the second one; those that only the first has at the end. */
  readonly tasks: readonly TaskDifference[]
}

/** A run with its plan. */
export interface ComparedRun extends Pick<LookedRun, 'run' | 'tasks'> {
  readonly plan: Plan
}

/** What differs between two runs. Values of the environment are compared and never told. */
export function compareTwo(a: ComparedRun, b: ComparedRun): RunDifference {
  const facts = differencesOf(factsOf(a), factsOf(b))
  const variables = differencesOf(a.plan.workflow?.variables ?? {}, b.plan.workflow?.variables ?? {})
  const [old, fresh] = [sides(a), sides(b)]
  const ids = [...fresh.keys(), ...[...old.keys()].filter((id) => !fresh.has(id))]
  const tasks = ids.map((id) => compareTasks(id, old.get(id), fresh.get(id)))
  return {
    same: facts.length + variables.length === 0 && tasks.every((task) => task.differences.length === 0),
    facts,
    variables,
    tasks,
  }
}

const factsOf = ({ run }: ComparedRun) => ({
  title: run.title,
  state: run.state,
  dwf: run.dwf,
  image: run.image,
  engine: run.engine,
  plan: run.planHash,
})

interface Side {
  readonly task: StoredTask
  readonly planned: PlannedTask | undefined
}

function sides({ tasks, plan }: ComparedRun): ReadonlyMap<TaskId, Side> {
  const planned = new Map(plan.tasks.map((task) => [task.id, task]))
  return new Map(tasks.map((task) => [task.id, { task, planned: planned.get(task.id) }]))
}

function compareTasks(id: TaskId, a: Side | undefined, b: Side | undefined): TaskDifference {
  const ms = { ...timeOf('a', a), ...timeOf('b', b) }
  if (!a || !b) {
    const only = a ? 'a' : 'b'
    return { id, in: only, differences: [{ what: 'task', [only]: (a ?? b)!.task.state }], ms, isFarApart: false }
  }
  return {
    id,
    in: 'both',
    differences: [
      ...differencesOf(outcomeOf(a.task), outcomeOf(b.task)),
      ...differencesOf(definitionOf(a.planned), definitionOf(b.planned)),
      ...namesThatDiffer('env', environmentOf(a.planned), environmentOf(b.planned)),
      ...differencesOf(prefixed('output', a.task.outputs), prefixed('output', b.task.outputs)),
    ],
    ms,
    isFarApart: ms.a !== undefined && ms.b !== undefined && isFarApart(ms.a, ms.b),
  }
}

/** Below this two times differ by chance, ms. */
const noiseMs = 100

const isFarApart = (a: number, b: number): boolean => Math.max(a, b) > 2 * Math.min(a, b) && Math.abs(a - b) >= noiseMs

/** Of what did not run no time is told. */
function timeOf<K extends string>(key: K, side: Side | undefined): Partial<Record<K, number>> {
  const ran = side !== undefined && side.task.attempts > 0 && side.task.endedAt !== undefined
  return ran && side.task.state !== 'interrupted' ? ({ [key]: side.task.ms } as Record<K, number>) : {}
}

const outcomeOf = ({ state, code, attempts, gate, reason, inputs }: StoredTask) => ({
  state,
  'exit code': code,
  attempts,
  gate,
  reason,
  'hash of inputs': inputs,
})

/** What the plan says of a task but its environment; the part of a workflow file member by member. */
function definitionOf(task: PlannedTask | undefined): Readonly<Record<string, unknown>> {
  if (!task) return {}
  const { id: _id, hash: _hash, env: _env, workflow, ...rest } = task
  const { templates: _templates, ...part } = workflow ?? { templates: {} }
  return { ...rest, ...part }
}

/** Every value that the environment has, of whatever kind. */
const environmentOf = (task: PlannedTask | undefined): Readonly<Record<string, unknown>> => ({
  ...task?.env,
  ...task?.workflow?.templates,
})

const prefixed = (word: string, of: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [`${word} ${name}`, value]))

function differencesOf(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): readonly Difference[] {
  return keysThatDiffer(a, b).map((what) => ({
    what,
    ...(a[what] === undefined ? {} : { a: short(a[what]) }),
    ...(b[what] === undefined ? {} : { b: short(b[what]) }),
  }))
}

function namesThatDiffer(
  word: string,
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): readonly Difference[] {
  return keysThatDiffer(a, b).map((name) => {
    const [inA, inB] = [Object.hasOwn(a, name), Object.hasOwn(b, name)]
    const what = `${word} ${name}`
    if (inA && inB) return { what, a: 'set', b: 'set to something else' }
    return inA ? { what, a: 'set' } : { what, b: 'set' }
  })
}

const keysThatDiffer = (
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): readonly string[] => {
  const own = (of: Readonly<Record<string, unknown>>, key: string) =>
    canonicalJson((Object.hasOwn(of, key) ? of[key] : undefined) ?? null)
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => own(a, key) !== own(b, key))
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : canonicalJson(value)
  const characters = [...text]
  return characters.length > 80 ? `${characters.slice(0, 79).join('')}…` : text
}
