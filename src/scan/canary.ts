import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scanFailed } from './broken.ts'
import { type Guarded, isolated } from './trivy/isolation.ts'
import type { Scanner, ScanRequest } from './types.ts'

/** In two parts, so that this file is not itself a finding. It opens nothing. */
const token = ['ghp', 'aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5'].join('_')

/**
 * A report on secrets names no file that has none, so that it looks the same whether the scanner looked or not. A planted
 * token shows that it does look, with the same program and the same arguments. Rejects with a `Failure` when it is not found.
 */
export async function checkCanary(scanner: Scanner, guarded: Guarded, request: ScanRequest): Promise<void> {
  await isolated(guarded, async ({ scratch }) => {
    writeFileSync(join(scratch, 'settings.conf'), `token = "${token}"\n`)
    const { findings } = await scanner.scan({ ...request, layer: 'secrets', subject: { kind: 'tree', root: scratch } })
    if (findings.length === 1 && findings[0]?.where.file === 'settings.conf') return
    throw scanFailed(
      'scanner-blind',
      `${scanner.name} ${scanner.version} does not find a planted secret`,
      'use a version of Trivy that dwf was tested with',
    )
  })
}
