import { lstatSync, readFileSync } from 'node:fs'
import type { Failure } from '../../util/diagnostics.ts'
import { formatSize } from '../../util/units.ts'
import { scanFailed } from '../broken.ts'

/** What dwf reads of a report of Trivy, schema 2; everything else is passed over. */
export interface TrivyReport {
  /** The path, or reference, that Trivy was given. */
  readonly ArtifactName: string
  /** Digest of the image's configuration. */
  readonly ImageID?: string
  readonly Results: readonly TrivyResult[]
}
export type TrivyRecord = Readonly<Record<string, unknown>>
export interface TrivyResult {
  readonly Target: string
  readonly Class: string
  readonly Type: string
  readonly Packages: readonly TrivyRecord[]
  readonly Vulnerabilities: readonly TrivyRecord[]
  readonly Secrets: readonly TrivyRecord[]
  readonly Misconfigurations: readonly TrivyRecord[]
  readonly Licenses: readonly TrivyRecord[]
}

const sizeLimit = 256 * 1024 * 1024

/** What a report must say of itself to be the one that was asked for. */
export interface Expected {
  /** The path that Trivy was given. */
  readonly artifact: string
  readonly version: string
}

/** Reads the report at `path`. Throws a `Failure` for one that is missing, cut off, of another schema or of another scan. */
export function readReport(path: string, expected: Expected): TrivyReport {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat?.isFile()) throw wrong('no-report', 'Trivy ended without an error and without a report')
  if (stat.size === 0) throw wrong('report-empty', "Trivy's report is empty")
  if (stat.size > sizeLimit) throw wrong('report-too-large', `Trivy's report has ${formatSize(stat.size)}`)
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    throw wrong('report-not-json', "Trivy's report is cut off or is no JSON")
  }
  return checkReport(value, expected)
}

/** The report in a value of JSON; see `readReport`. */
export function checkReport(value: unknown, expected: Expected): TrivyReport {
  const report = record(value, 'the report')
  if (report.SchemaVersion !== 2)
    throw wrong(
      'report-schema',
      `Trivy's report has schema ${JSON.stringify(report.SchemaVersion)}; dwf reads schema 2`,
    )
  if (report.ArtifactName !== expected.artifact)
    throw wrong('report-of-another-scan', "Trivy's report is about something else than what it was asked to look at")
  const by = report.Trivy === undefined ? undefined : record(report.Trivy, 'Trivy').Version
  if (by !== undefined && by !== expected.version)
    throw wrong('report-of-another-scan', `the report is of Trivy ${JSON.stringify(by)}, not of ${expected.version}`)
  const imageId = optionalText(optionalRecord(report, 'Metadata'), 'ImageID')
  return {
    ArtifactName: expected.artifact,
    ...(imageId ? { ImageID: imageId } : {}),
    Results: records(report, 'Results').map(result),
  }
}

function result(value: TrivyRecord): TrivyResult {
  return {
    Target: text(value, 'Target'),
    Class: text(value, 'Class'),
    Type: optionalText(value, 'Type') ?? '',
    Packages: records(value, 'Packages'),
    Vulnerabilities: records(value, 'Vulnerabilities'),
    Secrets: records(value, 'Secrets'),
    Misconfigurations: records(value, 'Misconfigurations'),
    Licenses: records(value, 'Licenses'),
  }
}

function record(value: unknown, what: string): TrivyRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw shape(what)
  return value as TrivyRecord
}

/** Go leaves out an empty list, or writes null. */
function records(parent: TrivyRecord, key: string): readonly TrivyRecord[] {
  const value = parent[key] ?? []
  if (!Array.isArray(value)) throw shape(key)
  return value.map((item) => record(item, key))
}

/** A member that must be a text. */
export function text(parent: TrivyRecord, key: string): string {
  const value = parent[key]
  if (typeof value !== 'string' || value === '') throw shape(key)
  return value
}

/** A member that is a text or is not there. */
export function optionalText(parent: TrivyRecord, key: string): string | undefined {
  const value = parent[key] ?? ''
  if (typeof value !== 'string') throw shape(key)
  return value === '' ? undefined : value
}

/** A member that is an object, or an empty one in its place. */
export function optionalRecord(parent: TrivyRecord, key: string): TrivyRecord {
  return record(parent[key] ?? {}, key)
}

/** A line number, counted from 1; Go writes 0 where there is none. */
export function optionalLine(parent: TrivyRecord, key: string): number | undefined {
  const value = parent[key] ?? 0
  if (typeof value !== 'number') throw shape(key)
  return Number.isSafeInteger(value) && value > 0 ? value : undefined
}

function shape(what: string): Failure {
  return wrong('report-schema', `Trivy's report is not of the shape that dwf knows, at ${what}`)
}

function wrong(code: string, message: string): Failure {
  return scanFailed(code, message, 'run it again; if it stays so, use a version of Trivy that dwf was tested with')
}
