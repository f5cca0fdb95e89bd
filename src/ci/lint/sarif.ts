import { hashOf } from '../../util/canonical.ts'
import type { Diagnostic } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'
import { levelOf, lintRules, sharedRules } from './rules.ts'

/** What GitHub code scanning shows of one run ("SARIF support for code scanning", seen 2026). */
const resultLimit = 5000

/**
 * Diagnostics as SARIF 2.1.0 for GitHub code scanning: one run, every rule with its help. Errors come first, since what
 * is beyond the limit is left out, with a note.
 * @param dwf its version
 */
export function lintSarif(diagnostics: readonly Diagnostic[], dwf: string): string {
  const errorsFirst = [...diagnostics].sort((a, b) => Number(a.severity !== 'error') - Number(b.severity !== 'error'))
  const kept = errorsFirst.slice(0, resultLimit)
  const left = diagnostics.length - kept.length
  const used = new Set(kept.map(({ code }) => code))
  const rules = allRules().filter(({ id }) => used.has(id))
  const indexes = new Map(rules.map(({ id }, index) => [id, index]))
  const prints = new Map<string, number>()
  const run = {
    tool: { driver: { name: 'dwf', version: dwf, rules } },
    automationDetails: { id: 'dwf/workflows/' },
    invocations: [
      {
        executionSuccessful: true,
        ...(left === 0
          ? {}
          : { toolExecutionNotifications: [{ level: 'warning', message: { text: `${left} findings left out` } }] }),
      },
    ],
    originalUriBaseIds: { '%SRCROOT%': { description: { text: 'The root of the repository.' } } },
    columnKind: 'utf16CodeUnits',
    results: kept.map((diagnostic) => resultOf(diagnostic, indexes, prints)),
  }
  return `${JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] })}\n`
}

function resultOf(
  { code, severity, message, where, hint }: Diagnostic,
  indexes: ReadonlyMap<string, number>,
  prints: Map<string, number>,
) {
  // Of what was seen and not of the line, so that it stays when lines move; the n-th of the same is another one.
  const seen = hashOf([code, where?.file, message])
  const count = (prints.get(seen) ?? 0) + 1
  prints.set(seen, count)
  const index = indexes.get(code)
  return {
    ruleId: code,
    ...(index === undefined ? {} : { ruleIndex: index }),
    level: severity,
    message: { text: plain(hint === undefined ? message : `${message}. ${hint}`) },
    locations: where
      ? [
          {
            physicalLocation: {
              artifactLocation: { uri: uri(where.file), uriBaseId: '%SRCROOT%' },
              region: { startLine: where.line, startColumn: where.column, endColumn: where.endColumn },
            },
          },
        ]
      : [],
    partialFingerprints: { 'dwf/v1': `${seen}:${count}`, primaryLocationLineHash: `${seen}:${count}` },
  }
}

function allRules() {
  const own = lintRules.map(({ id, title, hint, severity }) => rule(id, title, hint, severity, undefined))
  const gates = sharedRules.map(({ id, title, advice, severity, reference }) =>
    rule(id, title, advice, levelOf(id, severity), reference),
  )
  const unreadable = rule('DWF-ACTIONS-000', 'The workflow can be read', 'correct it', 'error', undefined)
  return [unreadable, ...gates, ...own]
}

function rule(id: string, title: string, help: string, level: 'error' | 'warning', reference: string | undefined) {
  return {
    id,
    name: 'Workflow',
    shortDescription: { text: plain(title) },
    fullDescription: { text: plain(`${title}: ${help}`) },
    help: { text: plain(help), markdown: plain(help) },
    ...(reference === undefined ? {} : { helpUri: reference }),
    defaultConfiguration: { level },
    properties: { tags: ['security', 'workflow'], precision: 'high' },
  }
}

/** In a message of SARIF `[text](target)` would be a link. */
const plain = (text: string): string => printable(text.toWellFormed()).replace(/\s+/g, ' ').replaceAll('](', '] (')

/** A relative URI: no part of it can be read as a scheme, a host or a query. */
const uri = (file: string): string => file.toWellFormed().split('/').map(encodeURIComponent).join('/')
