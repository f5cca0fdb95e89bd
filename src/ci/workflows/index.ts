import { byCodeUnit } from '../../util/text.ts'
import { renderWorkflow, type Workflow } from '../model/index.ts'
import type { GeneratedFile } from '../types.ts'
import { ciWorkflow, nightlyWorkflow } from './checks.ts'
import { codeqlWorkflow } from './codeql.ts'
import { dependabotConfig } from './dependabot.ts'
import type { CiInput } from './input.ts'
import { publishWorkflow, releaseWorkflow } from './release.ts'

export type { CiInput, CiPart, CiTarget } from './input.ts'
export { codeownersLines, securityPolicy, unguarded } from './owners.ts'

/** The workflows of a repository. Pure. */
export function workflowsOf(input: CiInput): readonly Workflow[] {
  return [
    ciWorkflow(input),
    nightlyWorkflow(input),
    ...(input.ci.codeScanning && !input.hasCodeql ? [codeqlWorkflow(input)] : []),
    ...(input.ci.publish && input.hasImage ? [releaseWorkflow(input), publishWorkflow(input)] : []),
  ]
}

/** What dwf writes and keeps up to date; the same input gives the same bytes. Pure. */
export function generatedFiles(input: CiInput): readonly GeneratedFile[] {
  const files = workflowsOf(input).map((workflow) => ({
    path: `.github/workflows/${workflow.file}`,
    content: renderWorkflow(workflow, input.dwf),
  }))
  return [...files, { path: '.github/dependabot.yml', content: dependabotConfig(input) }].sort((a, b) =>
    byCodeUnit(a.path, b.path),
  )
}
