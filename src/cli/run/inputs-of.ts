import type { PlannedTask } from '../../plan/types.ts'
import { inputsHash } from '../../project/inputs.ts'

/**
 * Hash of the files that a task is made from: its lock files, or what `inputs` names. Undefined where it names none: then
 * only its definition is known.
 */
export function inputsOf(root: string, { lockFiles, inputs }: PlannedTask): string | undefined {
  const patterns = lockFiles ?? inputs
  return patterns?.length ? inputsHash(root, patterns) : undefined
}
