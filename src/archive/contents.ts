import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { TaskId } from '../plan/types.ts'
import { logFiles } from '../run/log.ts'
import { auditRun, type RunVerdict } from '../store/audit.ts'
import { genesis } from '../store/chain.ts'
import type { RunRows } from '../store/export-rows.ts'
import { canonicalJson } from '../util/canonical.ts'
import { failure } from '../util/diagnostics.ts'
import { sha256Of } from '../util/files.ts'
import { StreamRedactor } from '../util/redact.ts'
import { byCodeUnit } from '../util/text.ts'
import {
  type ExportedFile,
  exportSchema,
  type LogKind,
  logPath,
  type Manifest,
  type RowName,
  rowPath,
} from './manifest.ts'
import { redactRows } from './redact-rows.ts'

/** A file of an export, and what is in it. */
export interface Part {
  readonly file: ExportedFile
  readonly content: () => AsyncIterable<Buffer>
}

export interface Contents {
  readonly manifest: Manifest
  /** In the order of the manifest. */
  readonly parts: readonly Part[]
  /** When the run ended, or was heard of for the last time: milliseconds since the epoch. */
  readonly at: number
  /** Of the run as it is here. */
  readonly verdict: RunVerdict
}

/**
 * What an export of a run holds. Logs are read here once, for their digests, and again when they are written: a manifest
 * that comes first lets whoever reads refuse what it does not name, and no log has to fit into memory.
 * @param logs folder of the run's logs
 */
export async function contentsOf(
  original: RunRows,
  logs: string,
  options: { readonly dwf: string; readonly signal?: AbortSignal },
): Promise<Contents> {
  const verdict = auditRun(original)
  const { rows, places } = redactRows(original)
  const texts: Readonly<Record<RowName, string>> = {
    attempts: canonicalJson(rows.attempts),
    events: canonicalJson(rows.events),
    options: canonicalJson(readJson(rows.options, rows)),
    outputs: canonicalJson(rows.outputs),
    plan: canonicalJson(readJson(rows.plan, rows)),
    run: canonicalJson({ ...rows.run, tags: readJson(rows.run.tags, rows) }),
    tasks: canonicalJson(rows.tasks),
  }
  const parts = [
    ...(Object.keys(texts) as RowName[]).map((name) => rowPart(name, texts[name], places[name])),
    ...(await logParts(rows, logs, options.signal)),
  ].sort((a, b) => byCodeUnit(a.file.path, b.file.path))
  const last = rows.events.at(-1)
  return {
    manifest: {
      schema: exportSchema,
      run: rows.run.id,
      dwf: options.dwf,
      head: { sequence: last?.sequence ?? 0, hash: last?.hash ?? genesis },
      redacted: {
        places: parts.reduce((sum, { file }) => sum + file.redacted, 0),
        events: auditRun({ ...rows, isImported: true }).redacted,
      },
      files: parts.map(({ file }) => file),
    },
    parts,
    at: rows.run.ended_at ?? last?.at ?? rows.run.started_at,
    verdict,
  }
}

function readJson(text: string, { run }: RunRows): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw failure(
      'failed',
      'damaged-run',
      `run ${run.id} cannot be exported: its row in the store is no JSON any more`,
      `dwf audit ${run.id} --verify says what does not fit`,
    )
  }
}

function rowPart(name: RowName, json: string, redacted: number): Part {
  const bytes = Buffer.from(`${json}\n`)
  return {
    file: { path: rowPath(name), bytes: bytes.length, sha256: sha256Of(bytes), redacted },
    async *content() {
      yield bytes
    },
  }
}

async function logParts(rows: RunRows, logs: string, signal: AbortSignal | undefined): Promise<readonly Part[]> {
  const tasks = new Set([...rows.tasks.map(({ id }) => id), ...rows.attempts.map(({ task }) => task)])
  const parts: Part[] = []
  for (const task of tasks) {
    const files = logFiles(logs, task)
    for (const kind of ['log', 'times'] as const) {
      const part = await logPart(files[kind], task, kind, signal)
      if (part) parts.push(part)
    }
  }
  return parts
}

/** Undefined where there is no such log. */
async function logPart(
  path: string,
  task: TaskId,
  kind: LogKind,
  signal: AbortSignal | undefined,
): Promise<Part | undefined> {
  const hash = createHash('sha256')
  const redactor = new StreamRedactor()
  const handle = await openLog(path)
  if (!handle) return undefined
  let bytes = 0
  for await (const chunk of redacted(handle, redactor, signal)) {
    hash.update(chunk)
    bytes += chunk.length
  }
  const file = { path: logPath(task, kind), bytes, sha256: hash.digest('hex'), task, redacted: redactor.places }
  return { file, content: () => readAgain(path, file, signal) }
}

async function* readAgain(
  path: string,
  file: ExportedFile,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void> {
  const hash = createHash('sha256')
  const changed = () =>
    failure('machine-cannot', 'log-changed', `${path} was changed while it was read`, 'export it again')
  const handle = await openLog(path)
  if (!handle) throw changed()
  let bytes = 0
  for await (const chunk of redacted(handle, new StreamRedactor(), signal)) {
    hash.update(chunk)
    bytes += chunk.length
    if (bytes > file.bytes) throw changed()
    yield chunk
  }
  if (bytes !== file.bytes || hash.digest('hex') !== file.sha256) throw changed()
}

/** A link is not followed: only what dwf wrote is a log. */
async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
    return undefined
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

async function* redacted(
  handle: FileHandle,
  redactor: StreamRedactor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void> {
  for await (const chunk of handle.createReadStream({ highWaterMark: 256 * 1024 })) {
    signal?.throwIfAborted()
    const shown = redactor.add(chunk as Buffer)
    if (shown.length > 0) yield shown
  }
  const rest = redactor.end()
  if (rest.length > 0) yield rest
}
