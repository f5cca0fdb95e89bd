import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { contentsOf } from '../../archive/contents.ts'
import type { Manifest } from '../../archive/manifest.ts'
import { type LogSink, type ReadExport, readExport } from '../../archive/read.ts'
import { logFiles } from '../../run/log.ts'
import { exportRows } from '../../store/export-rows.ts'
import { importRows } from '../../store/import-rows.ts'
import { inTransaction, storeFailure } from '../../store/open.ts'
import type { Store } from '../../store/store.ts'
import { tombstoneOf } from '../../store/tombstones.ts'
import { failure } from '../../util/diagnostics.ts'
import { privateFolder, stateFolder } from '../../util/paths.ts'
import { formatSize } from '../../util/units.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../render/events.ts'
import { openRuns } from '../run/store.ts'
import { onSignals } from '../signals.ts'
import { version } from '../version.ts'

/** `dwf import FILE`: holds an export against itself, and keeps it as a run that cannot go on. */
export async function importRun(
  name: string,
  options: { readonly verify?: boolean },
  globals: Globals,
  output: Output,
): Promise<number> {
  const file = resolve(globals.cwd, name)
  const signals = onSignals(undefined)
  try {
    if (options.verify || globals.dryRun) {
      const read = await readExport(file, { signal: signals.signal })
      return report(read, read.misfits.length === 0 ? 'verified' : 'does-not-fit', globals, output)
    }
    return await keep(file, signals.signal, globals, output)
  } catch (error) {
    const exit = signals.exitCode()
    if (exit === undefined) throw error
    return exit
  } finally {
    signals.dispose()
  }
}

async function keep(file: string, signal: AbortSignal, globals: Globals, output: Output): Promise<number> {
  const folder = privateFolder(join(privateFolder(stateFolder()), 'runs'))
  const incoming = mkdtempSync(join(folder, '.import-'))
  try {
    const logs = join(incoming, 'logs')
    mkdirSync(logs, { mode: 0o700 })
    const read = await readExport(file, {
      signal,
      onManifest: (manifest) => requireSpace(folder, manifest),
      sink: (task, kind) => fileSink(logFiles(logs, task)[kind]),
    })
    if (read.misfits.length > 0) return report(read, 'does-not-fit', globals, output)
    const store = await openRuns(output)
    try {
      return report(read, await settle(store, read, { folder, incoming }), globals, output)
    } catch (error) {
      throw storeFailure(error, store.file)
    } finally {
      store.close()
    }
  } finally {
    rmSync(incoming, { recursive: true, force: true })
  }
}

function requireSpace(folder: string, { files }: Manifest): void {
  const needed = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const { bavail, bsize } = statfsSync(folder)
  if (needed <= bavail * bsize) return
  throw failure(
    'machine-cannot',
    'no-space',
    `the run needs ${formatSize(needed)}, and ${folder} has ${formatSize(bavail * bsize)}`,
    'dwf prune:runs --dry-run says what goes',
  )
}

/** A file that was not there, on the disk when it ends. */
function fileSink(path: string): LogSink {
  const file = openSync(path, 'wx', 0o600)
  return {
    write(chunk) {
      for (let done = 0; done < chunk.length; ) done += writeSync(file, chunk, done)
    },
    end() {
      fsyncSync(file)
      closeSync(file)
    },
  }
}

type Came = 'verified' | 'imported' | 'there-already' | 'does-not-fit'

/** The rows and the folder, both or neither. */
async function settle(
  store: Store,
  { manifest, rows, verdict }: ReadExport,
  { folder, incoming }: { readonly folder: string; readonly incoming: string },
): Promise<Came> {
  const { database } = store
  const { run, head } = manifest
  const existing = exportRows(database, run)
  if (existing) {
    const { manifest: own } = await contentsOf(existing, join(folder, run, 'logs'), { dwf: version })
    requireSame(own, manifest)
    return 'there-already'
  }
  const stone = tombstoneOf(database, run)
  if (stone && (stone.head !== head.hash || stone.events !== head.sequence))
    throw failure(
      'refused',
      'not-the-pruned-run',
      `run ${run} was pruned here after ${stone.events} events with the head ${stone.head}: this one has ${head.sequence} with the head ${head.hash}`,
      'it is not the run that was here',
    )
  if (stone && verdict!.redacted.length > 0)
    throw failure(
      'refused',
      'not-the-pruned-run',
      `run ${run} was pruned here, and events of this export are redacted: ${verdict!.redacted.join(', ')}; what it says cannot be held against the head that is left of the run`,
      'import it where the run was not, in another XDG_STATE_HOME',
    )
  const target = join(folder, run)
  let isPlaced = false
  try {
    inTransaction(database, () => {
      importRows(database, rows!, Date.now())
      // Of an import that was killed, or a run that was pruned: no row is of it.
      rmSync(target, { recursive: true, force: true })
      renameSync(incoming, target)
      isPlaced = true
    })
  } catch (error) {
    if (isPlaced) rmSync(target, { recursive: true, force: true })
    throw error
  }
  return 'imported'
}

function requireSame(own: Manifest, other: Manifest): void {
  const files = new Map(own.files.map((file) => [file.path, file.sha256]))
  const differing =
    other.files.find(({ path, sha256 }) => files.get(path) !== sha256) ??
    own.files.find(({ path }) => !other.files.some((file) => file.path === path))
  if (!differing) return
  throw failure(
    'refused',
    'run-is-there',
    `run ${own.run} is there already, and is not the same: ${differing.path} differs`,
    `dwf audit ${own.run} --verify looks at the one that is here`,
  )
}

function report(read: ReadExport, came: Came, globals: Globals, output: Output): number {
  const { manifest, verdict, misfits, leftOut } = read
  const { run, head, redacted, files } = manifest
  const exit = misfits.length === 0 ? exitCodes.ok : exitCodes.failed
  if (globals.json) {
    output.json({ schema: 'dwf.import/1', run, came, head, redacted, files: files.length, leftOut, misfits })
    return exit
  }
  if (leftOut.length > 0) output.talk(oneLine(`logs that are not in it: ${leftOut.join(', ')}`))
  if (redacted.places > 0)
    output.talk(`redacted when it was exported: ${redacted.places === 1 ? '1 place' : `${redacted.places} places`}`)
  const unheld = verdict?.redacted ?? []
  if (unheld.length > 0) output.talk(`events that cannot be held against their hashes: ${unheld.join(', ')}`)
  for (const { where, why } of misfits) output.result(oneLine(`${where}: ${why}`))
  output.result(
    {
      verified: `run ${run} fits: ${files.length} files, ${head.sequence} events, head ${head.hash}; nothing was written`,
      imported: `run ${run} imported: ${files.length} files, ${head.sequence} events, head ${head.hash}`,
      'there-already': `run ${run} is there already, and is the same`,
      'does-not-fit': `run ${run} does not fit: nothing was kept`,
    }[came],
  )
  return exit
}
