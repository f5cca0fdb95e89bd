import { canonicalJson } from '../util/canonical.ts'
import { exportSchema, notAnExport, rowNames, rowPath } from './manifest.ts'
import type { ReadFile } from './read.ts'

/**
 * The files of an export as JSON, in the order of its manifest. A value has one text with sorted keys, so that its digest
 * is that of the file in an archive.
 */
export async function* readJsonFiles(
  chunks: AsyncIterable<Buffer>,
  file: string,
  largest: number,
): AsyncGenerator<ReadFile, void> {
  const document = await readDocument(chunks, file, largest)
  yield of('manifest.json', text(document.manifest, 'manifest', file))
  const logs = new Map<string, ReadFile>()
  if (!Array.isArray(document.logs)) throw notAnExport(file, 'it has no logs')
  for (const log of document.logs) {
    const read = readLog(log, file)
    if (logs.has(read.path)) throw notAnExport(file, `${JSON.stringify(read.path)} is there twice`)
    logs.set(read.path, read)
  }
  const rows = new Map(rowNames.map((name) => [rowPath(name), name]))
  const { files } = document.manifest as { files?: unknown }
  for (const one of Array.isArray(files) ? files : []) {
    const path = String((one as { path?: unknown } | null)?.path)
    const name = rows.get(path)
    const log = logs.get(path)
    logs.delete(path)
    if (name) yield of(path, text(document[name], name, file))
    else if (log) yield log
  }
  yield* logs.values()
}

async function readDocument(
  chunks: AsyncIterable<Buffer>,
  file: string,
  largest: number,
): Promise<Readonly<Record<string, unknown>>> {
  const all: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > largest) throw notAnExport(file, 'it is too large; an export as tar has no such limit')
    all.push(chunk)
  }
  let document: Record<string, unknown>
  try {
    document = JSON.parse(Buffer.concat(all).toString('utf8'))
  } catch {
    throw notAnExport(file, 'it is not JSON')
  }
  if (document?.schema !== exportSchema) throw notAnExport(file, `its schema is not ${exportSchema}`)
  const known = ['schema', 'manifest', 'logs', ...rowNames]
  const other = Object.keys(document).find((name) => !known.includes(name))
  if (other !== undefined) throw notAnExport(file, `${JSON.stringify(other)} is not in its manifest`)
  return document
}

function text(value: unknown, name: string, file: string): Buffer {
  if (value === undefined) throw notAnExport(file, `${name} is missing`)
  try {
    return Buffer.from(`${canonicalJson(value)}\n`)
  } catch {
    throw notAnExport(file, `${name} is nested too deep`)
  }
}

function readLog(value: unknown, file: string): ReadFile {
  const { path, encoding, text } = (value ?? {}) as Record<string, unknown>
  if (typeof path !== 'string') throw notAnExport(file, 'a log has no path')
  if (encoding === 'none') return { path, content: undefined }
  if ((encoding !== 'utf8' && encoding !== 'base64') || typeof text !== 'string')
    throw notAnExport(file, `the log ${JSON.stringify(path)} has no text`)
  return of(path, Buffer.from(text, encoding))
}

function of(path: string, bytes: Buffer): ReadFile {
  return {
    path,
    bytes: bytes.length,
    content: (async function* () {
      yield bytes
    })(),
  }
}
