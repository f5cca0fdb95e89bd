import { dayOf, parseDuration } from '../util/units.ts'
import { type ScanLayer, scanLayers } from './commands.ts'
import type { CodeScannerConfig, IgnoreConfig, LayerConfig, ScanConfig, Severity } from './types.ts'
import type { Problem } from './validate.ts'

interface RawIgnore {
  readonly layer: ScanLayer | readonly ScanLayer[]
  readonly id?: string
  readonly rule?: string
  readonly path?: string
  readonly package?: string
  readonly reason: string
  readonly expires: unknown
  readonly by?: string
}

interface RawScanner {
  readonly run?: string | readonly string[]
  readonly rules?: string
  readonly timeout?: string
}

type RawLayer = { readonly severity?: Severity; readonly fix_only?: boolean }

/** `[scan]` as the definition describes it. */
export interface RawScan {
  readonly vex?: readonly string[]
  readonly honor?: readonly string[]
  readonly ignore?: readonly RawIgnore[]
  readonly deps?: RawLayer
  readonly image?: RawLayer
  readonly config?: RawLayer
  readonly secrets?: RawLayer
  readonly licenses?: RawLayer & {
    readonly allow?: readonly string[]
    readonly deny?: readonly string[]
    readonly unknown?: 'report' | 'refuse'
  }
  readonly code?: RawLayer & { readonly scanners?: Readonly<Record<string, RawScanner>> }
}

const codeTimeoutMs = 10 * 60_000

/** Scanners that dwf knows by name. Each says everything that decides what it finds; none asks its maker anything. */
const known: Readonly<Record<string, (rules: string) => readonly string[]>> = {
  semgrep: (rules) => grep('semgrep', rules),
  opengrep: (rules) => grep('opengrep', rules),
}

/** Ignore files, inline comments and the size limit would each let a file take itself out of the judgement. */
const grep = (program: string, rules: string): readonly string[] => [
  ...[program, 'scan', '--config', `./${rules}`, '--sarif', '--metrics=off', '--disable-version-check', '--quiet'],
  ...['--no-git-ignore', '--max-target-bytes=0', '--no-rewrite-rule-ids', '--no-error', '.'],
]

const ignoreFile = /(^|\/)\.trivyignore(\.ya?ml)?$/
const semgrepIgnore = /(^|\/)\.semgrepignore$/

/** What the shape alone does not say. */
export function checkScan(raw: RawScan): readonly Problem[] {
  const problems: Problem[] = []
  const wrong = (code: string, path: Problem['path'], message: string, hint: string) =>
    problems.push({ severity: 'error', code, path, at: 'key', message, hint })
  for (const [index, ignore] of (raw.ignore ?? []).entries()) {
    const path = ['scan', 'ignore', index] as const
    if ((ignore.id === undefined) === (ignore.rule === undefined))
      wrong('ignore-what', path, 'an ignore names either an id or a rule', 'write id = "CVE-…" or rule = "DS-0002"')
    if (ignore.path === undefined && ignore.package === undefined)
      wrong(
        'ignore-where',
        path,
        'an ignore says where it holds: a path or a package',
        'write package = "lodash" or path = "docker/**"; path = "**" means everywhere',
      )
  }
  for (const [index, entry] of (raw.honor ?? []).entries()) {
    if (entry === 'inline' || entry === 'suppressions' || ignoreFile.test(entry) || semgrepIgnore.test(entry)) continue
    problems.push({
      severity: 'error',
      code: 'honor-what',
      path: ['scan', 'honor', index],
      at: 'value',
      message: `${JSON.stringify(entry)} cannot be honoured`,
      hint: /trivy\.ya?ml$/.test(entry)
        ? 'what trivy.yaml says is said in [scan]: severity, fix_only, and [[scan.ignore]] with a path'
        : 'known are "inline", "suppressions" and paths of .trivyignore, .trivyignore.yaml and .semgrepignore files',
    })
  }
  for (const [name, scanner] of Object.entries(raw.code?.scanners ?? {})) {
    const path = ['scan', 'code', 'scanners', name]
    if (scanner.run === undefined && !Object.hasOwn(known, name))
      wrong('scanner-run', path, `scanner "${name}" needs run`, `known without it: ${Object.keys(known).join(', ')}`)
    if (scanner.run === undefined && Object.hasOwn(known, name) && scanner.rules === undefined)
      wrong(
        'scanner-rules',
        path,
        `scanner "${name}" needs rules`,
        'write rules = "FOLDER", a folder of the repository',
      )
  }
  const licenses = raw.licenses
  for (const [index, name] of (licenses?.deny ?? []).entries())
    if (licenses?.allow?.includes(name))
      problems.push({
        severity: 'error',
        code: 'license-both',
        path: ['scan', 'licenses', 'deny', index],
        at: 'value',
        message: `"${name}" is both allowed and denied`,
      })
  return problems
}

/** `[scan]`, validated → ScanConfig. `get` notes where each setting came from. */
export function scanConfig(raw: RawScan, get: <T>(key: string) => T): ScanConfig {
  const severity = get<Severity>('scan.severity')
  const fixOnly = get<boolean>('scan.fix_only')
  const layer = (name: ScanLayer): LayerConfig => ({
    // Licences have no fix, and the scanner calls all of the GPL high: what a project accepts is said with its lists.
    severity: raw[name]?.severity ?? (name === 'licenses' ? 'critical' : severity),
    fixOnly: raw[name]?.fix_only ?? fixOnly,
  })
  const honor = raw.honor ?? []
  return {
    severity,
    layers: Object.fromEntries(scanLayers.map((name) => [name, layer(name)])) as ScanConfig['layers'],
    licenses: {
      allow: raw.licenses?.allow ?? [],
      deny: raw.licenses?.deny ?? [],
      unknown: raw.licenses?.unknown ?? 'report',
    },
    code: Object.entries(raw.code?.scanners ?? {}).map(([name, scanner]) => codeScanner(name, scanner)),
    ignore: (raw.ignore ?? []).map(ignoreConfig),
    vex: raw.vex ?? [],
    honor: {
      inline: honor.includes('inline'),
      suppressions: honor.includes('suppressions'),
      files: honor.filter((entry) => ignoreFile.test(entry)),
      semgrep: honor.filter((entry) => semgrepIgnore.test(entry)),
    },
  }
}

function codeScanner(name: string, { run, rules, timeout }: RawScanner): CodeScannerConfig {
  return {
    name,
    argv: run === undefined ? known[name]!(rules!) : typeof run === 'string' ? ['sh', '-c', run] : run,
    ...(rules === undefined ? {} : { rules }),
    timeoutMs: timeout === undefined ? codeTimeoutMs : parseDuration(timeout)!,
  }
}

function ignoreConfig(raw: RawIgnore): IgnoreConfig {
  return {
    layers: typeof raw.layer === 'string' ? [raw.layer] : raw.layer,
    id: (raw.id ?? raw.rule)!,
    ...(raw.path === undefined ? {} : { path: raw.path }),
    ...(raw.package === undefined ? {} : { package: raw.package }),
    reason: raw.reason,
    expires: dayOf(raw.expires)!,
    ...(raw.by === undefined ? {} : { by: raw.by }),
  }
}
