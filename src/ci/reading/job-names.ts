import { get, textOf } from '../../scan/rules/yaml.ts'
import { isDiagnostic, readWorkflow } from './workflow.ts'

/** Whether a workflow has a job whose check has this name: two of one name on one commit cannot be told apart. */
export function hasJobNamed(name: string, path: string, text: string): boolean {
  const read = readWorkflow(path, text)
  if (isDiagnostic(read)) return false
  return read.file.jobs.some(({ id, map }) => (textOf(get(map, 'name')) ?? id) === name)
}
