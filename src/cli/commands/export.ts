import { createWriteStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Contents, contentsOf } from '../../archive/contents.ts'
import { type ExportFormat, exportFormats, largestLog, writeExport } from '../../archive/write.ts'
import { exportRows } from '../../store/export-rows.ts'
import { storeFailure } from '../../store/open.ts'
import { failure } from '../../util/diagnostics.ts'
import { hashFile } from '../../util/files.ts'
import { newFile, requireNew } from '../../util/new-file.ts'
import { stateFolder } from '../../util/paths.ts'
import { formatSize } from '../../util/units.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { oneOf } from '../looks/options.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../render/events.ts'
import { findRun } from '../run/find-run.ts'
import { openRunsIfAny } from '../run/store.ts'
import { onSignals } from '../signals.ts'
import { version } from '../version.ts'

export interface ExportOptions {
  readonly format?: string
  /** Standard output when it is not given. */
  readonly output?: string
}

/** `dwf export [RUN]`: everything that is kept of a run, in one file that can be verified. */
export async function exportRun(
  word: string | undefined,
  options: ExportOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  const { format, file } = readOptions(options, globals)
  const store = await openRunsIfAny(output)
  const signals = onSignals(undefined)
  try {
    const run = await findRun(store, word, globals)
    if (run.state === 'running')
      throw failure('refused', 'run-is-alive', `run ${run.id} is going on`, 'export it when it has ended')
    if (file !== undefined && !globals.dryRun) requireNew(file)
    const rows = exportRows(store!.database, run.id)!
    const logs = join(stateFolder(), 'runs', run.id, 'logs')
    const contents = await contentsOf(rows, logs, { dwf: version, signal: signals.signal })
    say(contents, format, output)
    if (globals.dryRun) {
      for (const one of contents.manifest.files) output.result(`${one.path}  ${formatSize(one.bytes)}`)
      return exitCodes.ok
    }
    const bytes = Readable.from(writeExport(contents, format), { objectMode: false })
    if (file === undefined) {
      await pipeline(bytes, process.stdout, { end: false, signal: signals.signal }).catch(quietly)
      return exitCodes.ok
    }
    await newFile(file, (temporary) => pipeline(bytes, createWriteStream(temporary), { signal: signals.signal }))
    const { head, redacted } = contents.manifest
    const digest = hashFile(file)
    if (globals.json)
      output.json({ schema: 'dwf.exported/1', run: run.id, file, format, sha256: digest, head, redacted })
    else output.result(`${oneLine(file)}  sha256 ${digest}`)
    return exitCodes.ok
  } catch (error) {
    const exit = signals.exitCode()
    if (exit === undefined) throw store ? storeFailure(error, store.file) : error
    return exit
  } finally {
    signals.dispose()
    store?.close()
  }
}

function readOptions(
  options: ExportOptions,
  globals: Globals,
): { readonly format: ExportFormat; readonly file?: string } {
  const isJsonOut = globals.json && options.output === undefined && !globals.dryRun
  const format = oneOf('--format', options.format ?? (isJsonOut ? 'json' : 'tar'), exportFormats)
  if (isJsonOut && format !== 'json')
    throw failure(
      'wrong-input',
      'usage',
      '--json says where the export is: it needs -o FILE',
      'dwf export RUN -o FILE --json',
    )
  if (options.output === undefined && process.stdout.isTTY && !globals.dryRun)
    throw failure('wrong-input', 'usage', 'an export is not for a terminal', `dwf export RUN -o run.${format}`)
  return {
    format,
    ...(options.output === undefined ? {} : { file: resolve(globals.cwd, options.output) }),
  }
}

function say({ manifest, verdict }: Contents, format: ExportFormat, output: Output): void {
  const { places, events } = manifest.redacted
  if (!verdict.ok)
    output.talk(
      `run ${manifest.run} does not fit together: dwf audit ${manifest.run} --verify says where; it is exported as it is`,
    )
  if (places > 0)
    output.talk(`redacted: ${places === 1 ? '1 place that looks' : `${places} places that look`} like a secret`)
  if (events.length > 0)
    output.talk(`of these some are in events, which cannot be held against their hashes any more: ${events.join(', ')}`)
  const long = manifest.files.filter(({ task, bytes }) => task !== undefined && bytes > largestLog)
  if (format === 'json' && long.length > 0)
    output.talk(
      `only with size and digest, for they are longer than ${formatSize(largestLog)}: ${long.map(({ path }) => path).join(', ')}; --format tar has them whole`,
    )
}

/** The reader went away (`dwf export … | head`): what it wanted it has. */
function quietly(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
}
