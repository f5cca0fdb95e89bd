import { userInfo } from 'node:os'
import { run } from '../util/process.ts'
import { type CliDialect, cliEngine } from './cli-engine.ts'
import { engineFailure } from './failure.ts'
import type { Engine, EngineInfo } from './types.ts'

function dialect(buildKit: boolean): CliDialect {
  return {
    program: 'docker',
    idFlags: (info) => {
      const { uid, gid } = userInfo()
      return info.rootless ? ['--user=0:0'] : [`--user=${uid}:${gid}`]
    },
    // Docker has no U: the folder is open to all inside, and private to the container all the same.
    homeOptions: 'mode=1777',
    pull: ['--pull=never'],
    limits: (info) => info.cgroups !== 'none',
    egress: (info) => (info.rootless ? [] : ['--network=bridge']),
    extra: [],
    buildArgs: (request) => [
      ...Object.entries(request.substitutes).map(
        ([pinned, local]) => `--build-context=${pinned}=docker-image://${local}`,
      ),
      ...(request.caBundle && buildKit ? [`--secret=id=dwf-ca,src=${request.caBundle}`] : []),
      ...(buildKit ? ['--load', '--progress=plain'] : []),
    ],
    importArgs: (tar, reference) => ['import', tar, reference],
    readImages: (json) =>
      lines(json).map((image) => ({
        id: image.ID,
        tags: image.Repository === '<none>' ? [] : [`${image.Repository}:${image.Tag}`],
        created: new Date(String(image.CreatedAt).replace(/ [A-Z]+$/, '')).toISOString(),
        size: 0,
        labels: {},
      })),
    readContainers: (json) => lines(json).map((container) => ({ id: container.ID, labels: labels(container.Labels) })),
  }
}

const lines = (json: string) =>
  json
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
const labels = (text: string) =>
  Object.fromEntries(
    (text || '')
      .split(',')
      .filter(Boolean)
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  )

/**
 * Docker as its client reaches it here.
 * @returns undefined when there is no client, or when no daemon answers and `required` is false
 */
export async function probeDocker(required: boolean): Promise<Engine | undefined> {
  const found = await run(['docker', 'info', '--format={{json .}}'], { timeoutMs: 60_000 }).catch(() => undefined)
  if (!found) return undefined
  const answer = found.code === 0 && found.stdout.startsWith('{') ? JSON.parse(found.stdout) : undefined
  if (!answer?.ServerVersion) {
    if (!required) return undefined
    throw engineFailure(
      'docker does not work',
      found.stderr || (answer?.ServerErrors ?? []).join('\n') || 'no daemon answers',
    )
  }
  const options: readonly string[] = answer.SecurityOptions ?? []
  const rootless = options.some((option) => option.includes('name=rootless'))
  const cgroups = answer.CgroupDriver === 'none' ? 'none' : answer.CgroupVersion === '2' ? 'v2' : 'v1'
  const buildx = await run(['docker', 'buildx', 'version'], { timeoutMs: 10_000 }).catch(() => undefined)
  const info: EngineInfo = {
    name: 'docker',
    version: answer.ServerVersion,
    rootless,
    idMapping: rootless ? 'root-is-person' : 'same-ids',
    cgroups,
    unenforced: [
      rootless
        ? 'UID 1001: with rootless Docker uid 0 inside is the person outside'
        : 'rootless: the daemon runs as root, tasks with your own ids',
      ...(cgroups === 'none' ? ['memory, processor and process limits (no cgroups)'] : []),
    ],
    selinux: options.some((option) => option.includes('name=selinux')),
    arch:
      answer.Architecture === 'x86_64' ? 'amd64' : answer.Architecture === 'aarch64' ? 'arm64' : answer.Architecture,
  }
  return cliEngine(info, dialect(buildx?.code === 0))
}
