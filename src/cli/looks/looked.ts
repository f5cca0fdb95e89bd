import { type LeaseRow, leaseOf } from '../../store/leases.ts'
import { elapsedOf } from '../../store/query.ts'
import { readRun, readTasks, type StoredRun, type StoredTask } from '../../store/read.ts'
import type { Store } from '../../store/store.ts'
import { failure } from '../../util/diagnostics.ts'

/** A run as it is at one moment. */
export interface LookedRun {
  readonly run: StoredRun
  readonly tasks: readonly StoredTask[]
  readonly elapsedMs: number
  /** Which dwf has it, while it runs. */
  readonly holder?: LeaseRow
}

/** @throws Failure('wrong-input') when it is not there any more */
export function lookAt({ database }: Pick<Store, 'database'>, id: string, now: number): LookedRun {
  const run = readRun(database, id)
  if (!run) throw failure('wrong-input', 'no-run', `run ${id} is not there any more`, 'dwf runs shows those there are')
  const holder = leaseOf(database, id)
  return {
    run,
    tasks: readTasks(database, id),
    elapsedMs: elapsedOf(database, id, now),
    ...(holder ? { holder } : {}),
  }
}
