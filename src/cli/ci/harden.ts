import { hardenWorkflow, unifiedDiff } from '../../ci/index.ts'
import { knownActions } from '../../pins/index.ts'
import { writeFiles } from '../../scaffold/index.ts'
import { printable } from '../../util/text.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { requireVersion } from '../lock-version.ts'
import type { Output } from '../output.ts'
import { openWorkspace } from '../workspace.ts'
import { workflowFiles } from './workflow-files.ts'

/** `dwf ci:harden [FILES]`: makes workflows that people wrote keep the rules, as far as that can be decided. */
export async function ciHarden(
  names: readonly string[],
  options: { readonly anyVersion?: boolean },
  globals: Globals,
  output: Output,
): Promise<number> {
  const { project, lock } = await openWorkspace(globals)
  requireVersion(lock, options.anyVersion === true)
  const known = await knownActions(lock)
  const own = new Set(lock?.generated.map(({ path }) => path))
  // What dwf wrote keeps the rules already, and is changed by ci:generate.
  const files = workflowFiles(project.root, names, globals).filter(({ path }) => names.length > 0 || !own.has(path))
  const hardened = files.map((file) => ({ ...file, ...hardenWorkflow(file.path, file.text, known), before: file.text }))
  const writes = hardened.filter(({ text, before }) => text !== before)
  if (!globals.dryRun)
    writeFiles(
      project.root,
      writes.map(({ path, text, bytes }) => ({ path, content: text, expected: bytes })),
    )
  const undecided = hardened.flatMap((one) => one.undecided)
  if (globals.json)
    output.json({
      schema: 'dwf.ci-harden/1',
      written: !globals.dryRun,
      files: hardened.map(({ path, changes }) => ({ path, changes })),
      undecided,
    })
  else {
    for (const { path, before, text, changes } of hardened) {
      if (globals.dryRun && text !== before) output.result(unifiedDiff(path, before, text))
      if (changes.length === 0) output.result(`${printable(path)}: nothing to do`)
      for (const { where, message } of changes)
        output.result(`${printable(path)}:${where.line} ${globals.dryRun ? 'would: ' : ''}${message}`)
    }
    if (files.length === 0) output.result('there is no workflow that a person wrote')
    output.diagnostics(undecided)
    if (undecided.length > 0) output.talk(`${undecided.length} left for you to decide`)
  }
  return undecided.some(({ severity }) => severity === 'error') ? exitCodes.failed : exitCodes.ok
}
