import { join, resolve } from 'node:path'
import { backupDatabase } from '../../store/backup.ts'
import { storeFailure } from '../../store/open.ts'
import { failure } from '../../util/diagnostics.ts'
import { hashFile } from '../../util/files.ts'
import { stateFolder } from '../../util/paths.ts'
import { formatSize } from '../../util/units.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../render/events.ts'
import { openRunsIfAny } from '../run/store.ts'

/** `dwf runs backup FILE`: a copy of the database, whole and looked at, also while runs are going on. */
export async function runsBackup(name: string | undefined, globals: Globals, output: Output): Promise<number> {
  if (name === undefined || name === '')
    throw failure('wrong-input', 'usage', 'runs backup needs the name of a new file', 'dwf runs backup runs.db')
  const file = resolve(globals.cwd, name)
  const store = await openRunsIfAny(output)
  if (!store) throw failure('wrong-input', 'no-run', 'there was no run here yet: there is nothing to copy')
  try {
    if (globals.dryRun) {
      output.result(oneLine(`would copy ${store.file} to ${file}`))
      return exitCodes.ok
    }
    const { bytes } = await backupDatabase(store.database, file).catch((error) => {
      throw storeFailure(error, store.file)
    })
    const logs = join(stateFolder(), 'runs')
    const sha256 = hashFile(file)
    if (globals.json) output.json({ schema: 'dwf.backup/1', file, bytes, sha256, logs })
    else {
      output.result(oneLine(`${file}  ${formatSize(bytes)}  sha256 ${sha256}`))
      output.talk(`logs are not in it: they are below ${logs}`)
    }
    return exitCodes.ok
  } finally {
    store.close()
  }
}
