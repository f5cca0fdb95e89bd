import { scanLayers } from '../config/commands.ts'
import type { Config, Network, RetryDelay, TaskConfig } from '../config/types.ts'
import type { Problem } from '../config/validate.ts'
import type { Project, StackUnit } from '../project/types.ts'
import { didYouMean, listing } from '../util/text.ts'
import { taskId } from './task-id.ts'
import type { PlannedTask, TaskId } from './types.ts'

/** A task before its needs are ids and its class is known. */
export interface Draft {
  readonly id: TaskId
  readonly command: string
  readonly stack: string
  readonly dir: string
  readonly kind: PlannedTask['kind']
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly path: readonly string[]
  /** Commands. */
  readonly needs: readonly string[]
  readonly timeoutMs?: number
  readonly totalMs?: number
  readonly retries: number
  readonly retryDelay?: RetryDelay
  readonly weight?: number
  readonly concurrency?: string
  readonly inputs?: readonly string[]
  readonly cleanEnv?: boolean
  readonly network: Network
  readonly runtime: 'container' | 'host'
  readonly secrets: readonly string[]
  readonly layer?: string
  readonly lockFiles?: readonly string[]
  readonly outputs?: readonly string[]
  readonly note?: string
  readonly source: 'stack' | 'file' | 'dwf'
}

export interface Offers {
  /** Tasks of a command; seen from a task of a stack, those of its own unit where there are any. */
  find(command: string, from?: Draft): readonly Draft[]
  byId(id: TaskId): Draft | undefined
  caches(stack: string, dir: string): readonly string[]
  notThere(command: string, path: Problem['path'], because?: string): Problem
  noSuchTask(id: TaskId): Problem
}

/** Everything that could run here: what stacks offer, what `[tasks]` adds or overrides, setups and gates. */
export function offers(config: Config, project: Project): Offers {
  const hasSetup = project.units.some((unit) => unit.setup)
  const atRoot = project.units.filter((unit) => unit.dir === '')
  const rootEnv = Object.assign({}, ...atRoot.map(envOf))
  const isApart = (task: TaskConfig) => task.runtime === 'host' && config.runtime.profile === 'container'
  const own = Object.values(config.tasks).map(
    (task): Draft => ({
      id: taskId(task.command, 'project'),
      command: task.command,
      stack: 'project',
      dir: task.dir.replace(/^\.?\/+|\/+$/g, '').replace(/^\.$/, ''),
      kind: 'task',
      argv: task.argv,
      // What tasks in containers can write must not lead a task on the host: not its PATH, not its tools' folders.
      env: isApart(task) ? task.env : { ...rootEnv, ...task.env },
      path: isApart(task) ? [] : atRoot.flatMap(pathOf),
      // On the host the container's dependencies are of no use; what it needs there it says itself.
      needs: [
        ...task.needs,
        ...(hasSetup &&
        task.command !== 'setup:deps' &&
        (task.runtime ?? config.runtime.profile) === config.runtime.profile
          ? ['setup:deps']
          : []),
      ],
      ...(task.timeoutMs === undefined ? {} : { timeoutMs: task.timeoutMs }),
      ...(task.totalMs === undefined ? {} : { totalMs: task.totalMs }),
      retries: task.retries,
      retryDelay: task.retryDelay,
      weight: task.weight,
      ...(task.concurrency === undefined ? {} : { concurrency: task.concurrency }),
      inputs: task.inputs,
      ...(task.cleanEnv === undefined ? {} : { cleanEnv: task.cleanEnv }),
      network: task.network ?? config.container.network,
      runtime: config.runtime.profile === 'host' ? 'host' : (task.runtime ?? 'container'),
      secrets: task.secrets,
      source: 'file',
    }),
  )
  const overridden = new Set(own.map((draft) => draft.command))
  const fromUnits = project.units
    .flatMap((unit) => unitDrafts(unit, config))
    .filter((draft) => !overridden.has(draft.command))
  const gates = scanLayers.map(
    (layer): Draft => ({
      id: taskId(`scan:${layer}`, 'project'),
      command: `scan:${layer}`,
      stack: 'project',
      dir: '',
      kind: 'gate',
      argv: [],
      env: {},
      path: [],
      needs: [],
      retries: 0,
      network: 'none',
      runtime: 'host',
      secrets: [],
      layer,
      source: 'dwf',
    }),
  )
  const all = [...fromUnits, ...own, ...gates]
  const byId = new Map(all.map((draft) => [draft.id, draft]))

  const find = (command: string, from?: Draft) => {
    const found = all.filter((draft) => draft.command === command)
    const near = found.filter((draft) => from && draft.stack === from.stack && draft.dir === from.dir)
    return from?.source === 'stack' && near.length > 0 ? near : found
  }
  return {
    find,
    byId: (id) => byId.get(id),
    caches: (stack, dir) =>
      project.units
        .filter((unit) => stack === 'project' || (unit.stack === stack && unit.dir === dir))
        .flatMap((unit) => unit.caches.map((cache) => cache.name)),
    notThere: (command, path, because) => notThere(command, path, because, project.units, all),
    noSuchTask: (id) => {
      const near = didYouMean(id, byId.keys())
      return {
        severity: 'error',
        code: 'unknown-task',
        path: [],
        at: 'value',
        message: `there is no task "${id}"`,
        hint: near ? `did you mean "${near}"?` : 'dwf plan check:pr shows the ids',
      }
    },
  }
}

/** What a unit adds to the environment of a task that runs at its place. */
export const envOf = (unit: StackUnit): Record<string, string> => ({
  ...Object.assign({}, ...unit.caches.map((cache) => cache.env)),
  ...unit.env,
})

export const pathOf = (unit: StackUnit): readonly string[] =>
  unit.caches.flatMap((cache) => (cache.path ?? []).map((way) => `/cache/${cache.name}/${way}`))

function unitDrafts(unit: StackUnit, config: Config): readonly Draft[] {
  const env = envOf(unit)
  const base = {
    stack: unit.stack,
    dir: unit.dir,
    path: pathOf(unit),
    retries: 0,
    secrets: [],
    runtime: config.runtime.profile,
    source: 'stack' as const,
  }
  const drafts: Draft[] = []
  const { setup } = unit
  if (setup) {
    const common = {
      ...base,
      env,
      lockFiles: setup.lockFiles,
      outputs: setup.outputs,
      ...(setup.note ? { note: setup.note } : {}),
    }
    const id = taskId('setup:deps', unit.stack, unit.dir)
    const wholeOnline = !setup.split || (config.setup.scripts === 'online' && setup.online !== undefined)
    if (wholeOnline) {
      drafts.push({
        ...common,
        id,
        command: 'setup:deps',
        kind: 'fetch',
        argv: setup.online ?? ['true'],
        needs: [],
        network: 'egress',
      })
    } else {
      const { fetch, install } = setup
      if (fetch)
        drafts.push({
          ...common,
          id: taskId('setup:fetch', unit.stack, unit.dir),
          command: 'setup:fetch',
          kind: 'fetch',
          argv: fetch,
          needs: [],
          network: 'egress',
        })
      // Without a step of its own the install half still stands for "dependencies are there".
      const argv = install && (config.setup.scripts !== 'never' || !fetch) ? install : ['true']
      drafts.push({
        ...common,
        id,
        command: 'setup:deps',
        kind: 'setup',
        argv,
        needs: fetch ? ['setup:fetch'] : [],
        network: 'none',
      })
    }
  }
  for (const task of unit.tasks) {
    drafts.push({
      ...base,
      id: taskId(task.command, unit.stack, unit.dir),
      command: task.command,
      kind: 'task',
      argv: task.argv,
      env: { ...env, ...task.env },
      needs: [...(setup ? ['setup:deps'] : []), ...(task.needs ?? [])],
      network: task.network ?? config.container.network,
    })
  }
  return drafts
}

function notThere(
  command: string,
  path: Problem['path'],
  because: string | undefined,
  units: readonly StackUnit[],
  all: readonly Draft[],
): Problem {
  const hints = units.flatMap((unit) =>
    unit.missing
      .filter((task) => task.command === command)
      .map((task) => `${unit.stack}${unit.dir ? ` in ${unit.dir}` : ''}: ${task.hint}`),
  )
  const commands = [...new Set(all.map((draft) => draft.command))]
  const near = didYouMean(command, commands)
  return {
    severity: 'error',
    code: 'not-offered',
    path,
    at: 'value',
    message: `${because ? `${because}, but nothing` : 'nothing'} in this repository offers "${command}"`,
    hint:
      hints.length > 0
        ? `${hints.join('; ')}; or describe it as [tasks."${command}"]`
        : near
          ? `did you mean "${near}"?`
          : `offered here: ${listing(commands)}; or describe it as [tasks."${command}"]`,
  }
}
