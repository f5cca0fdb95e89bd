import type { ScanLayer } from '../../config/commands.ts'
import { type Unmarked, withFingerprints } from '../fingerprint.ts'
import { severityOf } from '../severity.ts'
import { oneLine } from '../text.ts'
import type { Component, Finding, ScanTarget } from '../types.ts'
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

/** Longer than any other name: what is cut off of a licence nobody judges. */
const licenseLimit = 1000

/** One report, and where it stands in the whole. */
export interface Part {
  /** `''` or with a slash at its end: put in front of each path. */
  readonly folder: string
  /** The name of the image that it is about. */
  readonly image?: string
  readonly report: TrivyReport
}

/** A result with what its paths mean. */
interface Placed {
  readonly part: Part
  readonly result: TrivyResult
  /** The file that the whole result is about. */
  readonly file: string
}

/** The report in dwf's words. */
export function translate(parts: readonly Part[], layer: ScanLayer) {
  const results = parts.flatMap((part) =>
    part.report.Results.map((result): Placed => ({ part, result, file: fileOf(part, result) })),
  )
  const findings = results.flatMap((placed): readonly Unmarked[] => [
    ...placed.result.Vulnerabilities.map((item) => vulnerability(item, placed, layer)),
    ...placed.result.Secrets.map((item) => secret(item, placed, layer)),
    // What is neither passed nor failed counts as failed.
    ...placed.result.Misconfigurations.filter((item) => item.Status !== 'PASS').map((item) =>
      misconfiguration(item, placed, layer),
    ),
    ...placed.result.Licenses.map((item) => license(item, placed, layer)),
  ])
  const targets = results.map(
    ({ file, result }): ScanTarget => ({
      file,
      kind: kindOf(result.Class),
      type: result.Type,
      packages: result.Packages.length,
    }),
  )
  const components = results.flatMap((placed) => placed.result.Packages.map((item) => component(item, placed)))
  return { targets, components, findings: withFingerprints(findings) satisfies readonly Finding[] }
}

/** Trivy calls the packages of an image's system, and what its configuration says, by the path of the archive. */
function fileOf({ folder, image, report }: Part, { Target, Class }: TrivyResult): string {
  if (image === undefined) return folder + Target
  if (Class === 'os-pkgs') return 'os-packages'
  return Target.startsWith(report.ArtifactName) ? 'image-configuration' : Target.replace(/^\//, '')
}

const placeOf = ({ part, file }: Placed, path?: string) => ({
  file: path === undefined ? file : part.image === undefined ? part.folder + path : path,
  ...(part.image === undefined ? {} : { image: part.image }),
})

function component(item: TrivyRecord, placed: Placed): Component {
  const { file, image } = placeOf(placed, optionalText(item, 'FilePath'))
  const purl = optionalText(optionalRecord(item, 'Identifier'), 'PURL')
  const licenses = item.Licenses ?? []
  return {
    // Workspaces and roots of lock files may have none (Trivy 0.76).
    name: oneLine(optionalText(item, 'Name') ?? optionalText(item, 'ID') ?? '(without a name)'),
    version: oneLine(optionalText(item, 'Version') ?? ''),
    ...(purl ? { purl: oneLine(purl, 1000) } : {}),
    licenses: Array.isArray(licenses) ? licenses.map((name) => oneLine(String(name), licenseLimit)) : [],
    file,
    ...(image === undefined ? {} : { image }),
  }
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

function vulnerability(item: TrivyRecord, placed: Placed, layer: ScanLayer): Unmarked {
  const identifier = optionalRecord(item, 'PkgIdentifier')
  const purl = optionalText(identifier, 'PURL')
  const version = optionalText(item, 'InstalledVersion')
  const fixedIn = optionalText(item, 'FixedVersion')
  const aliases = Array.isArray(item.VendorIDs) ? item.VendorIDs.map((id) => oneLine(String(id))) : []
  return {
    ...common(item, 'VulnerabilityID', layer),
    ...(aliases.length > 0 ? { aliases } : {}),
    where: {
      ...placeOf(placed, optionalText(item, 'PkgPath')),
      ...lineOf(placed.result, optionalText(identifier, 'UID')),
      package: oneLine(text(item, 'PkgName')),
      ...(version ? { version: oneLine(version) } : {}),
      ...(purl ? { purl: oneLine(purl, 1000) } : {}),
    },
    ...(fixedIn ? { fixedIn: oneLine(fixedIn) } : {}),
  }
}

/** What the scanner makes of one licence of one package; the lists of `[scan.licenses]` decide what becomes of it. */
function license(item: TrivyRecord, placed: Placed, layer: ScanLayer): Unmarked {
  const name = oneLine(text(item, 'Name'), licenseLimit)
  const category = oneLine(optionalText(item, 'Category') ?? 'unknown')
  const url = optionalText(item, 'Link')
  return {
    id: name,
    severity: severityOf(item.Severity),
    layer,
    scanner: 'trivy',
    where: {
      ...placeOf(placed, optionalText(item, 'FilePath')),
      package: oneLine(optionalText(item, 'PkgName') ?? ''),
    },
    title: `${category} licence`,
    references: url && isLink(url) ? [url] : [],
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
function secret(item: TrivyRecord, placed: Placed, layer: ScanLayer): Unmarked {
  const line = optionalLine(item, 'StartLine')
  return {
    ...common(item, 'RuleID', layer),
    where: { ...placeOf(placed), ...(line ? { line } : {}) },
    advice:
      placed.part.image === undefined
        ? 'revoke it, then remove it: it stays in the history of git'
        : 'revoke it, and build the image without it: removed in a later layer it is still there',
  }
}

function misconfiguration(item: TrivyRecord, placed: Placed, layer: ScanLayer): Unmarked {
  const cause = optionalRecord(item, 'CauseMetadata')
  const line = optionalLine(cause, 'StartLine')
  const advice = optionalText(item, 'Resolution')
  const about = optionalText(cause, 'Resource')
  return {
    ...common(item, 'ID', layer),
    where: { ...placeOf(placed), ...(line ? { line } : {}) },
    ...(advice ? { advice: oneLine(advice) } : {}),
    ...(about ? { about } : {}),
  }
}

function common(
  item: TrivyRecord,
  key: string,
  layer: ScanLayer,
): Pick<Finding, 'id' | 'severity' | 'layer' | 'scanner' | 'title' | 'references'> {
  const id = oneLine(text(item, key))
  const title = optionalText(item, 'Title') ?? optionalText(item, 'Message') ?? optionalText(item, 'Description')
  const more = item.References
  const references = [item.PrimaryURL, ...(Array.isArray(more) ? more : [])]
    .filter((url): url is string => typeof url === 'string' && isLink(url))
    .slice(0, referenceLimit)
  return {
    id,
    severity: severityOf(item.Severity),
    layer,
    scanner: 'trivy',
    title: title ? oneLine(title) : id,
    references: [...new Set(references)],
  }
}

const isLink = (url: string): boolean => /^https?:\/\/[\x21-\x7e]+$/.test(url)
