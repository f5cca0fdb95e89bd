export { type CiStart, missingFrom, type Needs, type PartReport, readNeeds, readStart } from './gate.ts'
export { type HardenChange, hardenWorkflow } from './harden/index.ts'
export { lintSarif, lintWorkflow } from './lint/index.ts'
export { lintOwn } from './lint/own.ts'
export { type Loosening, loosenings, type PolicyState } from './loosening.ts'
export {
  baseFolder,
  driftOf,
  type Generation,
  type Outcome,
  outcomeDiff,
  type Preference,
  planGeneration,
  unifiedDiff,
} from './merge/index.ts'
export type { Workflow } from './model/index.ts'
export { ciParts, type TargetPlans } from './parts.ts'
export { hasJobNamed } from './reading/job-names.ts'
export { ciTargets, commandsOf, isOnChange } from './targets.ts'
export type { GeneratedFile } from './types.ts'
export {
  type CiInput,
  type CiPart,
  type CiTarget,
  codeownersLines,
  generatedFiles,
  securityPolicy,
  unguarded,
  workflowsOf,
} from './workflows/index.ts'
