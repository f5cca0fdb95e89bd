import { userInfo } from 'node:os'
import { failure } from '../util/diagnostics.ts'
import { run } from '../util/process.ts'
import { type Ask, type CliDialect, cliEngine, withoutLimits } from './cli-engine.ts'
import { engineFailure } from './failure.ts'
import { type InspectedImage, readImage } from './inspected.ts'
import type { BuildRequest, Engine, EngineInfo, Limit } from './types.ts'

/** What the client and its daemon can do about images. */
export interface DockerBuilder {
  /** Of the client; clients before 23.0 do not tell it. */
  readonly client?: string
  readonly server: string
  readonly hasBuildx: boolean
  /** The context that the client talks to: buildx has a builder of that name for it. */
  readonly context: string
}

/** Of `docker info`; only what is used. Podman's stand-in for docker answers with `host`. */
interface DockerInfo {
  readonly ServerVersion?: string
  readonly ServerErrors?: readonly string[]
  readonly SecurityOptions?: readonly string[]
  readonly CgroupDriver?: string
  readonly CgroupVersion?: string
  readonly MemoryLimit?: boolean
  readonly CpuCfsQuota?: boolean
  readonly PidsLimit?: boolean
  readonly Architecture?: string
  readonly ClientInfo?: {
    readonly Version?: string
    readonly Context?: string
    readonly Plugins?: readonly { readonly Name: string; readonly Err?: unknown }[] | null
  }
  readonly host?: unknown
}

/** Of `docker image inspect` and `docker container inspect`; only what is used. */

/** Named build contexts came with BuildKit 0.10, which is in the daemon since 23.0. */
const namedContexts = 23

const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])

/**
 * How this Docker builds the image. The Dockerfile has cache mounts and a secret, so it is BuildKit that builds:
 * through buildx, or through a client before 23.0, which has it built in.
 */
export function dockerBuild(builder: DockerBuilder, request: Pick<BuildRequest, 'substitutes' | 'caBundle'>) {
  const substitutes = Object.entries(request.substitutes)
  const isOld = builder.client === undefined
  if (!builder.hasBuildx && (!isOld || substitutes.length > 0)) {
    throw failure(
      'machine-cannot',
      'no-buildx',
      `docker has no buildx here, and the image cannot be built without${substitutes.length > 0 ? ` when local images stand in for pinned ones (${substitutes[0]![0]})` : ': the Dockerfile has cache mounts'}`,
      'install it (apt-get install docker-buildx-plugin from Docker, docker-buildx from Debian 13), or use podman',
    )
  }
  if (substitutes.length > 0 && Number.parseInt(builder.server, 10) < namedContexts) {
    throw failure(
      'machine-cannot',
      'no-named-contexts',
      `Docker ${builder.server} cannot build with ${substitutes[0]![1]} in place of ${substitutes[0]![0]}: it has no named build contexts`,
      `use podman, or a daemon of Docker ${namedContexts} or newer, or a registry that has the pinned image`,
    )
  }
  return {
    command: builder.hasBuildx ? ['buildx', 'build'] : ['build'],
    flags: [
      ...substitutes.map(([pinned, local]) => `--build-context=${pinned}=docker-image://${local}`),
      ...(request.caBundle ? [`--secret=id=dwf-ca,src=${request.caBundle}`] : []),
      // Only named: docker takes the value from its environment, and keeps these out of the image's history.
      ...proxies.filter((name) => process.env[name]).map((name) => `--build-arg=${name}`),
      ...(builder.hasBuildx ? ['--load'] : []),
      '--progress=plain',
    ],
    // Without it buildx builds where `docker buildx use` said last, which may be another machine.
    env: builder.hasBuildx ? { BUILDX_BUILDER: builder.context } : { DOCKER_BUILDKIT: '1' },
  }
}

/** BuildKit's plain progress has a number and a time before each line, and lines about nothing but itself. */
export function buildLine(line: string): string | undefined {
  const [, text = line] = /^#\d+ (?:\d+\.\d+ )?([\s\S]*)$/.exec(line) ?? []
  return /^(-+$| > \[|\[internal\]|transferring |(DONE|CACHED|building with|exporting|writing image|naming to|resolve|sha256:|extracting)\b)/.test(
    text,
  )
    ? undefined
    : text
}

function dialect(builder: DockerBuilder): CliDialect {
  const ids = (info: EngineInfo) => (info.rootless ? { uid: 0, gid: 0 } : userInfo())
  return {
    program: 'docker',
    idFlags: (info) => [`--user=${ids(info).uid}:${ids(info).gid}`],
    homeOptions: (info) => `mode=0700,uid=${ids(info).uid},gid=${ids(info).gid}`,
    pull: ['--pull=never'],
    egress: () => ['--network=bridge'],
    extra: () => [],
    build: (request) => dockerBuild(builder, request),
    buildLine,
    saveFlags: [],
    importArgs: (tar, reference) => ['import', tar, reference],
    images: async (ask, label) => {
      const found = await inspect(ask, 'image', ['images', '--quiet', '--no-trunc', `--filter=label=${label}`])
      return found.map(readImage).sort((a, b) => (a.created === b.created ? 0 : a.created < b.created ? 1 : -1))
    },
    containers: async (ask, label) => {
      const found = await inspect(ask, 'container', ['ps', '--all', '--quiet', '--no-trunc', `--filter=label=${label}`])
      return found.map((container) => ({ id: container.Id, labels: container.Config?.Labels ?? {} }))
    },
  }
}

/**
 * Lists of Docker have no labels (images), or join them with commas that values may hold too (containers, which get
 * the labels of their image): only inspect tells them apart. What went away in between is not missed.
 */
async function inspect(
  ask: Ask,
  kind: 'image' | 'container',
  list: readonly string[],
): Promise<readonly InspectedImage[]> {
  const ids = [...new Set((await ask(`cannot list ${kind}s`, list)).split('\n').filter(Boolean))]
  if (ids.length === 0) return []
  const unless = /no such (image|container|object)/i
  return JSON.parse((await ask(`cannot look at ${kind}s`, [kind, 'inspect', ...ids], { unless })) || '[]')
}

/**
 * Docker as its client reaches it here.
 * @returns undefined when there is no client, or when no daemon answers and `required` is false
 * @throws Failure('machine-cannot') for a daemon that dwf was told to use and that cannot do it
 */
export async function probeDocker(required: boolean): Promise<Engine | undefined> {
  const found = await run(['docker', 'info', '--format={{json .}}'], { timeoutMs: 60_000 }).catch(() => undefined)
  if (!found) return undefined
  const answer: DockerInfo | undefined = found.stdout.startsWith('{') ? JSON.parse(found.stdout) : undefined
  const server = answer?.ServerVersion
  if (!answer || !server) {
    if (!required) return undefined
    throw engineFailure('docker does not work', whyNot(answer, found.timedOut, found.stderr))
  }
  const options: readonly string[] = answer.SecurityOptions ?? []
  const has = (name: string) => options.some((option) => option.split(',').includes(`name=${name}`))
  const problem = await unusable(answer, has('userns'))
  if (problem) {
    if (!required) return undefined
    throw problem
  }
  const info = readInfo({ ...answer, ServerVersion: server }, has('rootless'), has('selinux'))
  const { ClientInfo: client } = answer
  return cliEngine(
    info,
    dialect({
      ...(client?.Version ? { client: client.Version } : {}),
      server,
      hasBuildx: (client?.Plugins ?? []).some(({ Name, Err }) => Name === 'buildx' && !Err),
      context: client?.Context || 'default',
    }),
  )
}

function whyNot(answer: DockerInfo | undefined, timedOut: boolean, stderr: string): string {
  if (timedOut) return 'it did not answer within 60 seconds'
  if (answer?.host) return 'docker is a stand-in for podman here: set engine = "podman" in [container]'
  return (answer?.ServerErrors ?? []).join('\n') || stderr || 'no daemon answers'
}

/** Folders are mounted by their path on this machine, and what is written to them must be the person's. */
async function unusable(answer: DockerInfo, isRemapped: boolean) {
  const context = answer.ClientInfo?.Context ?? 'default'
  const host =
    context === 'default'
      ? process.env.DOCKER_HOST
      : (await run(['docker', 'context', 'inspect', '--format={{.Endpoints.docker.Host}}', context])).stdout.trim()
  if (host && !/^(unix|npipe):/.test(host)) {
    const message = `the Docker daemon is on another machine (${host.replace(/\/\/[^@/]*@/, '//…@')}), which cannot mount folders of this one`
    return failure('machine-cannot', 'docker-remote', message, 'unset DOCKER_HOST or use another docker context')
  }
  if (isRemapped) {
    const message = 'the Docker daemon remaps user ids (userns-remap): no id in a container is yours'
    return failure('machine-cannot', 'docker-remapped', message, 'use podman or rootless Docker')
  }
  return undefined
}

function readInfo(
  answer: DockerInfo & { readonly ServerVersion: string },
  rootless: boolean,
  selinux: boolean,
): EngineInfo {
  const cgroups = answer.CgroupDriver === 'none' ? 'none' : answer.CgroupVersion === '2' ? 'v2' : 'v1'
  const enforced: Readonly<Record<Limit, boolean | undefined>> = {
    memory: answer.MemoryLimit,
    cpus: answer.CpuCfsQuota,
    pids: answer.PidsLimit,
  }
  const limits = cgroups === 'none' ? [] : (['memory', 'cpus', 'pids'] as const).filter((limit) => enforced[limit])
  return {
    name: 'docker',
    version: answer.ServerVersion,
    rootless,
    idMapping: rootless ? 'root-is-person' : 'same-ids',
    cgroups,
    limits,
    unenforced: [
      rootless
        ? 'UID 1001: with rootless Docker uid 0 inside is the person outside'
        : 'rootless: the daemon runs as root, tasks with your own ids',
      ...withoutLimits(limits, cgroups === 'none' ? 'no cgroups' : 'no cgroup controller'),
    ],
    selinux,
    arch: architectures[answer.Architecture ?? ''] ?? answer.Architecture ?? 'unknown',
  }
}

const architectures: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' }
