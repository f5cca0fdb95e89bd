import type { ScanLayer } from '../config/commands.ts'
import { hashOf } from '../util/canonical.ts'
import { byCodeUnit } from '../util/text.ts'
import type { Plan, PlannedTask, TaskId } from './types.ts'

/** What one job of CI runs of a plan. */
export interface Part {
  /** A name of Actions: letters, digits, dashes and underscores. */
  readonly name: string
  readonly kind: 'tasks' | 'gates'
  /** With everything that they need, so that the part can run alone. */
  readonly tasks: readonly TaskId[]
  /** Stacks whose tasks are among them. */
  readonly stacks: readonly string[]
  /** Names only. */
  readonly secrets: readonly string[]
  /** Some of it runs in the image, or looks at it. */
  readonly needsImage: boolean
  /** Some of it looks into the vulnerability database. */
  readonly needsDatabase: boolean
}

/** What looks at files alone goes together; what needs the image waits for it. */
const gateParts: Readonly<Record<ScanLayer, string>> = {
  deps: 'scan',
  config: 'scan',
  secrets: 'scan',
  licenses: 'scan',
  image: 'scan-image',
  code: 'scan-code',
}

/**
 * A plan in parts: one a stack, one for each task with secrets or on the host, and the gates apart from all of them.
 * Together they are the whole plan; a task that others need may be in several. Pure.
 */
export function partsOf(plan: Pick<Plan, 'tasks'>): readonly Part[] {
  const groups = new Map<string, PlannedTask[]>()
  for (const task of plan.tasks) {
    const name = partName(task, plan)
    groups.set(name, [...(groups.get(name) ?? []), task])
  }
  return [...groups].map(([name, own]) => part(name, own, plan)).sort(inPartOrder)
}

/** Tasks before gates, then by name. */
export const inPartOrder = (a: Pick<Part, 'kind' | 'name'>, b: Pick<Part, 'kind' | 'name'>): number =>
  Number(a.kind === 'gates') - Number(b.kind === 'gates') || byCodeUnit(a.name, b.name)

function partName(task: PlannedTask, plan: Pick<Plan, 'tasks'>): string {
  if (task.kind === 'gate') return gateParts[task.layer!]
  // Neither a secret nor a program on the runner itself comes near what other tasks do, but for those that need them.
  return withNeeds([task], plan).some(isApart) ? apartName(task.id) : task.stack
}

const isApart = ({ secrets, runtime, kind }: PlannedTask): boolean =>
  secrets.length > 0 || (runtime === 'host' && kind === 'task')

/** Actions takes fewer than 100 characters, and names that differ in case alone for one. */
function apartName(id: TaskId): string {
  const word = [...Buffer.from(id, 'utf8')]
    .map((byte) => {
      const char = String.fromCharCode(byte)
      return /[a-z0-9-]/.test(char) ? char : `_${byte.toString(16).padStart(2, '0')}`
    })
    .join('')
  return `task-${word.length <= 80 ? word : `${word.slice(0, 48)}_${hashOf(id).slice(0, 32)}`}`
}

/** In the order of the plan. */
function withNeeds(own: readonly PlannedTask[], plan: Pick<Plan, 'tasks'>): readonly PlannedTask[] {
  const ids = new Set<TaskId>()
  const take = (id: TaskId) => {
    if (ids.has(id)) return
    ids.add(id)
    for (const need of plan.tasks.find((task) => task.id === id)?.needs ?? []) take(need)
  }
  for (const { id } of own) take(id)
  return plan.tasks.filter(({ id }) => ids.has(id))
}

function part(name: string, own: readonly PlannedTask[], plan: Pick<Plan, 'tasks'>): Part {
  const tasks = withNeeds(own, plan)
  const isGate = own[0]!.kind === 'gate'
  return {
    name,
    kind: isGate ? 'gates' : 'tasks',
    tasks: tasks.map(({ id }) => id),
    stacks: [...new Set(tasks.filter(({ kind }) => kind !== 'gate').map(({ stack }) => stack))].sort(byCodeUnit),
    secrets: [...new Set(tasks.flatMap(({ secrets }) => secrets))].sort(byCodeUnit),
    needsImage: tasks.some(({ kind, layer, runtime }) =>
      kind === 'gate' ? layer === 'image' || layer === 'code' : runtime === 'container',
    ),
    needsDatabase: tasks.some(({ layer }) => layer === 'deps' || layer === 'image'),
  }
}

/** The tasks of one part as a plan of their own, under the hash of the whole. Undefined where there is no such part. */
export function planOfPart(plan: Plan, name: string): Plan | undefined {
  const part = partsOf(plan).find((one) => one.name === name)
  if (!part) return undefined
  const ids = new Set(part.tasks)
  const tasks = plan.tasks
    .filter(({ id }) => ids.has(id))
    .map((task) => ({ ...task, after: task.after.filter((id) => ids.has(id)) }))
  const used = new Set(tasks.map((task) => task.class))
  return { ...plan, tasks, classes: plan.classes.filter(({ id }) => used.has(id)) }
}
