import { lintSarif, lintWorkflow } from '../../ci/index.ts'
import { knownActions } from '../../pins/index.ts'
import { workflowCommand } from '../../report/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { writeAtomic } from '../../util/files.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { requireVersion } from '../lock-version.ts'
import type { Output } from '../output.ts'
import { readReports } from '../scan-document.ts'
import { version } from '../version.ts'
import { openWorkspace } from '../workspace.ts'
import { workflowFiles } from './workflow-files.ts'

/** `dwf ci:lint [FILES]`: the rules that dwf's own workflows keep, for any. Errors fail it, warnings are said. */
export async function ciLint(
  names: readonly string[],
  options: { readonly report?: readonly string[]; readonly anyVersion?: boolean },
  globals: Globals,
  output: Output,
): Promise<number> {
  const { files: reports, contexts } = readReports(options.report, globals.cwd)
  const other = reports.find(({ format }) => format !== 'sarif')?.format ?? contexts[0]
  if (other !== undefined)
    throw failure('wrong-input', 'usage', `ci:lint has no report ${other}`, '--report sarif=FILE, or --json')
  const { project, lock } = await openWorkspace(globals)
  requireVersion(lock, options.anyVersion === true)
  const known = await knownActions(lock)
  const files = workflowFiles(project.root, names, globals)
  const found = files.flatMap(({ path, text }) => lintWorkflow(path, text, known))
  const errors = found.filter(({ severity }) => severity === 'error').length
  if (globals.json)
    output.json({ schema: 'dwf.ci-lint/1', ok: errors === 0, files: files.map(({ path }) => path), diagnostics: found })
  else {
    output.diagnostics(found)
    const warnings = found.length - errors
    const counts = [`${errors} error${errors === 1 ? '' : 's'}`, `${warnings} warning${warnings === 1 ? '' : 's'}`]
    output.result(`${files.length} workflow${files.length === 1 ? '' : 's'}: ${counts.join(', ')}`)
  }
  for (const { path } of reports) writeReport(path, lintSarif(found, version))
  if (process.env.GITHUB_ACTIONS === 'true')
    for (const { severity, message, where, code } of found.slice(0, 10))
      output.command(
        workflowCommand(
          severity === 'error' ? 'error' : 'warning',
          { title: code, ...(where ? { file: where.file, line: where.line } : {}) },
          message,
        ),
      )
  return errors === 0 ? exitCodes.ok : exitCodes.failed
}

function writeReport(path: string, text: string): void {
  try {
    writeAtomic(path, text)
  } catch (error) {
    throw failure(
      'machine-cannot',
      'report-not-written',
      `the sarif report could not be written to ${path}: ${(error as Error).message}`,
      'name a file in a folder that is there',
    )
  }
}
