import { baseFolder, driftOf, type Outcome, outcomeDiff, type Preference } from '../../ci/index.ts'
import { type FileWrite, sweepLeftOvers, writeFiles } from '../../scaffold/index.ts'
import { Failure, failure } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { requireVersion } from '../lock-version.ts'
import type { Output } from '../output.ts'
import { describeImage, plannedImage } from '../prepare.ts'
import { openWorkspace } from '../workspace.ts'
import { bundlePath } from './bundle.ts'
import { type CiGeneration, planCi } from './generation.ts'

/** `dwf ci:generate [--check|--dry-run]`, `dwf ci:check`. */
export async function ciGenerate(
  options: { readonly check?: boolean; readonly take?: string; readonly anyVersion?: boolean },
  globals: Globals,
  output: Output,
): Promise<number> {
  const workspace = await openWorkspace(globals)
  const { config, lock, project } = workspace
  if (!lock)
    throw failure('wrong-input', 'no-lock', `there is no devflow.lock in ${project.root}`, 'dwf init writes it')
  requireVersion(lock, options.anyVersion === true)
  const image = config.runtime.profile === 'container' ? describeImage(workspace) : undefined
  const take = sideOf(options.take)
  const planned = await planCi({ ...workspace, lock }, image && plannedImage(image), {
    env: process.env,
    ...(take ? { prefer: () => take } : {}),
  })
  const { generation, writes, broken } = planned
  const conflicts = generation.outcomes.filter(
    ({ kind }) => kind === 'conflict' || kind === 'base-lost' || kind === 'not-text',
  )
  const isReadOnly = options.check === true || globals.dryRun
  if (!globals.json) output.diagnostics(generation.diagnostics)
  const isBlocked = conflicts.length > 0 || broken.length > 0
  if (!isBlocked && !isReadOnly) {
    if (writes.length > 0) writeFiles(project.root, writes, { emptyBelow: baseFolder })
    const paths = planned.lock.generated.flatMap(({ path }) => [path, `${baseFolder}/${path}`])
    sweepLeftOvers(project.root, ['devflow.lock', bundlePath, ...paths])
  }
  if (globals.json)
    output.json({
      schema: 'dwf.ci-generate/1',
      written: !isBlocked && !isReadOnly,
      files: driftOf(generation),
      writes: writes.map(({ path }) => path),
      diagnostics: [...generation.diagnostics, ...broken],
      notes: planned.notes,
    })
  else show(planned, isReadOnly, isBlocked, output)
  if (broken.length > 0 && !globals.json) throw new Failure(options.check ? 'drift' : 'refused', broken)
  if (isBlocked) return options.check ? exitCodes.drift : exitCodes.refused
  return options.check && writes.length > 0 ? exitCodes.drift : exitCodes.ok
}

function sideOf(text: string | undefined): Preference | undefined {
  if (text === undefined || text === 'mine' || text === 'dwf') return text
  throw failure('wrong-input', 'usage', `--take must be mine or dwf, not ${JSON.stringify(text)}`)
}

function show(
  { generation, writes, notes }: CiGeneration,
  isReadOnly: boolean,
  isBlocked: boolean,
  output: Output,
): void {
  for (const outcome of generation.outcomes) {
    if (outcome.kind === 'conflict') showConflict(outcome, output)
    else if (isReadOnly && outcomeDiff(outcome)) output.result(outcomeDiff(outcome))
  }
  const seen = new Set(generation.outcomes.map(({ path }) => path))
  const words = generation.outcomes.map((outcome) => ({ word: wordOf(outcome, isReadOnly || isBlocked), outcome }))
  for (const { word, outcome } of words)
    if (word !== 'unchanged') output.result(`  ${word}  ${printable(outcome.path)}`)
  for (const write of writes)
    if (!seen.has(write.path) && !write.path.startsWith(`${baseFolder}/`))
      output.result(`  ${wordOfWrite(write, isReadOnly || isBlocked)}  ${write.path}`)
  const same = words.filter(({ word }) => word === 'unchanged').length
  if (same > 0) output.result(`  unchanged  ${same} file${same === 1 ? '' : 's'}`)
  if (!isReadOnly && writes.length > 0) for (const note of notes) output.talk(note)
  if (isBlocked) output.talk('nothing was written')
  if (generation.outcomes.some(({ kind }) => kind === 'conflict' || kind === 'base-lost'))
    output.talk('--take mine or --take dwf decides for one side where both changed the same lines')
}

function showConflict(outcome: Extract<Outcome, { kind: 'conflict' }>, output: Output): void {
  for (const { line, mine, dwf } of outcome.conflicts) {
    output.result(`${printable(outcome.path)}:${line}`)
    for (const text of mine) output.result(output.style('red', `  yours  ${printable(text)}`))
    for (const text of dwf) output.result(output.style('green', `  dwf's  ${printable(text)}`))
  }
}

const would: Readonly<Record<string, string>> = {
  created: 'would create',
  updated: 'would update',
  merged: 'would merge',
  removed: 'would remove',
}

function wordOf(outcome: Outcome, isDry: boolean): string {
  const word = outcome.kind === 'stale' ? outcome.action : outcome.kind
  const text = isDry ? (would[word] ?? word) : word
  if (outcome.kind === 'foreign') return 'yours, left alone'
  if (outcome.kind === 'kept-deleted') return 'left out, as you removed it'
  return text === 'unchanged' && 'isEdited' in outcome && outcome.isEdited ? 'unchanged, with your edits' : text
}

function wordOfWrite({ expected }: FileWrite, isDry: boolean): string {
  const word = expected === undefined ? 'created' : 'updated'
  return isDry ? would[word]! : word
}
