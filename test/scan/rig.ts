import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { ScanLayer } from '../../src/config/commands.ts'
import { defaultConfig } from '../../src/config/parse.ts'
import type { ScanConfig, Severity } from '../../src/config/types.ts'
import type { ToolPin } from '../../src/pins/types.ts'
import type { Verdict } from '../../src/run/types.ts'
import { type GateOptions, type Gates, openGates } from '../../src/scan/index.ts'
import { localProgram, type TrivyProgram } from '../../src/scan/trivy/program.ts'
import { Failure } from '../../src/util/diagnostics.ts'

export const pin: ToolPin = { name: 'trivy', minimum: '0.70.0', denied: ['0.69.4', '0.69.5', '0.69.6'] }

/** A folder that is gone after the test. */
export function temporary(test: TestContext): string {
  const path = realpathSync.native(mkdtempSync(join(tmpdir(), 'dwf-rig-')))
  test.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Writes files, given as path → text, below `root`. */
export function plant(root: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return root
}

/** State folders of gates that a test did not give one: each its own, so that nothing is found again. */
const states: string[] = []
process.on('exit', () => {
  for (const path of states) rmSync(path, { recursive: true, force: true })
})

export interface LayerOptions extends Omit<Partial<GateOptions>, 'policy'> {
  readonly root: string
  readonly layer: ScanLayer
  readonly env: NodeJS.ProcessEnv
  readonly severity?: Severity
  readonly policy?: Partial<ScanConfig>
  readonly subjects?: readonly string[]
}

/** The gates of a repository with the default policy, or with what a test changes of it. */
export async function gatesOf(options: Omit<LayerOptions, 'layer'>): Promise<Gates> {
  const { severity, policy, subjects: _, env, ...more } = options
  const { scan } = await defaultConfig(options.root)
  const limit = severity ?? scan.severity
  const layers = Object.fromEntries(
    Object.entries(scan.layers).map(([name, layer]) => [name, severity ? { ...layer, severity: limit } : layer]),
  ) as ScanConfig['layers']
  const state = env.XDG_STATE_HOME ?? mkdtempSync(join(tmpdir(), 'dwf-rig-state-'))
  if (!env.XDG_STATE_HOME) states.push(state)
  return openGates({
    pin,
    dwf: 'test',
    ...more,
    env: { ...env, XDG_STATE_HOME: state },
    policy: { ...scan, severity: limit, layers, ...policy },
  })
}

/** One gate, to its verdict; with what it found, as `ID file:line`, in the order of the report. */
export async function layerGate(options: LayerOptions): Promise<Verdict & { readonly found: readonly string[] }> {
  const { layer, subjects = [], ...more } = options
  const gates = await gatesOf(more)
  const verdict = await gates.run({ layer, subjects }, new AbortController().signal)
  const found = gates
    .results()
    .flatMap(({ decisions }) =>
      decisions.map(({ finding: { id, where } }) => `${id} ${where.file}${where.line ? `:${where.line}` : ''}`),
    )
  return { ...verdict, found }
}

/** A program that was found: the version is the fake's own. */
export const program = (path: string): TrivyProgram => localProgram(path, '0.76.0', 'fake')

export interface FakeTrivy {
  readonly path: string
  /** The calls so far, but those for the version. */
  readonly calls: () => readonly Call[]
}
export interface Call {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
  readonly cwdEntries: readonly string[]
  readonly files: Readonly<Record<string, string>>
}

export interface FakeOptions {
  readonly version?: string
  readonly name?: string
  /** JavaScript for a scan. Has `output`, `root`, `report(results, more)`, `fs`, `path`. */
  readonly scan?: string
  /** JavaScript for a download. Has `cache`, `fs`, `path`. */
  readonly download?: string
}

/** A program in the place of Trivy: what the real one cannot be made to do. It finds the planted secret, as the real one does. */
export function fakeTrivy(folder: string, options: FakeOptions = {}): FakeTrivy {
  const { version = '0.76.0', name = 'trivy', scan = 'report([])', download = 'process.exit(1)' } = options
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  const log = join(folder, `${name}.calls`)
  writeFileSync(
    path,
    `#!${realpathSync.native(process.execPath)}
const fs = require('node:fs')
const path = require('node:path')
const argv = process.argv.slice(2)
if (argv[0] === '--version') {
  console.log('Version: ${version}')
  process.exit(0)
}
const value = (name) => argv[argv.indexOf(name) + 1]
const read = (name) => (argv.includes(name) ? fs.readFileSync(value(name), 'utf8') : undefined)
const files = { config: read('--config'), ignorefile: read('--ignorefile'), secret: read('--secret-config') }
fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify({ argv, env: process.env, cwd: process.cwd(), cwdEntries: fs.readdirSync('.'), files }) + '\\n')
const cache = value('--cache-dir')
if (argv[0] === 'image') {
  ${download}
  process.exit(0)
}
const output = value('--output')
const root = argv.at(-1)
const report = (Results, more = {}) =>
  fs.writeFileSync(output, JSON.stringify({ SchemaVersion: 2, Trivy: { Version: '${version}' }, ArtifactName: root, Results, ...more }))
if (fs.existsSync(path.join(root, 'settings.conf')) && root.endsWith('/scratch')) {
  report([{ Target: 'settings.conf', Class: 'secret', Secrets: [{ RuleID: 'planted', Severity: 'HIGH', StartLine: 1 }] }])
  process.exit(0)
}
${scan}
`,
  )
  chmodSync(path, 0o755)
  const calls = (): readonly Call[] =>
    existsSync(log)
      ? readFileSync(log, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      : []
  return { path, calls }
}

export interface DatabaseOptions {
  readonly updatedAt?: number
  readonly size?: number
  readonly entries?: number
  readonly metadata?: string
}

/** A folder as Trivy leaves it, with a file that is no database in the place of trivy.db. */
export function plantDatabase(dir: string, options: DatabaseOptions = {}): string {
  const { updatedAt = Date.now() - 3_600_000, size = 2 * 1024 * 1024, entries, metadata } = options
  const text = metadata ?? JSON.stringify({ Version: 2, UpdatedAt: new Date(updatedAt).toISOString() })
  plant(dir, { 'db/metadata.json': text, 'db/trivy.db': 'x'.repeat(size) })
  if (entries !== undefined) plant(dir, { 'db/test-database.json': JSON.stringify({ entries }) })
  return dir
}

/** The failure that a promise ends with; the test fails when it ends with anything else. */
export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** `machine-cannot scanner-missing` */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const failure = await failureOf(promise)
  if (failure.diagnostics.some(({ hint }) => !hint)) throw new Error('a failure without a way out')
  return `${failure.kind} ${failure.diagnostics[0]?.code}`
}

export const text = (verdict: Verdict): string => [verdict.kind, verdict.summary, ...verdict.lines].join('\n')

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
