import type { ScanLayer } from '../config/commands.ts'
import { canonicalJson } from '../util/canonical.ts'
import type { Failure } from '../util/diagnostics.ts'
import { byCodeUnit, listing } from '../util/text.ts'
import { formatSize } from '../util/units.ts'
import { scanFailed } from './broken.ts'
import { type Unmarked, withFingerprints } from './fingerprint.ts'
import { fileOf, type SarifFile, type SarifFolders } from './sarif-places.ts'
import { oneLine } from './text.ts'
import type { Finding, FindingSeverity, ScanTarget } from './types.ts'

export interface SarifOptions extends SarifFolders {
  readonly layer: ScanLayer
  /** What findings and errors call the scanner. */
  readonly scanner: string
}

export interface SarifReport {
  readonly findings: readonly Finding[]
  readonly targets: readonly ScanTarget[]
  /** As the report names itself; `''` for a version that it does not tell. */
  readonly tool: { readonly name: string; readonly version: string }
  /** How many rules it names, whether they found something or not. */
  readonly rules: number
  /** False where it names neither rules nor files nor results: then it does not tell that the scan did anything. */
  readonly saysWhat: boolean
  /** What the scanner itself says of its work, such as files that it could not parse or gave up on. */
  readonly notes: readonly SarifNote[]
}

export interface SarifNote {
  /** Of the tree. */
  readonly file?: string
  readonly text: string
}

type Json = Readonly<Record<string, unknown>>

const sizeLimit = 256 * 1024 * 1024

/** Kinds of results that say that nothing is wrong (SARIF 2.1.0, 3.27.9). Every other one counts, known or not. */
const harmless = new Set<unknown>(['pass', 'notApplicable', 'informational'])

/**
 * A report in SARIF 2.1.0, of whatever scanner: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html.
 * Throws a `Failure` for one that is cut off, of another version, or of a scan that did not do its whole work.
 */
export function readSarif(text: string, options: SarifOptions): SarifReport {
  const { scanner } = options
  if (text.length > sizeLimit) throw wrong(scanner, 'report-too-large', `has ${formatSize(text.length)}`)
  if (text.trim() === '') throw wrong(scanner, 'report-empty', 'is empty')
  let value: unknown
  try {
    value = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
  } catch {
    throw wrong(scanner, 'report-not-json', 'is cut off or is no JSON')
  }
  const report = record(value, 'the top', scanner)
  if (report.version !== '2.1.0')
    throw wrong(
      scanner,
      'report-schema',
      `is SARIF ${oneLine(JSON.stringify(report.version) ?? 'without a version', 40)}; dwf reads 2.1.0`,
    )
  const runs = records(report.runs, 'runs', scanner)
  if (runs.length === 0) throw wrong(scanner, 'report-schema', 'holds no run: nothing was looked at')
  const readings = runs.map((run) => readRun(run, options))
  return {
    findings: withFingerprints(readings.flatMap(({ findings }) => findings)),
    targets: targetsOf(readings.flatMap(({ files }) => files)),
    tool: {
      name: listing([...new Set(readings.map(({ tool }) => tool.name))]),
      version: listing([...new Set(readings.map(({ tool }) => tool.version).filter((version) => version !== ''))]),
    },
    rules: readings.reduce((sum, { rules }) => sum + rules, 0),
    saysWhat: readings.some(({ saysWhat }) => saysWhat),
    notes: readings.flatMap(({ notes }) => notes),
  }
}

function targetsOf(files: readonly SarifFile[]): readonly ScanTarget[] {
  return [...new Set(files.map(({ file }) => file))]
    .filter((file) => file !== '.')
    .sort(byCodeUnit)
    .map((file) => ({ file, kind: 'other', type: 'sarif', packages: 0 }))
}

function readRun(run: Json, options: SarifOptions) {
  const { scanner } = options
  const driver = record(record(run.tool, 'tool', scanner).driver, 'tool.driver', scanner)
  if (typeof driver.name !== 'string' || driver.name === '') throw shape(scanner, 'tool.driver.name')
  const invocations = records(run.invocations ?? [], 'invocations', scanner)
  for (const invocation of invocations) checkInvocation(invocation, scanner)
  if (Object.keys(recordOr(run.externalPropertyFileReferences)).length > 0)
    throw wrong(scanner, 'report-in-pieces', 'is only a part: the rest is in other files')
  if (run.results === undefined || run.results === null)
    throw wrong(scanner, 'scanner-failed', 'holds no results, not even none: the scan did not take place')
  const results = records(run.results, 'results', scanner)
  const rules = new Rules(run)
  const read = results.filter(({ kind }) => !harmless.has(kind)).map((result) => finding(result, run, rules, options))
  const artifacts = Array.isArray(run.artifacts) ? run.artifacts : []
  return {
    rules: rules.count,
    saysWhat: rules.count > 0 || artifacts.length > 0 || results.length > 0,
    notes: invocations.flatMap((invocation) => notesOf(invocation, run, options)),
    tool: {
      name: oneLine(driver.name, 80),
      version: oneLine(textOf(driver.version) ?? textOf(driver.semanticVersion) ?? '', 80),
    },
    findings: read.map((one) => one.finding),
    files: [
      ...artifacts.map((artifact) => fileOf(recordOr(artifact).location, run, options)),
      ...read.map((one) => one.file),
    ],
  }
}

/** A notification without a level is a warning (3.58.6). */
function checkInvocation(invocation: Json, scanner: string): void {
  const { executionSuccessful: isGood } = invocation
  const notes = ['toolExecutionNotifications', 'toolConfigurationNotifications'].flatMap((key) =>
    records(invocation[key] ?? [], key, scanner),
  )
  const error = notes.find(({ level }) => level !== undefined && !['none', 'note', 'warning'].includes(level as string))
  if (isGood !== undefined && isGood !== true) {
    const why = messageText(error?.message) ?? textOf(invocation.exitCodeDescription)
    throw wrong(scanner, 'scanner-failed', `says that the scan failed${why ? `: ${oneLine(why)}` : ''}`)
  }
  if (error)
    throw wrong(
      scanner,
      'scanner-failed',
      `says that a part failed: ${oneLine(messageText(error.message) ?? 'it does not say why')}`,
    )
}

/** What Semgrep calls files that it did not look at, whatever level it gives them. */
const partial = /syntax|pars|time-?out|memory/i

/** Warnings of the scan. Semgrep 1.182 names the file in the text only: `Syntax error at line src/a.js:1: …`. */
function notesOf(invocation: Json, run: Json, options: SarifOptions): readonly SarifNote[] {
  return listOr(invocation.toolExecutionNotifications).flatMap((value): readonly SarifNote[] => {
    const { level, message, descriptor, ...note } = recordOr(value)
    const name = textOf(recordOr(descriptor).id)?.slice(0, messageLimit)
    if ((level ?? 'warning') !== 'warning' && !partial.test(name ?? '')) return []
    const text = messageText(message) ?? name ?? 'it does not say what'
    const place = fileOf(firstPlace(note).artifactLocation, run, options)
    const file = place.file === '.' ? text.split(/[\s'"`,;:()]+/).find((word) => options.files.has(word)) : place.file
    return [{ ...(file === undefined ? {} : { file }), text: oneLine(text) }]
  })
}

function finding(
  result: Json,
  run: Json,
  rules: Rules,
  options: SarifOptions,
): { readonly finding: Unmarked; readonly file: SarifFile } {
  const rule = rules.of(result)
  const name = textOf(result.ruleId) ?? textOf(recordOr(result.rule).id) ?? textOf(rule?.id) ?? 'no-rule'
  const id = oneLine(name.slice(0, messageLimit), 120)
  const message =
    messageText(result.message, rule) ??
    messageText(rule?.shortDescription) ??
    messageText(rule?.fullDescription) ??
    textOf(rule?.name)?.slice(0, messageLimit) ??
    id
  const place = firstPlace(result)
  const file = fileOf(place.artifactLocation, run, options)
  const foreign = 'foreign' in file ? file.foreign : undefined
  const region = recordOr(place.region)
  const isHere = file.file !== '.'
  const [line, column, endLine] = [region.startLine, region.startColumn, region.endLine].map(positive)
  const aliases = vulnerabilities(rule, id)
  const helpUri = textOf(rule?.helpUri) ?? ''
  const suppressed = suppressionOf(result)
  return {
    file,
    finding: {
      id,
      ...(aliases.length > 0 ? { aliases } : {}),
      severity: severity(result, rule, rules.levelOf(rule)),
      layer: options.layer,
      scanner: options.scanner,
      where: {
        file: file.file,
        ...(isHere && line ? { line } : {}),
        ...(isHere && line && column ? { column } : {}),
        ...(isHere && line && endLine && endLine >= line ? { endLine } : {}),
      },
      title: oneLine(foreign === undefined ? message : `${oneLine(foreign, 120)}${line ? `:${line}` : ''}: ${message}`),
      references: helpUri.length <= messageLimit && /^https?:\/\/[\x21-\x7e]+$/.test(helpUri) ? [helpUri] : [],
      ...(suppressed ? { suppressed } : {}),
      about: canonicalJson([foreign ?? '', stableMark(result) ?? message]),
    },
  }
}

/** What a result is about, as the producer keeps it from version to version; undefined where it says nothing. */
function stableMark(result: Json): Json | undefined {
  for (const marks of [result.partialFingerprints, result.fingerprints]) {
    // Semgrep writes "requires login" for those who have not logged in: it tells nothing apart.
    const known = Object.entries(recordOr(marks)).filter(
      ([, mark]) => typeof mark === 'string' && mark !== '' && mark !== 'requires login',
    )
    if (known.length > 0) return Object.fromEntries(known)
  }
  return undefined
}

function firstPlace(result: Json): Json {
  const places = (Array.isArray(result.locations) ? result.locations : []).map((one) =>
    recordOr(recordOr(one).physicalLocation),
  )
  return places.find((one) => one.artifactLocation !== undefined) ?? places[0] ?? {}
}

/** Every suppression has to be accepted: one that is rejected, or that somebody still looks at, keeps the result alive. */
function suppressionOf(result: Json): Finding['suppressed'] {
  const all = Array.isArray(result.suppressions) ? result.suppressions : []
  if (all.length === 0 || !all.every((one) => isRecord(one) && (one.status === undefined || one.status === 'accepted')))
    return undefined
  const says = all.map((one) => textOf(recordOr(one).justification)).find((one) => one !== undefined)
  return { by: 'suppressions', ...(says === undefined ? {} : { says: oneLine(says) }) }
}

/** GitHub's reading of `security-severity`, which is a CVSS score; else the level. */
function severity(result: Json, rule: Json | undefined, ruleLevel: unknown): FindingSeverity {
  const score = recordOr(rule?.properties)['security-severity'] ?? recordOr(result.properties)['security-severity']
  if (score !== undefined && score !== null && score !== '') {
    const number =
      typeof score === 'string' && score.length < 40 && /^\d+(\.\d+)?$/.test(score.trim()) ? Number(score) : score
    if (typeof number !== 'number' || !(number >= 0 && number <= 10)) return 'unknown'
    if (number > 0) return number >= 9 ? 'critical' : number >= 7 ? 'high' : number >= 4 ? 'medium' : 'low'
  }
  switch (result.level ?? ruleLevel ?? 'warning') {
    case 'error':
      return 'high'
    case 'warning':
      return 'medium'
    case 'note':
    case 'none':
      return 'low'
    default:
      return 'unknown'
  }
}

const knownOfRules = new WeakMap<Json, readonly string[]>()

/** The names of vulnerabilities that a rule has beside its id. A rule of many names may have many results. */
function vulnerabilities(rule: Json | undefined, id: string): readonly string[] {
  let ofRule = rule ? knownOfRules.get(rule) : []
  if (rule && !ofRule) {
    const { aliases } = recordOr(rule.properties)
    ofRule = advisories([rule.id, rule.name, ...listOr(rule.deprecatedIds), ...listOr(aliases)]).slice(0, 30)
    knownOfRules.set(rule, ofRule)
  }
  return advisories([id, ...(ofRule ?? [])])
    .filter((name) => name !== id)
    .slice(0, 20)
}

function advisories(texts: readonly unknown[]): readonly string[] {
  const found = texts.flatMap((text) =>
    typeof text === 'string'
      ? (/^(CVE-\d{4}-\d{4,30}|GHSA(-[0-9a-z]{4}){3})(?![0-9a-zA-Z])/.exec(text)?.[1] ?? [])
      : [],
  )
  return [...new Set(found)].sort(byCodeUnit)
}

/** The rules of one run: of the driver and of its extensions (3.52.4 tells how a result names one). */
class Rules {
  readonly #components: readonly { readonly component: Json; readonly rules: readonly unknown[] }[]
  readonly #byGuid = new Map<unknown, readonly unknown[]>()
  readonly #byName = new Map<unknown, readonly unknown[]>()
  readonly #byId = new Map<string, Json>()
  readonly #levels = new Map<Json, unknown>()

  constructor(run: Json) {
    const tool = recordOr(run.tool)
    this.#components = [tool.driver, ...listOr(tool.extensions)].map((one) => ({
      component: recordOr(one),
      rules: listOr(recordOr(one).rules),
    }))
    for (const { component, rules } of this.#components.toReversed()) {
      this.#byGuid.set(component.guid, rules)
      this.#byName.set(component.name, rules)
    }
    for (const { rules } of this.#components)
      for (const rule of rules)
        if (isRecord(rule) && typeof rule.id === 'string' && !this.#byId.has(rule.id)) this.#byId.set(rule.id, rule)
    // What the person who ran it asked for goes before the rule's own level (3.20.5).
    for (const invocation of listOr(run.invocations))
      for (const override of listOr(recordOr(invocation).ruleConfigurationOverrides)) {
        const rule = this.#named(recordOr(recordOr(override).descriptor))
        const { level } = recordOr(recordOr(override).configuration)
        if (rule && level !== undefined) this.#levels.set(rule, level)
      }
  }

  get count(): number {
    return this.#components.reduce((sum, { rules }) => sum + rules.length, 0)
  }

  of(result: Json): Json | undefined {
    const reference = recordOr(result.rule)
    return this.#named({ ...reference, index: reference.index ?? result.ruleIndex, id: reference.id ?? result.ruleId })
  }

  levelOf(rule: Json | undefined): unknown {
    return rule && (this.#levels.get(rule) ?? recordOr(rule.defaultConfiguration).level)
  }

  #named({ id, index, toolComponent }: Json): Json | undefined {
    const name = textOf(id)
    const rule = typeof index === 'number' ? this.#component(recordOr(toolComponent))?.[index] : undefined
    // An index that leads to a rule of another name is wrong: the name is what people see.
    if (isRecord(rule) && (name === undefined || isSame(textOf(rule.id), name))) return rule
    if (name === undefined) return undefined
    // `A/B` is a kind of `A` (3.5.4).
    let part = name
    for (let step = 0; step < 8 && !this.#byId.has(part) && part.includes('/'); step++)
      part = part.slice(0, part.lastIndexOf('/'))
    return this.#byId.get(part)
  }

  #component(reference: Json): readonly unknown[] | undefined {
    if (typeof reference.index === 'number' && reference.index >= 0) return this.#components[reference.index + 1]?.rules
    const guid = textOf(reference.guid)
    const name = textOf(reference.name)
    return (
      (guid === undefined ? undefined : this.#byGuid.get(guid)) ??
      (name === undefined ? undefined : this.#byName.get(name)) ??
      this.#components[0]?.rules
    )
  }
}

const isSame = (rule: string | undefined, name: string): boolean =>
  rule !== undefined && (name === rule || (name[rule.length] === '/' && name.startsWith(rule)))

/** Nobody is shown more of a message; a short text with many long arguments would be as long as memory. */
const messageLimit = 2000

/** The text of a message, also of one that the rule keeps under an id, with its arguments in place (3.11). */
function messageText(message: unknown, rule?: Json): string | undefined {
  const { text, markdown, id, arguments: given } = recordOr(message)
  const strings = recordOr(rule?.messageStrings)
  const kept = typeof id === 'string' && Object.hasOwn(strings, id) ? recordOr(strings[id]) : {}
  const found = (textOf(text) ?? textOf(kept.text) ?? textOf(markdown) ?? textOf(kept.markdown))?.slice(0, messageLimit)
  const words = listOr(given)
  if (!found || words.length === 0) return found
  let room = messageLimit
  return found.replace(/\{(\d{1,4})\}/g, (whole, nth) => {
    const word = textOf(words[Number(nth)])?.slice(0, room) ?? whole
    room = Math.max(0, room - word.length)
    return word
  })
}

const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
/** For what decides nothing: an empty one in the place of what is not there or of another shape. */
const recordOr = (value: unknown): Json => (isRecord(value) ? value : {})
const listOr = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
/** A text that says something; looked for at its start, since a rule's may be asked for with each result. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.slice(0, 10_000).trim() !== '' ? value : undefined
const positive = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : undefined

function record(value: unknown, what: string, scanner: string): Json {
  if (!isRecord(value)) throw shape(scanner, what)
  return value
}

function records(value: unknown, what: string, scanner: string): readonly Json[] {
  if (!Array.isArray(value)) throw shape(scanner, what)
  return value.map((item) => record(item, what, scanner))
}

const shape = (scanner: string, what: string): Failure =>
  wrong(scanner, 'report-schema', `is not of the shape that SARIF has, at ${what}`)

function wrong(scanner: string, code: string, says: string): Failure {
  return scanFailed(
    code,
    `the report of ${oneLine(scanner, 80)} ${says}`,
    'run the scanner by hand, and see what it says',
  )
}
