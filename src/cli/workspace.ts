import { join } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { locate } from '../config/locate.ts'
import type { Config } from '../config/types.ts'
import type { Problem } from '../config/validate.ts'
import { type Lock, parseLock, type Resolution, resolveToolchains } from '../pins/index.ts'
import { openTree } from '../project/tree.ts'
import { type Project, type StackName, stackNames } from '../project/types.ts'
import { detectProject } from '../stacks/detect.ts'
import { toolchains } from '../stacks/toolchains.ts'
import type { ToolchainRecipe } from '../stacks/types.ts'
import { type Diagnostic, Failure } from '../util/diagnostics.ts'
import { didYouMean } from '../util/text.ts'
import type { Globals } from './globals.ts'

/** A repository with its configuration, as every command that looks at one needs it. */
export interface Workspace {
  readonly config: Config
  readonly project: Project
  readonly lock?: Lock
  readonly warnings: readonly Diagnostic[]
  /** What a change is judged by: `config` has its targets and its scan policy then. */
  readonly policy?: Policy
}

/** Configuration and lock of the base that a change would be merged into, with the files that its policy names. */
export interface Policy {
  /** A folder outside of the repository. */
  readonly root: string
  readonly config: Config
  readonly lock?: Lock
}

export const recipeOf = (tool: string): ToolchainRecipe | undefined =>
  Object.hasOwn(toolchains, tool) ? toolchains[tool] : undefined

/** Reads devflow.toml, devflow.lock and the repository. @throws Failure('wrong-input') with everything that is wrong */
export async function openWorkspace(globals: Pick<Globals, 'cwd' | 'config'>): Promise<Workspace> {
  const { config, warnings } = await loadConfig({
    cwd: globals.cwd,
    ...(globals.config ? { file: globals.config } : {}),
  })
  await refuse(config, unknownStacks(config))
  const stacks = config.project.stack?.filter((name): name is StackName =>
    (stackNames as readonly string[]).includes(name),
  )
  const detected = detectProject(config.root, stacks ? { stacks } : {})
  const project: Project = { ...detected, name: config.project.name ?? detected.name }
  const diagnostics = [...project.diagnostics, ...project.units.flatMap((unit) => unit.diagnostics)]
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  if (errors.length > 0) throw new Failure('wrong-input', errors)
  const lock = readLock(config.root)
  return { config, project, ...(lock ? { lock } : {}), warnings: [...warnings, ...diagnostics] }
}

/** Problems of a configuration → the failure that a person sees, each with its place in devflow.toml. */
export async function refuse(config: Config, problems: readonly Problem[]): Promise<void> {
  if (problems.length === 0) return
  const located =
    config.file === undefined
      ? problems
      : await Promise.all(
          problems.map(async (problem) =>
            problem.path.length === 0 ? problem : (await locate(config.file!, config.text, [problem]))[0]!,
          ),
        )
  throw new Failure(
    'wrong-input',
    located.map(({ severity, code, message, hint, ...more }) => ({
      severity,
      code,
      message,
      ...(hint ? { hint } : {}),
      ...('where' in more && more.where ? { where: more.where } : {}),
    })),
  )
}

function unknownStacks(config: Config): readonly Problem[] {
  return (config.project.stack ?? []).flatMap((name, index): Problem[] => {
    if (
      (stackNames as readonly string[]).includes(name) ||
      config.extensions.some((extension) => extension.name === name)
    )
      return []
    const near = didYouMean(name, stackNames)
    return [
      {
        severity: 'error',
        code: 'unknown-stack',
        path: ['project', 'stack', index],
        at: 'value',
        message: `unknown stack "${name}"`,
        hint: near ? `did you mean "${near}"?` : `stacks: ${stackNames.join(', ')}`,
      },
    ]
  })
}

/** Read as a file of the repository: a link that leads out of it is as good as none. */
export function readLock(root: string): Lock | undefined {
  const text = openTree(root).text('devflow.lock')
  return text === undefined ? undefined : parseLock(text, join(root, 'devflow.lock'))
}

/** The toolchains of a repository by its lock; errors are thrown, notes come back. */
export function resolveWorkspace({ config, project, lock }: Workspace): Resolution {
  const resolution = resolveToolchains({
    requests: project.units.flatMap((unit) => unit.toolchains),
    recipeOf,
    toolchains: config.container.toolchains,
    ...(lock ? { lock } : {}),
  })
  const errors = resolution.diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  if (errors.length > 0) throw new Failure('wrong-input', errors)
  return resolution
}
