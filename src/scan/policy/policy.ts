import { lstatSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { baselineFile, type ScanLayer } from '../../config/commands.ts'
import type { ScanConfig } from '../../config/types.ts'
import { failure } from '../../util/diagnostics.ts'
import { readInside } from '../read.ts'
import { count, shownPath } from '../text.ts'
import type { LayerResult } from '../types.ts'
import { pruneBaseline, readBaseline, writeBaseline } from './baseline.ts'
import type { Baseline, IgnoreRule, Policy, VexStatement } from './types.ts'
import { readVex } from './vex.ts'

/** What the files of a repository say that a policy is made of; read once a run, before the first finding. */
export interface PolicyFiles {
  readonly ignores: readonly IgnoreRule[]
  readonly vex: readonly VexStatement[]
  readonly baseline?: Baseline
}

/**
 * Reads the ignores, the VEX documents, the ignore files that are honoured, and the baseline.
 * @param root absolute, links resolved
 * @throws Failure('wrong-input'), located, for what is named and cannot be read
 */
export async function readPolicyFiles(
  root: string,
  options: {
    readonly policy: ScanConfig
    readonly lineOfIgnore?: (index: number) => Promise<number | undefined>
  },
): Promise<PolicyFiles> {
  const { policy, lineOfIgnore } = options
  const ignores: IgnoreRule[] = []
  for (const [index, ignore] of policy.ignore.entries()) {
    const line = await lineOfIgnore?.(index)
    const { path, ...rule } = ignore
    ignores.push({
      ...rule,
      of: 'config',
      file: 'devflow.toml',
      ...(line === undefined ? {} : { line }),
      ...(path === undefined ? {} : { paths: [path] }),
    })
  }
  if (policy.honor.files.length > 0) {
    const { readIgnoreFile } = await import('./ignore-file.ts')
    for (const path of policy.honor.files) ignores.push(...readIgnoreFile(path, textOf(root, path, 'honor')))
  }
  // They are applied when the tree is copied for scanners of code, which passes over what is not there.
  for (const path of policy.honor.semgrep) textOf(root, path, 'honor')
  const baseline = baselineText(root)
  return {
    ignores,
    vex: policy.vex.flatMap((path) => readVex(path, textOf(root, path, 'vex'))),
    ...(baseline === undefined ? {} : { baseline: readBaseline(baseline) }),
  }
}

/** A file that the configuration names counts: that it is not there must not be taken for "it says nothing". */
function textOf(root: string, path: string, key: string): string {
  const text = readInside(root, path)
  if (text !== undefined) return text
  throw failure(
    'wrong-input',
    'no-such-file',
    `[scan] ${key} names ${shownPath(path)}, which cannot be read`,
    'correct the path: it is from the root of the repository, and no link',
  )
}

/** Undefined only where there is no such file: one that is there and cannot be read does not say "nothing is accepted". */
function baselineText(root: string): string | undefined {
  const text = readInside(root, baselineFile)
  if (text !== undefined || !isThere(join(root, baselineFile))) return text
  throw failure(
    'wrong-input',
    'baseline-unreadable',
    `${baselineFile} is there and cannot be read`,
    'it has to be a file of the repository that this account may read, no link, and at most 64 MB',
  )
}

function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined
  } catch {
    // Nobody may look: it is not known to be absent.
    return true
  }
}

/** The policy of one layer. `today` is a day as YYYY-MM-DD. */
export function policyOf(layer: ScanLayer, scan: ScanConfig, files: PolicyFiles, today: string): Policy {
  const { severity, fixOnly } = scan.layers[layer]
  return {
    layer,
    limit: severity,
    fixOnly,
    today,
    ignores: files.ignores,
    vex: files.vex,
    honorsSuppressed: { inline: scan.honor.inline, suppressions: scan.honor.suppressions },
    ...(files.baseline ? { baseline: files.baseline } : {}),
  }
}

/**
 * The next baseline of a repository as text, and what became of it in words.
 * @throws Failure('wrong-input') for one that is there and cannot be read: it would be overwritten
 */
export function nextBaseline(
  root: string,
  judged: readonly LayerResult[],
  today: string,
  isPruned: boolean,
): { readonly text: string; readonly says: string } {
  const before = baselineText(realpathSync.native(root))
  const old = before === undefined ? undefined : readBaseline(before)
  if (isPruned && !old)
    throw failure('wrong-input', 'no-baseline', `there is no ${baselineFile}`, 'dwf scan baseline writes it')
  const text = isPruned ? pruneBaseline(old!, judged) : writeBaseline(old, judged, today)
  const known = new Set(old?.entries.map(({ fingerprint }) => fingerprint))
  const next = new Set(readBaseline(text).entries.map(({ fingerprint }) => fingerprint))
  const added = [...next].filter((one) => !known.has(one)).length
  const removed = [...known].filter((one) => !next.has(one)).length
  return { text, says: `${count(next.size, 'entry', 'entries')}, ${added} new, ${removed} taken out` }
}
