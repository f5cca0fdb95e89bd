import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  baseFolder,
  codeownersLines,
  type GeneratedFile,
  type Generation,
  generatedFiles,
  lintOwn,
  lintWorkflow,
  type Outcome,
  type Preference,
  planGeneration,
  securityPolicy,
  unguarded,
  type Workflow,
  workflowsOf,
} from '../../ci/index.ts'
import { type ActionPin, formatLock, type KnownActions, knownActions, type Lock } from '../../pins/index.ts'
import type { PlannedImage } from '../../plan/types.ts'
import { readRegular } from '../../project/files.ts'
import { type FileWrite, filesBelow } from '../../scaffold/index.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'
import { byCodeUnit } from '../../util/text.ts'
import type { Workspace } from '../workspace.ts'
import { vendored } from './bundle.ts'
import { fromNpm } from './from-npm.ts'
import { ciInput } from './input.ts'
import { readOwn } from './read-own.ts'

/** What ci:generate would do to a repository. */
export interface CiGeneration {
  readonly generation: Generation
  /** All of it: files, base texts, dwf itself, devflow.lock. */
  readonly writes: readonly FileWrite[]
  readonly lock: Lock
  /** What the written workflows would break of dwf's own rules. */
  readonly broken: readonly Diagnostic[]
  readonly notes: readonly string[]
}

/**
 * Plans all that CI needs in a repository; writes nothing.
 * @param workspace with the lock that is to be written where it has none yet
 * @throws Failure where something denied is pinned, a target cannot be planned, or dwf itself cannot be pinned
 */
export async function planCi(
  workspace: Workspace & { readonly lock: Lock },
  image: PlannedImage | undefined,
  options: { readonly env: NodeJS.ProcessEnv; readonly prefer?: (path: string) => Preference | undefined },
): Promise<CiGeneration> {
  const { root } = workspace.project
  const { lock } = workspace
  const read = (path: string) => readOwn(root, path)
  const known = await knownActions(lock)
  const used = new Map<string, ActionPin>()
  const { input, notes } = await ciInput(workspace, image, {
    pin: (name) => {
      const pin = known.pin(name)
      used.set(pin.name, pin)
      return pin
    },
  })
  const workflows = workflowsOf(input)
  const npm = input.ci.install === 'npm' ? await fromNpm(lock, options.env) : undefined
  const bundle = npm ? undefined : vendored(lock, read)
  const files: readonly GeneratedFile[] = [...generatedFiles(input), ...(npm?.files ?? []), ...once(input, lock, root)]
  const generation = planGeneration({
    files,
    lock,
    read,
    bases: filesBelow(root, baseFolder),
    pins: known,
    ...(options.prefer ? { prefer: options.prefer } : {}),
  })
  for (const pin of generation.pins) used.set(pin.name, pin)
  const { bundle: before, ...rest } = lock
  const next: Lock = {
    ...rest,
    actions: [...lock.actions.filter(({ name }) => !used.has(name)), ...used.values()],
    packages: npm ? [...lock.packages.filter(({ tool }) => tool !== 'dwf'), npm.pin] : lock.packages,
    ...(bundle ? { bundle: bundle.pin } : {}),
    generated: generation.generated,
  }
  const lockText = formatLock(next)
  const lockThere = read('devflow.lock')
  return {
    generation,
    lock: next,
    writes: [
      ...generation.writes,
      ...(bundle?.writes ?? []),
      ...(lockThere?.toString('utf8') === lockText
        ? []
        : [{ path: 'devflow.lock', content: lockText, expected: lockThere }]),
    ],
    broken: generation.outcomes.flatMap((outcome) => brokenBy(outcome, workflows, known)),
    notes: [
      ...notes,
      ...callsNotes(generation, workflows),
      ...(bundle?.notes ?? []),
      ...ownersNotes(input, lock, root),
    ],
  }
}

/**
 * What an edited workflow would break, at its place in the file as it is now where it breaks that already. One that nobody
 * edited is dwf's own, which its tests hold to the rules.
 */
function brokenBy(outcome: Outcome, own: readonly Workflow[], known: KnownActions): readonly Diagnostic[] {
  const workflow = own.find(({ file }) => outcome.path === `.github/workflows/${file}`)
  if (!workflow || !('text' in outcome) || !outcome.isEdited) return []
  const { path } = outcome
  const lint = (text: string) => [...lintOwn(path, text, workflow), ...lintWorkflow(path, text, known)]
  const isSame = (a: Diagnostic) => (b: Diagnostic) => a.code === b.code && a.message === b.message
  const errors = lint(outcome.text).filter(({ severity }) => severity === 'error')
  const before = outcome.before === undefined ? [] : lint(outcome.before)
  return errors.map((error, index) => {
    const nth = errors.slice(0, index).filter(isSame(error)).length
    return before.filter(isSame(error))[nth] ?? error
  })
}

/** A workflow that calls one which a person removed cannot run. */
function callsNotes({ outcomes }: Generation, own: readonly Workflow[]): readonly string[] {
  const removed = new Set(outcomes.filter(({ kind }) => kind === 'kept-deleted').map(({ path }) => path))
  return own.flatMap(({ file, jobs }) =>
    Object.values(jobs).flatMap((job) =>
      'calls' in job && removed.has(job.calls.slice(2)) && !removed.has(`.github/workflows/${file}`)
        ? [`${file} calls ${job.calls.slice(2)}, which you removed: remove it too, or publish = false under [ci]`]
        : [],
    ),
  )
}

const policyPlaces = ['SECURITY.md', '.github/SECURITY.md', 'docs/SECURITY.md']
const ownersPlaces = ['.github/CODEOWNERS', 'CODEOWNERS', 'docs/CODEOWNERS']

/** What dwf brings only where a repository has none of its own. */
function once(input: Parameters<typeof codeownersLines>[0], lock: Lock, root: string): readonly GeneratedFile[] {
  const isOurs = (path: string) => lock.generated.some((one) => one.path === path)
  const isFree = (places: readonly string[]) => !places.some((path) => existsSync(join(root, path)))
  const bring = (path: string, places: readonly string[], content: string) =>
    isOurs(path) || isFree(places) ? [{ path, content }] : []
  return [
    ...bring('.github/SECURITY.md', policyPlaces, securityPolicy),
    ...bring('.github/CODEOWNERS', ownersPlaces, `${codeownersLines(input).join('\n')}\n`),
  ].sort((a, b) => byCodeUnit(a.path, b.path))
}

function ownersNotes(input: Parameters<typeof codeownersLines>[0], lock: Lock, root: string): readonly string[] {
  const place = ownersPlaces.find((path) => existsSync(join(root, path)))
  if (place === undefined || lock.generated.some(({ path }) => path === place)) {
    return input.ci.owners.length > 0
      ? []
      : ['CODEOWNERS names nobody: owners under [ci] says who must review changes of workflows and policy']
  }
  const open = unguarded(input, readRegular(join(root, place))?.toString('utf8') ?? '')
  return open.length === 0 ? [] : [`${place} is yours, and leaves to nobody: ${open.join(' ')}`]
}
