import { join } from 'node:path'
import type { Finding } from '../../engine/doctor.ts'
import { passRate, storeVersion } from '../../store/health.ts'
import { databaseName, hasDatabase, storeFailure } from '../../store/open.ts'
import { openStore } from '../../store/store.ts'
import { Failure } from '../../util/diagnostics.ts'
import { stateFolder } from '../../util/paths.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { bad, type DiskUse, diskUse, examineModes, good, judgeDisk } from '../health/files.ts'
import { examineStore } from '../health/store.ts'
import type { Output } from '../output.ts'
import { oneLine } from '../render/events.ts'
import { renderFinding } from '../render/finding.ts'

const weekMs = 7 * 86_400_000

interface Examined {
  readonly findings: readonly Finding[]
  readonly version?: number
  readonly disk?: DiskUse
  /** Of the last seven days; undefined without a run that ended. */
  readonly passRate?: number
}

/** `dwf health`: whether what dwf keeps is whole, private and has room; makes no store where there is none. */
export async function health(globals: Globals, output: Output): Promise<number> {
  const state = stateFolder()
  const { findings, version, disk, passRate } = hasDatabase(state)
    ? await examine(state, Date.now())
    : { findings: [good('store', 'there was no run here yet')] }
  const problems = findings.filter((finding) => finding.state !== 'ok')
  const healthy = problems.length === 0
  if (globals.json)
    output.json({
      schema: 'dwf.health/1',
      healthy,
      store: version === undefined ? null : { file: join(state, databaseName), version },
      disk: disk ?? null,
      passRate7d: passRate ?? null,
      findings,
    })
  else if (globals.quiet)
    for (const { check, says, fix } of problems) output.result(oneLine(`${check}: ${says} → ${fix}`))
  else {
    for (const finding of findings) output.result(renderFinding(finding, output.style))
    if (passRate !== undefined)
      output.result(`${Math.round(passRate * 100)} % of the runs of the last seven days passed`)
  }
  return healthy ? exitCodes.ok : exitCodes.failed
}

/** The store is opened and nothing in it is changed: runs whose dwf is gone are told, and left as they are. */
async function examine(state: string, now: number): Promise<Examined> {
  const modes = examineModes(state)
  const disk = diskUse(state)
  const files = [...modes, ...judgeDisk(state, disk)]
  try {
    const store = await openStore(state)
    try {
      const rate = passRate(store.database, now - weekMs)
      return {
        findings: [...examineStore(store, disk.databaseBytes, now), ...files],
        version: storeVersion(store.database).has,
        disk,
        ...(rate === undefined ? {} : { passRate: rate }),
      }
    } finally {
      store.close()
    }
  } catch (error) {
    const known = storeFailure(error, join(state, databaseName))
    if (!(known instanceof Failure)) throw error
    const found = known.diagnostics.map(({ message, hint }) =>
      bad('store', message, hint ?? 'look at it, or move it away'),
    )
    return { findings: [...found, ...files], disk }
  }
}
