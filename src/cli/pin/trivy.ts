import { join } from 'node:path'
import { formatLock, type ToolPin } from '../../pins/index.ts'
import { findTrivy } from '../../scan/index.ts'
import { writeAtomic } from '../../util/files.ts'
import { platform } from '../../util/platform.ts'
import { trivyPin } from '../gates.ts'
import type { PinWork } from './work.ts'

/** Notes the Trivy of this machine as the one that may judge, for this platform; others' notes stay. */
export async function pinTrivy({ lock, root, globals, output }: PinWork): Promise<number> {
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
