import type { RunResult } from '../../run/types.ts'
import { type LayerResult, notJudged, type ScanDocument } from '../../scan/index.ts'
import type { Output } from '../output.ts'
import type { Prepared } from '../prepare.ts'
import { keepDocument, scanDocument, type WantedReport, writeReports } from '../scan-document.ts'

/** The document of a run: every gate of its plan, also one that never came to a verdict. */
export function documentOf(
  { plan, workspace }: Prepared,
  result: RunResult,
  found: readonly LayerResult[],
): ScanDocument {
  const { project, config } = workspace
  const gates = plan.tasks.filter((task) => task.kind === 'gate')
  const layers = gates.map((task): LayerResult => {
    const ended = result.tasks.find(({ id }) => id === task.id)
    const layer = found.find((one) => one.layer === task.layer)
    // A gate that was interrupted has judged nothing, whatever it had found by then.
    return layer && ended?.gate ? layer : notJudged(task.layer!, ended?.reason ?? 'it did not run', config.scan)
  })
  return scanDocument({ run: result.id, project: project.name, commit: project.git?.head, at: Date.now(), layers })
}

/** Keeps the document with the run, and writes the reports that were asked for. */
export async function publish(
  document: ScanDocument,
  root: string,
  reports: readonly WantedReport[],
  output: Output,
): Promise<void> {
  for (const note of keepDocument(document, root)) output.talk(note)
  for (const note of await writeReports(document, reports, root)) output.talk(note)
}
