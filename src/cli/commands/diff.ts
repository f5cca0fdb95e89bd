import { readPlan, type StoredRun } from '../../store/read.ts'
import type { Store } from '../../store/store.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { type ComparedRun, compareTwo } from '../looks/differences.ts'
import { lookAt } from '../looks/looked.ts'
import { runJson } from '../looks/run-json.ts'
import type { Output } from '../output.ts'
import { renderDifference } from '../render/difference.ts'
import { findRun } from '../run/find-run.ts'
import { openRunsIfAny } from '../run/store.ts'

/** `dwf diff A B`: what differs between two runs; 1 when anything but times does. */
export async function diff(a: string, b: string, globals: Globals, output: Output): Promise<number> {
  const store = await openRunsIfAny(output)
  try {
    const runs = [await findRun(store, a, globals), await findRun(store, b, globals)] as const
    const now = Date.now()
    const [old, fresh] = [withPlan(store!, runs[0], now), withPlan(store!, runs[1], now)]
    const difference = compareTwo(old, fresh)
    if (globals.json)
      output.json({
        schema: 'dwf.diff/1',
        a: runJson(old.run, old.elapsedMs),
        b: runJson(fresh.run, fresh.elapsedMs),
        ...difference,
      })
    else for (const line of renderDifference(difference, [old, fresh], output.style)) output.result(line)
    return difference.same ? exitCodes.ok : exitCodes.failed
  } finally {
    store?.close()
  }
}

function withPlan(store: Store, { id }: StoredRun, now: number): ComparedRun & { readonly elapsedMs: number } {
  return { ...lookAt(store, id, now), plan: readPlan(store.database, id).plan }
}
