import { join, relative } from 'node:path'
import { baseFolder } from '../../ci/index.ts'
import { loadConfig } from '../../config/load.ts'
import { parseConfig } from '../../config/parse.ts'
import type { Config } from '../../config/types.ts'
import { imageModel } from '../../image/index.ts'
import { shippedLock } from '../../pins/index.ts'
import { type Project, type StackName, stackNames } from '../../project/types.ts'
import {
  type FileWrite,
  pinned,
  plannedFiles,
  renderConfig,
  type ScaffoldResult,
  scaffold,
} from '../../scaffold/index.ts'
import { detectProject } from '../../stacks/detect.ts'
import { type Diagnostic, Failure, failure } from '../../util/diagnostics.ts'
import { didYouMean, printable } from '../../util/text.ts'
import { planCi } from '../ci/generation.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { version } from '../version.ts'
import { openWorkspace, recipeOf } from '../workspace.ts'

export interface InitOptions {
  readonly stack?: string
  readonly force?: boolean
  /** False: without workflows. */
  readonly ci?: boolean
}

/** `dwf init`: writes what a repository needs, and never over what is there. */
export async function init(options: InitOptions, globals: Globals, output: Output): Promise<number> {
  const { config } = await loadConfig({ cwd: globals.cwd, ...(globals.config ? { file: globals.config } : {}) })
  const { project, lock, warnings } =
    options.stack === undefined
      ? await openWorkspace(globals)
      : { ...onlyStacks(config.root, options.stack), lock: undefined }
  const wanted = {
    requests: project.units.flatMap((unit) => unit.toolchains),
    recipeOf,
    toolchains: config.container.toolchains,
    version,
  }
  const shipped = shippedLock(wanted)
  const errors = shipped.resolution.diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  if (errors.length > 0) throw new Failure('wrong-input', errors)
  // A lock that is there is a person's, or an older dwf's: its pins are what the other files must name.
  const resolved = lock ? await relock(wanted, lock) : shipped
  const model = imageModel({
    title: project.name,
    ...(sourceOf(project) ? { source: sourceOf(project)! } : {}),
    resolution: resolved.resolution,
    units: project.units,
    config,
    epoch: resolved.lock.epoch,
  })
  const own = config.file === undefined ? {} : { config }
  // A repository with a lock has been here before: what its workflows are is ci:generate's business.
  const ci =
    lock || options.ci === false
      ? undefined
      : await planCi(
          { ...(await asWritten(config, project)), project, warnings: [], lock: resolved.lock },
          { recipe: '', pins: model.stages.map(({ pin }) => pinned(pin)), packages: model.packages },
          { env: process.env },
        )
  const files = plannedFiles({ project, ...own, lock: ci?.lock ?? resolved.lock, model })
  const also = ci?.writes.filter(({ path }) => path !== 'devflow.lock') ?? []
  const results = await scaffold({
    root: config.root,
    files,
    also,
    dryRun: globals.dryRun,
    force: options.force === true,
    ...(globals.input ? { ask: (file: { path: string }) => askToReplace(file.path) } : {}),
  })
  const notes = [...warnings, ...resolved.resolution.diagnostics]
  if (globals.json)
    output.json({
      schema: 'dwf.init/1',
      root: config.root,
      dryRun: globals.dryRun,
      files: [...results, ...also.map(({ path }) => ({ path, action: 'created' }))],
      stacks: project.units.map(({ stack, dir }) => ({ stack, dir })),
      diagnostics: [...notes, ...(ci?.generation.diagnostics ?? [])],
    })
  else {
    output.diagnostics([...notes, ...(ci?.generation.diagnostics ?? [])])
    show(project, results, also, model.contents, globals, output)
    for (const note of ci?.notes ?? []) output.talk(note)
    if (lock && options.ci !== false) output.talk('the workflows: dwf ci:generate')
    if (!globals.dryRun) output.talk('next: dwf check:pr')
  }
  return 0
}

/** The configuration as the repository will have it: with the targets that init writes. */
async function asWritten(config: Config, project: Project): Promise<{ readonly config: Config }> {
  if (config.file !== undefined) return { config }
  return parseConfig(join(config.root, 'devflow.toml'), renderConfig(project))
}

/** What the repository has of pins counts first; what it lacks comes from this version of dwf. */
async function relock(
  wanted: Parameters<typeof shippedLock>[0],
  lock: NonNullable<Awaited<ReturnType<typeof openWorkspace>>['lock']>,
) {
  const { resolveToolchains } = await import('../../pins/index.ts')
  const resolution = resolveToolchains({ ...wanted, lock, complete: true })
  const errors = resolution.diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  if (errors.length > 0) throw new Failure('wrong-input', errors)
  const used = resolution.toolchains.flatMap((one) => (one.from === 'image' ? [one.pin] : []))
  const packages = resolution.toolchains.flatMap((one) => (one.from === 'package' ? [one.pin] : []))
  const missing = used.filter((pin) => !lock.images.some((own) => own.ref === pin.ref && own.digest === pin.digest))
  const missingPackages = packages.filter(
    (pin) => !lock.packages.some((own) => own.tool === pin.tool && own.version === pin.version),
  )
  return {
    resolution,
    lock: { ...lock, images: [...lock.images, ...missing], packages: [...lock.packages, ...missingPackages] },
  }
}

function onlyStacks(root: string, text: string): { project: Project; warnings: readonly Diagnostic[] } {
  const names = text.split(',').map((name) => name.trim())
  for (const name of names) {
    if ((stackNames as readonly string[]).includes(name)) continue
    const near = didYouMean(name, stackNames)
    throw failure(
      'wrong-input',
      'unknown-stack',
      `unknown stack ${JSON.stringify(name)}`,
      near ? `did you mean "${near}"?` : `stacks: ${stackNames.join(', ')}`,
    )
  }
  const project = detectProject(root, { stacks: names as StackName[] })
  const absent = names.filter((name) => !project.units.some((unit) => unit.stack === name))
  if (absent.length > 0)
    throw failure(
      'wrong-input',
      'stack-not-found',
      `there is no ${absent.join(' and no ')} project in ${root}`,
      'add its manifest first, or leave --stack out',
    )
  return { project, warnings: [...project.diagnostics, ...project.units.flatMap((unit) => unit.diagnostics)] }
}

/** The repository's address as a web page, for the image's label; credentials in it are left out. */
function sourceOf({ git }: Project): string | undefined {
  const match =
    /^(?:https?:\/\/(?:[^@/]*@)?|git@|ssh:\/\/(?:[^@/]*@)?)([A-Za-z0-9.-]+)[:/]([A-Za-z0-9._/-]+?)(?:\.git)?\/?$/.exec(
      git?.remoteUrl ?? '',
    )
  return match ? `https://${match[1]}/${match[2]}` : undefined
}

async function askToReplace(path: string): Promise<boolean> {
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message: `Replace ${path}?`, initialValue: false, output: process.stderr })) === true
}

const words = { created: 'created', unchanged: 'unchanged', kept: 'kept (it differs)', replaced: 'replaced' } as const
const dryWords = {
  created: 'would create',
  unchanged: 'unchanged',
  kept: 'would keep (it differs)',
  replaced: 'would ask to replace',
} as const

function show(
  project: Project,
  results: readonly ScaffoldResult[],
  also: readonly FileWrite[],
  contents: readonly { tool: string; version: string; from: string }[],
  globals: Globals,
  output: Output,
): void {
  const units = project.units.map(({ stack, dir }) => (dir ? `${stack} in ${dir}` : stack))
  output.result(
    `${output.style('bold', printable(project.name))}: ${units.length > 0 ? units.map(printable).join(', ') : 'no stack found: a start with gates only'}`,
  )
  for (const { tool, version: of, from } of contents)
    output.result(output.style('dim', `  ${tool} ${of}${from === 'debian' ? ' (Debian package)' : ''}`))
  const way = relative(globals.cwd, project.root)
  for (const { path, action } of results)
    output.result(`  ${(globals.dryRun ? dryWords : words)[action]}  ${way ? `${way}/` : ''}${path}`)
  for (const { path } of also)
    if (!path.startsWith(`${baseFolder}/`))
      output.result(`  ${(globals.dryRun ? dryWords : words).created}  ${way ? `${way}/` : ''}${path}`)
  if (results.some(({ action }) => action === 'kept'))
    output.talk('files that differ were left alone; dwf init --force asks about each')
}
