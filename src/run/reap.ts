import type { Engine } from '../engine/types.ts'
import { isAlive, readHolderWord } from '../util/lock.ts'

/** Removes containers whose dwf is no more: killed with -9, or lost with its terminal. */
export async function reapDead(engine: Engine): Promise<void> {
  for (const { id, labels } of await engine.containers('dev.dwf.run')) {
    const owner = readHolderWord(labels['dev.dwf.owner'] ?? '')
    if (owner && !isAlive(owner)) await engine.removeContainer(id)
  }
}
