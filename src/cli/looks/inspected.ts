import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Plan } from '../../plan/types.ts'
import { logFiles } from '../../run/log.ts'
import { headOf } from '../../store/append.ts'
import { readAttempts, readPlan, type StoredAttempt } from '../../store/read.ts'
import type { Store } from '../../store/store.ts'
import { stateFolder } from '../../util/paths.ts'
import { type LookedRun, lookAt } from './looked.ts'

/** All that is known of a run. */
export interface InspectedRun extends LookedRun {
  readonly plan: Plan
  /** What it was asked for with. */
  readonly options: Readonly<Record<string, unknown>>
  readonly attempts: ReadonlyMap<string, readonly StoredAttempt[]>
  /** The end of its record. */
  readonly audit: { readonly events: number; readonly head: string }
  /** Absolute paths; of the logs only those that are there. */
  readonly files: {
    readonly store: string
    readonly folder: string
    readonly logs: Readonly<Record<string, string>>
  }
}

export function inspectRun(store: Store, id: string, now: number): InspectedRun {
  const { database } = store
  const { plan, options } = readPlan(database, id)
  const looked = lookAt(store, id, now)
  const { sequence, hash } = headOf(database, id)
  const folder = join(stateFolder(), 'runs', id)
  const logs = looked.tasks.flatMap((task): [string, string][] => {
    const { log } = logFiles(join(folder, 'logs'), task.id)
    return existsSync(log) ? [[task.id, log]] : []
  })
  return {
    ...looked,
    plan,
    options: options as Readonly<Record<string, unknown>>,
    attempts: Map.groupBy(readAttempts(database, id), ({ task }) => task),
    audit: { events: sequence, head: hash },
    files: { store: store.file, folder, logs: Object.fromEntries(logs) },
  }
}
