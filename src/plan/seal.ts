import { baselineFile } from '../config/commands.ts'
import type { Config } from '../config/types.ts'
import type { Project } from '../project/types.ts'
import { byCodeUnit } from '../util/text.ts'
import type { Layers } from './expand.ts'
import { hashOfPlan } from './hash.ts'
import type { Plan, PlannedImage, PlannedTask, PlannedWorkflow, TaskClass } from './types.ts'

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

/** The classes of tasks, with the caches that each needs. */
export function classesOf(
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
      ...(task.cleanEnv === undefined ? {} : { environment: task.cleanEnv ? ('clean' as const) : ('whole' as const) }),
      secrets: task.secrets,
      caches: [...names].sort(byCodeUnit),
    })
  }
  return [...classes.values()].sort((a, b) => byCodeUnit(a.id, b.id))
}

/** What a plan is sealed from: everything of it that is not its hash. */
export interface Unsealed {
  readonly config: Config
  readonly project: Project
  readonly dwf: string
  readonly image?: PlannedImage
  readonly requested: readonly string[]
  readonly tasks: readonly PlannedTask[]
  readonly classes: readonly TaskClass[]
  readonly workflow?: PlannedWorkflow
  /** Layers that a whole scan is without. */
  readonly leftOut: Layers['missing']
}

/** The plan, with its hash. */
export function seal(of: Unsealed): Plan {
  const { config, project, tasks, classes } = of
  const { memory, pids, cpus, tmp } = config.container
  const lockFiles = project.units.flatMap((unit) => unit.setup?.lockFiles ?? [])
  const body: Omit<Plan, 'hash'> = {
    schema: 'dwf.plan/1',
    dwf: of.dwf,
    project: project.name,
    profile: config.runtime.profile,
    requested: of.requested,
    tasks,
    classes,
    ...(of.workflow ? { workflow: of.workflow } : {}),
    ...(of.image ? { image: of.image } : {}),
    limits: { memory, pids, cpus, tmp },
    policy: { scan: config.scan, scripts: config.setup.scripts },
    settings: settingsOf(config),
    watched: [...new Set([...ownFiles, ...lockFiles, ...inProject(of.workflow)])].sort(byCodeUnit),
    notes: notesOf(config, tasks, of.leftOut),
  }
  return { ...body, hash: hashOfPlan(body) }
}

const inProject = (workflow: PlannedWorkflow | undefined): readonly string[] =>
  workflow && !workflow.file.startsWith('/') ? [workflow.file] : []

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
  else if (tasks.some(({ workflow, runtime }) => workflow && runtime === 'host'))
    notes.push('runtime = "host": every task runs on this machine without a container')
  const { memory, pids, cpus, tmp } = config.container
  if (memory > 16 * 1024 ** 3 || pids > 32_768 || cpus > 64 || tmp > 16 * 1024 ** 3)
    notes.push('the limits of containers are set so high that they hardly limit')
  if (config.scan.severity === 'critical') notes.push('gates refuse critical findings only')
  for (const [layer, { why }] of leftOut) notes.push(`scan:all is without ${layer}: ${why}`)
  for (const task of tasks) {
    if (task.runtime === 'host' && task.kind !== 'gate' && config.runtime.profile !== 'host' && !task.workflow)
      notes.push(`${task.id}: runs on this machine without a container`)
    if (task.network === 'egress' && task.kind !== 'fetch' && task.runtime === 'container')
      notes.push(`${task.id}: has network (outbound, unfiltered)`)
    if (task.note) notes.push(`${task.id}: ${task.note}`)
  }
  return notes
}
