import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { ScanLayer } from '../config/commands.ts'
import type { ScanConfig } from '../config/types.ts'
import type { ToolPin } from '../pins/types.ts'
import type { GateRunner, Verdict } from '../run/types.ts'
import { Failure, failureLines } from '../util/diagnostics.ts'
import { once } from '../util/once.ts'
import { projectStateFolder } from '../util/paths.ts'
import { contentsOf, stampOf } from './content.ts'
import { gate } from './gate.ts'
import { keptResults } from './kept.ts'
import { lookAtCode } from './layers/code.ts'
import { lookAtImages } from './layers/image.ts'
import { lookAtTree } from './layers/tree.ts'
import type { CodeRunner, ImageAccess, LayerContext, Look } from './layers/types.ts'
import { judgeLicenses } from './licenses.ts'
import { decide } from './policy/decide.ts'
import { type PolicyFiles, policyOf, readPolicyFiles } from './policy/policy.ts'
import { count, minuteOf, oneLine } from './text.ts'
import { walkTree } from './tree.ts'
import { findTrivy } from './trivy/find.ts'
import { type Guarded, isGuarded, real } from './trivy/isolation.ts'
import type { ToolRunner } from './trivy/program.ts'
import type { Decision, Finding, LayerResult } from './types.ts'

export interface GateOptions {
  readonly root: string
  /** The project that `root` is a copy of: its state folder keeps the results. */
  readonly project?: string
  readonly policy: ScanConfig
  /** Where the files are that the policy names, and the baseline; the root when not given. */
  readonly policyRoot?: string
  /** Trivy's pin, of devflow.lock or of this version of dwf. */
  readonly pin: ToolPin
  /** Version of dwf: what it made of reports may change with it. */
  readonly dwf: string
  /** Where the ignores stand: line of the nth `[[scan.ignore]]` in devflow.toml, from 0. */
  readonly lineOfIgnore?: (index: number) => Promise<number | undefined>
  readonly env?: NodeJS.ProcessEnv
  readonly offline?: boolean
  /** What names of archives are relative to; the root when not given. */
  readonly cwd?: string
  /** Ends what all gates wait for: finding the scanner, fetching its image. */
  readonly signal?: AbortSignal
  /** Told what takes a while. */
  readonly note?: (text: string) => void
  readonly now?: () => number
  /** For each call of the scanner; 10 minutes when not given. */
  readonly timeoutMs?: number
  readonly images?: ImageAccess
  readonly code?: CodeRunner
  readonly tools?: ToolRunner
}

const defaultTimeoutMs = 600_000

export interface Gates {
  /** Reads what the policy is made of. Throws a `Failure` (wrong-input), located, for what is named and cannot be read. */
  readonly ready: () => Promise<void>
  readonly run: GateRunner
  /** What the gates that ran made of it, in the order in which they ended. */
  readonly results: () => readonly LayerResult[]
}

/** The gates of one run. The tree is listed, the scanner found and the policy read once, at the first gate. */
export function openGates(options: GateOptions): Gates {
  const context = contextOf(options)
  const policyFiles = once(async () =>
    readPolicyFiles(
      options.policyRoot === undefined ? context.root() : realpathSync.native(options.policyRoot),
      options,
    ),
  )
  const results: LayerResult[] = []
  return {
    results: () => results,
    async ready() {
      await policyFiles()
    },
    async run({ layer, subjects }, signal) {
      const began = context.now()
      try {
        const files = await policyFiles()
        const look = await lookAt(
          layer,
          subjects,
          { ...context, root: context.root(), guarded: context.guarded() },
          signal,
        )
        const { verdict, result } = judge(layer, look, options.policy, files, context.now())
        results.push({ ...result, ms: context.now() - began })
        return verdict
      } catch (error) {
        const verdict = brokenBy(error)
        results.push({
          ...notJudged(layer, verdict.summary, options.policy, verdict.lines),
          scannedAt: began,
          ms: context.now() - began,
        })
        if (error instanceof Failure) throw error
        return verdict
      }
    },
  }
}

type Context = Omit<LayerContext, 'root' | 'guarded'> & { readonly root: () => string; readonly guarded: () => Guarded }

function contextOf(options: GateOptions): Context {
  const { pin, env = process.env, now = Date.now, offline = false, timeoutMs = defaultTimeoutMs } = options
  let resolved: string | undefined
  const root = () => {
    resolved ??= realpathSync.native(options.root)
    return resolved
  }
  const guarded = () => [root(), options.project ?? options.root]
  const state = join(projectStateFolder(options.project ?? options.root, env), 'scan')
  // A state folder inside of what is judged could have been written by it: nothing of it is believed.
  const isOwn = once(async () => !isGuarded(guarded(), real(state)))
  const memo = async () =>
    (await isOwn())
      ? join(state, options.project === undefined ? 'contents.json' : 'contents-of-copies.json')
      : undefined
  const tree = once(() => walkTree(root()))
  const contents = once(async () => contentsOf(root(), await tree(), await memo()))
  return {
    root,
    guarded,
    cwd: options.cwd ?? options.root,
    policy: options.policy,
    ...(options.policyRoot === undefined ? {} : { policyRoot: options.policyRoot }),
    dwf: options.dwf,
    env,
    now,
    offline,
    timeoutMs,
    tree,
    contents,
    isUnchanged: async () => stampOf(root(), await walkTree(root())) === (await contents()).stamp,
    note: options.note ?? (() => {}),
    trivy: once(() => {
      const { tools, signal } = options
      return findTrivy(env, { guarded: guarded(), pin, ...(tools ? { tools } : {}), ...(signal ? { signal } : {}) })
    }),
    kept: keptResults(join(state, 'results'), isOwn),
    ...(options.images ? { images: options.images } : {}),
    ...(options.code ? { code: options.code } : {}),
  }
}

function lookAt(
  layer: ScanLayer,
  subjects: readonly string[],
  context: LayerContext,
  signal: AbortSignal | undefined,
): Promise<Look> {
  switch (layer) {
    case 'image':
      return lookAtImages(subjects, context, signal)
    case 'code':
      return lookAtCode(context, signal)
    default:
      return lookAtTree(layer, context, signal)
  }
}

function judge(layer: ScanLayer, look: Look, scan: ScanConfig, files: PolicyFiles, now: number) {
  const { looked } = look
  const own =
    layer === 'licenses'
      ? judgeLicenses(looked.findings, looked.components, scan.licenses)
      : { findings: looked.findings, lines: [] }
  const today = new Date(now).toISOString().slice(0, 10)
  const policy = policyOf(layer, scan, files, today)
  const decided = decide(own.findings, policy)
  requireAll(own.findings, decided.decisions)
  const passed = gate(decided, policy.limit)
  const remarks = [
    ...(look.database ? [look.database] : []),
    ...(look.isCached ? [`as found at ${minuteOf(look.scannedAt)} in the same contents`] : []),
  ]
  const remaining = [...own.lines, ...looked.lines, ...look.lines]
  const lines = [...passed.lines, ...remaining]
  const blind = looked.blind.length > 0
  const verdict = blind
    ? brokenVerdict(
        [`${count(looked.blind.length, 'file')} not judged, the first: ${looked.blind[0]}`, ...remarks].join('; '),
        [...looked.blind, ...lines],
      )
    : {
        ...passed,
        summary: [passed.summary, looked.extent, ...remarks].join('; '),
        lines,
        shown: [...(passed.shown ?? passed.lines), ...remaining],
      }
  const result: Omit<LayerResult, 'ms'> = {
    layer,
    verdict: verdict.kind,
    summary: verdict.summary,
    limit: policy.limit,
    scanners: looked.scanners,
    subjects: looked.subjects,
    ...(look.database ? { database: look.database } : {}),
    scannedAt: look.scannedAt,
    isCached: look.isCached,
    decisions: decided.decisions,
    components: looked.components,
    lines: [...looked.blind, ...decided.lines, ...own.lines, ...looked.lines, ...look.lines],
  }
  return { verdict, result }
}

/** No finding gets lost between the scanner and the verdict, whatever the policy says. */
function requireAll(findings: readonly Finding[], decisions: readonly Decision[]): void {
  const decided = new Set(decisions.map(({ finding }) => finding))
  if (findings.some((finding) => !decided.has(finding))) throw new Error('a finding got lost on its way to the verdict')
}

function brokenVerdict(summary: string, lines: readonly string[]): Verdict {
  const diagnostic = {
    severity: 'error',
    code: 'gate-broken',
    message: summary,
    hint: 'nothing was passed: see what could not be looked at',
  } as const
  return { kind: 'broken', summary, lines, diagnostics: [diagnostic] }
}

function brokenBy(error: unknown): Verdict {
  if (error instanceof Failure)
    return brokenVerdict((error.diagnostics[0]?.message ?? error.message).split('\n')[0]!, failureLines(error))
  return brokenVerdict(`the gate could not run: ${oneLine(error instanceof Error ? error.message : String(error))}`, [])
}

/** What stands in a report for a gate without a verdict of its own. */
export function notJudged(layer: ScanLayer, why: string, scan: ScanConfig, lines: readonly string[] = []): LayerResult {
  return {
    layer,
    verdict: 'broken',
    summary: why,
    limit: scan.layers[layer].severity,
    scanners: [],
    subjects: [],
    scannedAt: Date.now(),
    isCached: false,
    decisions: [],
    components: [],
    lines,
    ms: 0,
  }
}
