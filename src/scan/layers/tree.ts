import { checkCanary } from '../canary.ts'
import { type Coverage, coverConfig, coverDeps, packageTargets, unread } from '../coverage.ts'
import { databaseIdentity, describeDatabase } from '../database.ts'
import { copyWithoutIgnores, findInlineIgnores, mayHoldIgnores } from '../inline-ignores.ts'
import { prepareDatabase } from '../prepare-database.ts'
import { readInside } from '../read.ts'
import { isRuled, ownRules } from '../rules/index.ts'
import { count, shownPath } from '../text.ts'
import type { ScanTree } from '../tree.ts'
import { isolated } from '../trivy/isolation.ts'
import { trivyScanner } from '../trivy/scanner.ts'
import type { Scanner, ScanReport, ScanRequest } from '../types.ts'
import { lookOnce } from './keep.ts'
import type { LayerContext, Look, Looked } from './types.ts'

export type TreeLayer = 'deps' | 'config' | 'secrets' | 'licenses'

/** Looks at a layer of the repository with Trivy, and with dwf's own rules where Trivy has none. */
export async function lookAtTree(
  layer: TreeLayer,
  context: LayerContext,
  signal: AbortSignal | undefined,
): Promise<Look> {
  const { root, guarded, env, now, offline, note, timeoutMs, policy } = context
  const [trivy, tree, contents] = await Promise.all([context.trivy(), context.tree(), context.contents()])
  const prepared =
    layer === 'deps'
      ? await prepareDatabase({ guarded, trivy, env, now, offline, note, ...(signal ? { signal } : {}) })
      : undefined
  const scanner = trivyScanner({ trivy, guarded, ...(prepared ? { databaseDir: prepared.database.dir } : {}) })
  const request: ScanRequest = { subject: { kind: 'tree', root }, layer, timeoutMs, ...(signal ? { signal } : {}) }
  const key = [
    layer,
    contents.key,
    trivy.version,
    trivy.identity,
    prepared ? databaseIdentity(prepared.database.dir) : '',
    layer === 'config' && policy.honor.inline,
  ]
  const { looked, at, isCached } = await lookOnce(context, key, context.isUnchanged, () =>
    lookNow(scanner, request, root, tree, context),
  )
  return {
    looked,
    scannedAt: at,
    isCached,
    ...(prepared ? { database: describeDatabase(prepared.database) } : {}),
    lines: prepared?.lines ?? [],
  }
}

async function lookNow(
  scanner: Scanner,
  request: ScanRequest,
  root: string,
  tree: ScanTree,
  { policy }: LayerContext,
): Promise<Looked> {
  const { report, lines, blind } = await scan(scanner, request, root, tree, policy.honor.inline)
  const coverage = cover(root, tree, report)
  const own = request.layer === 'config' ? await byOwnRules(root, tree) : { findings: [], targets: [], blind: [] }
  const whole = { ...report, targets: [...report.targets, ...own.targets] }
  return {
    findings: [...report.findings, ...own.findings],
    components: report.components,
    scanners: [report.scanner],
    subjects: ['repository'],
    extent: extent(whole, tree),
    blind: [...unread(request.layer, tree), ...blind, ...coverage.missing, ...own.blind],
    lines: [...lines, ...coverage.lines, ...about(tree)],
  }
}

interface Scanned {
  readonly report: ScanReport
  readonly blind: readonly string[]
  readonly lines: readonly string[]
}

async function scan(
  scanner: Scanner,
  request: ScanRequest,
  root: string,
  tree: ScanTree,
  isHonored: boolean,
): Promise<Scanned> {
  if (request.layer === 'secrets') await checkCanary(scanner, [root], request)
  const ignores = request.layer === 'config' ? findInlineIgnores(root, tree.files) : []
  if (ignores.length === 0) return { report: await scanner.scan(request), lines: [], blind: [] }
  const { report, leftOut } = await isolated([root], async ({ scratch }) => ({
    leftOut: copyWithoutIgnores(root, tree.files, scratch),
    report: await scanner.scan({ ...request, subject: { kind: 'tree', root: scratch } }),
  }))
  const blind = leftOut
    .filter(mayHoldIgnores)
    .map((path) => `${shownPath(path)}: too large to take its comments out, or not a file any more`)
  if (isHonored) return { report: marked(report, await scanner.scan(request)), lines: [], blind }
  const places = ignores.map(({ file, line }) => `  ${shownPath(file)}:${line}`)
  const amount = count(ignores.length, 'comment')
  return { report, lines: [`${amount} with trivy:ignore or tfsec:ignore had no effect`, ...places], blind }
}

/** What only the scan without the comments finds is what the comments hide. */
function marked(without: ScanReport, withComments: ScanReport): ScanReport {
  const shown = new Set(withComments.findings.map((finding) => finding.fingerprint))
  return {
    ...without,
    findings: without.findings.map((finding) =>
      shown.has(finding.fingerprint)
        ? finding
        : { ...finding, suppressed: { by: 'inline', says: 'a comment in the file' } },
    ),
  }
}

/** A file that cannot be read as what it is named is a finding of the rules; one that cannot be read at all is blind. */
async function byOwnRules(root: string, tree: ScanTree) {
  const blind: string[] = []
  const files = tree.files.filter(isRuled).flatMap((path) => {
    const text = readInside(root, path)
    if (text === undefined) blind.push(`${shownPath(path)}: it cannot be read, or is too large`)
    return text === undefined ? [] : [{ path, text }]
  })
  return { ...(await ownRules(files)), blind }
}

function cover(root: string, tree: ScanTree, report: ScanReport): Coverage {
  if (report.layer === 'deps') return coverDeps(root, tree, report)
  return report.layer === 'config' ? coverConfig(tree, report) : { missing: [], lines: [] }
}

function extent(report: ScanReport, tree: ScanTree): string {
  if (report.layer === 'secrets') return `a tree of ${count(tree.files.length, 'file')}`
  if (report.layer === 'config') {
    const files = report.targets.filter((target) => target.kind === 'config' && target.file !== '.')
    return count(new Set(files.map((target) => target.file)).size, 'configuration file')
  }
  const targets = packageTargets(report)
  const packages = targets.reduce((sum, target) => sum + target.packages, 0)
  return `${count(packages, 'package')} in ${count(targets.length, 'lock file')}`
}

function about(tree: ScanTree): readonly string[] {
  return [
    ...(tree.skipped.length > 0 ? [`not looked at: ${tree.skipped.map(shownPath).join(', ')}`] : []),
    ...(tree.links.length > 0 ? [`${count(tree.links.length, 'link')} not followed`] : []),
  ]
}
