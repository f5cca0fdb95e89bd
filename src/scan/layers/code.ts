import { copyFileSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import type { CodeScannerConfig } from '../../config/types.ts'
import { hashFile } from '../../util/files.ts'
import { listing } from '../../util/text.ts'
import { formatDuration } from '../../util/units.ts'
import { scanFailed } from '../broken.ts'
import { copyTree } from '../copy-tree.ts'
import { readSarif, type SarifNote } from '../sarif.ts'
import { count, shownPath } from '../text.ts'
import { isolated } from '../trivy/isolation.ts'
import { said } from '../trivy/scanner.ts'
import { lookOnce } from './keep.ts'
import type { CodeRunner, LayerContext, Look, Looked } from './types.ts'

/**
 * Lets the scanners of `[scan.code]` look at a copy of the repository: read-only, in a container without network. Each
 * must end with 0 or 1 and with a whole report in SARIF.
 */
export async function lookAtCode(context: LayerContext, signal: AbortSignal | undefined): Promise<Look> {
  const { policy, code } = context
  if (!code)
    throw scanFailed('no-engine', 'scanners of code run in the image of tasks', 'dwf init writes its Dockerfile')
  const [tree, contents, identity] = await Promise.all([context.tree(), context.contents(), code.identity()])
  const laid = filesOfPolicy(context)
  const paths = [...new Set([...tree.files, ...laid.map(({ path }) => path)])]
  for (const { name, rules } of policy.code) {
    const place = posix.normalize(rules ?? '.').replace(/\/$/, '')
    const isThere = place === '.' || paths.some((file) => file === place || file.startsWith(`${place}/`))
    if (rules !== undefined && !isThere)
      throw scanFailed(
        'no-rules',
        `scanner ${name}: there are no rules in ${shownPath(rules)}`,
        'correct rules in devflow.toml',
      )
  }
  const { looked, at, isCached } = await lookOnce(
    context,
    ['code', contents.key, identity, policy.code, policy.honor.semgrep, laid.map(hashed)],
    context.isUnchanged,
    () =>
      isolated(context.guarded, async ({ scratch }) => {
        const ignores = paths.filter((path) => /(^|\/)\.semgrepignore$/.test(path))
        const honored = ignores.filter((path) => policy.honor.semgrep.includes(path))
        const dropped = ignores.filter((path) => !honored.includes(path))
        const leftOut = copyTree(
          context.root,
          tree.files.filter((path) => !dropped.includes(path)),
          scratch,
        )
        for (const { path, file } of laid) if (!dropped.includes(path)) putInPlace(file, join(scratch, path))
        // Without one at the top, Semgrep leaves out folders such as test/: an empty one leaves out nothing.
        if (!honored.includes('.semgrepignore')) writeFileSync(join(scratch, '.semgrepignore'), '')
        const files = new Set(tree.files)
        const looks: Looked[] = []
        for (const scanner of policy.code) looks.push(await lookWith(scanner, scratch, files, code, signal))
        const all = together(looks, tree.files.length)
        return {
          ...all,
          blind: leftOut.map((path) => `${shownPath(path)}: it cannot be read, or is not a file any more`),
          lines: [
            ...all.lines,
            ...honored.map((path) => `${shownPath(path)}: honoured, what it names was not looked at`),
            ...dropped.map((path) => `${shownPath(path)} had no effect`),
          ],
        }
      }),
  )
  return { looked, scannedAt: at, isCached, lines: [] }
}

/**
 * What the scanners go by, where that is not the repository's own: rules and ignore files of the base, over those of the
 * change that is judged.
 */
function filesOfPolicy({ policy, policyRoot }: LayerContext): readonly { path: string; file: string }[] {
  if (policyRoot === undefined) return []
  const named = [...policy.code.flatMap(({ rules }) => rules ?? []), ...policy.honor.semgrep]
  return named.flatMap((name) => {
    const path = posix.normalize(name).replace(/\/$/, '')
    const whole = join(policyRoot, path)
    const stat = lstatSync(whole, { throwIfNoEntry: false })
    if (path === '.' || !stat) return []
    if (!stat.isDirectory()) return [{ path, file: whole }]
    return readdirSync(whole, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const file = join(entry.parentPath, entry.name)
      return entry.isFile() ? [{ path: posix.join(path, relative(whole, file)), file }] : []
    })
  })
}

const hashed = ({ path, file }: { path: string; file: string }) => [path, hashFile(file) ?? '']

function putInPlace(file: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(file, to)
}

async function lookWith(
  scanner: CodeScannerConfig,
  tree: string,
  files: ReadonlySet<string>,
  code: CodeRunner,
  signal: AbortSignal | undefined,
): Promise<Looked> {
  const { name, timeoutMs } = scanner
  const { workspace, ended } = await code.run(scanner, tree, signal)
  if (ended.timedOut)
    throw scanFailed(
      'scan-timed-out',
      `scanner ${name} was stopped after ${formatDuration(timeoutMs)}`,
      'give it a longer timeout',
    )
  if (signal?.aborted) throw scanFailed('scan-cancelled', 'the scan was stopped', 'run it again')
  // 1 is what most scanners say when they found something; whether they are whole is said by their report.
  if (ended.code !== 0 && ended.code !== 1)
    throw scanFailed(
      'scan-failed',
      ended.code === 127
        ? `scanner ${name}: its program is not in the image${said(ended.stderr)}`
        : `scanner ${name} failed with exit ${ended.code}${said(ended.stderr)}`,
      ended.code === 127 ? 'add it to Dockerfile.devflow: see docs/gates.md' : 'run it in a task to see more',
    )
  if (ended.stdout.trim() === '')
    throw scanFailed(
      'no-report',
      `scanner ${name} ended with ${ended.code} and without a report${said(ended.stderr)}`,
      'it must write SARIF to $DWF_SARIF, or to its standard output',
    )
  const { findings, targets, tool, rules, saysWhat, notes } = readSarif(ended.stdout, {
    ...{ layer: 'code', scanner: name, root: workspace, files },
  })
  // These name every rule that they ran (Semgrep 1.182): a folder of rules without one is no reason to pass.
  if (rules === 0 && namesItsRules(scanner))
    throw scanFailed('no-rules-ran', `scanner ${name} ran without a rule`, 'put rules into its folder')
  return {
    findings,
    components: [],
    scanners: [{ name, version: tool.version }],
    subjects: ['repository'],
    extent: count(targets.length, 'file'),
    blind: [],
    lines: [...(saysWhat ? [] : [`scanner ${name} says nothing of what it looked at`]), ...notesAsLines(name, notes)],
  }
}

const namesItsRules = ({ name, argv }: CodeScannerConfig): boolean =>
  (name === 'semgrep' || name === 'opengrep') && argv[0] === name

const notesShown = 20

function notesAsLines(name: string, notes: readonly SarifNote[]): readonly string[] {
  const lines = notes
    .slice(0, notesShown)
    .map(({ file, text }) => `scanner ${name}: ${file === undefined ? '' : `${shownPath(file)}: `}${text}`)
  const more = notes.length - lines.length
  return more > 0 ? [...lines, `scanner ${name}: ${more} more of such notes`] : lines
}

function together(looks: readonly Looked[], files: number): Looked {
  return {
    findings: looks.flatMap((look) => look.findings),
    components: [],
    scanners: looks.flatMap((look) => look.scanners),
    subjects: ['repository'],
    extent: `a tree of ${count(files, 'file')}, by ${listing(looks.flatMap((look) => look.scanners.map(({ name }) => name)))}`,
    blind: [],
    lines: looks.flatMap((look) => look.lines),
  }
}
