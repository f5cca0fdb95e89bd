import { join } from 'node:path'
import { failure } from '../util/diagnostics.ts'
import { cacheFolder, privateFolder } from '../util/paths.ts'
import { type Finished, type RunOptions, run } from '../util/process.ts'
import { type Dialect, onceArgs, sessionArgs } from './container-args.ts'
import { engineFailure } from './failure.ts'
import { openSession, spawnShell } from './session.ts'
import { containerInit, containerShell, slotPrelude } from './slot-script.ts'
import type { BuildRequest, ContainerSpec, Engine, EngineInfo, ImageInfo } from './types.ts'

/** What Podman and Docker do alike through their command lines; what they do not is in the dialect. */
export interface CliDialect extends Dialect {
  readonly program: string
  readonly buildArgs: (request: BuildRequest) => readonly string[]
  /** Arguments of the build that carry the CA bundle as a build secret. */
  readonly importArgs: (tar: string, reference: string) => readonly string[]
  readonly readImages: (json: string) => readonly ImageInfo[]
  readonly readContainers: (
    json: string,
  ) => readonly { readonly id: string; readonly labels: Readonly<Record<string, string>> }[]
}

export function cliEngine(info: EngineInfo, dialect: CliDialect): Engine {
  const { program } = dialect
  const call = async (args: readonly string[], options: RunOptions = {}): Promise<Finished> => {
    try {
      return await run([program, ...args], options)
    } catch (error) {
      throw failure(
        'machine-cannot',
        'no-engine',
        `cannot start ${program}: ${(error as Error).message}`,
        'dwf doctor looks for what is wrong',
      )
    }
  }
  const must = async (what: string, args: readonly string[], options: RunOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await call(args, options)
    if (code !== 0) throw engineFailure(what, stderr || stdout)
    return stdout
  }
  const removeContainer = async (id: string) => {
    // 'no such container' is what we want; the short grace is for nothing: it is killed at once.
    await call(['rm', '--force', ...(info.name === 'podman' ? ['--time=0'] : []), id], { timeoutMs: 30_000 })
  }
  return {
    info,
    async imageExists(reference) {
      return (await call(['image', 'inspect', '--format={{.Id}}', reference])).code === 0
    },
    async build(request) {
      const args = [
        'build',
        `--file=${request.dockerfile}`,
        `--target=${request.target}`,
        ...pairs('--tag', request.tags),
        ...pairs('--build-arg', entries(request.args)),
        ...pairs('--label', entries(request.labels)),
        ...dialect.buildArgs(request),
        request.context,
      ]
      // Buildah keeps its cache mounts below TMPDIR, by default in one folder of /var/tmp for all accounts of the machine.
      const env = { ...process.env, TMPDIR: privateFolder(join(privateFolder(cacheFolder()), 'build')) }
      const { code, stderr, stdout } = await call(args, {
        env,
        signal: request.signal,
        onLine: request.onLine,
        keep: 256 * 1024,
      })
      if (request.signal.aborted) throw failure('interrupted', 'interrupted', 'the image build was interrupted')
      if (code !== 0) throw engineFailure('the image could not be built', stderr || stdout)
    },
    async images(label) {
      return dialect.readImages(
        await must('cannot list images', ['images', `--filter=label=${label}`, '--format=json', '--no-trunc']),
      )
    },
    async removeImage(reference) {
      await must(`cannot remove ${reference}`, ['rmi', reference])
    },
    async tagImage(reference, tag) {
      await must(`cannot tag ${reference}`, ['tag', reference, tag])
    },
    async importImage(tar, reference) {
      await must(`cannot import ${tar}`, dialect.importArgs(tar, reference))
    },
    async runOnce(spec, argv) {
      const { code, stdout, stderr } = await call(onceArgs(spec, info, dialect, argv))
      if (code === 125 || code === 126) throw engineFailure('the container could not be started', stderr)
      return { code, output: stdout + stderr }
    },
    async open(spec: ContainerSpec, slots: number) {
      const source = {
        prelude: slotPrelude({ init: containerInit, shell: containerShell }),
        first: () => spawnShell([program, ...sessionArgs(spec, info, dialect)]),
        more: () => spawnShell([program, 'exec', '--interactive', spec.name, containerShell]),
        remove: () => removeContainer(spec.name),
      }
      try {
        return await openSession(source, slots)
      } catch (error) {
        throw engineFailure('the container could not be started', (error as Error).message)
      }
    },
    async containers(label) {
      return dialect.readContainers(
        await must('cannot list containers', ['ps', '--all', `--filter=label=${label}`, '--format=json', '--no-trunc']),
      )
    },
    removeContainer,
  }
}

const entries = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => `${key}=${value}`)
const pairs = (flag: string, values: readonly string[]) => values.map((value) => `${flag}=${value}`)
