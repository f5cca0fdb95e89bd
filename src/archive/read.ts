import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { TaskId } from '../plan/types.ts'
import { auditRun, type Misfit, type RunVerdict } from '../store/audit.ts'
import type { RunRows } from '../store/export-rows.ts'
import { parseRows, RowsError } from '../store/import-rows.ts'
import { failure } from '../util/diagnostics.ts'
import { readTar, TarError, type TarFile } from '../util/tar.ts'
import { formatSize } from '../util/units.ts'
import {
  type ExportedFile,
  type LogKind,
  largestRows,
  type Manifest,
  notAnExport,
  type RowName,
  readManifest,
  rowNames,
  rowPath,
} from './manifest.ts'
import { planMisshape } from './plan-shape.ts'
import { readJsonFiles } from './read-json.ts'

/** Where a log goes that is read. */
export interface LogSink {
  write(chunk: Buffer): void
  end(): void
}

export interface ReadOptions {
  /** Told what is to come before any of it is read. */
  readonly onManifest?: (manifest: Manifest) => void
  /** Absent: logs are only held against their digests. */
  readonly sink?: (task: TaskId, kind: LogKind) => LogSink
  readonly signal?: AbortSignal
}

export interface ReadExport {
  readonly manifest: Manifest
  /** Undefined where they cannot be read, which a misfit says. */
  readonly rows?: RunRows
  readonly verdict?: RunVerdict
  /** Logs that were too long for an export as JSON. */
  readonly leftOut: readonly string[]
  /** What does not fit what the export says of itself. */
  readonly misfits: readonly Misfit[]
}

/** A file of an export, whatever the export's format; the content of a log that was left out is undefined. */
export interface ReadFile {
  readonly path: string
  readonly bytes?: number
  readonly content: AsyncIterable<Buffer> | undefined
}

const largestManifest = 16 * 1024 * 1024
/** What a compressed export may become: logs of the same line over and over come to a hundredth. */
const largestRatio = 200
const alwaysGranted = 64 * 1024 * 1024

/**
 * Reads an export as far as it is what its manifest says. Anything that dwf would not write is refused where it stands,
 * before a byte of it is kept.
 * @throws Failure('wrong-input') for what is no export
 */
export async function readExport(file: string, options: ReadOptions = {}): Promise<ReadExport> {
  const handle = await openPlain(file)
  try {
    const { size } = await handle.stat()
    const magic = Buffer.alloc(2)
    await handle.read(magic, 0, 2, 0)
    const isCompressed = magic.equals(Buffer.from([0x1f, 0x8b]))
    const raw = handle.createReadStream({
      start: 0,
      autoClose: false,
      ...(options.signal ? { signal: options.signal } : {}),
    })
    const chunks: AsyncIterable<Buffer> = isCompressed ? unpacked(raw) : raw
    const [first, all] = await peek(chunks)
    const granted = isCompressed ? Math.max(alwaysGranted, largestRatio * size) : size
    const files = first === 0x7b ? readJsonFiles(all, file, Math.min(granted, largestRows)) : tarFiles(all)
    return await readFiles(files, file, granted, options)
  } catch (error) {
    throw readable(error, file)
  } finally {
    await handle.close()
  }
}

/** A plain file: what would block or never end is none. */
async function openPlain(file: string): Promise<FileHandle> {
  let handle: FileHandle
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'ENXIO') throw error
    throw failure('wrong-input', 'no-file', `there is no file ${file}`, 'dwf export RUN -o FILE writes one')
  }
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw notAnExport(file, 'it is no plain file')
}

function readable(error: unknown, file: string): unknown {
  if (error instanceof TarError) return notAnExport(file, error.message)
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' && code.startsWith('Z_')
    ? notAnExport(file, 'what is compressed in it is damaged')
    : error
}

const unpacked = (raw: Readable): AsyncIterable<Buffer> => {
  const gunzip = createGunzip()
  raw.once('error', (error) => gunzip.destroy(error))
  return raw.pipe(gunzip)
}

/** The first byte, and the stream with it. */
async function peek(chunks: AsyncIterable<Buffer>): Promise<readonly [number | undefined, AsyncIterable<Buffer>]> {
  const iterator = chunks[Symbol.asyncIterator]()
  const { value, done } = await iterator.next()
  const first: Buffer = done ? Buffer.alloc(0) : value
  return [
    first[0],
    (async function* () {
      yield first
      for (;;) {
        const { value, done } = await iterator.next()
        if (done) return
        yield value
      }
    })(),
  ]
}

async function* tarFiles(chunks: AsyncIterable<Buffer>): AsyncGenerator<ReadFile, void> {
  for await (const file of readTar(chunks)) yield file satisfies TarFile
}

async function readFiles(
  files: AsyncGenerator<ReadFile, void>,
  file: string,
  granted: number,
  { onManifest, sink }: ReadOptions,
): Promise<ReadExport> {
  const manifest = await firstFile(files, file)
  const total = manifest.files.reduce((sum, one) => sum + one.bytes, 0)
  const misfits: Misfit[] = []
  const leftOut: string[] = []
  const texts = new Map<string, Buffer>()
  onManifest?.(manifest)
  let kept = 0
  for (const expected of manifest.files) {
    const { value: found, done } = await files.next()
    if (done) throw notAnExport(file, `${expected.path} is missing`)
    if (found.path !== expected.path)
      throw notAnExport(file, `${JSON.stringify(found.path)} is where its manifest has ${expected.path}`)
    if (found.bytes !== undefined && found.bytes !== expected.bytes)
      throw notAnExport(file, `${found.path} has ${found.bytes} bytes, and its manifest says ${expected.bytes}`)
    if (!found.content) {
      leftOut.push(expected.path)
      continue
    }
    kept += expected.bytes
    if (kept > granted)
      throw notAnExport(
        file,
        `it would become more than ${formatSize(granted)}${total > granted ? ` (its manifest says ${formatSize(total)})` : ''}`,
      )
    const isRows = expected.task === undefined
    const to = isRows ? memory() : sink?.(expected.task, expected.path.endsWith('.times') ? 'times' : 'log')
    const why = await pour(found.content, expected, to)
    if (why !== undefined) misfits.push({ where: expected.path, why })
    if (isRows) texts.set(expected.path, (to as ReturnType<typeof memory>).bytes())
  }
  const more = await files.next()
  if (!more.done) throw notAnExport(file, `${JSON.stringify(more.value.path)} is not in its manifest`)
  const rows = rowsOf(texts, file)
  const verdict = auditRun(rows)
  return {
    manifest,
    rows,
    verdict,
    leftOut,
    misfits: [...misfits, ...holdManifest(manifest, rows, verdict), ...verdict.misfits],
  }
}

async function firstFile(files: AsyncGenerator<ReadFile, void>, file: string): Promise<Manifest> {
  const { value: first, done } = await files.next()
  if (done || first.path !== 'manifest.json') throw notAnExport(file, 'it does not begin with manifest.json')
  if ((first.bytes ?? 0) > largestManifest) throw notAnExport(file, 'its manifest.json is too large')
  const to = memory()
  for await (const chunk of first.content!) to.write(chunk)
  return readManifest(parse(to.bytes(), 'manifest.json', file), file)
}

/** What does not fit, if anything. */
async function pour(
  content: AsyncIterable<Buffer>,
  expected: ExportedFile,
  to: LogSink | undefined,
): Promise<string | undefined> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of content) {
    hash.update(chunk)
    bytes += chunk.length
    to?.write(chunk)
  }
  to?.end()
  if (bytes !== expected.bytes) return `it has ${bytes} bytes, and its manifest says ${expected.bytes}`
  return hash.digest('hex') === expected.sha256 ? undefined : 'its digest is not the one of its manifest'
}

function memory() {
  const chunks: Buffer[] = []
  return {
    write: (chunk: Buffer) => void chunks.push(Buffer.from(chunk)),
    end: () => {},
    bytes: () => Buffer.concat(chunks),
  }
}

function parse(bytes: Buffer, path: string, file: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw notAnExport(file, `${path} is not JSON`)
  }
}

function rowsOf(texts: ReadonlyMap<string, Buffer>, file: string): RunRows {
  const values = Object.fromEntries(
    rowNames.map((name) => [name, parse(texts.get(rowPath(name))!, rowPath(name), file)]),
  ) as Record<RowName, unknown>
  const misshape = planMisshape(values.plan)
  try {
    const rows = parseRows(values, Date.now())
    if (misshape !== undefined) throw new RowsError(`plan.json: ${misshape}`)
    return rows
  } catch (error) {
    // Lists in lists without an end.
    if (error instanceof RangeError) throw notAnExport(file, 'it is nested too deep')
    throw error instanceof RowsError ? notAnExport(file, error.message) : error
  }
}

function holdManifest(manifest: Manifest, rows: RunRows, verdict: RunVerdict): readonly Misfit[] {
  const misfits: Misfit[] = []
  const where = 'manifest.json'
  const last = rows.events.at(-1)
  if (manifest.run !== rows.run.id)
    misfits.push({ where, why: `it is of the run ${manifest.run}, and its rows of ${rows.run.id}` })
  if (manifest.head.hash !== last?.hash || manifest.head.sequence !== last.sequence)
    misfits.push({ where, why: 'its head is not the end of its chain' })
  const said = new Set(manifest.redacted.events)
  const unsaid = verdict.redacted.find((sequence) => !said.has(sequence))
  if (unsaid !== undefined)
    misfits.push({
      where: `event ${unsaid}`,
      why: 'its hash does not fit, and the manifest does not say that it was redacted',
    })
  const tasks = new Set([...rows.tasks.map(({ id }) => id), ...rows.attempts.map(({ task }) => task)])
  for (const { path, task } of manifest.files)
    if (task !== undefined && !tasks.has(task)) misfits.push({ where: path, why: 'its run has no such task' })
  return misfits
}
