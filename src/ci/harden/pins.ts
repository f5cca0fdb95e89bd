import type { Job, Uses, Step as WorkflowStep } from '../../scan/rules/workflow-model.ts'
import { isAction, isVersion, repositoryOf, versionIn } from '../reading/versions.ts'
import { type Edit, type HardenModel, type Meaning, type Outcome, open } from './types.ts'

/** Its builders find out who they are by the tag (slsa-github-generator, README, "Referencing SLSA builders"). */
const byTagOnly: ReadonlySet<string> = new Set(['slsa-framework/slsa-github-generator'])

/** Each `uses` at its commit, with the version in a comment. */
export function pinActions(model: HardenModel): readonly Outcome[] {
  const all = usesOf(model)
  const lines = Map.groupBy(all, ({ uses }) => model.lineOf(uses.at))
  return all.flatMap(({ uses, map }) => pin(model, uses, map, lines.get(model.lineOf(uses.at))!.length > 1))
}

function usesOf({ file }: HardenModel): readonly { readonly uses: Uses; readonly map: number }[] {
  const of = (one: Job | WorkflowStep, uses: Uses | undefined) => (uses ? [{ uses, map: one.map.at }] : [])
  return file.jobs.flatMap((job) => [...of(job, job.calls), ...job.steps.flatMap((step) => of(step, step.uses))])
}

function pin(model: HardenModel, uses: Uses, map: number, isCrowded: boolean): readonly Outcome[] {
  const { known } = model
  if (uses.kind === 'docker' && !uses.isPinned)
    return [open(uses.at, 'image-unknown', `${uses.text} has no digest`, 'put the digest of the image behind it')]
  if (uses.kind !== 'repository') return []
  const name = repositoryOf(uses)
  const unknown = (why: string) =>
    open(uses.at, 'action-unknown', `${uses.text}: ${why}`, 'write the full commit SHA, and the version in a comment')
  if (!isAction(uses)) return [unknown('it has no version')]
  const found = uses.isPinned ? undefined : commitOf(model, name, uses.ref)
  const why = known.denied(name, uses.ref) ?? (found && known.denied(name, found.sha))
  if (why !== undefined) {
    const hint = 'use another version, and look at what the runs with this one had access to'
    return [open(uses.at, 'action-denied', `${uses.text} must not run: ${why}`, hint, 'error')]
  }
  if (uses.isPinned) return comment(model, uses, known.versionOf(name, uses.ref), isCrowded)
  if (byTagOnly.has(uses.repository)) return [unknown('it only works when it is named by its tag')]
  if (!found) return [unknown(isVersion(uses.ref) ? 'the commit is not known' : 'it is no version, so it may move')]
  if (isCrowded) return [unknown('several are on one line, and each needs a comment')]
  const edits = replaced(model, uses, found.sha)
  const note = edits && noted(model, uses.at, found.version)
  if (!edits || !note) return [unknown('it is written in a way that cannot be edited')]
  const text = uses.text.replace(/@[^@]*$/, `@${found.sha}`)
  const means: Meaning = { map, key: 'uses', value: text }
  const message = `${uses.text} is pinned to ${found.sha.slice(0, 12)}, ${found.version}`
  const change = { code: 'pin-action', message } as const
  return [{ kind: 'change', at: uses.at, change, edits: [edits, note], means: [means] }]
}

function commitOf({ known }: HardenModel, name: string, ref: string) {
  const exact = known.exact(name, ref)
  if (exact) return exact
  const sha = isVersion(ref) ? known.commitOf(name, ref) : undefined
  return sha === undefined ? undefined : { sha, version: known.versionOf(name, sha) ?? ref }
}

function comment(model: HardenModel, uses: Uses, version: string | undefined, isCrowded: boolean): readonly Outcome[] {
  if (version === undefined || isCrowded) return []
  if (versionIn(model.comments.get(model.lineOf(uses.at))?.text ?? '') !== undefined) return []
  const note = noted(model, uses.at, version)
  if (!note) return []
  const change = { code: 'version-comment', message: `${uses.text} is ${version}` } as const
  return [{ kind: 'change', at: uses.at, change, edits: [note], means: [] }]
}

/** The commit in place of the ref, whatever quotes are around it. */
function replaced({ text, layout }: HardenModel, uses: Uses, sha: string): Edit | undefined {
  const range = layout.scalarAt(uses.at)?.range
  if (!range) return undefined
  const source = text.slice(range[0], range[1])
  const quote = /^['"]/.exec(source)?.[0] ?? ''
  if (source !== `${quote}${uses.text}${quote}`) return undefined
  const at = range[0] + source.lastIndexOf('@') + 1
  return { at, remove: range[1] - quote.length - at, insert: sha }
}

/** Behind everything that is on the line, and before a comment that is there already. */
function noted({ text, layout, lineOf, comments }: HardenModel, at: number, version: string): Edit | undefined {
  const line = lineOf(at)
  if (layout.isOpenLine(line)) return undefined
  const end = comments.get(line)?.at ?? layout.lineEnd(at)
  return { at: at + text.slice(at, end).trimEnd().length, remove: 0, insert: ` # ${version}` }
}
