import { hashOf } from '../util/canonical.ts'
import type { Plan, PlannedTask } from './types.ts'

/** Hash of a plan, also of one that only looks like one. Where a setting came from is shown, but the same value from another source is the same plan. */
export function hashOfPlan(plan: Omit<Plan, 'hash'>): string {
  const { settings, hash, ...hashed } = plan as Plan
  const values = Object.fromEntries(Object.entries(settings ?? {}).map(([key, setting]) => [key, setting?.value]))
  return hashOf({ ...hashed, settings: values })
}

export function hashOfTask(task: Omit<PlannedTask, 'hash'>): string {
  const { hash, ...hashed } = task as PlannedTask
  return hashOf(hashed)
}
