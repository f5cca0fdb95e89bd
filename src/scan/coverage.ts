import { posix } from 'node:path'
import type { ScanLayer } from '../config/commands.ts'
import { lockFileRule, manifestRule, unpinnedRequirements } from './lock-files.ts'
import { readInside } from './read.ts'
import { count, shownPath } from './text.ts'
import { isFixture, type ScanTree } from './tree.ts'
import type { ScanReport, ScanTarget } from './types.ts'

/** What a report leaves out although it is there. `missing` breaks the gate; `lines` are for a person to know. */
export interface Coverage {
  readonly missing: readonly string[]
  readonly lines: readonly string[]
}

/**
 * Holds the report on dependencies against the lock files that dwf sees itself: Trivy passes over one that it cannot
 * parse, that is a link or that it may not read, without a word and with exit 0.
 */
export function coverDeps(root: string, tree: ScanTree, report: ScanReport): Coverage {
  const targets = new Map(packageTargets(report).map((target) => [target.file, target]))
  const missing: string[] = []
  const lines: string[] = []
  const silent = (path: string, why: string) => (isFixture(path) ? lines : missing).push(`${shownPath(path)}: ${why}`)
  for (const path of tree.links)
    if (lockFileRule(path)) silent(path, 'a lock file that is a link, which is not followed')
  for (const path of tree.unreadable.files) if (lockFileRule(path)) silent(path, 'a lock file that cannot be read')
  for (const path of tree.files) {
    const rule = lockFileRule(path)
    const manifest = manifestRule(path)
    if (!rule && !manifest) continue
    const text = readInside(root, path)
    if (text === undefined) silent(path, 'it cannot be read, or is too large')
    else if (rule?.holdsPackages(text) && !targets.has(path))
      silent(path, 'it holds packages, and the report says nothing about it')
    else if (!isFixture(path)) lines.push(...aboutManifest(path, text, [...targets.values()]))
  }
  return { missing, lines }
}

function aboutManifest(path: string, text: string, targets: readonly ScanTarget[]): readonly string[] {
  const rule = manifestRule(path)
  if (!rule?.hasDependencies(text)) return []
  const folder = posix.dirname(path)
  const isLocked = targets.some(
    (target) => rule.lockedBy.includes(target.type) && isAtOrAbove(posix.dirname(target.file), folder),
  )
  if (!isLocked)
    return [`${shownPath(path)}: it has dependencies and no lock file that Trivy reads; they are not judged`]
  const open = targets.some((target) => target.file === path && target.type === 'pip') ? unpinnedRequirements(text) : 0
  return open === 0
    ? []
    : [`${shownPath(path)}: ${count(open, 'line')} without an exact version; what they bring is not judged`]
}

const isAtOrAbove = (folder: string, other: string): boolean =>
  folder === '.' || other === folder || other.startsWith(`${folder}/`)

const dockerfile = /(^|\/)(Dockerfile|Containerfile)(\.[^/]+)?$|\.(Dockerfile|Containerfile|dockerfile|containerfile)$/

/** Holds the report on configuration against the Dockerfiles that dwf sees itself. */
export function coverConfig(tree: ScanTree, report: ScanReport): Coverage {
  const looked = new Set(report.targets.filter((target) => target.kind === 'config').map((target) => target.file))
  const missing: string[] = []
  const lines: string[] = []
  const all = [...tree.files, ...tree.links, ...tree.unreadable.files]
  for (const path of all) {
    if (!dockerfile.test(path) || looked.has(path) || path.endsWith('.dockerignore')) continue
    const line = `${shownPath(path)}: a Dockerfile that the report says nothing about`
    // What dwf builds must have been judged; any other may be a template that is no Dockerfile yet.
    if (path === 'Dockerfile.devflow') missing.push(line)
    else lines.push(line)
  }
  return { missing, lines }
}

/** A folder may hide anything; a file matters where its contents would have been looked at whatever its name. */
export function unread(layer: ScanLayer, { unreadable }: ScanTree): readonly string[] {
  return [
    ...unreadable.folders.map((path) => `${shownPath(path)}: a folder that cannot be read`),
    ...(layer === 'deps' ? [] : unreadable.files.map((path) => `${shownPath(path)}: it cannot be read`)),
  ]
}

export function packageTargets(report: ScanReport): readonly ScanTarget[] {
  return report.targets.filter((target) => target.kind === 'packages')
}
