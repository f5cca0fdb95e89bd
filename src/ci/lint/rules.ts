import type { FileRule } from '../../scan/rules/types.ts'
import type { WorkflowFile } from '../../scan/rules/workflow-model.ts'
import { workflowRules } from '../../scan/rules/workflows.ts'
import type { FindingSeverity } from '../../scan/types.ts'
import { byCodeUnit } from '../../util/text.ts'
import { cacheRules } from './caches.ts'
import { gateRules } from './gate.ts'
import { jobRules } from './jobs.ts'
import { packageRules } from './packages.ts'
import { permissionRules } from './permissions.ts'
import { pinRules } from './pins.ts'
import { triggerRules } from './triggers.ts'
import type { LintRule } from './types.ts'

/** The rules of the house, in the order of their ids. */
export const lintRules: readonly LintRule[] = [
  ...permissionRules,
  ...pinRules,
  ...jobRules,
  ...triggerRules,
  ...packageRules,
  ...cacheRules,
  ...gateRules,
].sort((a, b) => byCodeUnit(a.id, b.id))

/** Rules of the gates of which the house has stricter ones, that look at each job: DWF-CI-001 and 002, 009, 008. */
const replaced: ReadonlySet<string> = new Set(['DWF-ACTIONS-010', 'DWF-ACTIONS-013', 'DWF-ACTIONS-016'])

/** The rules of the gates that hold here, too. */
export const sharedRules: readonly FileRule<WorkflowFile>[] = workflowRules.filter(({ id }) => !replaced.has(id))

/** Of low severity for the gates, and never in a workflow of the house: images without digest, foreign triggers. */
const strict: ReadonlySet<string> = new Set(['DWF-ACTIONS-004', 'DWF-ACTIONS-008'])

/** What a severity of the gates is here. */
export function levelOf(id: string, severity: FindingSeverity): 'error' | 'warning' {
  return severity === 'low' && !strict.has(id) ? 'warning' : 'error'
}
