import { isAbsolute, resolve } from 'node:path'
import { secretOf } from '../config/secrets.ts'
import type { Config, SecretSource, TaskConfig } from '../config/types.ts'
import { canonicalJson, hashOf } from '../util/canonical.ts'
import { unreachable } from '../util/diagnostics.ts'
import { isInside } from '../util/paths.ts'
import { byCodeUnit } from '../util/text.ts'

/** One thing that a repository asks for and that only a person can give. */
export interface TrustRequest {
  /** Stable word: `host-profile`, `network`, `secret`, … */
  readonly kind: string
  /** What it would do, in a sentence. */
  readonly says: string
  /** The key of devflow.toml that asks. */
  readonly path: readonly (string | number)[]
  /** The command whose task asks; undefined when the whole repository does. */
  readonly task?: string
}

export interface TrustAsk {
  readonly requests: readonly TrustRequest[]
  /** Of exactly what is shown: another request, or another command behind one, is another hash. */
  readonly hash: string
}

/**
 * Everything that a repository asks for and that needs trust. Pure.
 * @param judge the image of the scanner that devflow.lock names, where it names one
 */
export function trustAsk(config: Config, judge?: string): TrustAsk {
  const requests: TrustRequest[] = []
  const ask = (kind: string, says: string, ...path: (string | number)[]) =>
    requests.push({ kind, says, path, ...(path[0] === 'tasks' ? { task: String(path[1]) } : {}) })
  const tasks = Object.values(config.tasks)
  if (config.runtime.profile === 'host') {
    ask(
      'host-profile',
      'run every task on this machine without a container, with your own rights',
      'runtime',
      'profile',
    )
    for (const task of tasks) ask('host-command', `run on this machine: ${described(task)}`, 'tasks', task.command)
  }
  if (judge !== undefined)
    ask('scanner-image', `be judged by the Trivy in the image ${judge}, where none is installed`, 'scan')
  if (config.container.engine === 'docker')
    ask('engine', 'use a Docker daemon, also one that runs as root', 'container', 'engine')
  if (config.container.network === 'egress') ask('network', 'give every task outbound network', 'container', 'network')
  if (config.setup.scripts === 'online')
    ask('online-scripts', 'run the install scripts of packages with network', 'setup', 'scripts')
  if (!isInside(config.root, resolve(config.root, config.cache.root)))
    ask('host-path', `keep caches outside of the repository, in ${config.cache.root}`, 'cache', 'root')
  const bundle = config.container.caCertificates
  if (
    bundle !== 'host' &&
    bundle !== 'none' &&
    (isAbsolute(bundle) || !isInside(config.root, resolve(config.root, bundle)))
  ) {
    ask('host-path', `read certificates from ${bundle}`, 'container', 'ca_certificates')
  }
  for (const task of tasks) {
    if (task.runtime === 'host' && config.runtime.profile !== 'host')
      ask(
        'host-command',
        `run on this machine, without a container, in a repository that other tasks may have changed: ${described(task)}`,
        'tasks',
        task.command,
        'runtime',
      )
    const runs = `${task.command}, which runs ${described(task)}`
    if (task.network === 'egress' && config.container.network !== 'egress')
      ask('network', `give outbound network to ${runs}`, 'tasks', task.command, 'network')
    for (const [index, name] of task.secrets.entries())
      requests.push(
        ...secretRequests(config, name, {
          task: task.command,
          runs,
          network: task.network === 'egress',
          path: ['tasks', task.command, 'secrets', index],
        }),
      )
  }
  for (const extension of config.extensions) {
    if (extension.trusted)
      ask(
        'extension',
        `trust the extension ${extension.name}${extension.path ? ` (${extension.path})` : ''}`,
        'extensions',
        extension.name,
        'trusted',
      )
  }
  return { requests, hash: hashOfRequests(requests) }
}

/**
 * What a task asks for when it names a secret: the value, and what getting it does on this machine.
 * @param to.runs the task and what it runs, as a person reads it
 * @param to.path where the task names the secret
 */
export function secretRequests(
  config: Pick<Config, 'secrets'>,
  name: string,
  to: {
    readonly task: string
    readonly runs: string
    readonly network: boolean
    readonly path: TrustRequest['path']
  },
): readonly TrustRequest[] {
  const { source } = secretOf(config, name)
  const { task } = to
  return [
    {
      kind: 'secret',
      says: `give the secret ${name}${origin(name, source)} to ${to.runs}${to.network ? ', with network' : ''}`,
      path: to.path,
      task,
    },
    ...(source.kind === 'command'
      ? [
          {
            kind: 'host-command',
            says: `run on this machine, to get the secret ${name} for ${task}: ${JSON.stringify(source.argv)}`,
            path: ['secrets', name, 'command'],
            task,
          },
        ]
      : []),
    ...(source.kind === 'file' && /^[~/]/.test(source.path)
      ? [
          {
            kind: 'host-path',
            says: `read ${JSON.stringify(source.path)} on this machine, to get the secret ${name} for ${task}`,
            path: ['secrets', name, 'file'],
            task,
          },
        ]
      : []),
  ]
}

function origin(name: string, source: SecretSource): string {
  switch (source.kind) {
    case 'env':
      return source.name === name ? '' : ` (from the environment variable ${source.name})`
    case 'file':
      return ` (from the file ${JSON.stringify(source.path)})`
    case 'command':
      return ` (from the command ${JSON.stringify(source.argv)})`
    default:
      return unreachable(source)
  }
}

const described = ({ argv, ...around }: TaskConfig): string => [JSON.stringify(argv), ...surroundings(around)].join(' ')

/** All that decides what a command is: another folder or another PATH can make another program of it. */
export function surroundings(task: {
  readonly dir: string
  readonly env: Readonly<Record<string, unknown>>
  readonly cleanEnv: boolean
}): readonly string[] {
  const { dir, env, cleanEnv } = task
  return [
    ...(dir ? [`in ${JSON.stringify(dir)}`] : []),
    ...(Object.keys(env).length > 0 ? [`with ${canonicalJson(env)}`] : []),
    ...(cleanEnv ? [] : ['with all of your environment']),
  ]
}

export const sameRequest = (a: TrustRequest, b: TrustRequest): boolean => a.kind === b.kind && a.says === b.says

/** Of exactly what a person reads; their order does not matter. */
export function hashOfRequests(requests: readonly TrustRequest[]): string {
  return hashOf(requests.map(({ kind, says }) => `${kind} ${says}`).sort(byCodeUnit))
}
