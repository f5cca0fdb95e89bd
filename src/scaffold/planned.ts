import { branchName } from '../config/definition.ts'
import type { Config } from '../config/types.ts'
import { imageName } from '../image/names.ts'
import type { ImageModel } from '../image/types.ts'
import { formatLock } from '../pins/lock-format.ts'
import type { Lock } from '../pins/types.ts'
import type { Project } from '../project/types.ts'
import { Failure } from '../util/diagnostics.ts'
import { byCodeUnit, printable } from '../util/text.ts'
import { renderBake, renderDockerfile } from './image-files.ts'
import { defaultTargets } from './targets.ts'
import { renderTemplate } from './template.ts'

/** A file that dwf would write. */
export interface PlannedFile {
  /** Relative to the root, `/` between its parts. */
  readonly path: string
  readonly content: string
  readonly mode: number
}

export interface PlanInput {
  readonly project: Pick<Project, 'name' | 'units' | 'git'>
  /** The repository's own, when it has a devflow.toml: then that file stays as it is. */
  readonly config?: Pick<Config, 'file' | 'text' | 'container'>
  readonly lock: Lock
  readonly model: ImageModel
}

/**
 * The files of init that are not workflows, in the order in which they are shown. Pure: the same input gives the same
 * bytes, on every machine and in every folder.
 * @throws Failure('wrong-input') for a name that one of the files cannot express
 */
export function plannedFiles(input: PlanInput): readonly PlannedFile[] {
  const { project, config, lock, model } = input
  const file = (path: string, content: string): PlannedFile => ({ path, content, mode: 0o644 })
  return explained(project, () => [
    file('devflow.toml', config?.file === undefined ? renderConfig(project) : config.text),
    file('devflow.lock', formatLock(lock)),
    file('Dockerfile.devflow', renderDockerfile(model)),
    file('docker-bake.hcl', renderBake(model, imageName(project.name, config?.container.image))),
    file('.dockerignore', renderTemplate('dockerignore.hbs', {})),
  ])
}

/** The devflow.toml of a repository that has none. Pure. */
export function renderConfig(project: PlanInput['project']): string {
  const stack = [...new Set(project.units.map((unit) => unit.stack))].sort(byCodeUnit)
  const branch = defaultBranchOf(project)
  return renderTemplate('devflow.toml.hbs', {
    name: project.name,
    stack,
    ...defaultTargets(project),
    branch: branch === 'main' ? '' : branch,
  })
}

/** Of what git knows without a network; `main` where it does not say, or has a name that [ci] does not take. */
function defaultBranchOf({ git }: PlanInput['project']): string {
  const branch = git?.defaultBranch ?? (git?.branch === 'master' ? git.branch : 'main')
  return branchName.test(branch) ? branch : 'main'
}

/** Says which file gave the name that cannot be written down. */
function explained<T>(project: PlanInput['project'], action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const manifest = project.units.find((unit) => unit.name === project.name)?.manifest
    if (manifest === undefined) throw error
    const hint = `change the name in ${printable(manifest)}, or write another as name under [project] in devflow.toml`
    throw new Failure(
      error.kind,
      error.diagnostics.map((diagnostic) => ({ ...diagnostic, hint })),
    )
  }
}
