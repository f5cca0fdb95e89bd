import { loadConfig } from '../../config/load.ts'
import { lastRun, runsLike, type StoredRun } from '../../store/read.ts'
import type { Store } from '../../store/store.ts'
import { failure } from '../../util/diagnostics.ts'
import type { Globals } from '../globals.ts'

/**
 * The run that a person means: by its id or the beginning of one, else the last one of this project.
 * @throws Failure('wrong-input') when there is none, or more than one
 */
export async function findRun(
  store: Store | undefined,
  word: string | undefined,
  globals: Pick<Globals, 'cwd' | 'config'>,
): Promise<StoredRun> {
  if (word === undefined) {
    const { cwd, config: file } = globals
    const { config } = await loadConfig({ cwd, ...(file ? { file } : {}) })
    const last = store && lastRun(store.database, config.root)
    if (last) return last
    throw failure('wrong-input', 'no-run', 'there was no run here yet', 'dwf runs --all shows those of other projects')
  }
  const found = store && word !== '' ? runsLike(store.database, word) : []
  const exact = found.find(({ id }) => id === word)
  if (exact) return exact
  if (found.length === 1) return found[0]!
  throw found.length === 0
    ? failure('wrong-input', 'no-run', `there is no run ${JSON.stringify(word)}`, 'dwf runs shows those there are')
    : failure(
        'wrong-input',
        'no-run',
        `${JSON.stringify(word)} is the beginning of several runs`,
        found.map(({ id }) => id).join(', '),
      )
}
