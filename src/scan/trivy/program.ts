import { realpathSync } from 'node:fs'
import { type Finished, run } from '../../util/process.ts'

export interface CallOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute folders and files that it reads, and folders that it writes. A program of this machine sees all anyway. */
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  /** Only to fetch databases, and images from a registry. */
  readonly network?: boolean
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** A Trivy that may be used: found, of a version that is not denied, and the one that devflow.lock names where it names one. */
export interface TrivyProgram {
  readonly version: string
  /** For people: its path, or the image that it is in. */
  readonly place: string
  /** Of its content, for what is kept of its results. */
  readonly identity: string
  /** Calls it with these arguments; never throws for a non-zero exit. Paths mean the same to it as to the caller. */
  readonly run: (args: readonly string[], options: CallOptions) => Promise<Finished>
}

/** What it says on a stream is for messages only: the report is a file. */
const keep = 256 * 1024

/** The program at `path`, absolute and without links: nobody can point it elsewhere between the check and the scan. */
export function localProgram(path: string, version: string, identity: string): TrivyProgram {
  return {
    version,
    place: path,
    identity,
    run: (args, { cwd, env, timeoutMs, signal }) =>
      run([path, ...args], { cwd, env, timeoutMs, keep, ...(signal ? { signal } : {}) }),
  }
}

/** Runs programs in containers; the engine's side of it is the caller's. Paths of `mounts` are the same on both sides. */
export interface ToolRunner {
  /** Fetches the image where it is not here, and says which content it is. Throws a `Failure` when it cannot be had. */
  readonly ready: (image: string, signal?: AbortSignal) => Promise<{ readonly reference: string; readonly id: string }>
  readonly run: (request: {
    readonly image: string
    readonly entrypoint: string
    readonly args: readonly string[]
    readonly mounts: readonly { readonly path: string; readonly readOnly: boolean }[]
    readonly env: Readonly<Record<string, string>>
    readonly cwd: string
    readonly network: boolean
    readonly timeoutMs: number
    readonly signal?: AbortSignal
    readonly keep: number
  }) => Promise<Finished>
}

/** Trivy in its image: no network once the database is there, no secrets, and of this machine only what a call names. */
export function programInImage(
  tools: ToolRunner,
  image: { readonly reference: string; readonly id: string },
  version: string,
): TrivyProgram {
  return {
    version,
    place: image.reference,
    identity: image.id,
    run: (args, options) => runInImage(tools, image.reference, args, options),
  }
}

export function runInImage(
  tools: ToolRunner,
  image: string,
  args: readonly string[],
  { cwd, env, reads, writes, network = false, timeoutMs, signal }: CallOptions,
): Promise<Finished> {
  const certificates = network ? [env.SSL_CERT_FILE, env.SSL_CERT_DIR].filter((path) => path !== undefined) : []
  const mounts = [
    ...[...reads, ...certificates].map((path) => ({ path: realpathSync.native(path), readOnly: true })),
    ...writes.map((path) => ({ path, readOnly: false })),
  ]
  // HOME and TMPDIR are the container's own; PATH is that of the image.
  const { HOME: _home, TMPDIR: _tmp, PATH: _path, ...rest } = env
  const given = Object.fromEntries(Object.entries(rest).flatMap(([name, value]) => (value ? [[name, value]] : [])))
  return tools.run({
    ...{ image, entrypoint: 'trivy', args, mounts, env: given, cwd, network, timeoutMs, keep },
    ...(signal ? { signal } : {}),
  })
}
