import type { Command, ScanLayer } from '../config/commands.ts'
import type { Config } from '../config/types.ts'
import type { Problem } from '../config/validate.ts'
import type { Project } from '../project/types.ts'
import { expand, layersOf, targetsOf } from './expand.ts'
import { findCycle, inOrder } from './graph.ts'
import { hashOfTask } from './hash.ts'
import { type Draft, offers } from './offers.ts'
import { classesOf, seal } from './seal.ts'
import type { Plan, PlannedImage, PlannedTask, TaskId } from './types.ts'

export interface PlanRequest {
  readonly config: Config
  readonly project: Project
  readonly dwf: string
  /** Undefined under the host profile. */
  readonly image?: PlannedImage
  readonly commands: readonly Command[]
  /** Ids of single tasks, as `dwf run` takes them. */
  readonly tasks?: readonly TaskId[]
  /** Arguments after `--`, for the tasks that were asked for by name. */
  readonly rest?: readonly string[]
}

export type Planned =
  | { readonly plan: Plan; readonly problems: readonly [] }
  | { readonly plan?: never; readonly problems: readonly Problem[] }

/** Of one attempt of a task that does not say it. */
export const defaultTimeoutMs = 30 * 60_000

/** Config and Project → Plan. Pure: no file system, no engine, no clock; problems instead of a plan where it cannot be. */
export function plan(request: PlanRequest): Planned {
  const { config, project } = request
  const offered = offers(config, project)
  const named = (request.rest ?? []).length > 0 && request.commands.some(({ text }) => text === 'scan:image')
  const layers = layersOf(config, request.image !== undefined || named)
  const { wanted, wholeScan, problems: unknown } = expand(request.commands, targetsOf(config, project.units), layers)
  const problems: Problem[] = [...unknown]
  const chosen = new Map<TaskId, Draft>()
  const rest = new Set<TaskId>()

  const take = (draft: Draft, path: Problem['path']) => {
    if (chosen.has(draft.id)) return
    chosen.set(draft.id, draft)
    for (const [index, need] of draft.needs.entries()) {
      const found = offered.find(need, draft)
      if (found.length === 0) {
        const at = draft.source === 'file' ? ['tasks', draft.command, 'needs', index] : path
        problems.push(offered.notThere(need, at, `"${draft.command}" needs "${need}"`))
      }
      for (const other of found) take(other, path)
    }
  }
  for (const { command, path } of wanted) {
    const found = offered.find(command.text)
    if (found.length === 0) problems.push(offered.notThere(command.text, path))
    for (const draft of found) {
      take(draft, path)
      if (!request.commands.some((asked) => asked.text === command.text)) continue
      rest.add(draft.id)
      if (draft.kind === 'gate' && draft.layer !== 'image' && request.rest?.length) problems.push(noArguments(draft))
    }
  }
  for (const id of request.tasks ?? []) {
    const draft = offered.byId(id)
    if (draft) {
      take(draft, [])
      rest.add(id)
    } else problems.push(offered.noSuchTask(id))
  }
  if (problems.length > 0) return { problems }

  const needsOf = new Map([...chosen.values()].map((draft) => [draft.id, ids(draft, offered.find)]))
  const cycle = findCycle(needsOf)
  if (cycle) {
    const own = [...chosen.values()].find((draft) => draft.source === 'file' && cycle.includes(draft.id))
    return {
      problems: [
        {
          severity: 'error',
          code: 'cycle',
          path: own ? ['tasks', own.command] : [],
          at: 'key',
          message: `tasks go round in a circle: ${cycle.join(' → ')}`,
        },
      ],
    }
  }

  const gates = [...chosen.keys()].filter((id) => chosen.get(id)!.kind === 'gate')
  const tasks = inOrder(needsOf, gates).map((id) =>
    finish(chosen.get(id)!, needsOf.get(id)!, gates, rest.has(id) ? (request.rest ?? []) : []),
  )
  return {
    plan: seal({
      ...request,
      requested: [...request.commands.map((command) => command.text), ...(request.tasks ?? [])],
      tasks,
      classes: classesOf(tasks, offered.caches),
      leftOut: wholeScan ? layers.missing : new Map(),
    }),
    problems: [],
  }
}

const noArguments = ({ command }: Draft): Problem => ({
  severity: 'error',
  code: 'usage',
  path: [],
  at: 'value',
  message: `${command} takes no names: it looks at the repository`,
  hint: 'dwf scan:image NAME looks at an image',
})

function ids(draft: Draft, find: (command: string, from?: Draft) => readonly Draft[]): readonly TaskId[] {
  return [...new Set(draft.needs.flatMap((need) => find(need, draft)).map((other) => other.id))].filter(
    (id) => id !== draft.id,
  )
}

function finish(
  draft: Draft,
  needs: readonly TaskId[],
  gates: readonly TaskId[],
  rest: readonly string[],
): PlannedTask {
  const body: Omit<PlannedTask, 'hash'> = {
    id: draft.id,
    command: draft.command,
    stack: draft.stack,
    dir: draft.dir,
    kind: draft.kind,
    argv: draft.kind === 'gate' ? rest : withRest(draft.argv, rest),
    env: draft.env,
    path: draft.path,
    needs,
    // A gate judges the tree as it was before the first task.
    after: draft.kind === 'gate' ? [] : gates,
    class: classOf(draft),
    timeoutMs: draft.timeoutMs ?? defaultTimeoutMs,
    ...(draft.totalMs === undefined ? {} : { totalMs: draft.totalMs }),
    retries: draft.retries,
    ...(draft.retryDelay && draft.retryDelay.delayMs > 0 ? { retryDelay: draft.retryDelay } : {}),
    ...(draft.weight === undefined || draft.weight === 1 ? {} : { weight: draft.weight }),
    ...(draft.concurrency === undefined ? {} : { concurrency: draft.concurrency }),
    ...(draft.inputs?.length ? { inputs: draft.inputs } : {}),
    ...(draft.runtime === 'host' && draft.cleanEnv !== undefined ? { cleanEnv: draft.cleanEnv } : {}),
    network: draft.network,
    runtime: draft.runtime,
    secrets: draft.secrets,
    ...(draft.layer ? { layer: draft.layer as ScanLayer } : {}),
    ...(draft.lockFiles ? { lockFiles: draft.lockFiles, outputs: draft.outputs ?? [] } : {}),
    ...(draft.note ? { note: draft.note } : {}),
  }
  return { ...body, hash: hashOfTask(body) }
}

/** A shell line gets the rest as its positional parameters, appended by "$@"; a program as further arguments. */
function withRest(argv: readonly string[], rest: readonly string[]): readonly string[] {
  if (rest.length === 0 || argv.length === 0) return argv
  return argv[0] === 'sh' && argv[1] === '-c'
    ? ['sh', '-c', `${argv[2]} "$@"`, 'sh', ...argv.slice(4), ...rest]
    : [...argv, ...rest]
}

/** Fetches share a class; a task with network or secrets has one of its own; all others share the offline one. */
export function classOf(
  draft: Pick<PlannedTask, 'id' | 'kind' | 'runtime' | 'network' | 'secrets'> & { readonly cleanEnv?: boolean },
): string {
  if (draft.kind === 'gate') return 'gate'
  if (draft.runtime === 'host') {
    if (draft.secrets.length > 0) return draft.id
    return draft.cleanEnv === undefined ? 'host' : draft.cleanEnv ? 'host-clean' : 'host-whole'
  }
  if (draft.kind === 'fetch') return 'fetch'
  return draft.network === 'none' && draft.secrets.length === 0 ? 'offline' : draft.id
}
