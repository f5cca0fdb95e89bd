import { realpathSync } from 'node:fs'
import { findTrivy, type SbomFormat, sbom, withArchive } from '../../scan/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { trivyPin } from '../gates.ts'
import type { Globals } from '../globals.ts'
import { loneAccess } from '../lone-gates.ts'
import type { Output } from '../output.ts'
import { onSignals } from '../signals.ts'
import { openWorkspace } from '../workspace.ts'

const timeoutMs = 10 * 60_000

/** `dwf scan sbom [image|NAME|ARCHIVE]`: what the repository or an image is made of, on stdout. */
export async function scanSbom(
  names: readonly string[],
  options: { readonly format?: string },
  globals: Globals,
  output: Output,
): Promise<number> {
  const format = (options.format ?? 'cyclonedx') as SbomFormat
  if (format !== 'cyclonedx' && format !== 'spdx')
    throw failure('wrong-input', 'usage', `unknown format ${JSON.stringify(format)}`, 'cyclonedx or spdx')
  const [name, ...more] = names
  if (more.length > 0) throw failure('wrong-input', 'usage', 'one image at a time', 'dwf scan sbom NAME')
  const workspace = await openWorkspace(globals)
  const root = realpathSync.native(workspace.config.root)
  const signals = onSignals(undefined)
  try {
    const access = loneAccess(workspace, globals, output, signals.signal)
    const trivy = await findTrivy(process.env, {
      guarded: [root],
      pin: trivyPin(workspace.lock),
      tools: access.tools,
      signal: signals.signal,
    })
    const list = (subject: Parameters<typeof sbom>[1]) =>
      sbom({ trivy, root, timeoutMs, signal: signals.signal }, subject, format)
    const { text, notes } =
      name === undefined
        ? await list({ kind: 'tree', root })
        : await withArchive(
            name,
            { guarded: [root], images: access.images, cwd: globals.cwd, note: output.talk },
            signals.signal,
            list,
          )
    for (const note of notes) output.talk(note)
    output.result(text.trimEnd())
    return 0
  } finally {
    signals.dispose()
  }
}
