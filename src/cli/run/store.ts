import { chooseEngine } from '../../engine/choose.ts'
import { reapHost, sessionMark } from '../../engine/host-reap.ts'
import { reapDead } from '../../run/reap.ts'
import { openStore, openStoreIfAny, type Store } from '../../store/store.ts'
import { stateFolder } from '../../util/paths.ts'
import type { Output } from '../output.ts'

/**
 * The store of runs, in order: runs whose dwf went away are marked as interrupted, and what they left running is ended,
 * before anything else is done with it.
 */
export async function openRuns(output: Pick<Output, 'talk'>): Promise<Store> {
  const store = await openStore(stateFolder())
  await settle(store, output)
  return store
}

/** The same for what only looks: undefined where there never was a run. */
export async function openRunsIfAny(output: Pick<Output, 'talk'>): Promise<Store | undefined> {
  const store = await openStoreIfAny(stateFolder())
  if (store) await settle(store, output)
  return store
}

/** First what they left is ended, then they are marked: whoever is killed in between leaves it to the next. */
async function settle(store: Store, output: Pick<Output, 'talk'>): Promise<void> {
  const dead = store.findDead()
  for (const { id, session } of dead) reapHost(sessionMark(id, session))
  for (const engine of new Set(dead.flatMap((run) => run.engine ?? []))) await reapContainers(engine, output)
  if (dead.length === 0) return
  for (const { id } of store.settleDead())
    output.talk(`run ${id} was interrupted: its dwf is gone; dwf resume ${id} goes on with it`)
}

/** What cannot be removed now is removed by the next run: its engine looks for what dead ones left. */
async function reapContainers(name: string, output: Pick<Output, 'talk'>): Promise<void> {
  try {
    await reapDead(await chooseEngine(name === 'docker' ? 'docker' : 'podman'))
  } catch (error) {
    output.talk(`the containers of a run that was interrupted could not be looked for: ${(error as Error).message}`)
  }
}
