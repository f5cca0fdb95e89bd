import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import { isAbsolute, join, relative, resolve } from 'node:path'
import type { Config } from '../config/types.ts'
import type { ContainerSpec, Mount } from '../engine/types.ts'
import type { Plan, TaskClass } from '../plan/types.ts'
import type { GitState } from '../project/types.ts'
import { failure } from '../util/diagnostics.ts'
import { holderWord, thisProcess } from '../util/lock.ts'
import { isInside } from '../util/paths.ts'
import { proxyVariables } from '../util/proxies.ts'
import { ignoreInGit, makeFolderWithin } from './folders.ts'

export const workspace = '/workspace'
const caTarget = '/etc/dwf/ca-certificates.crt'
const truststoreTarget = '/etc/dwf/ca-certificates.jks'

/** Each toolchain's own name for "trust these certificates". */
const caVariables = [
  'SSL_CERT_FILE',
  'NODE_EXTRA_CA_CERTS',
  'PIP_CERT',
  'REQUESTS_CA_BUNDLE',
  'CARGO_HTTP_CAINFO',
  'GIT_SSL_CAINFO',
  'CURL_CA_BUNDLE',
]

/** Where tasks in containers write their outputs. */
export const outputsInside = '/dwf/outputs'

/** The same on the host: a folder a class, since the containers of other classes must not see it. */
export const outputsIn = (runFolder: string, classId: string): string =>
  join(runFolder, 'outputs', createHash('sha256').update(classId).digest('hex').slice(0, 16))

/** How a plan meets this machine: shown, never hashed. */
export interface Binding {
  readonly runId: string
  readonly root: string
  readonly image: string
  /** Host folder of the caches. */
  readonly cacheRoot: string
  readonly caBundle?: string
  /** The same as a Java keystore. */
  readonly truststore?: string
  readonly proxies: Readonly<Record<string, string>>
  readonly git?: GitState
  /** An empty folder of this run, mounted over what tasks must not see. */
  readonly empty: string
  /** Where the run keeps its own files. */
  readonly runFolder: string
}

export function proxiesOf(env: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  return Object.fromEntries(proxyVariables.flatMap((name) => (env[name] ? [[name, env[name]]] : [])))
}

/** The folder of the caches: `$DWF_CACHE_ROOT`, else `[cache] root`; a run of its own where caches are not kept. */
export function cacheRootOf(config: Config, runFolder: string, env: NodeJS.ProcessEnv): string {
  if (config.cache.strategy === 'none') return join(runFolder, 'cache')
  const own = env.DWF_CACHE_ROOT
  return own && isAbsolute(own) ? own : resolve(config.root, config.cache.root)
}

/** Values that name a cache by its place in a container, with the folder that it is on the host. */
export function onHost(values: Readonly<Record<string, string>>, cacheRoot: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, value.replace(/(^|[=:\s])\/cache\//g, `$1${cacheRoot}/`)]),
  )
}

/** What a container of one class gets: the second promise, with this machine's paths. */
export function containerSpec(plan: Plan, taskClass: TaskClass, binding: Binding): ContainerSpec {
  const networked = taskClass.network === 'egress'
  const certificates = networked && binding.caBundle !== undefined
  return {
    name: `dwf-${binding.runId}-${createHash('sha256').update(taskClass.id).digest('hex').slice(0, 8)}`,
    labels: { 'dev.dwf.run': binding.runId, 'dev.dwf.owner': holderWord(thisProcess()) },
    image: binding.image,
    mounts: [
      { from: binding.root, to: workspace, readOnly: false },
      ...gitMounts(binding),
      ...cacheMounts(taskClass, binding),
      outputsMount(taskClass, binding),
      ...(certificates ? [{ from: binding.caBundle!, to: caTarget, readOnly: true }] : []),
      ...(certificates && binding.truststore
        ? [{ from: binding.truststore, to: truststoreTarget, readOnly: true }]
        : []),
    ],
    network: taskClass.network,
    ...plan.limits,
    env: {
      LANG: 'C.UTF-8',
      CI: '1',
      DWF: '1',
      ...(networked ? binding.proxies : {}),
      ...(certificates ? Object.fromEntries(caVariables.map((name) => [name, caTarget])) : {}),
      // The JDK reads no PEM. Each JVM says on its standard error that it took this.
      ...(certificates && binding.truststore
        ? { JAVA_TOOL_OPTIONS: `-Djavax.net.ssl.trustStore=${truststoreTarget} -Djavax.net.ssl.trustStoreType=JKS` }
        : {}),
    },
    workdir: workspace,
  }
}

/**
 * The folders above a path, mounted on themselves: a mount point cannot be renamed, so that a task cannot move the
 * folder away and put a link in its place for the next container to follow.
 */
function held(root: string, path: string): readonly Mount[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => {
    const way = parts.slice(0, index + 1).join('/')
    refuseLink(root, way)
    return { from: join(root, way), to: `${workspace}/${way}`, readOnly: false }
  })
}

/** A link would decide which folder of the host is mounted. */
function refuseLink(root: string, way: string): void {
  const stat = lstatSync(join(root, way), { throwIfNoEntry: false })
  if (!stat?.isSymbolicLink()) return
  throw failure(
    'refused',
    'link-in-the-way',
    `${join(root, way)} is a link, and dwf mounts what lies there`,
    'make it a folder of its own',
  )
}

function gitMounts({ root, git }: Binding): readonly Mount[] {
  const place = lstatSync(join(root, '.git'), { throwIfNoEntry: false })
  if (place && !git) {
    throw failure(
      'refused',
      'foreign-git-dir',
      `${join(root, '.git')} is a link, or leads to a folder that does not lead back to this work tree`,
      'git worktree repair mends a worktree that was moved; else remove it',
    )
  }
  if (!git) return []
  const mounts: Mount[] = []
  const inTree = (path: string, readOnly: boolean) => {
    const way = relative(root, path)
    refuseLink(root, way)
    mounts.push(...held(root, way), { from: path, to: `${workspace}/${way}`, readOnly })
  }
  // A folder, or the one-line file of a worktree: either way tasks must not change where git looks.
  if (existsSync(join(root, '.git'))) inTree(join(root, '.git'), true)
  for (const dir of new Set([git.dir, git.commonDir])) {
    // Of a worktree: at the same path inside, since the file `.git` names it.
    if (!isInside(join(root, '.git'), dir)) mounts.push({ from: dir, to: dir, readOnly: true })
  }
  const hooks = git.hooksPath === undefined ? undefined : join(root, git.hooksPath)
  if (hooks && hooks !== root && !isInside(join(root, '.git'), hooks) && existsSync(hooks)) inTree(hooks, true)
  return mounts
}

function outputsMount(taskClass: TaskClass, { runFolder }: Binding): Mount {
  const from = outputsIn(runFolder, taskClass.id)
  mkdirSync(from, { recursive: true, mode: 0o700 })
  return { from, to: outputsInside, readOnly: false }
}

function cacheMounts(taskClass: TaskClass, { root, cacheRoot, empty }: Binding): readonly Mount[] {
  if (taskClass.caches.length === 0) return []
  const way = relative(root, cacheRoot)
  const inside = isInside(root, cacheRoot)
  if (way === '')
    throw failure(
      'wrong-input',
      'cache-root',
      '[cache] root is the repository itself',
      'name a folder for it: root = ".cache/devflow"',
    )
  const folder = inside ? makeFolderWithin(root, way) : cacheRoot
  if (inside) ignoreInGit(folder)
  else mkdirSync(folder, { recursive: true, mode: 0o700 })
  return [
    ...(inside ? [...held(root, way), { from: empty, to: `${workspace}/${way}`, readOnly: true }] : []),
    ...taskClass.caches.map((name) => ({
      from: makeFolderWithin(folder, name),
      to: `/cache/${name}`,
      readOnly: false,
    })),
  ]
}

/** What no task may bring into being or change, beside the lock files. */
export function watchedOf(
  plan: Plan,
  git: GitState | undefined,
  root: string,
): { files: readonly string[]; absent: readonly string[] } {
  const hooks = git?.hooksPath
  return {
    files: plan.watched,
    absent: [
      ...(git || existsSync(join(root, '.git')) ? [] : ['.git']),
      ...(hooks && !existsSync(join(root, hooks)) ? [hooks] : []),
    ],
  }
}
