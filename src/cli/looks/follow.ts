import { setTimeout as sleep } from 'node:timers/promises'
import { holds, leaseOf } from '../../store/leases.ts'
import { readRun } from '../../store/read.ts'
import type { Store } from '../../store/store.ts'
import type { Output } from '../output.ts'
import { openRunsIfAny } from '../run/store.ts'

/**
 * Looks at a run again and again until it ends. When its dwf is gone, that is said, and it is the end too.
 * @param look once a turn; the last time when the run has ended
 * @param goesOnLooking false when nobody wants to see more
 */
export async function follow(
  store: Store,
  run: string,
  everyMs: number,
  output: Pick<Output, 'talk'>,
  look: (isEnd: boolean) => void | Promise<void>,
  goesOnLooking: () => boolean = () => true,
): Promise<void> {
  for (;;) {
    // Asked for before the look, so that the last look sees all.
    const isEnd = !(await goesOn(store, run, output))
    await look(isEnd)
    if (isEnd || !goesOnLooking()) return
    await sleep(everyMs)
  }
}

async function goesOn({ database }: Store, id: string, output: Pick<Output, 'talk'>): Promise<boolean> {
  if (readRun(database, id)?.state !== 'running') return false
  const lease = leaseOf(database, id)
  if (lease && holds(lease, Date.now())) return true
  // Opening the runs marks those whose dwf is gone, says so, and ends what they left running.
  const settled = await openRunsIfAny(output)
  settled?.close()
  return readRun(database, id)?.state === 'running' && leaseOf(database, id) !== undefined
}
