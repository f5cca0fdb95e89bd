import { statSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { type Command, parseCommand } from '../../config/commands.ts'
import { locate } from '../../config/locate.ts'
import type { Config } from '../../config/types.ts'
import { plan } from '../../plan/plan.ts'
import { type Diagnostic, Failure } from '../../util/diagnostics.ts'
import { listWorkflows } from '../../workflows/find.ts'
import { harden } from '../../workflows/hardening.ts'
import type { Workflow } from '../../workflows/types.ts'
import { lonePolicy } from '../gates.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { describeImage, plannedImage } from '../prepare.ts'
import { oneLine } from '../render/events.ts'
import { version } from '../version.ts'
import { openWorkflow, workflowFolders } from '../workflow-files.ts'
import { openWorkspace, refuse, resolveWorkspace } from '../workspace.ts'

/**
 * `dwf validate [WORKFLOW…]`: everything that can be known without running anything.
 * @param names workflows to look at; all of them when there is none
 */
export async function validate(
  names: readonly string[],
  options: { readonly strict?: boolean },
  globals: Globals,
  output: Output,
): Promise<number> {
  try {
    const workspace = await openWorkspace(globals)
    resolveWorkspace(workspace)
    const { config, project } = workspace
    await lonePolicy(workspace).ready()
    const image = config.runtime.profile === 'container' ? describeImage(workspace) : undefined
    const common = { config, project, dwf: version, ...(image ? { image: plannedImage(image) } : {}) }
    for (const target of Object.keys(config.targets)) {
      const { problems } = plan({ ...common, commands: [parseCommand(`check:${target}`) as Command] })
      await refuse(config, problems ?? [])
    }
    const tasks = plan({
      ...common,
      commands: Object.keys(config.tasks).map((task) => parseCommand(task) as Command),
    })
    await refuse(config, tasks.problems ?? [])
    const { workflows, diagnostics } = await validateWorkflows(config, names, options.strict === true)
    const all = [...workspace.warnings, ...diagnostics]
    const warnings = all.filter(({ severity }) => severity === 'warning')
    if (options.strict && warnings.length > 0)
      throw new Failure(
        'wrong-input',
        warnings.map((warning) => ({ ...warning, severity: 'error' })),
      )
    if (globals.json) {
      const files = workflows.map(({ name, file, tasks: all }) => ({ name, file, tasks: all.length }))
      output.json({ schema: 'dwf.validate/1', ok: true, workflows: files, diagnostics: all })
    } else {
      output.diagnostics(all)
      output.result(oneLine(`${config.file ?? config.root}: ok`))
      for (const { file, tasks: all } of workflows)
        output.result(
          oneLine(`${relative(config.root, file)}: ok, ${all.length === 1 ? '1 task' : `${all.length} tasks`}`),
        )
    }
    return 0
  } catch (error) {
    if (!globals.json || !(error instanceof Failure)) throw error
    output.json({ schema: 'dwf.validate/1', ok: false, diagnostics: error.diagnostics })
    return 2
  }
}

/** Every workflow, so that a person sees all that is wrong at once; what `--strict` asks of one comes on top. */
async function validateWorkflows(
  config: Config,
  names: readonly string[],
  isStrict: boolean,
): Promise<{ readonly workflows: readonly Workflow[]; readonly diagnostics: readonly Diagnostic[] }> {
  const workflows: Workflow[] = []
  const diagnostics: Diagnostic[] = []
  const errors: Diagnostic[] = []
  const all = names.length > 0 ? names : listWorkflows(workflowFolders(config, process.env)).map(({ name }) => name)
  for (const name of all) {
    try {
      const { workflow, diagnostics: said } = await openWorkflow(config, name, { isStrict })
      workflows.push(workflow)
      const modes = { file: statSync(workflow.file).mode, folder: statSync(dirname(workflow.file)).mode }
      const more = isStrict ? await locate(workflow.file, workflow.text, harden(workflow, modes)) : []
      diagnostics.push(...said, ...more)
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'wrong-input') throw error
      errors.push(...error.diagnostics)
    }
  }
  if (errors.length > 0) throw new Failure('wrong-input', [...errors, ...diagnostics])
  return { workflows, diagnostics }
}
