import { baselineFile, type Command, type ScanLayer } from '../config/commands.ts'
import type { Config } from '../config/types.ts'
import type { Problem } from '../config/validate.ts'
import type { Project } from '../project/types.ts'
import { hashOf } from '../util/canonical.ts'
import { byCodeUnit } from '../util/text.ts'
import { expand, type Layers, layersOf, targetsOf } from './expand.ts'
import { findCycle, inOrder } from './graph.ts'
import { type Draft, offers } from './offers.ts'
import type { Plan, PlannedImage, PlannedTask, TaskClass, TaskId } from './types.ts'

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

/** What the next run is made of: a task that changes them would choose what runs then, and in which image. */
const ownFiles = [
  'devflow.toml',
  'devflow.lock',
  'Dockerfile.devflow',
  'docker-bake.hcl',
  '.dockerignore',
  '.containerignore',
  baselineFile,
]

const defaultTimeoutMs = 30 * 60_000

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
    plan: seal(request, tasks, classesOf(tasks, offered.caches), wholeScan ? layers.missing : new Map()),
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
    retries: draft.retries,
    network: draft.network,
    runtime: draft.runtime,
    secrets: draft.secrets,
    ...(draft.layer ? { layer: draft.layer as ScanLayer } : {}),
    ...(draft.lockFiles ? { lockFiles: draft.lockFiles, outputs: draft.outputs ?? [] } : {}),
    ...(draft.note ? { note: draft.note } : {}),
  }
  return { ...body, hash: hashOf(body) }
}

/** A shell line gets the rest as its positional parameters, appended by "$@"; a program as further arguments. */
function withRest(argv: readonly string[], rest: readonly string[]): readonly string[] {
  if (rest.length === 0 || argv.length === 0) return argv
  return argv[0] === 'sh' && argv[1] === '-c'
    ? ['sh', '-c', `${argv[2]} "$@"`, 'sh', ...argv.slice(4), ...rest]
    : [...argv, ...rest]
}

/** Fetches share a class; a task with network or secrets has one of its own; all others share the offline one. */
function classOf(draft: Draft): string {
  if (draft.kind === 'gate') return 'gate'
  if (draft.runtime === 'host') return draft.secrets.length === 0 ? 'host' : draft.id
  if (draft.kind === 'fetch') return 'fetch'
  return draft.network === 'none' && draft.secrets.length === 0 ? 'offline' : draft.id
}

function classesOf(
  tasks: readonly PlannedTask[],
  caches: (stack: string, dir: string) => readonly string[],
): readonly TaskClass[] {
  const classes = new Map<string, TaskClass>()
  for (const task of tasks) {
    if (task.kind === 'gate') continue
    const before = classes.get(task.class)
    const names = new Set([...(before?.caches ?? []), ...caches(task.stack, task.dir)])
    classes.set(task.class, {
      id: task.class,
      runtime: task.runtime,
      network: task.network,
      secrets: task.secrets,
      caches: [...names].sort(byCodeUnit),
    })
  }
  return [...classes.values()].sort((a, b) => byCodeUnit(a.id, b.id))
}

function seal(
  request: PlanRequest,
  tasks: readonly PlannedTask[],
  classes: readonly TaskClass[],
  leftOut: Layers['missing'],
): Plan {
  const { config, project } = request
  const { memory, pids, cpus, tmp } = config.container
  const lockFiles = project.units.flatMap((unit) => unit.setup?.lockFiles ?? [])
  const body: Omit<Plan, 'hash'> = {
    schema: 'dwf.plan/1',
    dwf: request.dwf,
    project: project.name,
    profile: config.runtime.profile,
    requested: [...request.commands.map((command) => command.text), ...(request.tasks ?? [])],
    tasks,
    classes,
    ...(request.image ? { image: request.image } : {}),
    limits: { memory, pids, cpus, tmp },
    policy: { scan: config.scan, scripts: config.setup.scripts },
    settings: settingsOf(config),
    watched: [...new Set([...ownFiles, ...lockFiles])].sort(byCodeUnit),
    notes: notesOf(config, tasks, leftOut),
  }
  // Where a setting came from is shown, but the same value from another source is the same plan.
  const { settings, ...hashed } = body
  const values = Object.fromEntries(Object.entries(settings).map(([key, { value }]) => [key, value]))
  return { ...body, hash: hashOf({ ...hashed, settings: values }) }
}

function settingsOf(config: Config): Plan['settings'] {
  const value: Record<string, unknown> = {
    'runtime.profile': config.runtime.profile,
    'container.network': config.container.network,
    'container.memory': config.container.memory,
    'container.pids': config.container.pids,
    'container.cpus': config.container.cpus,
    'container.tmp': config.container.tmp,
    'container.toolchains': config.container.toolchains,
    'container.ca_certificates': config.container.caCertificates,
    'cache.strategy': config.cache.strategy,
    'setup.scripts': config.setup.scripts,
    'scan.severity': config.scan.severity,
    'scan.fix_only': config.scan.layers.deps.fixOnly,
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, setting]) => [key, { value: setting, source: config.sources[key] ?? 'default' }]),
  )
}

function notesOf(config: Config, tasks: readonly PlannedTask[], leftOut: Layers['missing']): readonly string[] {
  const notes: string[] = []
  if (config.runtime.profile === 'host') notes.push('host profile: tasks run on this machine without a container')
  const { memory, pids, cpus, tmp } = config.container
  if (memory > 16 * 1024 ** 3 || pids > 32_768 || cpus > 64 || tmp > 16 * 1024 ** 3)
    notes.push('the limits of containers are set so high that they hardly limit')
  if (config.scan.severity === 'critical') notes.push('gates refuse critical findings only')
  for (const [layer, { why }] of leftOut) notes.push(`scan:all is without ${layer}: ${why}`)
  for (const task of tasks) {
    if (task.runtime === 'host' && task.kind !== 'gate' && config.runtime.profile !== 'host')
      notes.push(`${task.id}: runs on this machine without a container`)
    if (task.network === 'egress' && task.kind !== 'fetch') notes.push(`${task.id}: has network (outbound, unfiltered)`)
    if (task.note) notes.push(`${task.id}: ${task.note}`)
  }
  return notes
}
