import { readFileSync } from 'node:fs'
import { failure } from '../util/diagnostics.ts'
import { run } from '../util/process.ts'
import { type CliDialect, cliEngine, withoutLimits } from './cli-engine.ts'
import { engineFailure } from './failure.ts'
import type { Engine, EngineInfo, Limit } from './types.ts'

/** keep-id with a target id came with 4.3. */
const minimum = [4, 3] as const

/** Of `podman images --format=json` and `podman ps --format=json`, Podman 4.3.1; only what is used. */
interface PodmanImage {
  readonly Id: string
  readonly Names?: readonly string[] | null
  /** Seconds since the epoch. */
  readonly Created: number
  readonly Size: number
  readonly Labels?: Readonly<Record<string, string>> | null
}
interface PodmanContainer {
  readonly Id: string
  readonly Labels?: Readonly<Record<string, string>> | null
}

const dialect = (egress: string): CliDialect => ({
  program: 'podman',
  // keep-id is for rootless only; as root (--allow-root) the files of the workspace are root's.
  idFlags: (info) => (info.rootless ? ['--userns=keep-id:uid=1001,gid=1001', '--user=1001:1001'] : ['--user=0:0']),
  // Without U an existing folder of the image keeps its owner and mode on the tmpfs (Podman 4.3.1, runc 1.1.5).
  homeOptions: () => 'mode=0700,U,notmpcopyup',
  pull: ['--pull=never'],
  egress: () => [egress],
  // /run and /var/tmp would be writable otherwise, and each container would get the proxy variables of this machine.
  extra: (info) => [
    '--read-only-tmpfs=false',
    '--image-volume=ignore',
    '--http-proxy=false',
    ...(info.rootless ? [] : openFiles()),
  ],
  build: (request) => ({
    command: ['build'],
    flags: [
      '--pull=missing',
      '--layers',
      '--force-rm',
      ...Object.entries(request.substitutes).map(
        ([pinned, local]) => `--build-context=${pinned}=container-image://${local}`,
      ),
      ...(request.caBundle ? [`--secret=id=dwf-ca,src=${request.caBundle}`] : []),
    ],
  }),
  buildLine: (line) => line,
  saveFlags: ['--quiet', '--format=docker-archive'],
  importArgs: (tar, reference) => ['import', '--quiet', tar, reference],
  images: async (ask, label) =>
    list(
      await ask('cannot list images', ['images', `--filter=label=${label}`, '--format=json', '--no-trunc'], {
        // Podman 4.3.1 gives up when another process removes an image while it reads them one by one.
        again: /image not known/,
      }),
      (image: PodmanImage) => ({
        id: image.Id,
        tags: image.Names ?? [],
        created: new Date(image.Created * 1000).toISOString(),
        size: image.Size,
        labels: image.Labels ?? {},
      }),
    ),
  containers: async (ask, label) =>
    list(
      await ask('cannot list containers', ['ps', '--all', `--filter=label=${label}`, '--format=json', '--no-trunc']),
      (container: PodmanContainer) => ({ id: container.Id, labels: container.Labels ?? {} }),
    ),
})

/** slirp4netns, or pasta where only that is installed (Podman 5): neither lets a container reach this machine's loopback. */
export function podmanEgress(host: {
  readonly slirp4netns?: { readonly executable?: string }
  readonly pasta?: { readonly executable?: string }
}): string {
  return !host.slirp4netns?.executable && host.pasta?.executable
    ? '--network=pasta'
    : '--network=slirp4netns:allow_host_loopback=false'
}

const list = <From, To>(json: string, read: (entry: From) => To): readonly To[] =>
  (JSON.parse(json || '[]') as From[]).map(read)

/**
 * Podman as it is on this machine, through its command line only.
 * @returns undefined when it is not installed
 * @throws Failure('machine-cannot') when it is there and cannot work, or is too old
 */
export async function probePodman(): Promise<Engine | undefined> {
  const found = await run(['podman', 'info', '--format=json'], { timeoutMs: 60_000 }).catch(() => undefined)
  if (!found) return undefined
  if (found.code !== 0)
    throw engineFailure('podman does not work', found.timedOut ? 'it did not answer within 60 seconds' : found.stderr)
  const { host, version } = JSON.parse(found.stdout)
  const [major = 0, minor = 0] = String(version.Version).split('.').map(Number)
  if (major < minimum[0] || (major === minimum[0] && minor < minimum[1])) {
    throw failure(
      'machine-cannot',
      'engine-too-old',
      `podman ${version.Version} is too old: dwf needs ${minimum.join('.')} or newer`,
      'upgrade podman',
    )
  }
  const rootless = host.security.rootless === true
  const cgroups = host.cgroupVersion === 'v2' ? 'v2' : 'v1'
  const limits = limitsOf(rootless, cgroups, host.cgroupControllers ?? [])
  const info: EngineInfo = {
    name: 'podman',
    version: version.Version,
    rootless,
    idMapping: rootless ? 'keep-id' : 'same-ids',
    cgroups,
    limits,
    unenforced: [
      ...(rootless ? [] : ['rootless, UID 1001: podman runs as root']),
      ...withoutLimits(limits, rootless && cgroups === 'v1' ? 'rootless with cgroup v1' : 'no cgroup controller'),
    ],
    selinux: host.security.selinuxEnabled === true,
    arch: host.arch,
  }
  return cliEngine(info, dialect(podmanEgress(host)))
}

/** As root Podman asks for a million open files, also where root may not have them (a container, a CI machine). */
function openFiles(): readonly string[] {
  const hard = /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return hard ? [`--ulimit=nofile=${hard}:${hard}`] : []
}

/** Rootless, cgroup v1 limits nothing; with v2 what systemd hands down to this account. */
function limitsOf(rootless: boolean, cgroups: 'v1' | 'v2', controllers: readonly string[]): readonly Limit[] {
  if (cgroups === 'v1') return rootless ? [] : ['memory', 'cpus', 'pids']
  const names = { memory: 'memory', cpus: 'cpu', pids: 'pids' } as const
  return (['memory', 'cpus', 'pids'] as const).filter((limit) => controllers.includes(names[limit]))
}
