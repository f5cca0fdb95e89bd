import { isUtf8 } from 'node:buffer'
import { canonicalJson } from '../util/canonical.ts'
import { tarEnd, tarHeader, tarPadding } from '../util/tar.ts'
import type { Contents, Part } from './contents.ts'
import { exportSchema, rowNames, rowPath } from './manifest.ts'

export const exportFormats = ['tar', 'json'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** In JSON a longer log has only its size and its digest, and so have all when they are more together. */
export const largestLog = 1024 * 1024
const largestLogs = 64 * 1024 * 1024

/** The bytes of an export: the same for the same run. */
export const writeExport = (contents: Contents, format: ExportFormat): AsyncGenerator<Buffer, void> =>
  format === 'tar' ? tarOf(contents) : jsonOf(contents)

/** The manifest first, then the others by their paths. */
async function* tarOf({ manifest, parts, at }: Contents): AsyncGenerator<Buffer, void> {
  const seconds = Math.max(0, Math.floor(at / 1000))
  const text = Buffer.from(`${canonicalJson(manifest)}\n`)
  let written = 0
  const count = (chunk: Buffer): Buffer => {
    written += chunk.length
    return chunk
  }
  yield count(
    Buffer.concat([tarHeader({ path: 'manifest.json', bytes: text.length }, seconds), text, tarPadding(text.length)]),
  )
  for (const { file, content } of parts) {
    yield count(tarHeader(file, seconds))
    for await (const chunk of content()) yield count(chunk)
    yield count(tarPadding(file.bytes))
  }
  yield tarEnd(written)
}

/** One document: the manifest, a member for each file of rows, and the logs. */
async function* jsonOf({ manifest, parts }: Contents): AsyncGenerator<Buffer, void> {
  yield Buffer.from(`{"schema":"${exportSchema}","manifest":${canonicalJson(manifest)}`)
  for (const name of rowNames) {
    yield Buffer.from(`,"${name}":`)
    yield (await whole(parts.find(({ file }) => file.path === rowPath(name))!)).subarray(0, -1)
  }
  yield Buffer.from(',"logs":[')
  let left = largestLogs
  let comma = ''
  for (const part of parts) {
    const { path, task, bytes } = part.file
    if (task === undefined) continue
    const isIn = bytes <= largestLog && bytes <= left
    if (isIn) left -= bytes
    const content = isIn ? encoded(await whole(part)) : { encoding: 'none' }
    yield Buffer.from(`${comma}${JSON.stringify({ path, task, ...content })}`)
    comma = ','
  }
  yield Buffer.from(']}\n')
}

const encoded = (bytes: Buffer): { readonly encoding: string; readonly text: string } =>
  isUtf8(bytes)
    ? { encoding: 'utf8', text: bytes.toString('utf8') }
    : { encoding: 'base64', text: bytes.toString('base64') }

async function whole({ content }: Part): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of content()) chunks.push(chunk)
  return Buffer.concat(chunks)
}
