import type { Lock } from '../../pins/index.ts'
import { shippedLock } from '../../pins/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { didYouMean } from '../../util/text.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { checkPins } from '../pin/check.ts'
import { pinTrivy } from '../pin/trivy.ts'
import { updatePins } from '../pin/update.ts'
import { version } from '../version.ts'
import { openWorkspace, recipeOf } from '../workspace.ts'

export interface PinOptions {
  readonly cooldown?: string
  readonly offline?: boolean
}

const actions = ['ls', 'check', 'update', 'trivy']

/** `dwf pin ls|check|update|trivy`: what devflow.lock fixes. Only check and update ask anybody, and only of actions. */
export async function pin(
  action: string,
  names: readonly string[],
  options: PinOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  if (!actions.includes(action)) {
    const near = didYouMean(action, actions)
    const hint = near ? `did you mean "${near}"?` : `dwf pin ${actions.join('|')}`
    throw failure('wrong-input', 'usage', `unknown action "${action}"`, hint)
  }
  if (names.length > 0 && action !== 'update')
    throw failure('wrong-input', 'usage', `pin ${action} takes no names`, 'dwf pin update takes names')
  const { config, project, lock } = await openWorkspace(globals)
  const wanted = {
    requests: project.units.flatMap((unit) => unit.toolchains),
    recipeOf,
    toolchains: config.container.toolchains,
    version,
  }
  if (action === 'ls') {
    const shown = lock ?? shippedLock(wanted).lock
    if (globals.json) output.json({ ...shown, schema: 'dwf.pins/1' })
    else for (const line of linesOf(shown, lock !== undefined)) output.result(line)
    return 0
  }
  if (!lock)
    throw failure('wrong-input', 'no-lock', `there is no devflow.lock in ${project.root}`, 'dwf init writes it')
  const work = { lock, root: project.root, wanted, options, globals, output }
  if (action === 'trivy') return pinTrivy(work)
  return action === 'check' ? checkPins(work) : updatePins(work, names)
}

function linesOf(lock: Lock, isWritten: boolean): readonly string[] {
  return [
    `epoch ${lock.epoch}${isWritten ? '' : ' (there is no devflow.lock: these would be its pins)'}`,
    ...lock.images.map(({ ref, digest }) => `${ref}@${digest}`),
    ...lock.packages.map(({ name, version: of, registry }) => `${registry}:${name}@${of}`),
    ...lock.tools.flatMap(({ name, minimum, denied, checksums = [], image }) => [
      `${name} ≥ ${minimum}${denied.length ? `, never ${denied.join(', ')}` : ''}`,
      ...[...checksums, ...(image ? [image] : [])].map((place) => `  ${place}`),
    ]),
    ...lock.actions.map(({ name, version: of, sha }) => `${name}@${sha} ${of}`),
    ...(lock.bundle ? [`${lock.bundle.path} ${lock.bundle.version} sha256:${lock.bundle.sha256}`] : []),
  ]
}
