import { isFailure, isGood, type Outcome } from '../../run/types.ts'
import type { RunState, TaskState } from '../../store/journal.ts'
import type { TaskCounts } from '../../store/query.ts'
import type { StoredTask } from '../../store/read.ts'
import type { Style } from './style.ts'

type Format = Parameters<Style>[0]
type Look = readonly [sign: string, format: Format, word: string]

const tasks: Readonly<Record<TaskState, Look>> = {
  waiting: ['·', 'dim', 'waiting'],
  running: ['●', 'cyan', 'running'],
  interrupted: ['■', 'yellow', 'interrupted'],
  passed: ['✔', 'green', 'passed'],
  current: ['✔', 'green', 'up to date'],
  ignored: ['!', 'yellow', 'failed, and may'],
  skipped: ['–', 'dim', 'skipped'],
  failed: ['✖', 'red', 'failed'],
  'timed-out': ['✖', 'red', 'timed out'],
  lost: ['✖', 'red', 'lost'],
  cancelled: ['■', 'yellow', 'cancelled'],
  'not-run': ['–', 'dim', 'not run'],
}

/** How a state looks, also one that this dwf does not know. */
export const lookOf = (state: TaskState): Look => (Object.hasOwn(tasks, state) ? tasks[state] : ['?', 'dim', state])

const runs: Readonly<Record<RunState, readonly [format: Format, word: string]>> = {
  running: ['cyan', 'running'],
  passed: ['green', 'passed'],
  failed: ['red', 'failed'],
  cancelled: ['yellow', 'cancelled'],
  'timed-out': ['red', 'timed out'],
  interrupted: ['yellow', 'interrupted'],
}

export const runStates = Object.keys(runs) as readonly RunState[]
export const runLook = (state: RunState): readonly [format: Format, word: string] => runs[state]

/** `failed (exit 1), 2 attempts`; of a gate what it decided. */
export function saysOf({ state, code, attempts, gate }: StoredTask): string {
  const word = gate === 'broken' ? 'did not run' : gate === 'refused' ? 'refused' : lookOf(state)[2]
  const exit = code !== undefined && code !== 0 ? ` (exit ${code})` : ''
  return `${word}${exit}${attempts > 1 ? `, ${attempts} attempts` : ''}`
}

/** Time of the last attempts, ms; undefined where there is none to tell. */
export function timeOfTask({ state, ms, startedAt, endedAt }: StoredTask, now: number): number | undefined {
  if (state === 'running') return startedAt === undefined ? undefined : Math.max(0, now - startedAt)
  if (state === 'interrupted') return startedAt === undefined ? undefined : Math.max(0, (endedAt ?? now) - startedAt)
  return ['waiting', 'not-run', 'current', 'skipped'].includes(state) ? undefined : ms
}

export interface Tally {
  readonly total: number
  /** What needs it can go on. */
  readonly done: number
  readonly failed: number
}

export function tallyOf(counts: TaskCounts): Tally {
  const sum = (test: (outcome: Outcome) => boolean) =>
    Object.entries(counts).reduce((total, [state, count]) => total + (test(state as Outcome) ? count : 0), 0)
  return { total: sum(() => true), done: sum(isGood), failed: sum(isFailure) }
}

/** `5/7, 1 failed`. */
export const tallyText = ({ total, done, failed }: Tally): string =>
  `${done}/${total}${failed > 0 ? `, ${failed} failed` : ''}`
