import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { ScanLayer } from '../config/commands.ts'
import type { Severity } from '../config/types.ts'
import type { ToolPin } from '../pins/types.ts'
import type { GateRunner, Verdict } from '../run/types.ts'
import { Failure } from '../util/diagnostics.ts'
import { checkCanary } from './canary.ts'
import { type Coverage, coverConfig, coverDeps, packageTargets, unread } from './coverage.ts'
import { describeDatabase } from './database.ts'
import { gate } from './gate.ts'
import { copyWithoutIgnores, findInlineIgnores } from './inline-ignores.ts'
import { prepareDatabase } from './prepare-database.ts'
import { count, oneLine, shownPath } from './text.ts'
import { type ScanTree, walkTree } from './tree.ts'
import { type FoundTrivy, findTrivy } from './trivy/find.ts'
import { isolated } from './trivy/isolation.ts'
import { trivyScanner } from './trivy/scanner.ts'
import type { Scanner, ScanReport } from './types.ts'

export interface GateOptions {
  readonly root: string
  /** The lowest severity that refuses. */
  readonly severity: Severity
  /** Trivy's pin, of devflow.lock or of this version of dwf. */
  readonly pin: ToolPin
  readonly env?: NodeJS.ProcessEnv
  readonly offline?: boolean
  readonly now?: () => number
  /** For each call of the scanner; 10 minutes when not given. */
  readonly timeoutMs?: number
}

const defaultTimeoutMs = 600_000

/** The gates of one run: the scanner is looked for once, at the first gate. */
export function gateRunner(options: GateOptions): GateRunner {
  let found: Promise<FoundTrivy> | undefined
  return (layer, signal) => {
    found ??= findTrivy(options.env ?? process.env, { root: options.root, pin: options.pin })
    return layerGate({ ...options, layer, signal, trivy: found })
  }
}

export interface LayerOptions extends GateOptions {
  readonly layer: ScanLayer
  readonly signal?: AbortSignal
  readonly trivy?: Promise<FoundTrivy>
}

/**
 * Scans one layer and judges it. Rejects with a `Failure` (machine-cannot) where this machine lacks the scanner, its
 * database or a whole report; `broken` where the report does not account for what is in the repository. It passes only
 * on a report that was read to its end.
 */
export async function layerGate(options: LayerOptions): Promise<Verdict> {
  try {
    return await judge({ ...options, root: realpathSync.native(options.root) })
  } catch (error) {
    if (error instanceof Failure) throw error
    return broken(`the gate could not run: ${oneLine(error instanceof Error ? error.message : String(error))}`, [])
  }
}

async function judge(options: LayerOptions): Promise<Verdict> {
  const {
    root,
    layer,
    severity,
    pin,
    env = process.env,
    now = Date.now,
    timeoutMs = defaultTimeoutMs,
    signal,
  } = options
  const trivy = await (options.trivy ?? findTrivy(env, { root, pin, ...(signal ? { signal } : {}) }))
  const request = { root, layer, timeoutMs, ...(signal ? { signal } : {}) }
  const tree = await walkTree(root)
  const prepared =
    layer === 'deps'
      ? await prepareDatabase({
          root,
          trivy,
          env,
          now,
          ...(signal ? { signal } : {}),
          offline: options.offline ?? false,
        })
      : undefined
  const remark = prepared ? `; ${describeDatabase(prepared.database)}` : ''
  const scanner = trivyScanner({ trivy, ...(prepared ? { databaseDir: prepared.database.dir } : {}) })
  const { report, lines: more } = await scanLayer(scanner, request, tree)

  const coverage = cover(root, layer, tree, report)
  const blind = [...unread(layer, tree), ...coverage.missing]
  const verdict = gate(report.findings, severity)
  const lines = [...verdict.lines, ...more, ...coverage.lines, ...(prepared?.lines ?? []), ...about(tree)]
  if (blind.length > 0) {
    return broken(`${count(blind.length, 'file')} not judged, the first: ${blind[0]}${remark}`, [...blind, ...lines])
  }
  return { ...verdict, summary: `${verdict.summary}; ${extent(report, tree)}${remark}`, lines }
}

interface Scanned {
  readonly report: ScanReport
  readonly lines: readonly string[]
}

async function scanLayer(scanner: Scanner, request: Parameters<Scanner['scan']>[0], tree: ScanTree): Promise<Scanned> {
  if (request.layer === 'secrets') await checkCanary(scanner, request)
  const ignores = request.layer === 'config' ? findInlineIgnores(request.root, tree.files) : []
  if (ignores.length === 0) return { report: await scanner.scan(request), lines: [] }
  const report = await isolated(request.root, async ({ scratch }) => {
    copyWithoutIgnores(request.root, tree.files, join(scratch))
    return scanner.scan({ ...request, root: scratch })
  })
  const places = ignores.map(({ file, line }) => `  ${shownPath(file)}:${line}`)
  return {
    report,
    lines: [`${count(ignores.length, 'comment')} with trivy:ignore or tfsec:ignore had no effect`, ...places],
  }
}

function cover(root: string, layer: ScanLayer, tree: ScanTree, report: ScanReport): Coverage {
  if (layer === 'deps') return coverDeps(root, tree, report)
  return layer === 'config' ? coverConfig(tree, report) : { missing: [], lines: [] }
}

function extent(report: ScanReport, tree: ScanTree): string {
  switch (report.layer) {
    case 'deps': {
      const targets = packageTargets(report)
      const packages = targets.reduce((sum, target) => sum + target.packages, 0)
      return `${count(packages, 'package')} in ${count(targets.length, 'lock file')}`
    }
    case 'secrets':
      return `a tree of ${count(tree.files.length, 'file')}`
    case 'config':
      return count(
        new Set(
          report.targets
            .filter((target) => target.kind === 'config' && target.file !== '.')
            .map((target) => target.file),
        ).size,
        'configuration file',
      )
  }
}

function about(tree: ScanTree): readonly string[] {
  return [
    ...(tree.skipped.length > 0 ? [`not looked at: ${tree.skipped.map(shownPath).join(', ')}`] : []),
    ...(tree.links.length > 0 ? [`${count(tree.links.length, 'link')} not followed`] : []),
  ]
}

function broken(summary: string, lines: readonly string[]): Verdict {
  const diagnostic = {
    severity: 'error',
    code: 'gate-broken',
    message: summary,
    hint: 'nothing was passed: see what could not be looked at',
  } as const
  return { kind: 'broken', summary, lines, diagnostics: [diagnostic] }
}
