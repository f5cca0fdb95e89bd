import { join } from 'node:path'
import { formatLock, type Lock, shippedLock, type ToolPin, updateLock } from '../../pins/index.ts'
import { findTrivy } from '../../scan/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { writeAtomic } from '../../util/files.ts'
import { platform } from '../../util/platform.ts'
import { trivyPin } from '../gates.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import { version } from '../version.ts'
import { openWorkspace, recipeOf } from '../workspace.ts'

/** `dwf pin ls|update|trivy`: what devflow.lock fixes. This version refreshes from the pins that came with it and from nowhere else. */
export async function pin(action: string, _options: object, globals: Globals, output: Output): Promise<number> {
  const { config, project, lock } = await openWorkspace(globals)
  const wanted = {
    requests: project.units.flatMap((unit) => unit.toolchains),
    recipeOf,
    toolchains: config.container.toolchains,
    version,
  }
  if (action === 'ls') {
    const shown = lock ?? shippedLock(wanted).lock
    if (globals.json) output.json({ ...shown, schema: 'dwf.pins/1' })
    else {
      output.result(`epoch ${shown.epoch}${lock ? '' : ' (there is no devflow.lock: these would be its pins)'}`)
      for (const { ref, digest } of shown.images) output.result(`${ref}@${digest}`)
      for (const { name, version: of, registry } of shown.packages) output.result(`${registry}:${name}@${of}`)
      for (const { name, minimum, denied, checksums = [], image } of shown.tools) {
        output.result(`${name} ≥ ${minimum}${denied.length ? `, never ${denied.join(', ')}` : ''}`)
        for (const place of [...checksums, ...(image ? [image] : [])]) output.result(`  ${place}`)
      }
    }
    return 0
  }
  if (action !== 'update' && action !== 'trivy')
    throw failure('wrong-input', 'usage', `unknown action "${action}"`, 'dwf pin ls|update|trivy')
  if (!lock)
    throw failure('wrong-input', 'no-lock', `there is no devflow.lock in ${project.root}`, 'dwf init writes it')
  if (action === 'trivy') return pinTrivy(lock, project.root, globals, output)
  const { lock: next, changes } = updateLock(lock, { ...wanted, today: new Date().toISOString().slice(0, 10) })
  const file = join(project.root, 'devflow.lock')
  if (!globals.dryRun) writeAtomic(file, formatLock(next))
  if (globals.json) output.json({ schema: 'dwf.pin-update/1', epoch: next.epoch, changes, written: !globals.dryRun })
  else {
    output.result(`epoch ${lock.epoch} → ${next.epoch}`)
    for (const { tool, from, to } of changes) output.result(`${tool}: ${from ?? 'new'} → ${to}`)
    output.talk(
      'pins come from this version of dwf; no registry was asked. Dockerfile.devflow must follow: dwf init --force',
    )
  }
  return 0
}

/** Notes the Trivy of this machine as the one that may judge, for this platform; others' notes stay. */
async function pinTrivy(lock: Lock, root: string, globals: Globals, output: Output): Promise<number> {
  const { checksums: before = [], ...open } = trivyPin(lock)
  // Found by minimum and deny-list alone: what is noted is what takes the place of the note.
  const found = await findTrivy(process.env, { guarded: [root], pin: open })
  const here = platform(process.platform)
  const note = `${here}:${found.identity}`
  const pinned: ToolPin = { ...open, checksums: [...before.filter((one) => !one.startsWith(`${here}:`)), note] }
  const next = { ...lock, tools: [...lock.tools.filter(({ name }) => name !== 'trivy'), pinned] }
  if (!globals.dryRun) writeAtomic(join(root, 'devflow.lock'), formatLock(next))
  if (globals.json)
    output.json({ schema: 'dwf.pin-trivy/1', version: found.version, checksum: note, written: !globals.dryRun })
  else output.result(`trivy ${found.version}, ${found.place}: ${note}`)
  return 0
}
