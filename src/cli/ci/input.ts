import { type CiInput, type CiTarget, ciParts, ciTargets, commandsOf, isOnChange } from '../../ci/index.ts'
import { type Command, parseCommand } from '../../config/commands.ts'
import { secretOf } from '../../config/secrets.ts'
import type { KnownActions } from '../../pins/index.ts'
import { layersOf } from '../../plan/expand.ts'
import { plan } from '../../plan/plan.ts'
import type { Plan, PlannedImage } from '../../plan/types.ts'
import { trustAsk } from '../../trust/requests.ts'
import { judgeOf } from '../gates.ts'
import { policyFilesOf } from '../policy.ts'
import { version } from '../version.ts'
import { refuse, type Workspace } from '../workspace.ts'
import { beside } from './beside.ts'

/** A repository as the generated files of CI need it. @throws Failure('wrong-input') where a target cannot be planned */
export async function ciInput(
  workspace: Workspace,
  image: PlannedImage | undefined,
  known: Pick<KnownActions, 'pin'>,
): Promise<{ readonly input: CiInput; readonly notes: readonly string[] }> {
  const { config, project, lock } = workspace
  const names = targetNames(workspace)
  const planned = async (target: CiTarget, withImage: boolean): Promise<Plan> => {
    const commands = commandsOf(target, names, withImage).map((text) => parseCommand(text) as Command)
    const made = plan({ config, project, dwf: version, commands, ...(image ? { image } : {}) })
    await refuse(config, made.problems)
    return made.plan!
  }
  const hasImage = layersOf(config, image !== undefined).there.includes('image')
  const plans = await Promise.all(
    ciTargets.map(async (target) => {
      const changed = await planned(target, hasImage)
      return { target, changed, usual: isOnChange(target) ? await planned(target, false) : changed }
    }),
  )
  const asks = trustAsk(config, judgeOf(lock)).requests
  const needsTrust = asks.some(({ task, kind }) => task === undefined && kind !== 'scanner-image')
  const { notes, ...settings } = beside(config, lock, project.root)
  const elsewhere = project.git?.defaultBranch
  const branches =
    elsewhere !== undefined && elsewhere !== config.ci.defaultBranch
      ? [
          `the default branch of origin is ${elsewhere}; the workflows run on ${config.ci.defaultBranch}, as default_branch under [ci] says`,
        ]
      : []
  const input: CiInput = {
    dwf: version,
    ...settings,
    units: project.units,
    parts: ciParts(
      plans,
      (commands, kind) =>
        needsTrust ||
        asks.some(({ task, kind: asked }) =>
          task === undefined ? asked === 'scanner-image' && kind === 'gates' : commands.includes(task),
        ),
      (name) => {
        const { source } = secretOf(config, name)
        return source.kind === 'env' ? source.name : undefined
      },
    ),
    hasImage,
    policyFiles: policyFilesOf(config.scan),
    needsTrust,
    pin: known.pin,
  }
  return { input, notes: [...branches, ...notes] }
}

export const targetNames = ({ config }: Pick<Workspace, 'config'>): ReadonlySet<string> =>
  new Set(Object.keys(config.targets))
