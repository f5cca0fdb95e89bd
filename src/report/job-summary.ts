import { mergeFindings } from '../scan/merge.ts'
import { severities } from '../scan/severity.ts'
import { count } from '../scan/text.ts'
import type { LayerResult, MergedFinding, ScanDocument } from '../scan/types.ts'
import { markdown, markdownCode, markdownLink } from './markdown.ts'
import { countSeverities, placeText, scannerText, timeText } from './text.ts'

/** More are counted, not listed. */
const listed = 50
/** GitHub refuses the summary of a step that is larger (seen 2026 in "Workflow commands" of its documentation). */
export const summaryLimit = 1024 * 1024

/** Markdown for `$GITHUB_STEP_SUMMARY`: the gates, and what refuses. */
export function jobSummary(document: ScanDocument, maxBytes = summaryLimit): string {
  const findings = mergeFindings(document.layers.flatMap(({ decisions }) => decisions)).filter(({ refuses }) => refuses)
  for (let rows = Math.min(listed, findings.length); ; rows = Math.floor(rows / 2)) {
    const text = render(document, findings, rows)
    if (rows === 0 || Buffer.byteLength(text) < maxBytes) return text
  }
}

function render(document: ScanDocument, findings: readonly MergedFinding[], rows: number): string {
  const { project, commit, at, dwf, run, ok, layers } = document
  const about = [
    `run ${markdownCode(run, 100)}`,
    ...(commit === undefined ? [] : [`commit ${markdownCode(commit.slice(0, 12))}`]),
    markdown(timeText(at)),
    `dwf ${markdown(dwf, 50)}`,
  ]
  const lines = [
    `## ${ok ? '✔' : '✖'} scan of ${markdown(project, 100)}: ${ok ? 'every gate passed' : 'not passed'}`,
    '',
    about.join(' · '),
    '',
    '| gate | verdict | findings | limit | looked at | scanner | database |',
    '|---|---|---|---|---|---|---|',
    // A run has a handful of gates; a document from elsewhere may have any number.
    ...layers.slice(0, 100).map(gateRow),
    ...(layers.length > 100 ? ['', `… and ${count(layers.length - 100, 'more gate')}`] : []),
  ]
  if (findings.length > 0)
    lines.push(
      '',
      `### ${count(findings.length, 'finding refuses', 'findings refuse')}`,
      '',
      '| severity | finding | package | fixed in | where | why |',
      '|---|---|---|---|---|---|',
      ...findings.slice(0, rows).map(findingRow),
    )
  if (findings.length > rows) lines.push('', `… and ${findings.length - rows} more: see the report.`)
  return `${lines.join('\n')}\n`
}

const signs = { passed: '✔', refused: '✖', broken: '⚠' } as const

function gateRow(layer: LayerResult): string {
  const counts = countSeverities(mergeFindings(layer.decisions))
  const findings = severities.filter((severity) => counts[severity] > 0).map((name) => `${counts[name]} ${name}`)
  const refusing = layer.decisions.filter(({ refuses }) => refuses).length
  return row([
    markdown(`scan:${layer.layer}`),
    `${signs[layer.verdict]} ${layer.verdict}${layer.verdict === 'broken' ? `: ${markdown(layer.summary)}` : ''}`,
    findings.length === 0 ? 'none' : `${findings.join(', ')}${refusing > 0 ? '' : '; none refuses'}`,
    markdown(layer.limit, 50),
    markdown(layer.subjects.join(', ')),
    markdown(scannerText(layer)),
    [layer.database, layer.isCached ? `as of ${timeText(layer.scannedAt)}` : undefined]
      .flatMap((text) => (text === undefined ? [] : [markdown(text)]))
      .join('; ') || '–',
  ])
}

function findingRow(finding: MergedFinding): string {
  const { id, severity, title, fixedIn, advice, references, places } = finding
  const versions = [...new Set(places.flatMap(({ where }) => where.version ?? []))].join(', ')
  const refusing = places.filter(({ refuses }) => refuses)
  const where = refusing.slice(0, 3).map((place) => markdownCode(placeText(place.where)))
  return row([
    `**${severity}**`,
    `${markdownLink(id, references[0])} ${markdown(title)}`,
    finding.package === undefined ? '–' : markdown(`${finding.package} ${versions}`.trim()),
    markdown(fixedIn ?? advice ?? '–'),
    `${where.join('<br>')}${refusing.length > 3 ? `<br>and ${refusing.length - 3} more` : ''}`,
    markdown(refusing[0]!.says),
  ])
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
