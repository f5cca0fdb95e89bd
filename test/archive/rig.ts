import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { contentsOf } from '../../src/archive/contents.ts'
import { readExport } from '../../src/archive/read.ts'
import { type ExportFormat, writeExport } from '../../src/archive/write.ts'
import { exportRows } from '../../src/store/export-rows.ts'
import { canonicalJson } from '../../src/util/canonical.ts'
import { readTar, tarEnd, tarHeader, tarPadding } from '../../src/util/tar.ts'
import { type MadeRun, makeRun, temporaryStore } from '../store/made-runs.ts'

export const id = 'r1'

/** A run with two logs, one of them of no text, and what exports and reads it. */
export async function rig(t: TestContext, made: Partial<MadeRun> = {}) {
  const { store, runs, folder } = await temporaryStore(t)
  await makeRun(store, runs, {
    id,
    logs: { build: 'built\n', test: Buffer.from([0xff, 0x00, 0x0a]) },
    results: { test: { outcome: 'failed', code: 3, reason: 'it broke', outputs: { tag: 'v1' } } },
    ...made,
  })
  const contents = () => contentsOf(exportRows(store.database, id)!, join(runs, id, 'logs'), { dwf: '0.1.0' })
  const file = join(folder, 'x')
  const read = async (bytes: Buffer) => {
    writeFileSync(file, bytes)
    return readExport(file)
  }
  return {
    store,
    runs,
    folder,
    file,
    contents,
    read,
    bytes: async (format: ExportFormat) => Buffer.concat(await collect(writeExport(await contents(), format))),
    refused: async (bytes: Buffer, why: string) =>
      assert.rejects(read(bytes), { kind: 'wrong-input', message: `${file} is no export that dwf reads: ${why}` }, why),
  }
}

export interface File {
  path: string
  content: Buffer
}

export async function filesOf(bytes: Buffer): Promise<File[]> {
  const files: File[] = []
  for await (const { path, content } of readTar(
    (async function* () {
      yield bytes
    })(),
  ))
    files.push({ path, content: Buffer.concat(await collect(content)) })
  return files
}

export function packed(files: readonly File[]): Buffer {
  const parts = files.flatMap(({ path, content }) => [
    tarHeader({ path, bytes: content.length }, 0),
    content,
    tarPadding(content.length),
  ])
  const whole = Buffer.concat(parts)
  return Buffer.concat([whole, tarEnd(whole.length)])
}

/** Another value at a place such as `files.2.bytes`; undefined takes it out. */
export type Edit = readonly [place: string, value: unknown]

export function edited(document: unknown, edits: readonly Edit[]): Record<string, unknown> {
  const copy = structuredClone(document) as Record<string, unknown>
  for (const [place, value] of edits) {
    const names = place.split('.')
    const last = names.pop()!
    const holder = names.reduce((at, name) => at[name] as Record<string, unknown>, copy)
    if (value === undefined && Array.isArray(holder)) holder.splice(Number(last), 1)
    else if (value === undefined) delete holder[last]
    else holder[last] = value
  }
  return copy
}

/** An archive with another manifest, or other files. */
export async function changed(
  bytes: Buffer,
  edits: readonly Edit[],
  change: (files: File[]) => void = () => {},
): Promise<Buffer> {
  const [first, ...files] = await filesOf(bytes)
  change(files)
  const manifest = edited(JSON.parse(first!.content.toString()), edits)
  return packed([{ path: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)) }, ...files])
}

/** An export as JSON with other rows, and a manifest that has their digests. */
export function withRows(json: Buffer, edits: readonly Edit[]): Buffer {
  const document = edited(JSON.parse(json.toString()), edits)
  const { files } = document.manifest as { files: { path: string; task?: string; bytes: number; sha256: string }[] }
  for (const one of files) {
    if (one.task !== undefined) continue
    const text = `${canonicalJson(document[one.path.slice(0, -'.json'.length)])}\n`
    one.bytes = Buffer.byteLength(text)
    one.sha256 = createHash('sha256').update(text).digest('hex')
  }
  return Buffer.from(JSON.stringify(document))
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
