import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type CiStart, type CiTarget, ciTargets, commandsOf, isOnChange, type Loosening } from '../../ci/index.ts'
import { placeOf } from '../../config/locate.ts'
import { layersOf } from '../../plan/expand.ts'
import { partsOf } from '../../plan/parts.ts'
import { changedPaths } from '../../project/git-tree.ts'
import { markdown, workflowCommand } from '../../report/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { writeAtomic } from '../../util/files.ts'
import { isInside } from '../../util/paths.ts'
import { didYouMean } from '../../util/text.ts'
import type { Globals } from '../globals.ts'
import { requireVersion } from '../lock-version.ts'
import type { Output } from '../output.ts'
import { exportPolicy, underPolicy } from '../policy.ts'
import { describeImage, prepareIn } from '../prepare.ts'
import { addToJobSummary } from '../scan-document.ts'
import { version } from '../version.ts'
import { openWorkspace, type Policy, type Workspace } from '../workspace.ts'
import { isImageChanged } from './image-changed.ts'
import { targetNames } from './input.ts'
import { changedDeciders, loosenedBy } from './loosened.ts'
import { rehearse } from './rehearse.ts'
import { setOutput } from './runner.ts'

export interface StartOptions {
  readonly target?: string
  /** Commit whose policy counts. */
  readonly base?: string
  /** Commit that the branch was at before a push; of a change, what counts is the base. */
  readonly before?: string
  readonly out?: string
  readonly anyVersion?: boolean
}

export const startFile = 'start.json'
export const policyFolder = 'policy'

/** `dwf ci:start`: the first job. Takes the policy of the base, makes the plan, and says what the change would loosen. */
export async function ciStart(options: StartOptions, globals: Globals, output: Output): Promise<number> {
  const target = targetOf(options.target)
  const workspace = await openWorkspace(globals)
  requireTop(workspace)
  const out = outOf(options.out, workspace, globals)
  const base = options.base ?? 'HEAD'
  await rehearse(workspace, process.env)
  const policy = await policyOf(workspace, base, out, output)
  requireVersion(policy?.lock ?? workspace.lock, options.anyVersion === true)
  const isChanged = !isOnChange(target) || (await isImageChanged(workspace, base, options.before))
  const names = new Set([...targetNames(workspace), ...(policy ? targetNames(policy) : [])])
  const hasImage = layersOf(workspace.config, describeImage(workspace) !== undefined).there.includes('image')
  const commands = commandsOf(target, names, isChanged && hasImage)
  const judged = policy ? underPolicy(workspace, policy) : workspace
  const { plan } = await prepareIn(judged, { commands, tasks: [], rest: [] })
  const parts = partsOf(plan)
  const loosened = policy
    ? [
        ...loosenedBy(workspace, policy),
        ...changedDeciders(await changedPaths(workspace.project.root, base, 'HEAD', process.env)),
      ]
    : []
  const start: CiStart = {
    schema: 'dwf.ci/1',
    dwf: version,
    target,
    commands,
    plan: plan.hash,
    tasks: plan.tasks.map(({ id, hash }) => ({ id, hash, part: parts.find(({ tasks }) => tasks.includes(id))!.name })),
    loosened: loosened.filter(({ isNow }) => !isNow).map(({ says }) => says),
  }
  writeAtomic(join(out, startFile), `${JSON.stringify(start, undefined, 1)}\n`)
  setOutput('parts', JSON.stringify(parts.map(({ name }) => name)), process.env)
  output.diagnostics(judged.warnings)
  await tell(loosened, workspace, output)
  if (globals.json) output.json({ ...start })
  else
    output.result(
      `plan ${plan.hash.slice(0, 12)}: ${commands.join(', ')} in ${parts.map(({ name }) => name).join(', ')}`,
    )
  return 0
}

function targetOf(text: string | undefined): CiTarget {
  const found = ciTargets.find((target) => target === text)
  if (found) return found
  const near = didYouMean(text ?? '', ciTargets)
  throw failure(
    'wrong-input',
    'usage',
    text === undefined ? 'ci:start needs --target' : `${JSON.stringify(text)} is no target of CI`,
    near ? `did you mean "${near}"?` : `targets: ${ciTargets.join(', ')}`,
  )
}

/** A policy is looked for where git has its files: at the top, which is also where GitHub has its workflows. */
function requireTop({ project: { root } }: Workspace): void {
  if (existsSync(join(root, '.git'))) return
  throw failure(
    'wrong-input',
    'not-the-top',
    `${root} is not the top of a git repository`,
    'devflow.toml of what CI checks lies there',
  )
}

/** Tasks can write into the repository: what judges them must not lie there. */
function outOf(out: string | undefined, { project }: Workspace, globals: Globals): string {
  if (out === undefined)
    throw failure('wrong-input', 'usage', 'ci:start needs --out FOLDER', 'a folder outside of the repository')
  const folder = resolve(globals.cwd, out)
  if (isInside(project.root, whereItIs(folder)))
    throw failure('wrong-input', 'usage', `--out ${out} lies in the repository`, 'name a folder outside of it')
  if (existsSync(join(folder, startFile)) || existsSync(join(folder, policyFolder)))
    throw failure('refused', 'would-overwrite', `there is a plan in ${folder} already`, 'name another folder for --out')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** With the links in it resolved, as far as it is there. */
function whereItIs(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return dirname(path) === path ? path : join(whereItIs(dirname(path)), basename(path))
  }
}

async function policyOf(workspace: Workspace, base: string, out: string, output: Output): Promise<Policy | undefined> {
  const { root } = workspace.project
  const folder = join(out, policyFolder)
  const policy = await exportPolicy(root, base, folder, process.env)
  if (policy) return policy
  output.diagnostics([
    {
      severity: 'warning',
      code: 'no-policy',
      message: 'the base has no devflow.toml: this change brings the policy that it is judged by',
      hint: 'look at devflow.toml in this change with care',
    },
  ])
  return exportPolicy(root, 'HEAD', folder, process.env)
}

/** In the summary and at its place in the change, so that a reviewer sees it; none of it counts before the merge. */
async function tell(loosened: readonly Loosening[], { config }: Workspace, output: Output): Promise<void> {
  if (loosened.length === 0) return
  for (const { says, path, file, isNow } of loosened) {
    const line = path ? (await placeOf(config, path))?.line : undefined
    const message = `this change ${says}. ${isNow ? 'That counts already: only a reviewer can stop it.' : 'It is judged without that; it counts once it is merged.'}`
    output.talk(message)
    if (process.env.GITHUB_ACTIONS === 'true')
      output.command(
        workflowCommand(
          'warning',
          { title: 'dwf: loosens the policy', file: file ?? 'devflow.toml', ...(line ? { line } : {}) },
          message,
        ),
      )
  }
  const rows = (isNow: boolean) =>
    loosened.filter((one) => (one.isNow ?? false) === isNow).map(({ says }) => `- this change ${markdown(says, 500)}`)
  const section = (title: string, list: readonly string[]) => (list.length > 0 ? [`### ${title}`, '', ...list, ''] : [])
  const text = [
    '## To be looked at by a reviewer',
    '',
    ...section('Loosens the policy, once it is merged', rows(false)),
    ...section('Counts already', rows(true)),
  ].join('\n')
  for (const note of addToJobSummary(text, process.env)) output.talk(note)
}
