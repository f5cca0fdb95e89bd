import { relative } from 'node:path'
import type { Config } from '../config/types.ts'
import type { Problem } from '../config/validate.ts'
import type { Project } from '../project/types.ts'
import type { Workflow, WorkflowTask } from '../workflows/types.ts'
import { hashOfTask } from './hash.ts'
import { envOf, offers, pathOf } from './offers.ts'
import { classOf, type Planned } from './plan.ts'
import { classesOf, seal } from './seal.ts'
import type { PlannedImage, PlannedTask, PlannedWorkflow } from './types.ts'

export interface WorkflowRequest {
  readonly config: Config
  readonly project: Project
  readonly dwf: string
  readonly image?: PlannedImage
  readonly workflow: Workflow
  /** Its tasks run without a container. */
  readonly isHost: boolean
  /** Of `--var`. */
  readonly variables: Readonly<Record<string, string>>
}

/** A workflow file → Plan. Pure, as the plan of commands is. */
export function planWorkflow(request: WorkflowRequest): Planned {
  const { config, project, workflow, variables } = request
  const problems = unset(workflow, variables)
  if (problems.length > 0) return { problems }
  const tasks = workflow.tasks.map((task) => planned(task, request))
  const { caches } = offers(config, project)
  const plan = seal({
    ...request,
    requested: [workflow.name],
    tasks,
    classes: classesOf(tasks, caches),
    workflow: plannedWorkflow(workflow, variables, config.root),
    leftOut: new Map(),
  })
  return { plan, problems: [] }
}

/** What no task sets has to be given, or is a slip of the pen. */
function unset({ wanted }: Workflow, variables: Readonly<Record<string, string>>): readonly Problem[] {
  return Object.entries(wanted)
    .filter(([name]) => !Object.hasOwn(variables, name))
    .map(([name, tasks]) => ({
      severity: 'error',
      code: 'no-value',
      path: ['tasks', tasks[0]!.replace(/\[.*$/, ''), 'cmd'],
      at: 'value',
      message: `the variable ${name} has no value: no task before ${tasks[0]} registers it`,
      hint: `give it: --var ${name}=…`,
    }))
}

function plannedWorkflow(
  { name, file, tags, timeoutMs, concurrency, onFailure, onCancel, always, matrices }: Workflow,
  variables: Readonly<Record<string, string>>,
  root: string,
): PlannedWorkflow {
  const way = relative(root, file)
  return {
    name,
    file: way.startsWith('..') ? file : way,
    tags,
    variables,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(onCancel === undefined ? {} : { onCancel }),
    ...(always === undefined ? {} : { always }),
    matrices,
  }
}

const handlerTimeoutMs = 5 * 60_000
/** wf knows no limit; a day ends what nobody waits for any more. */
const taskTimeoutMs = 24 * 3_600_000

function planned(task: WorkflowTask, { workflow, project, isHost }: WorkflowRequest): PlannedTask {
  const { id, secrets, retryDelay } = task
  const kind = task.isHandler ? 'handler' : 'task'
  const network = task.network ?? workflow.network
  const runtime = isHost ? 'host' : 'container'
  const fixed = Object.entries(task.env).flatMap(([name, parts]): [string, string][] =>
    parts.every((part) => 'text' in part)
      ? [[name, parts.map((part) => ('text' in part ? part.text : '')).join('')]]
      : [],
  )
  const templates = Object.fromEntries(
    Object.entries(task.env).filter(([, parts]) => parts.some((part) => 'variable' in part)),
  )
  const atRoot = isHost ? [] : project.units.filter((unit) => unit.dir === '')
  const body: Omit<PlannedTask, 'hash'> = {
    id,
    command: `workflow:${workflow.name}`,
    stack: 'project',
    dir: task.dir,
    kind,
    argv: ['sh', '-c', task.script],
    env: { ...Object.assign({}, ...atRoot.map(envOf)), ...Object.fromEntries(fixed) },
    path: atRoot.flatMap(pathOf),
    needs: task.needs,
    after: [],
    class: classOf({ id, kind, runtime, network, secrets, cleanEnv: task.cleanEnv !== false }),
    timeoutMs: task.timeoutMs ?? (task.isHandler ? handlerTimeoutMs : taskTimeoutMs),
    ...(task.totalMs === undefined ? {} : { totalMs: task.totalMs }),
    retries: task.retries,
    ...(retryDelay.delayMs > 0 ? { retryDelay } : {}),
    ...(task.weight === 1 ? {} : { weight: task.weight }),
    ...(task.concurrency === undefined ? {} : { concurrency: task.concurrency }),
    ...(task.inputs.length > 0 ? { inputs: task.inputs } : {}),
    ...(isHost ? { cleanEnv: task.cleanEnv !== false } : {}),
    network,
    runtime,
    secrets,
    workflow: {
      ...(task.matrix ? { matrix: { base: task.base, values: task.matrix } } : {}),
      ...(task.condition ? { condition: task.condition } : {}),
      references: task.references,
      templates,
      ...(task.register === undefined ? {} : { register: task.register }),
      ignoreFailure: task.ignoreFailure,
      ...(task.onFailure === undefined ? {} : { onFailure: task.onFailure }),
    },
  }
  return { ...body, hash: hashOfTask(body) }
}
