import type { ScanLayer } from '../../config/commands.ts'
import { type Unmarked, withFingerprints } from '../fingerprint.ts'
import { severityOf } from '../severity.ts'
import { oneLine } from '../text.ts'
import type { Finding, ScanTarget } from '../types.ts'
import {
  optionalLine,
  optionalRecord,
  optionalText,
  type TrivyRecord,
  type TrivyReport,
  type TrivyResult,
  text,
} from './report.ts'

const referenceLimit = 5

/** The report in dwf's words. `folder` (`''` or with a slash at its end) is put in front of each path. */
export function translate(
  reports: readonly { readonly folder: string; readonly report: TrivyReport }[],
  layer: ScanLayer,
) {
  const results = reports.flatMap(({ folder, report }) =>
    report.Results.map((result) => ({ file: folder + result.Target, result })),
  )
  const findings = results.flatMap(({ file, result }): readonly Unmarked[] => [
    ...result.Vulnerabilities.map((item) => vulnerability(item, file, result, layer)),
    ...result.Secrets.map((item) => secret(item, file, layer)),
    // What is neither passed nor failed counts as failed.
    ...result.Misconfigurations.filter((item) => item.Status !== 'PASS').map((item) =>
      misconfiguration(item, file, layer),
    ),
  ])
  const targets = results.map(
    ({ file, result }): ScanTarget => ({
      file,
      kind: kindOf(result.Class),
      type: result.Type,
      packages: result.Packages.length,
    }),
  )
  return { targets, findings: withFingerprints(findings) satisfies readonly Finding[] }
}

function kindOf(name: string): ScanTarget['kind'] {
  switch (name) {
    case 'lang-pkgs':
    case 'os-pkgs':
      return 'packages'
    case 'config':
      return 'config'
    case 'secret':
      return 'secrets'
    default:
      return 'other'
  }
}

function vulnerability(item: TrivyRecord, file: string, result: TrivyResult, layer: ScanLayer): Unmarked {
  const uid = optionalText(optionalRecord(item, 'PkgIdentifier'), 'UID')
  const version = optionalText(item, 'InstalledVersion')
  const fixedIn = optionalText(item, 'FixedVersion')
  return {
    ...common(item, 'VulnerabilityID', layer),
    where: {
      file,
      ...lineOf(result, uid),
      package: oneLine(text(item, 'PkgName')),
      ...(version ? { version: oneLine(version) } : {}),
    },
    ...(fixedIn ? { fixedIn: oneLine(fixedIn) } : {}),
  }
}

/** Where the package stands in its lock file, for the formats for which Trivy tells. */
function lineOf(result: TrivyResult, uid: string | undefined): { readonly line?: number } {
  const found =
    uid === undefined ? undefined : result.Packages.find((item) => optionalRecord(item, 'Identifier').UID === uid)
  const places = found?.Locations
  const line =
    Array.isArray(places) && places.length > 0 ? optionalLine(places[0] as TrivyRecord, 'StartLine') : undefined
  return line === undefined ? {} : { line }
}

/** Never with `Match` or `Code`: Trivy blackens the secret, but the rest of the line may hold another. */
function secret(item: TrivyRecord, file: string, layer: ScanLayer): Unmarked {
  const line = optionalLine(item, 'StartLine')
  return {
    ...common(item, 'RuleID', layer),
    where: { file, ...(line ? { line } : {}) },
    advice: 'revoke it, then remove it: it stays in the history of git',
  }
}

function misconfiguration(item: TrivyRecord, file: string, layer: ScanLayer): Unmarked {
  const cause = optionalRecord(item, 'CauseMetadata')
  const line = optionalLine(cause, 'StartLine')
  const advice = optionalText(item, 'Resolution')
  const about = optionalText(cause, 'Resource')
  return {
    ...common(item, 'ID', layer),
    where: { file, ...(line ? { line } : {}) },
    ...(advice ? { advice: oneLine(advice) } : {}),
    ...(about ? { about } : {}),
  }
}

function common(
  item: TrivyRecord,
  key: string,
  layer: ScanLayer,
): Pick<Finding, 'id' | 'severity' | 'layer' | 'title' | 'references'> {
  const id = oneLine(text(item, key))
  const title = optionalText(item, 'Title') ?? optionalText(item, 'Message') ?? optionalText(item, 'Description')
  const more = item.References
  const references = [item.PrimaryURL, ...(Array.isArray(more) ? more : [])]
    .filter((url): url is string => typeof url === 'string' && /^https?:\/\/[\x21-\x7e]+$/.test(url))
    .slice(0, referenceLimit)
  return {
    id,
    severity: severityOf(item.Severity),
    layer,
    title: title ? oneLine(title) : id,
    references: [...new Set(references)],
  }
}
