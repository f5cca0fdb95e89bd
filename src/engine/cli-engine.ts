import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { failure } from '../util/diagnostics.ts'
import { cacheFolder, privateFolder } from '../util/paths.ts'
import { type Finished, type RunOptions, run } from '../util/process.ts'
import { type Dialect, onceArgs, sessionArgs } from './container-args.ts'
import { buildFailure, engineFailure } from './failure.ts'
import { type InspectedImage, readImage } from './inspected.ts'
import { openSession, spawnShell } from './session.ts'
import { containerInit, containerShell, slotPrelude } from './slot-script.ts'
import type { BuildRequest, ContainerSpec, Engine, EngineInfo, ImageInfo, Limit } from './types.ts'

/** Calls the engine's client: its standard output, or a failure that says what could not be done. */
export type Ask = (what: string, args: readonly string[], options?: AskOptions) => Promise<string>

export interface AskOptions {
  /** What may stand in a line of standard error without being a failure. */
  readonly unless?: RegExp
  /** What says that somebody else was just changing what was asked for: asked again, a few times. */
  readonly again?: RegExp
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** What Podman and Docker do alike through their command lines; what they do not is in the dialect. */
export interface CliDialect extends Dialect {
  readonly program: string
  /**
   * How an image is built, and the build's own flags: substitutes, the CA bundle as a build secret, proxies.
   * @throws Failure('machine-cannot') for what this client or daemon cannot do
   */
  readonly build: (request: BuildRequest) => {
    readonly command: readonly string[]
    readonly flags: readonly string[]
    readonly env?: Readonly<Record<string, string>>
  }
  /** What a line that the build prints is for a person; undefined when it is none. */
  readonly buildLine: (line: string) => string | undefined
  readonly saveFlags: readonly string[]
  readonly importArgs: (tar: string, reference: string) => readonly string[]
  readonly images: (ask: Ask, label: string) => Promise<readonly ImageInfo[]>
  readonly containers: (ask: Ask, label: string) => ReturnType<Engine['containers']>
}

const words: Readonly<Record<Limit, string>> = { memory: 'memory', cpus: 'processors', pids: 'processes' }

/** What a person is told about limits that nothing enforces here; `why` in a few words. */
export function withoutLimits(enforced: readonly Limit[], why: string): readonly string[] {
  const missing = (['memory', 'cpus', 'pids'] as const).filter((limit) => !enforced.includes(limit))
  if (missing.length === 0) return []
  const ulimit = missing.includes('pids') ? '; processes are limited by ulimit only' : ''
  return [`limits of ${missing.map((limit) => words[limit]).join(', ')} (${why})${ulimit}`]
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
  const ask: Ask = async (what, args, { unless, again } = {}) => {
    let answer = await call(args)
    for (let tries = 1; answer.code !== 0 && again?.test(answer.stderr) && tries < 20; tries++) {
      await pause(tries * 50)
      answer = await call(args)
    }
    const { code, stdout, stderr } = answer
    const isTolerated = unless !== undefined && stderr.split('\n').every((line) => line === '' || unless.test(line))
    if (code !== 0 && !isTolerated) throw engineFailure(what, stderr || stdout)
    return stdout
  }
  const removeContainer = async (id: string) => {
    // 'no such container' is what we want; the short grace is for nothing: it is killed at once.
    await call(['rm', '--force', ...(info.name === 'podman' ? ['--time=0'] : []), id], { timeoutMs: 30_000 })
  }
  return {
    info,
    // Asked for by its name: a list of all with a filter takes seconds where there are many.
    async image(reference) {
      const { code, stdout } = await call(['image', 'inspect', reference])
      return code === 0 ? (JSON.parse(stdout) as readonly InspectedImage[]).map(readImage)[0] : undefined
    },
    async build(request) {
      const { command, flags, env: own } = dialect.build(request)
      const args = [
        ...command,
        `--file=${request.dockerfile}`,
        `--target=${request.target}`,
        ...pairs('--tag', request.tags),
        ...pairs('--build-arg', entries(request.args)),
        ...pairs('--label', entries(request.labels)),
        ...flags,
        request.context,
      ]
      // Buildah keeps its cache mounts below TMPDIR, by default in one folder of /var/tmp for all accounts of the machine.
      const env = { ...process.env, ...own, TMPDIR: buildFolder(request.context) }
      const { code, stderr, stdout } = await call(args, {
        env,
        signal: request.signal,
        // Rootless, Podman 4.3.1 waits for another podman in its user namespace. That one ends what RUN started; when
        // the first goes before it, a RUN that sleeps goes on for ever.
        interruptChildren: true,
        onLine: (line) => {
          const text = dialect.buildLine(line)
          if (text !== undefined) request.onLine(text)
        },
        keep: 256 * 1024,
      })
      if (request.signal.aborted) throw failure('interrupted', 'interrupted', 'the image build was interrupted')
      if (code !== 0) {
        const lines = (stderr || stdout).split('\n').map(dialect.buildLine)
        throw buildFailure(lines.filter((line) => line !== undefined).join('\n'))
      }
    },
    images: (label) => dialect.images(ask, label),
    async removeImage(reference) {
      await ask(`cannot remove ${reference}`, ['rmi', reference])
    },
    async tagImage(reference, tag) {
      await ask(`cannot tag ${reference}`, ['tag', reference, tag])
    },
    async importImage(tar, reference) {
      await ask(`cannot import ${tar}`, dialect.importArgs(tar, reference))
    },
    async saveImage(reference, path, signal) {
      const args = ['save', ...dialect.saveFlags, `--output=${path}`, reference]
      const { code, stdout, stderr } = await call(args, { timeoutMs: 30 * 60_000, ...(signal ? { signal } : {}) })
      if (code !== 0) throw engineFailure(`cannot save the image ${reference}`, stderr || stdout)
    },
    async loadImage(path, signal) {
      const args = ['load', '--quiet', `--input=${path}`]
      const { code, stdout, stderr } = await call(args, { timeoutMs: 30 * 60_000, ...(signal ? { signal } : {}) })
      if (code !== 0) throw engineFailure(`cannot load the image of ${path}`, stderr || stdout)
    },
    async pullImage(reference, signal) {
      const args = ['pull', '--quiet', reference]
      const { code, stdout, stderr } = await call(args, { timeoutMs: 30 * 60_000, ...(signal ? { signal } : {}) })
      if (code !== 0) throw engineFailure(`cannot fetch the image ${reference}`, stderr || stdout)
    },
    async runProgram(spec, argv, { entrypoint, ...options } = {}) {
      const ended = await call(onceArgs(spec, info, dialect, argv, entrypoint), options)
      // The client is gone; what it started is not.
      if (ended.timedOut || options.signal?.aborted) await removeContainer(spec.name)
      else if (ended.code === 125 || ended.code === 126)
        throw engineFailure('the container could not be started', ended.stderr)
      return ended
    },
    async open(spec: ContainerSpec, slots: number) {
      const source = {
        prelude: slotPrelude({ init: containerInit }),
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
    containers: (label) => dialect.containers(ask, label),
    removeContainer,
  }
}

/** Of one repository only: a build may write into its cache mounts, and another's must not read that. */
function buildFolder(context: string): string {
  const name = createHash('sha256').update(context).digest('hex').slice(0, 16)
  return privateFolder(join(privateFolder(join(privateFolder(cacheFolder()), 'build')), name))
}

const entries = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => `${key}=${value}`)
const pairs = (flag: string, values: readonly string[]) => values.map((value) => `${flag}=${value}`)
