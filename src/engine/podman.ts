import { failure } from '../util/diagnostics.ts'
import { run } from '../util/process.ts'
import { type CliDialect, cliEngine } from './cli-engine.ts'
import { engineFailure } from './failure.ts'
import type { Engine, EngineInfo } from './types.ts'

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

const dialect: CliDialect = {
  program: 'podman',
  // keep-id is for rootless only; as root (--allow-root) the files of the workspace are root's.
  idFlags: (info) => (info.rootless ? ['--userns=keep-id:uid=1001,gid=1001', '--user=1001:1001'] : ['--user=0:0']),
  // Without U an existing folder of the image keeps its owner and mode on the tmpfs (Podman 4.3.1, runc 1.1.5).
  homeOptions: 'mode=0700,U,notmpcopyup',
  pull: ['--pull=never'],
  // Rootless with cgroup v1 ignores them with a warning on every call.
  limits: (info) => !(info.rootless && info.cgroups === 'v1'),
  egress: () => ['--network=slirp4netns:allow_host_loopback=false'],
  // /run and /var/tmp would be writable otherwise.
  extra: ['--read-only-tmpfs=false'],
  buildArgs: (request) => [
    '--pull=missing',
    '--layers',
    '--force-rm',
    ...Object.entries(request.substitutes).map(
      ([pinned, local]) => `--build-context=${pinned}=container-image://${local}`,
    ),
    ...(request.caBundle ? [`--secret=id=dwf-ca,src=${request.caBundle}`] : []),
  ],
  importArgs: (tar, reference) => ['import', '--quiet', tar, reference],
  readImages: (json) =>
    (JSON.parse(json || '[]') as readonly PodmanImage[]).map((image) => ({
      id: image.Id,
      tags: image.Names ?? [],
      created: new Date(image.Created * 1000).toISOString(),
      size: image.Size,
      labels: image.Labels ?? {},
    })),
  readContainers: (json) =>
    (JSON.parse(json || '[]') as readonly PodmanContainer[]).map((container) => ({
      id: container.Id,
      labels: container.Labels ?? {},
    })),
}

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
  const info: EngineInfo = {
    name: 'podman',
    version: version.Version,
    rootless,
    idMapping: rootless ? 'keep-id' : 'same-ids',
    cgroups,
    unenforced: !rootless
      ? ['rootless, UID 1001: podman runs as root']
      : cgroups === 'v1'
        ? ['memory and processor limits (rootless with cgroup v1); processes are limited by ulimit only']
        : [],
    selinux: host.security.selinuxEnabled === true,
    arch: host.arch,
  }
  return cliEngine(info, dialect)
}
