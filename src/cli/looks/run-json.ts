import type { LeaseRow } from '../../store/leases.ts'
import type { ListedRun } from '../../store/query.ts'
import type { StoredAttempt, StoredRun, StoredTask } from '../../store/read.ts'
import { tallyOf } from '../render/states.ts'
import { isoOf } from './times.ts'

const time = <K extends string>(key: K, at: number | undefined): Partial<Record<K, string>> =>
  at === undefined ? {} : ({ [key]: isoOf(at) } as Record<K, string>)

/** A run for other programs: the same members in every document; times in ISO 8601, durations in ms. */
export function runJson(run: StoredRun, elapsedMs: number) {
  const { startedAt, endedAt, importedAt, ms: _, ...rest } = run
  return {
    ...rest,
    startedAt: isoOf(startedAt),
    ...time('endedAt', endedAt),
    ms: elapsedMs,
    ...time('importedAt', importedAt),
  }
}

export function listedJson({ elapsedMs, tasks, ...run }: ListedRun) {
  return { ...runJson(run, elapsedMs), tasks: { ...tallyOf(tasks), states: tasks } }
}

export function taskJson({ startedAt, endedAt, ...task }: StoredTask) {
  return { ...task, ...time('startedAt', startedAt), ...time('endedAt', endedAt) }
}

export function attemptJson({ task: _, startedAt, endedAt, ...attempt }: StoredAttempt) {
  return { ...attempt, startedAt: isoOf(startedAt), ...time('endedAt', endedAt) }
}

/** Who has a run. */
export const holderJson = ({ pid, host, heartbeat }: LeaseRow) => ({ pid, host, heartbeat: isoOf(heartbeat) })
