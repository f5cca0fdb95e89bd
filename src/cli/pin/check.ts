import { deniedInLock, type Lock, type PinChange, placeOf, updateLock } from '../../pins/index.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'
import { exitCodes } from '../exit-codes.ts'
import { askForActions, sayNotRefreshed } from './ask.ts'
import type { PinWork } from './work.ts'

/** `dwf pin check`: what devflow.lock names and must not run, tags that were moved, and newer versions. Writes nothing. */
export async function checkPins(work: PinWork): Promise<number> {
  const { lock, wanted, options, globals, output } = work
  const denied = await deniedInLock(lock)
  const refreshed = await askForActions(work)
  if (typeof refreshed === 'number') return refreshed
  const said = refreshed.diagnostics.filter(({ code }) => code !== 'denied-action')
  const moved = said.filter(({ code }) => code === 'tag-moved')
  const next = updateLock(lock, { ...wanted, today: lock.epoch })
  const outdated = [...next.changes, ...refreshed.changes]
  // Who was not asked cannot have said that nothing was moved: only --offline makes that enough.
  const isUnknown = !options.offline && refreshed.notRefreshed.length > 0
  const diagnostics: readonly Diagnostic[] = [
    ...denied,
    ...moved.map((one) => ({ ...one, severity: 'error' as const })),
    ...said.filter(({ code }) => code !== 'tag-moved'),
    ...sayNotRefreshed(refreshed.notRefreshed, isUnknown ? 'error' : 'note'),
    ...outdated.map((change) => outdatedNote(lock, change)),
  ]
  const code = codeOf({ denied: denied.length, unknown: isUnknown ? 1 : 0, moved: moved.length })
  output.diagnostics(diagnostics)
  if (globals.json)
    output.json({
      schema: 'dwf.pin-check/1',
      ok: code === 0,
      exit: code,
      outdated,
      notRefreshed: refreshed.notRefreshed,
      diagnostics,
    })
  else output.result(`devflow.lock: ${denied.length} denied, ${moved.length} moved, ${outdated.length} outdated`)
  return code
}

function codeOf({ denied, unknown, moved }: Readonly<Record<'denied' | 'unknown' | 'moved', number>>): number {
  if (denied > 0) return exitCodes.refused
  if (unknown > 0) return exitCodes['machine-cannot']
  return moved > 0 ? exitCodes.failed : exitCodes.ok
}

function outdatedNote(lock: Lock, { tool, from, to }: PinChange): Diagnostic {
  const pins = [
    ...lock.actions.map((pin) => ({ pin, tool: pin.name, version: pin.version })),
    ...[...lock.images, ...lock.packages].map((pin) => ({ pin, tool: pin.tool, version: pin.version })),
  ]
  const own = pins.find((one) => one.tool.toLowerCase() === tool.toLowerCase() && one.version === from)
  const where = own && placeOf(own.pin, 'version')
  return {
    severity: 'note',
    code: 'outdated',
    message: from === undefined ? `${tool} is not pinned` : `${tool} ${from}: ${to} may be taken`,
    hint: `dwf pin update ${tool}`,
    ...(where ? { where } : {}),
  }
}
