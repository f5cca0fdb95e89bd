import { delimiter, isAbsolute, join } from 'node:path'
import type { Config } from '../config/types.ts'
import { type Diagnostic, Failure } from '../util/diagnostics.ts'
import { findWorkflow, listWorkflows } from '../workflows/find.ts'
import { readWorkflow } from '../workflows/read.ts'
import type { Workflow } from '../workflows/types.ts'

/** Where workflow files are: the folder of the repository, then those of `$WF_PATHS_WORKFLOWS`. */
export function workflowFolders(config: Pick<Config, 'root'>, env: NodeJS.ProcessEnv): readonly string[] {
  const more = (env.WF_PATHS_WORKFLOWS ?? '').split(delimiter).filter((path) => isAbsolute(path))
  return [join(config.root, 'workflows'), ...more]
}

export interface OpenOptions {
  /** A key that dwf does not know is an error. */
  readonly isStrict?: boolean
  /** Names of `--var`. */
  readonly variables?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}

/** @throws Failure('wrong-input') when there is no such workflow, or what is wrong with it, located */
export async function openWorkflow(
  config: Config,
  name: string,
  { isStrict = false, variables = [], env = process.env }: OpenOptions = {},
): Promise<{ readonly workflow: Workflow; readonly diagnostics: readonly Diagnostic[] }> {
  const found = findWorkflow(name, workflowFolders(config, env))
  return readWorkflow(found.file, { name: found.name, root: config.root, strict: isStrict, vars: variables })
}

/** Without a container: the workflow says so, or the whole project does. */
export const isOnHost = (config: Config, workflow: Workflow): boolean =>
  config.runtime.profile === 'host' || workflow.runtime === 'host'

/** Every workflow that can be read; why the others cannot, as warnings. */
export async function allWorkflows(
  config: Config,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly workflows: readonly Workflow[]; readonly problems: readonly Diagnostic[] }> {
  const workflows: Workflow[] = []
  const problems: Diagnostic[] = []
  for (const { name } of listWorkflows(workflowFolders(config, env))) {
    try {
      workflows.push((await openWorkflow(config, name, { env })).workflow)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      problems.push(...error.diagnostics.map((one): Diagnostic => ({ ...one, severity: 'warning' })))
    }
  }
  return { workflows, problems }
}
