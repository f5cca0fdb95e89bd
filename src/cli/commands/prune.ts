import { statSync } from 'node:fs'
import { join } from 'node:path'
import { storeFailure } from '../../store/open.ts'
import { compact, type PruneChoice, prunable, pruneRun, removeFolder, sizeOf, strayFolders } from '../../store/prune.ts'
import type { StoredRun } from '../../store/read.ts'
import type { Store } from '../../store/store.ts'
import { failure } from '../../util/diagnostics.ts'
import { stateFolder } from '../../util/paths.ts'
import { formatSize } from '../../util/units.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { readCount, readDuration, rootOf } from '../looks/options.ts'
import { isoOf } from '../looks/times.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../render/events.ts'
import { openRunsIfAny } from '../run/store.ts'

export interface PruneOptions {
  /** Of each project so many of the newest runs stay. */
  readonly keep?: string
  /** Only runs that ended longer ago than this. */
  readonly olderThan?: string
  /** Of every project. */
  readonly all?: boolean
}

/** `dwf prune:runs`: removes whole runs, which leave a tombstone each. */
export async function prune(
  selector: string | undefined,
  options: PruneOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  if (selector !== 'runs')
    throw failure(
      'wrong-input',
      'usage',
      `this version of dwf prunes runs and nothing else${selector === undefined ? '' : `: there is no prune:${selector}`}`,
      'dwf prune:runs --keep 20; the caches of a repository are in its .cache/devflow, and can be deleted',
    )
  const limits = readLimits(options)
  const root = options.all ? undefined : await rootOf(globals)
  const choice: PruneChoice = { ...limits, ...(root === undefined ? {} : { root }) }
  const store = await openRunsIfAny(output)
  try {
    return store ? pruneRuns(store, choice, globals, output) : told([], 0, globals, output)
  } catch (error) {
    throw store ? storeFailure(error, store.file) : error
  } finally {
    store?.close()
  }
}

function readLimits({ keep, olderThan }: PruneOptions): PruneChoice {
  if (keep === undefined && olderThan === undefined)
    throw failure(
      'wrong-input',
      'usage',
      'prune:runs needs to know which runs go',
      'dwf prune:runs --keep 20, or --older-than 30d, or both; --dry-run shows what goes',
    )
  return {
    ...(keep === undefined ? {} : { keep: readCount('--keep', keep) }),
    ...(olderThan === undefined ? {} : { before: Date.now() - readDuration('--older-than', olderThan, '30d') }),
  }
}

function pruneRuns({ database, file }: Store, choice: PruneChoice, globals: Globals, output: Output): number {
  const folder = join(stateFolder(), 'runs')
  const now = Date.now()
  const going = prunable(database, choice)
  if (globals.dryRun) {
    const strays = strayFolders(database, folder, now)
    const bytes = [...going.map(({ id }) => id), ...strays].reduce((sum, name) => sum + sizeOf(join(folder, name)), 0)
    return told(going, bytes, globals, output, strays)
  }
  const removed = going.filter(({ id }) => pruneRun(database, id, now))
  // Those of the runs are strays now, beside what was left by whoever was killed.
  const strays = strayFolders(database, folder, now)
  const freed = strays.reduce((sum, name) => sum + removeFolder(database, folder, name, now), 0)
  const compacted = removed.length === 0 ? 0 : compact(database)
  if (compacted === undefined)
    output.talk(
      `${file} keeps its ${formatSize(statSync(file).size)}: a run is going on; what is free in it is used again`,
    )
  const others = strays.filter((name) => !removed.some(({ id }) => id === name))
  return told(removed, freed + (compacted ?? 0), globals, output, others)
}

function told(
  runs: readonly StoredRun[],
  bytes: number,
  globals: Globals,
  output: Output,
  folders: readonly string[] = [],
): number {
  if (globals.json) {
    const shown = runs.map(({ id, title, root, state, startedAt }) => ({ id, title, root, state, startedAt }))
    output.json({ schema: 'dwf.prune/1', dryRun: globals.dryRun, runs: shown, folders, bytes })
    return exitCodes.ok
  }
  const [remove, free] = globals.dryRun ? ['would remove', 'would free at least'] : ['removed', 'freed']
  for (const { id, title, startedAt, state } of runs)
    output.result(oneLine(`${remove} ${id}  ${isoOf(startedAt)}  ${state}  ${title}`))
  for (const name of folders) output.result(oneLine(`${remove} the folder ${name}, which belongs to no run`))
  output.result(runs.length + folders.length === 0 ? 'nothing to prune' : `${free} ${formatSize(bytes)}`)
  return exitCodes.ok
}
