import type { PartReport } from '../../ci/index.ts'
import { partsOf, planOfPart } from '../../plan/parts.ts'
import { isGood } from '../../run/types.ts'
import { failure } from '../../util/diagnostics.ts'
import { didYouMean } from '../../util/text.ts'
import { runPrepared } from '../commands/run.ts'
import type { Globals } from '../globals.ts'
import { requireVersion } from '../lock-version.ts'
import type { Output } from '../output.ts'
import { prepare } from '../prepare.ts'
import type { RunCommandOptions } from '../run/options.ts'
import { policyFrom, readFrom } from './from.ts'
import { setOutput } from './runner.ts'

/** `dwf ci:run PART`: what one job runs of the plan that the first job made, with the policy of the base. */
export async function ciRun(
  name: string,
  options: RunCommandOptions & { readonly from?: string },
  globals: Globals,
  output: Output,
): Promise<number> {
  const { start, folder } = readFrom(options.from, globals)
  const policy = await policyFrom(folder)
  const prepared = await prepare({ commands: start.commands, tasks: [], rest: [] }, globals, policy)
  requireVersion(policy?.lock ?? prepared.workspace.lock, options.anyVersion === true)
  const { plan } = prepared
  if (plan.hash !== start.plan)
    throw failure(
      'wrong-input',
      'other-plan',
      `this job sees the plan ${plan.hash.slice(0, 12)}, the first job saw ${start.plan.slice(0, 12)}`,
      'both must check out the same commit, and nothing may change it in between',
    )
  const own = planOfPart(plan, name)
  if (!own) {
    const names = partsOf(plan).map((part) => part.name)
    const near = didYouMean(name, names)
    throw failure(
      'wrong-input',
      'no-part',
      `the plan has no part ${JSON.stringify(name)}`,
      near ? `did you mean "${near}"?` : `parts: ${names.join(', ')}`,
    )
  }
  const { exit, result } = await runPrepared({ ...prepared, plan: own }, { ...options, part: name }, globals, output)
  if (result) {
    const report: PartReport = {
      schema: 'dwf.part/1',
      plan: plan.hash,
      part: name,
      passed: own.tasks
        .filter(({ id }) => result.tasks.some((task) => task.id === id && isGood(task.outcome)))
        .map(({ hash }) => hash),
    }
    setOutput('report', JSON.stringify(report), process.env)
  }
  return exit
}
