import { readFileSync } from 'node:fs'
import { containerInit, containerShell } from './slot-script.ts'
import type { ContainerSpec, EngineInfo, Limit } from './types.ts'

export const containerHome = '/home/dwfuser'

/** How an engine's flags differ where the promise is the same. */
export interface Dialect {
  readonly idFlags: (info: EngineInfo) => readonly string[]
  /** Options of a tmpfs that belongs to the task's user, after its size. */
  readonly homeOptions: (info: EngineInfo) => string
  readonly pull: readonly string[]
  readonly egress: (info: EngineInfo) => readonly string[]
  readonly extra: (info: EngineInfo) => readonly string[]
}

/** The flags that keep the second promise. One list for every engine and every container that dwf starts. */
export function hardening(spec: ContainerSpec, info: EngineInfo, dialect: Dialect): readonly string[] {
  return [
    ...dialect.idFlags(info),
    '--cap-drop=all',
    '--security-opt=no-new-privileges',
    '--read-only',
    ...dialect.extra(info),
    // exec is written out: Docker's default is noexec, and build tools run what they put into /tmp.
    `--tmpfs=/tmp:rw,nosuid,nodev,exec,size=${spec.tmp},mode=1777`,
    `--tmpfs=${containerHome}:rw,nosuid,nodev,exec,size=${spec.tmp},${dialect.homeOptions(info)}`,
    ...(spec.network === 'none' ? ['--network=none'] : dialect.egress(info)),
    ...limits(spec, info),
    ...dialect.pull,
    ...Object.entries(spec.labels).map(([key, value]) => `--label=${key}=${value}`),
    ...spec.mounts.map((mount) => volume(mount, info)),
    ...Object.entries({ HOME: containerHome, ...spec.env }).map(variable),
    `--workdir=${spec.workdir}`,
  ]
}

/** Only limits that are enforced here are asked for: for others engines print a warning on each call, or refuse to start. */
function limits(spec: ContainerSpec, info: EngineInfo): readonly string[] {
  const flags: Readonly<Record<Limit, readonly string[]>> = {
    memory: [`--memory=${spec.memory}`, `--memory-swap=${spec.memory}`],
    cpus: [`--cpus=${spec.cpus}`],
    pids: [`--pids-limit=${spec.pids}`],
  }
  // A ulimit counts all processes of the person in the container's user namespace. With Podman these are the container's
  // own; with Docker also the daemon's or the whole session's, so that it serves only where nothing else does.
  const isCounted = info.name === 'podman' || !info.limits.includes('pids')
  return [
    ...(isCounted ? [`--ulimit=nproc=${processes(spec.pids)}`] : []),
    ...info.limits.flatMap((limit) => flags[limit]),
  ]
}

/** Not above what this account itself may have: the engine would refuse to start. */
function processes(wanted: number): string {
  const hard = Number(/^Max processes\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity)
  const limit = Math.min(wanted, hard)
  return `${limit}:${limit}`
}

/** What the engine's client has in its own environment is named only: a proxy's password does not belong into argv. */
function variable([name, value]: readonly [string, string]): string {
  return process.env[name] === value ? `--env=${name}` : `--env=${name}=${value}`
}

/** `--mount` quotes nothing and `--volume` splits at colons: the form that has no trouble with the path is chosen. */
function volume(mount: { from: string; to: string; readOnly: boolean }, info: EngineInfo): string {
  if (!mount.from.includes(':')) {
    const options = [mount.readOnly ? 'ro' : 'rw', ...(info.selinux ? ['z'] : [])].join(',')
    return `--volume=${mount.from}:${mount.to}:${options}`
  }
  if (/[,"\n]/.test(mount.from))
    throw new RangeError(
      `a path with both a colon and a comma or quote cannot be mounted: ${JSON.stringify(mount.from)}`,
    )
  return `--mount=type=bind,source=${mount.from},target=${mount.to}${mount.readOnly ? ',readonly' : ''}${info.selinux && info.name === 'podman' ? ',relabel=shared' : ''}`
}

/** A container whose first process is tini with a kept-open shell: it ends when its standard input ends. */
export function sessionArgs(spec: ContainerSpec, info: EngineInfo, dialect: Dialect): readonly string[] {
  const [run, ...more] = onceArgs(spec, info, dialect, [containerShell])
  return [run!, '--interactive', ...more]
}

/** A container for one command. */
export function onceArgs(
  spec: ContainerSpec,
  info: EngineInfo,
  dialect: Dialect,
  argv: readonly string[],
  entrypoint?: string,
): readonly string[] {
  return [
    'run',
    '--rm',
    '--log-driver=none',
    `--name=${spec.name}`,
    ...hardening(spec, info, dialect),
    `--entrypoint=${entrypoint ?? containerInit}`,
    spec.image,
    ...(entrypoint === undefined ? ['--'] : []),
    ...argv,
  ]
}
