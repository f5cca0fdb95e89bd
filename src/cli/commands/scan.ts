import { join } from 'node:path'
import { baselineFile } from '../../config/commands.ts'
import { failure } from '../../util/diagnostics.ts'
import { writeAtomic } from '../../util/files.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import type { Output } from '../output.ts'
import type { RunCommandOptions } from '../run/options.ts'
import { runCommands } from './run.ts'

export interface ScanCommandOptions extends RunCommandOptions {
  readonly prune?: boolean
  readonly java?: boolean
  readonly format?: string
}

/** `dwf scan`, `scan:LAYER`, `scan:image NAME…`, and what belongs to scans: `db`, `baseline`, `diff`, `sbom`. */
export async function scan(
  selector: string | undefined,
  names: readonly string[],
  options: ScanCommandOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  if (selector !== undefined && Object.hasOwn(others, selector)) refuseOptions(selector, options, globals)
  switch (selector) {
    case 'db':
      return (await import('./scan-db.ts')).scanDatabase(names, options, globals, output)
    case 'diff':
      return (await import('./scan-diff.ts')).scanDiff(names, options, globals, output)
    case 'sbom':
      return (await import('./scan-sbom.ts')).scanSbom(names, options, globals, output)
    case 'baseline':
      return writeBaseline([...names, ...options.rest], options, globals, output)
    default:
      return runCommands(
        [`scan${selector === undefined ? '' : `:${selector}`}`],
        [],
        { ...options, rest: [...names, ...options.rest] },
        globals,
        output,
      )
  }
}

/** What a command of scan has of the options of a run. */
const others: Readonly<Record<string, readonly string[]>> = { db: ['java'], diff: ['offline'], sbom: ['format'] }

/** An option that is accepted and does nothing would be believed. */
function refuseOptions(selector: string, options: ScanCommandOptions, globals: Globals): void {
  const given = ['jobs', 'keepGoing', 'offline', 'deadline', 'report', 'prune', 'java', 'format'] as const
  const wrong = given.find((name) => options[name] !== undefined && !others[selector]!.includes(name))
  const flag = wrong?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  if (flag !== undefined || globals.dryRun)
    throw failure('wrong-input', 'usage', `scan ${selector} has no --${flag ?? 'dry-run'}`, 'dwf scan --help')
}

/** Scans everything, and lets pass from now on what is there now; `--prune` only takes out what is no longer there. */
async function writeBaseline(
  names: readonly string[],
  options: ScanCommandOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  if (names.length > 0)
    throw failure('wrong-input', 'usage', 'scan baseline takes no names', 'it is about the whole repository')
  let written: string | undefined
  const code = await runCommands(['scan:all'], [], { ...options, rest: [] }, { ...globals, dryRun: false }, output, {
    replacesSummary: true,
    // Refusing is what a baseline is for; a gate that could not look leaves nothing to write.
    async after({ layers, root, today }) {
      if (layers.some(({ verdict }) => verdict === 'broken')) return
      const { nextBaseline } = await import('../../scan/index.ts')
      const { text, says } = nextBaseline(root, layers, today, options.prune === true)
      if (!globals.dryRun) writeAtomic(join(root, baselineFile), text)
      written = `${baselineFile}: ${says}${globals.dryRun ? ' (nothing was written)' : ''}`
    },
  })
  if (written === undefined) return code
  output.result(written)
  return exitCodes.ok
}
