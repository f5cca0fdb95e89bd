import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { prepare } from '../prepare.ts'
import { renderPlan } from '../render/plan.ts'

/** `dwf plan`: what would run, the same on every machine. */
export async function showPlan(
  commands: readonly string[],
  rest: readonly string[],
  globals: Globals,
  output: Output,
): Promise<number> {
  const { plan, workspace } = await prepare(
    {
      commands: commands.filter((word) => !word.includes('@')),
      tasks: commands.filter((word) => word.includes('@')),
      rest,
    },
    globals,
  )
  output.diagnostics(workspace.warnings)
  if (globals.json) output.json({ ...plan })
  else output.result(renderPlan(plan, output.style))
  return 0
}
