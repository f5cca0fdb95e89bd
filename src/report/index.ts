import type { ScanDocument } from '../scan/types.ts'
import { unreachable } from '../util/diagnostics.ts'
import type { HistoryEntry } from './history.ts'
import { toJson } from './json.ts'
import { junit } from './junit.ts'
import { sarif } from './sarif.ts'

export { annotations } from './annotations.ts'
export { type ComponentChange, difference, type FindingChange, type ScanDifference } from './difference.ts'
export { type HistoryEntry, historyEntry } from './history.ts'
export { jobSummary, summaryLimit } from './job-summary.ts'
export { type JsonReport, toJson } from './json.ts'
export { junit } from './junit.ts'
export { markdown } from './markdown.ts'
export { readDocument } from './read-document.ts'
export { renderDifference } from './render-difference.ts'
export { runAnnotations } from './run-annotations.ts'
export { type RunForSummary, runSummary, type TaskRow } from './run-summary.ts'
export { type SarifOptions, sarif } from './sarif.ts'
export { annotationsOfTask, type FailedTask } from './task-annotations.ts'
export { countSeverities } from './text.ts'
export { workflowCommand } from './workflow-commands.ts'

/** See html.ts. Loaded only when it is asked for: it brings Handlebars. */
export async function html(document: ScanDocument, history: readonly HistoryEntry[] = []): Promise<string> {
  return (await import('./html.ts')).html(document, history)
}

/** The files that a document can become. */
export const formats = ['json', 'sarif', 'junit', 'html', 'github'] as const
export type ReportFormat = (typeof formats)[number]

/** `notes`: what the format has to say of itself, such as findings beyond its limits. */
export async function renderReport(
  format: ReportFormat,
  document: ScanDocument,
  history: readonly HistoryEntry[] = [],
): Promise<{ readonly text: string; readonly notes: readonly string[] }> {
  switch (format) {
    case 'json':
      return { text: toJson(document), notes: [] }
    case 'sarif':
      return sarif(document)
    case 'github':
      return sarif(document, { accepted: 'left-out' })
    case 'junit':
      return { text: junit(document), notes: [] }
    case 'html':
      return { text: await html(document, history), notes: [] }
    default:
      return unreachable(format)
  }
}
