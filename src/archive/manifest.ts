import { escapeTaskId } from '../plan/task-id.ts'
import type { TaskId } from '../plan/types.ts'
import { hashOf } from '../util/canonical.ts'
import { failure } from '../util/diagnostics.ts'

export const exportSchema = 'dwf.export/1'

/** What the database has of a run: a file of JSON each. */
export const rowNames = ['attempts', 'events', 'options', 'outputs', 'plan', 'run', 'tasks'] as const
export type RowName = (typeof rowNames)[number]
export const rowPath = (name: RowName): string => `${name}.json`

/** `log`: the bytes that a task said; `times`: when it said them. */
export type LogKind = 'log' | 'times'

export interface ExportedFile {
  readonly path: string
  readonly bytes: number
  /** Of the file as it was exported, after its redaction. */
  readonly sha256: string
  /** Whose log it is. */
  readonly task?: TaskId
  /** Places in it that look like secrets and were masked. */
  readonly redacted: number
}

/** The first file of an export: what the others are. */
export interface Manifest {
  readonly schema: typeof exportSchema
  readonly run: string
  readonly dwf: string
  /** The end of the run's chain. */
  readonly head: { readonly sequence: number; readonly hash: string }
  readonly redacted: {
    readonly places: number
    /** Events that cannot be held against their hash any more. */
    readonly events: readonly number[]
  }
  /** In the order of the archive: by path. */
  readonly files: readonly ExportedFile[]
}

/** Unique for each task, and short enough for the header of any archive. */
export function logPath(task: TaskId, kind: LogKind): string {
  const name = escapeTaskId(task)
  return `logs/${name.length <= 80 ? name : `${name.slice(0, 46)}~~${hashOf(task).slice(0, 32)}`}.${kind}`
}

/** An id becomes the name of a folder. */
export const isRunId = (id: unknown): id is string =>
  typeof id === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(id)

export const notAnExport = (file: string, why: string) =>
  failure(
    'wrong-input',
    'not-an-export',
    `${file} is no export that dwf reads: ${why}`,
    'dwf export RUN -o FILE writes one; nothing was kept',
  )

/** Of a file in an export: all that the database has of a run is read into memory. */
export const largestRows = 256 * 1024 * 1024

/**
 * A manifest that names each file once, by the one path that it can have.
 * @throws Failure('wrong-input')
 */
export function readManifest(value: unknown, file: string): Manifest {
  const refuse = (why: string) => notAnExport(file, `manifest.json: ${why}`)
  const { schema, run, dwf, head, redacted, files } = (value ?? {}) as Record<string, unknown> & {
    head?: Partial<Manifest['head']> | null
    redacted?: Partial<Manifest['redacted']> | null
  }
  if (schema !== exportSchema) throw refuse(`its schema is not ${exportSchema}`)
  if (!isRunId(run)) throw refuse(`${shown(run)} is no id of a run`)
  if (typeof dwf !== 'string') throw refuse('it does not say which dwf wrote it')
  if (!isCount(head?.sequence) || !isHash(head?.hash)) throw refuse('it has no head')
  const events = redacted?.events
  if (!isCount(redacted?.places) || !Array.isArray(events) || !events.every(isCount))
    throw refuse('it does not say what was redacted')
  if (!Array.isArray(files)) throw refuse('it names no files')
  const read = files.map((one, index) => {
    const read = readFile(one)
    if (typeof read === 'string') throw refuse(`file ${index + 1}: ${read}`)
    return read
  })
  const paths = new Set<string>()
  for (const { path } of read) {
    if (paths.has(path)) throw refuse(`${path} is named twice`)
    paths.add(path)
  }
  for (const name of rowNames) if (!paths.has(rowPath(name))) throw refuse(`${rowPath(name)} is missing`)
  return {
    schema,
    run,
    dwf,
    head: { sequence: head.sequence, hash: head.hash },
    redacted: { places: redacted!.places!, events },
    files: read,
  }
}

function readFile(value: unknown): ExportedFile | string {
  const { path, bytes, sha256, task, redacted } = (value ?? {}) as Record<string, unknown>
  if (typeof path !== 'string') return 'it has no path'
  if (!isCount(bytes) || !isHash(sha256) || !isCount(redacted)) return `${shown(path)} has no size and digest`
  if (task === undefined) {
    if (!rowNames.some((name) => rowPath(name) === path)) return `${shown(path)} is no file of an export`
    return bytes <= largestRows ? { path, bytes, sha256, redacted } : `${path} is too large (${bytes} bytes)`
  }
  if (typeof task !== 'string' || task === '' || task.includes('\0')) return `${shown(path)} is of no task`
  if (path !== logPath(task, 'log') && path !== logPath(task, 'times'))
    return `${shown(path)} is not the path of a log of ${shown(task)}`
  return { path, bytes, sha256, task, redacted }
}

const shown = (value: unknown): string => JSON.stringify(value ?? null).slice(0, 200)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isHash = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
