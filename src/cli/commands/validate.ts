import { type Command, parseCommand } from '../../config/commands.ts'
import { plan } from '../../plan/plan.ts'
import { Failure } from '../../util/diagnostics.ts'
import { lonePolicy } from '../gates.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { describeImage, plannedImage } from '../prepare.ts'
import { version } from '../version.ts'
import { openWorkspace, refuse, resolveWorkspace } from '../workspace.ts'

/** `dwf validate`: everything that can be known without running anything. */
export async function validate(
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
    const warnings = workspace.warnings.filter(({ severity }) => severity === 'warning')
    if (options.strict && warnings.length > 0)
      throw new Failure(
        'wrong-input',
        warnings.map((warning) => ({ ...warning, severity: 'error' })),
      )
    if (globals.json) output.json({ schema: 'dwf.validate/1', ok: true, diagnostics: workspace.warnings })
    else {
      output.diagnostics(workspace.warnings)
      output.result(`${config.file ?? config.root}: ok`)
    }
    return 0
  } catch (error) {
    if (!globals.json || !(error instanceof Failure)) throw error
    output.json({ schema: 'dwf.validate/1', ok: false, diagnostics: error.diagnostics })
    return 2
  }
}
