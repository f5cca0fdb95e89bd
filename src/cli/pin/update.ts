import { join } from 'node:path'
import { formatLock, isActionName, updateLock } from '../../pins/index.ts'
import { type Diagnostic, failure } from '../../util/diagnostics.ts'
import { writeAtomic } from '../../util/files.ts'
import { byCodeUnit, didYouMean } from '../../util/text.ts'
import { exitCodes } from '../exit-codes.ts'
import { askForActions, sayNotRefreshed } from './ask.ts'
import type { PinWork } from './work.ts'

/**
 * `dwf pin update [NAMES…]`: images and packages from the pins that came with this version of dwf, actions from their
 * repositories too.
 */
export async function updatePins(work: PinWork, names: readonly string[]): Promise<number> {
  const { lock, root, wanted, globals, output } = work
  const { tools, actions } = split(work, names)
  const refreshed = await askForActions(work, actions)
  if (typeof refreshed === 'number') return refreshed
  const { resolution, ...next } = updateLock(lock, {
    ...wanted,
    today: new Date().toISOString().slice(0, 10),
    actions: refreshed.actions,
    ...(tools ? { only: tools } : {}),
  })
  const changes = [...next.changes, ...refreshed.changes].sort((a, b) => byCodeUnit(a.tool, b.tool))
  const hasTools = tools === undefined || tools.length > 0
  const unresolved = hasTools ? resolution.diagnostics.filter(({ severity }) => severity === 'error') : []
  const { notRefreshed, missing } = refreshed
  const diagnostics: readonly Diagnostic[] = [
    ...unresolved.map((one) => ({ ...one, severity: 'warning' as const })),
    ...refreshed.diagnostics,
    ...sayNotRefreshed(notRefreshed, 'warning'),
    ...missing.map((name) => noVersion(name)),
  ]
  if (!globals.dryRun) writeAtomic(join(root, 'devflow.lock'), formatLock(next.lock))
  const { epoch } = next.lock
  output.diagnostics(diagnostics)
  if (globals.json)
    output.json({ schema: 'dwf.pin-update/1', epoch, changes, notRefreshed, diagnostics, written: !globals.dryRun })
  else {
    if (hasTools) output.result(`epoch ${lock.epoch} → ${epoch}`)
    for (const { tool, from, to } of changes) output.result(`${tool}: ${from ?? 'new'} → ${to}`)
  }
  if (hasTools)
    output.talk(
      'images and packages come from this version of dwf; no registry was asked. Dockerfile.devflow must follow: dwf init --force',
    )
  if (refreshed.changes.length > 0) output.talk('the workflows must follow: dwf ci:generate')
  if (diagnostics.some(({ severity, code }) => severity === 'error' && code === 'denied-action'))
    return exitCodes.refused
  if (missing.length === 0) return 0
  return missing.some((name) => notRefreshed.some((one) => one.name === name))
    ? exitCodes['machine-cannot']
    : exitCodes['wrong-input']
}

/** The names of a command line: tools of this repository, and actions. Undefined means all of them. */
function split({ lock, wanted }: PinWork, names: readonly string[]) {
  if (names.length === 0) return {}
  const tools = ['base', ...[...lock.images, ...lock.packages, ...wanted.requests].map(({ tool }) => tool)]
  for (const name of names) {
    if (name.includes('/') ? isActionName(name) : tools.includes(name)) continue
    const near = didYouMean(name, [...tools, ...lock.actions.map((one) => one.name)])
    throw failure(
      'wrong-input',
      'unknown-pin',
      `nothing of the name "${name}" is pinned here`,
      near ? `did you mean "${near}"?` : 'dwf pin ls shows what is; an action is named as owner/name',
    )
  }
  return { tools: names.filter((name) => !name.includes('/')), actions: names.filter((name) => name.includes('/')) }
}

const noVersion = (name: string): Diagnostic => ({
  severity: 'error',
  code: 'unknown-action',
  message: `no version of the action ${name} was found that may be taken`,
  hint: 'write its version and commit into "actions" of devflow.lock, or shorten --cooldown',
})
