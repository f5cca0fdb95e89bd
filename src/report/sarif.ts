import { gzipSync } from 'node:zlib'
import { byDecision } from '../scan/policy/order.ts'
import { count } from '../scan/text.ts'
import type { Decision, LayerResult, ScanDocument } from '../scan/types.ts'
import { byCodeUnit } from '../util/text.ts'
import { resultOf, rulesOf } from './sarif-results.ts'
import { isoTime, sarifText, short, standingOf } from './text.ts'

export interface SarifOptions {
  /**
   * `left-out`: findings that somebody accepted are counted in a note only. GitHub shows what has a suppression as an open
   * alert (github/codeql-action issue 1230), so that is what to upload to it.
   */
  readonly accepted?: 'suppressed' | 'left-out'
  readonly limits?: Partial<typeof gitHubLimits>
}

/**
 * What GitHub code scanning takes ("SARIF support for code scanning", seen 2026): it refuses a file with more runs or more
 * bytes; of the results of a run it takes 25,000 and shows 5,000. Rules (25,000 a run), locations (1,000 a result), tags
 * (20 a rule) and thread flows stay far below their limits here: a result has one place and a rule three tags.
 */
const gitHubLimits = { runs: 20, results: 5000, gzipBytes: 9_500_000 }

/** One run of SARIF: the findings of one scanner in one layer, or what dwf itself has to say about the gates. */
interface Run {
  readonly category: string
  readonly tool: { readonly name: string; readonly version?: string }
  readonly decisions: readonly Decision[]
  /** The gates that it is of. */
  readonly layers: readonly LayerResult[]
  /** Those of them that could not look. */
  readonly broken: readonly LayerResult[]
}

/**
 * The document as SARIF 2.1.0 for GitHub code scanning, whose alerts live in a category for each layer and scanner.
 *
 * An alert that a later file of its category and scanner does not have is closed as fixed, so a gate that could not look
 * must not bring such a file: what it found anyway is in dwf's own run, `dwf/gates/…`, beside the gate as a result. Two jobs
 * with other gates upload one each for the same commit, so its category has their names.
 */
export function sarif(
  document: ScanDocument,
  options: SarifOptions = {},
): { readonly text: string; readonly notes: readonly string[] } {
  const limits = { ...gitHubLimits, ...options.limits }
  const runs = runsOf(document, limits.runs)
  for (let results = limits.results; ; results = Math.floor(results / 2)) {
    const notes: string[] = []
    const rendered = runs.map((run) => render(document, run, results, options.accepted === 'left-out', notes))
    const text = `${JSON.stringify({
      $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
      version: '2.1.0',
      runs: rendered,
    })}\n`
    if (results === 0 || text.length < limits.gzipBytes || gzipSync(text).length < limits.gzipBytes)
      return { text, notes }
  }
}

function runsOf({ dwf, layers }: ScanDocument, limit: number): readonly Run[] {
  const whole = layers.filter(({ verdict }) => verdict !== 'broken')
  const broken = layers.filter(({ verdict }) => verdict === 'broken')
  const runs = new Map<string, Run>()
  for (const layer of whole) {
    const category = `dwf/${layer.layer}`
    // Who found nothing has a run, too: it closes the alerts of what is fixed. dwf finds some things itself.
    for (const name of new Set([
      ...layer.scanners.map((scanner) => scanner.name),
      ...layer.decisions.map(({ finding }) => finding.scanner),
      'dwf',
    ])) {
      const key = JSON.stringify([category, name])
      const same = runs.get(key)
      const version = name === 'dwf' ? dwf : layer.scanners.find((scanner) => scanner.name === name)?.version
      runs.set(key, {
        category,
        tool: { name, ...(version ? { version } : {}) },
        decisions: [...(same?.decisions ?? []), ...layer.decisions.filter(({ finding }) => finding.scanner === name)],
        layers: [...(same?.layers ?? []), layer],
        broken: [],
      })
    }
  }
  const all = [...runs.values()]
  const tooMany = all.slice(limit - 1)
  return [
    ...all.slice(0, limit - 1),
    {
      category: ['dwf/gates', ...(layers.length > 0 ? [gatesOf(layers)] : [])].join('/'),
      tool: { name: 'dwf', version: dwf },
      decisions: [...broken, ...tooMany].flatMap(({ decisions }) => decisions),
      layers: broken,
      broken,
    },
  ]
}

/** `config+deps`: the same for the same gates, in whatever order they looked. */
const gatesOf = (layers: readonly LayerResult[]): string =>
  [...new Set(layers.map(({ layer }) => layer))].sort(byCodeUnit).join('+')

function render(document: ScanDocument, run: Run, limit: number, leaveOutAccepted: boolean, notes: string[]) {
  const { category, tool, layers, broken } = run
  const kept = run.decisions.filter((decision) => !leaveOutAccepted || standingOf(decision) !== 'accepted')
  const sorted = [...kept].sort(byDecision).slice(0, limit)
  const own: string[] = []
  if (kept.length < run.decisions.length)
    own.push(`${count(run.decisions.length - kept.length, 'accepted finding')} left out`)
  if (sorted.length < kept.length) own.push(truncation(kept, sorted.length))
  notes.push(...own.map((note) => `SARIF, ${category} of ${short(tool.name, 50)}: ${note}`))

  const { rules, indexOf } = rulesOf(sorted, broken.length > 0)
  const ended = isoTime(Math.max(...layers.map(({ scannedAt }) => scannedAt)))
  return {
    tool: {
      driver: {
        name: short(tool.name, 100),
        ...(tool.version ? { version: short(tool.version, 100) } : {}),
        rules,
      },
    },
    automationDetails: { id: `${category}/${encodeURIComponent(document.run.toWellFormed())}` },
    // What the scanner reported is told in dwf's words.
    ...(tool.name === 'dwf'
      ? {}
      : { conversion: { tool: { driver: { name: 'dwf', version: short(document.dwf, 100) } } } }),
    invocations: [
      {
        executionSuccessful: broken.length === 0,
        ...(ended === undefined ? {} : { endTimeUtc: ended }),
        toolExecutionNotifications: [
          ...broken.map(({ layer, summary }) => notification('error', `scan:${layer} is broken: ${summary}`)),
          ...own.map((note) => notification('warning', note)),
          ...layers.flatMap(layerNotes).map((note) => notification('note', note)),
        ],
      },
    ],
    ...(document.commit === undefined ? {} : { versionControlProvenance: [provenance(document)] }),
    originalUriBaseIds: { '%SRCROOT%': { description: { text: 'The root of the repository.' } } },
    columnKind: 'utf16CodeUnits',
    results: [
      ...broken.map((layer) => brokenResult(layer, indexOf(undefined))),
      ...sorted.map((decision) => resultOf(decision, indexOf(decision.finding))),
    ],
  }
}

function truncation(decisions: readonly Decision[], kept: number): string {
  const left = decisions.length - kept
  const refusing = Math.max(0, decisions.filter(({ refuses }) => refuses).length - kept)
  const which = refusing === 0 ? 'none of them refuses' : `${refusing} of them ${refusing === 1 ? 'refuses' : 'refuse'}`
  return `${count(left, 'finding')} of ${decisions.length} left out, the least severe ones; ${which}`
}

/** Beyond the findings. A file that was not looked at is no result, but who reads the file has to know. */
function layerNotes({ layer, summary, lines, verdict, isCached, scannedAt }: LayerResult): readonly string[] {
  const at = isCached ? ` (looked at ${isoTime(scannedAt) ?? 'an unknown time'}, the same contents)` : ''
  const listed = lines.slice(0, 100)
  return [
    ...(verdict === 'broken' ? [] : [`scan:${layer} ${verdict}: ${summary}${at}`]),
    ...listed,
    ...(lines.length > listed.length ? [`… and ${count(lines.length - listed.length, 'more line')}`] : []),
  ]
}

const notification = (level: 'error' | 'warning' | 'note', text: string) => ({
  level,
  message: { text: sarifText(text, 1000) || '–' },
})

/** The document knows the commit and no address; the schema asks for an absolute URI: a name, nothing to fetch. */
function provenance({ project, commit }: ScanDocument) {
  return {
    repositoryUri: `urn:x-dwf:${encodeURIComponent(project.toWellFormed()) || 'project'}`,
    revisionId: short(commit!, 100),
    mappedTo: { uriBaseId: '%SRCROOT%' },
  }
}

/** GitHub shows no result without a place; what a gate does is decided in devflow.toml. */
function brokenResult({ layer, summary }: LayerResult, ruleIndex: number) {
  const print = `gate-broken:${layer}`
  return {
    ruleId: 'dwf-gate-broken',
    ruleIndex,
    level: 'error',
    message: { text: sarifText(`scan:${layer} could not look, so nothing was passed: ${summary}`, 1000) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: 'devflow.toml', uriBaseId: '%SRCROOT%' },
          region: { startLine: 1 },
        },
      },
    ],
    partialFingerprints: { 'dwf/v1': print, primaryLocationLineHash: print },
  }
}
