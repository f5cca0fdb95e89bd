import type { Finding } from '../../engine/doctor.ts'
import {
  auditNewest,
  type HeldLock,
  heldLocks,
  integrityProblems,
  type StaleRun,
  staleRuns,
  storeVersion,
} from '../../store/health.ts'
import type { Store } from '../../store/store.ts'
import { formatDuration, formatSize } from '../../util/units.ts'
import { bad, good } from './files.ts'

/** How many of the newest runs are held against their records. */
const audited = 20

/** What is wrong inside of the store. */
export function examineStore(store: Store, bytes: number, now: number): readonly Finding[] {
  const { database, file } = store
  const problems = integrityProblems(database)
  if (problems.length > 0)
    return [
      bad(
        'store',
        `${file} is damaged: ${problems.join('; ')}`,
        'restore a backup of it, or move it away and begin anew',
      ),
    ]
  const { has } = storeVersion(database)
  return [
    good('store', `${file}, version ${has}, ${formatSize(bytes)}`),
    ...examineRuns(store, now),
    ...examineRecords(store),
    ...heldLocks(database, now).map((lock) => lockFinding(lock, now)),
  ]
}

function examineRuns({ database }: Store, now: number): readonly Finding[] {
  const { gone, interrupted } = staleRuns(database, now)
  const named = (run: StaleRun) => `${run.title}, run ${run.id}`
  const findings = [
    ...gone.map((run) =>
      bad(
        'runs',
        `${named(run)}, is marked as running, and its dwf is gone`,
        `dwf status ${run.id} marks it and clears up`,
      ),
    ),
    ...interrupted.map((run) =>
      bad(
        'runs',
        `${named(run)}, was interrupted`,
        `dwf resume ${run.id} goes on with it; dwf prune:runs removes old ones`,
      ),
    ),
  ]
  return findings.length > 0 ? findings : [good('runs', 'none waits for somebody')]
}

function examineRecords({ database }: Store): readonly Finding[] {
  const verdicts = auditNewest(database, audited)
  const broken = verdicts.filter(({ ok }) => !ok)
  if (broken.length === 0)
    return [
      good(
        'records',
        `${verdicts.length === 1 ? 'the newest run fits its chain' : `the newest ${verdicts.length} runs fit their chains`}`,
      ),
    ]
  return broken.map(({ run, misfits: [first] }) =>
    bad(
      'records',
      `run ${run} was changed: ${first!.where}: ${first!.why}`,
      `dwf audit ${run} --verify says more; hold it against a backup, and against the head that its summary ended with`,
    ),
  )
}

function lockFinding({ name, run, takenAt, isAlive }: HeldLock, now: number): Finding {
  const held = `the lock ${name} is held by run ${run} for ${formatDuration(Math.max(0, now - takenAt))}`
  return isAlive ? good('locks', held) : bad('locks', `${held}, and its dwf is gone`, `dwf status ${run} frees it`)
}
