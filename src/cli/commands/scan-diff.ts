import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ScanLayer } from '../../config/commands.ts'
import { exportCommit, findCommit } from '../../project/git-tree.ts'
import { difference, readDocument, renderDifference } from '../../report/index.ts'
import { openGates, type ScanDocument } from '../../scan/index.ts'
import { Failure, failure } from '../../util/diagnostics.ts'
import { withTemporary } from '../../util/temporary.ts'
import { trivyPin } from '../gates.ts'
import type { Globals } from '../globals.ts'
import { loneAccess } from '../lone-gates.ts'
import type { Output } from '../output.ts'
import { keptDocument, scanDocument } from '../scan-document.ts'
import { onSignals } from '../signals.ts'
import { version } from '../version.ts'
import { openWorkspace, type Workspace } from '../workspace.ts'

/** The layers that need nothing but files. */
const layersOfFiles: readonly ScanLayer[] = ['deps', 'config', 'secrets', 'licenses']

/** `dwf scan diff A B`: two runs, report files, commits or images. Runs and files are read; commits and images scanned. */
export async function scanDiff(
  names: readonly string[],
  options: { readonly offline?: boolean },
  globals: Globals,
  output: Output,
): Promise<number> {
  const [a, b, ...more] = names
  if (a === undefined || b === undefined || more.length > 0)
    throw failure(
      'wrong-input',
      'usage',
      'scan diff needs two things to compare',
      'dwf scan diff A B: runs, commits, images, or files of --report json=FILE',
    )
  const workspace = await openWorkspace(globals)
  const signals = onSignals(undefined)
  try {
    const look = (name: string) => documentOf(name, { workspace, options, globals, output, signal: signals.signal })
    // One after the other: both may want the same image or database.
    const before = await look(a)
    const found = difference(before, await look(b))
    if (globals.json) output.json({ schema: 'dwf.scan-diff/1', ...found })
    else output.result(renderDifference(found).join('\n'))
    return 0
  } finally {
    signals.dispose()
  }
}

interface Scanner {
  readonly workspace: Workspace
  readonly options: { readonly offline?: boolean }
  readonly globals: Globals
  readonly output: Output
  readonly signal: AbortSignal
}

async function documentOf(name: string, scanner: Scanner): Promise<ScanDocument> {
  const { workspace, globals, output } = scanner
  const file = resolve(globals.cwd, name)
  if (name.endsWith('.json') && existsSync(file)) return readDocument(readFileSync(file, 'utf8'), name)
  const kept = keptDocument(name)
  if (kept !== undefined) return readDocument(kept, `run ${name}`)
  const { root } = workspace.config
  const commit = workspace.project.git ? await findCommit(root, name, process.env) : undefined
  if (commit === undefined) {
    output.talk(`scans the image ${name}`)
    return withoutName(await scanned(name, root, [{ layer: 'image', subjects: [name] }], scanner))
  }
  return withTemporary(async (folder) => {
    output.talk(`scans ${name} (${commit.slice(0, 12)})`)
    const tree = join(folder, 'tree')
    await exportCommit(root, commit, tree, process.env)
    const gates = layersOfFiles.map((layer) => ({ layer, subjects: [] }))
    return scanned(name, tree, gates, scanner, commit)
  })
}

/** Two images are compared as two states of one: what they are called makes no difference. */
function withoutName(document: ScanDocument): ScanDocument {
  const image = 'image'
  return {
    ...document,
    layers: document.layers.map((layer) => ({
      ...layer,
      subjects: [image],
      components: layer.components.map((component) => ({ ...component, image })),
      decisions: layer.decisions.map(({ finding, ...rest }) => ({
        ...rest,
        finding: finding.where.image === undefined ? finding : { ...finding, where: { ...finding.where, image } },
      })),
    })),
  }
}

/** A scan of its own, by the policy of the work tree; a gate that could not look is an error, not a difference. */
async function scanned(
  name: string,
  root: string,
  gates: readonly { readonly layer: ScanLayer; readonly subjects: readonly string[] }[],
  { workspace, options, globals, output, signal }: Scanner,
  commit?: string,
): Promise<ScanDocument> {
  const access = loneAccess(workspace, globals, output, signal)
  const opened = openGates({
    root,
    project: workspace.config.root,
    policy: {
      ...workspace.config.scan,
      vex: [],
      honor: { inline: false, suppressions: false, files: [], semgrep: [] },
    },
    pin: trivyPin(workspace.lock),
    dwf: version,
    env: process.env,
    cwd: globals.cwd,
    offline: options.offline === true,
    signal,
    note: output.talk,
    images: access.images,
    tools: access.tools,
  })
  for (const gate of gates) {
    const verdict = await opened.run(gate, signal)
    if (verdict.kind === 'broken') throw new Failure('machine-cannot', verdict.diagnostics)
  }
  return scanDocument({ run: name, project: workspace.project.name, commit, at: Date.now(), layers: opened.results() })
}
