import { type Command, parseCommand } from '../config/commands.ts'
import { locate } from '../config/locate.ts'
import { type Frame, fingerprint } from '../image/fingerprint.ts'
import { fingerprintFrames } from '../image/inputs.ts'
import { imageModel } from '../image/model.ts'
import type { ImageModel } from '../image/types.ts'
import type { Resolution } from '../pins/index.ts'
import { shippedPins } from '../pins/index.ts'
import { plan as makePlan } from '../plan/plan.ts'
import type { Plan, PlannedImage } from '../plan/types.ts'
import { planWorkflow } from '../plan/workflow.ts'
import { openTree } from '../project/tree.ts'
import { Failure, failure } from '../util/diagnostics.ts'
import { platform } from '../util/platform.ts'
import type { Workflow } from '../workflows/types.ts'
import type { Globals } from './globals.ts'
import { underPolicy } from './policy.ts'
import { version } from './version.ts'
import { isOnHost, openWorkflow } from './workflow-files.ts'
import { openWorkspace, type Policy, refuse, resolveWorkspace, type Workspace } from './workspace.ts'

export const dockerfileName = 'Dockerfile.devflow'

/** The image of a repository as its files describe it, before any engine is asked. */
export interface DescribedImage {
  readonly model: ImageModel
  readonly resolution: Resolution
  /** Text of Dockerfile.devflow. */
  readonly dockerfile: string
  readonly args: Readonly<Record<string, string>>
  /** Without the platform: the same on every machine. */
  readonly recipe: string
  /** With the platform of this machine: the tag. */
  readonly fingerprint: string
}

export interface Prepared {
  readonly workspace: Workspace
  /** What was asked for. */
  readonly request: PrepareRequest
  readonly plan: Plan
  readonly workflow?: Workflow
  readonly image?: DescribedImage
  /** Changes when the image does; empty without one. */
  readonly imageTag: string
}

export interface PrepareRequest {
  readonly commands: readonly string[]
  readonly tasks: readonly string[]
  readonly rest: readonly string[]
  /** A workflow file by its name, instead of commands and tasks. */
  readonly workflow?: string
  /** Of `--var`. */
  readonly variables?: Readonly<Record<string, string>>
}

/** Words of the command line → workspace and plan. @throws Failure('wrong-input') with all that is wrong, located */
export async function prepare(
  request: PrepareRequest,
  globals: Pick<Globals, 'cwd' | 'config'>,
  policy?: Policy,
): Promise<Prepared> {
  // Before the repository is looked at: a word that is none is wrong in every one.
  commandsIn(request)
  const workspace = await openWorkspace(globals)
  return prepareIn(policy ? underPolicy(workspace, policy) : workspace, request)
}

/** The same in a workspace that is open already. */
export async function prepareIn(workspace: Workspace, request: PrepareRequest): Promise<Prepared> {
  if (request.workflow !== undefined) return prepareWorkflow(workspace, request, request.workflow)
  const { config, project } = workspace
  const image = config.runtime.profile === 'container' ? describeImage(workspace) : undefined
  const planned = makePlan({
    config,
    project,
    dwf: version,
    commands: commandsIn(request),
    tasks: request.tasks,
    rest: request.rest,
    ...(image ? { image: plannedImage(image) } : {}),
  })
  await refuse(config, planned.problems)
  const plan = planned.plan!
  refuseMissingLocks(workspace, plan)
  if (!image && plan.tasks.some((task) => task.runtime === 'container' && task.kind !== 'gate'))
    throw noDockerfile(project.root)
  return { workspace, request, plan, ...(image ? { image } : {}), imageTag: image?.fingerprint ?? '' }
}

/** A workflow file → plan; what it warns of joins what the workspace does. */
async function prepareWorkflow(workspace: Workspace, request: PrepareRequest, name: string): Promise<Prepared> {
  const { config, project } = workspace
  const { workflow, diagnostics } = await openWorkflow(config, name, {
    variables: Object.keys(request.variables ?? {}),
  })
  const isHost = isOnHost(config, workflow)
  const image = isHost ? undefined : describeImage(workspace)
  if (!isHost && !image)
    throw failure(
      'wrong-input',
      'no-dockerfile',
      `there is no ${dockerfileName} in ${project.root}, and workflows run in containers`,
      `dwf init writes it; to run ${workflow.name} on this machine, write runtime = "host" at the top of ${workflow.file}`,
    )
  const planned = planWorkflow({
    config,
    project,
    dwf: version,
    workflow,
    isHost,
    variables: request.variables ?? {},
    ...(image ? { image: plannedImage(image) } : {}),
  })
  if (planned.problems.length > 0)
    throw new Failure('wrong-input', await locate(workflow.file, workflow.text, planned.problems))
  return {
    workspace: { ...workspace, warnings: [...workspace.warnings, ...diagnostics] },
    request,
    plan: planned.plan!,
    workflow,
    ...(image ? { image } : {}),
    imageTag: image?.fingerprint ?? '',
  }
}

const noDockerfile = (root: string): Failure =>
  failure('wrong-input', 'no-dockerfile', `there is no ${dockerfileName} in ${root}`, 'dwf init writes it')

function commandsIn({ commands }: PrepareRequest): readonly Command[] {
  return commands.map((text): Command => {
    const parsed = parseCommand(text)
    if (typeof parsed === 'string')
      throw failure('wrong-input', 'unknown-command', parsed, 'dwf --help lists the commands')
    return parsed
  })
}

/** What Dockerfile.devflow, devflow.lock and the manifests say the image is; undefined where there is no Dockerfile.devflow. */
export function describeImage(workspace: Workspace): DescribedImage | undefined {
  const { config, project, lock } = workspace
  const dockerfile = openTree(project.root).text(dockerfileName)
  if (dockerfile === undefined) return undefined
  const resolution = resolveWorkspace(workspace)
  const epoch = lock?.epoch ?? shippedPins.date
  const model = imageModel({ title: project.name, resolution, units: project.units, config, epoch })
  const args = { DWF_EPOCH: epoch }
  const frames = fingerprintFrames({
    root: project.root,
    dockerfile: dockerfileName,
    text: dockerfile,
    args,
    globs: config.container.fingerprintInputs,
    requests: project.units.flatMap((unit) => unit.toolchains),
    pins: [model.base, ...model.stages.map((stage) => stage.pin)],
    platform: '',
    epoch,
  })
  const others = frames.filter((frame) => frame.name !== 'platform')
  const here: Frame = { kind: 'value', name: 'platform', content: platform() }
  return {
    model,
    resolution,
    dockerfile,
    args,
    recipe: fingerprint(others),
    fingerprint: fingerprint([...others, here]),
  }
}

export function plannedImage({ model, recipe }: DescribedImage): PlannedImage {
  return {
    recipe,
    pins: [model.base, ...model.stages.map((stage) => stage.pin)].map((pin) => `${pin.ref}@${pin.digest}`),
    packages: model.packages,
  }
}

function refuseMissingLocks({ project }: Workspace, plan: Plan): void {
  const missing = project.units
    .filter((unit) =>
      plan.tasks.some((task) => task.command === 'setup:deps' && task.stack === unit.stack && task.dir === unit.dir),
    )
    .flatMap((unit) => unit.setup?.missingLock ?? [])
  if (missing.length > 0) throw new Failure('wrong-input', missing)
}
