import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Plan } from '../../plan/types.ts'
import { toJson } from '../../report/index.ts'
import { cacheRootOf, workspace as containerRoot, onHost, watchedOf } from '../../run/binding.ts'
import { runPlan } from '../../run/run.ts'
import { SetupStamps } from '../../run/setup-stamps.ts'
import type { RunResult } from '../../run/types.ts'
import { type LayerResult, notJudged, type ScanDocument } from '../../scan/index.ts'
import { failure } from '../../util/diagnostics.ts'
import { privateFolder, projectStateFolder, stateFolder } from '../../util/paths.ts'
import { parseDuration } from '../../util/units.ts'
import { exitCodes } from '../exit-codes.ts'
import { gatesOfRun, lonePolicy } from '../gates.ts'
import type { Globals } from '../globals.ts'
import { type Output, outputPressure } from '../output.ts'
import { openPlace } from '../place.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { jsonRun } from '../render/json.ts'
import { renderPlan } from '../render/plan.ts'
import { humanRun, summary } from '../render/run.ts'
import {
  addToJobSummary,
  keepDocument,
  readReports,
  scanDocument,
  type WantedReport,
  writeReports,
} from '../scan-document.ts'
import { secretsOf } from '../secrets.ts'
import { onSignals } from '../signals.ts'
import { requireTrust } from './trust.ts'

export interface RunCommandOptions {
  readonly rest: readonly string[]
  readonly jobs?: string
  readonly keepGoing?: boolean
  readonly offline?: boolean
  readonly deadline?: string
  /** `FORMAT=FILE`, each. */
  readonly report?: readonly string[]
}

/** What a command does with what the gates found, after the run and before its summary. */
export interface ScanHook {
  /** The command says itself what came of it. */
  readonly replacesSummary?: boolean
  readonly after: (scanned: {
    readonly layers: readonly LayerResult[]
    readonly root: string
    /** YYYY-MM-DD */
    readonly today: string
  }) => Promise<void>
}

/** `dwf check`, `dwf test`, `dwf run`, …: plan, trust, engine, image, run, summary. */
export async function runCommands(
  commands: readonly string[],
  tasks: readonly string[],
  options: RunCommandOptions,
  globals: Globals,
  output: Output,
  hook?: ScanHook,
): Promise<number> {
  const reports = readReports(options.report, globals.cwd)
  const jobs = readJobs(options.jobs)
  const deadlineMs = readDeadline(options.deadline)
  const prepared = await prepare({ commands, tasks, rest: options.rest }, globals)
  const { plan, workspace } = prepared
  output.diagnostics(workspace.warnings)
  if (globals.dryRun) {
    if (globals.json) output.json({ ...plan })
    else output.result(renderPlan(plan, output.style))
    return 0
  }
  const hasGates = plan.tasks.some((task) => task.kind === 'gate')
  if (reports.length > 0 && !hasGates)
    throw failure(
      'wrong-input',
      'usage',
      '--report has nothing to report: there is no gate in this run',
      'dwf plan shows what a run has',
    )
  const granted = await requireTrust(
    workspace,
    plan.tasks.map((task) => task.command),
  )
  // Before an engine is asked for anything: what the policy names and cannot be read is wrong input.
  if (hasGates) await lonePolicy(workspace.config, workspace.lock).ready()
  const signals = onSignals(deadlineMs)
  try {
    const { result, remarks, engine, layers } = await perform(
      prepared,
      { jobs, keepGoing: options.keepGoing === true, offline: options.offline === true },
      signals,
      globals,
      output,
    )
    const document = hasGates ? documentOf(prepared, result, layers) : undefined
    await hook?.after({
      layers: document?.layers ?? [],
      root: workspace.project.root,
      today: new Date().toISOString().slice(0, 10),
    })
    const isReplaced = hook?.replacesSummary && !document?.layers.some(({ verdict }) => verdict === 'broken')
    const streamed = streams(plan, globals)
    const judged =
      plan.tasks.some((task) => task.kind === 'gate') || !plan.requested.some((word) => word.startsWith('check:'))
    const all = [
      ...(judged ? [] : ['no gate judged this run: its target has none']),
      ...plan.notes,
      ...remarks,
      ...granted.map((request) => `trusted: may ${request.says}`),
    ]
    const exit = exitCodeOf(result, signals.exitCode())
    if (globals.json) {
      if (document) output.json(JSON.parse(toJson(document)))
      output.json({ schema: 'dwf.run/1', run: result.id, ok: result.ok, exit, plan: plan.hash, engine, remarks: all })
    } else if (!isReplaced) {
      output.result(
        summary(
          { result, tasks: plan.tasks, planHash: plan.hash, ...(engine ? { engine } : {}), remarks: all, streamed },
          output.style,
        ),
      )
    }
    // After the summary: what cannot be written must not hide what was found.
    if (document) await publish(document, workspace.project.root, reports, output)
    // Somebody who reads nothing must not keep alive what a signal or the deadline ended.
    if (result.ended) setTimeout(() => process.exit(exit), 3_000).unref()
    return exit
  } finally {
    signals.dispose()
  }
}

async function perform(
  prepared: Prepared,
  options: { jobs: number; keepGoing: boolean; offline: boolean },
  signals: ReturnType<typeof onSignals>,
  globals: Globals,
  output: Output,
) {
  const { plan, workspace } = prepared
  const { config, project } = workspace
  const runId = `${new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '')}-${randomBytes(3).toString('hex')}`
  privateFolder(stateFolder())
  const runFolder = privateFolder(join(stateFolder(), 'runs', runId))
  const cacheRoot = cacheRootOf(config, runFolder, process.env)
  const secrets = secretsOf(plan, process.env)
  const emit = globals.json
    ? jsonRun(output)
    : humanRun({ out: output.talk, style: output.talkStyle, stream: streams(plan, globals) })
  const note = (text: string) => {
    const said = globals.verbose ? text : brief(text)
    if (said) emit({ type: 'note', run: runId, at: Date.now(), text: said })
  }
  const place = openPlace({
    prepared,
    runId,
    runFolder,
    jobs: options.jobs,
    allowRoot: globals.allowRoot,
    signal: signals.signal,
    note,
    env: process.env,
  })
  const gates = gatesOfRun({
    plan,
    config,
    root: project.root,
    lock: workspace.lock,
    offline: options.offline,
    cwd: globals.cwd,
    signal: signals.signal,
    note,
    env: process.env,
    place,
  })
  const result = await runPlan(
    plan,
    {
      runId,
      root: project.root,
      logs: join(runFolder, 'logs'),
      workspace: (task) => (task.runtime === 'host' ? project.root : containerRoot),
      here: (task, values) => (task.runtime === 'host' ? onHost(values, cacheRoot) : values),
      open: place.open,
      gate: gates.run,
      stamps: new SetupStamps(join(projectStateFolder(project.root), 'setup.json'), {
        root: project.root,
        cacheRoot,
        image: prepared.imageTag,
      }),
      watched: watchedOf(plan, project.git, project.root),
      secrets,
      now: Date.now,
      emit,
      pressure: outputPressure,
    },
    { jobs: options.jobs, keepGoing: options.keepGoing, graceMs: 5_000, signal: signals.signal, hurry: signals.hurry },
  ).finally(() => place.close())
  return {
    result,
    engine: place.engine(),
    remarks: [...place.remarks(), ...gates.remarks()],
    layers: gates.results(),
  }
}

/** The document of a run: every gate of its plan, also one that never came to a verdict. */
function documentOf({ plan, workspace }: Prepared, result: RunResult, found: readonly LayerResult[]): ScanDocument {
  const { project, config } = workspace
  const gates = plan.tasks.filter((task) => task.kind === 'gate')
  const layers = gates.map((task): LayerResult => {
    const ended = result.tasks.find(({ id }) => id === task.id)
    const layer = found.find((one) => one.layer === task.layer)
    // A gate that was interrupted has judged nothing, whatever it had found by then.
    return layer && ended?.gate ? layer : notJudged(task.layer!, ended?.reason ?? 'it did not run', config.scan)
  })
  return scanDocument({ run: result.id, project: project.name, commit: project.git?.head, at: Date.now(), layers })
}

/** Keeps the document with the run, writes the reports that were asked for, and tells GitHub Actions. */
async function publish(
  document: ScanDocument,
  root: string,
  reports: readonly WantedReport[],
  output: Output,
): Promise<void> {
  for (const note of keepDocument(document, root)) output.talk(note)
  for (const note of await writeReports(document, reports, root)) output.talk(note)
  if (process.env.GITHUB_ACTIONS !== 'true') return
  const { annotations, jobSummary } = await import('../../report/index.ts')
  for (const line of annotations(document)) output.command(line)
  for (const note of addToJobSummary(jobSummary(document), process.env)) output.talk(note)
}

/** Of what an image build prints, the steps, each on one line; the rest is for --verbose. */
export function brief(text: string): string | undefined {
  const line = text.trim()
  if (
    line === '' ||
    /^-->|^(Get|Hit|Ign|Fetched|Reading|Building dependency|Selecting|Preparing|Unpacking|Setting up|Processing|debconf|update-alternatives|\(Reading|[0-9a-f]{64}$)/.test(
      line,
    ) ||
    /HEALTHCHECK is not supported for OCI/.test(line) ||
    / {2,}\S/.test(text.slice(0, 4))
  )
    return undefined
  return line.length > 110 ? `${line.slice(0, 109)}…` : line
}

/** What a task says is shown as it comes, unless it is one of many that a target runs and nobody asked for more. */
function streams(plan: Plan, globals: Globals): boolean {
  if (globals.quiet) return false
  return globals.verbose || !plan.requested.some((request) => request.startsWith('check:'))
}

function exitCodeOf(result: RunResult, bySignal: number | undefined): number {
  if (result.ended === 'interrupted') return bySignal ?? exitCodes.interrupted
  if (result.ended === 'deadline') return exitCodes.deadline
  if (result.tasks.some((task) => task.gate === 'broken')) return exitCodes['machine-cannot']
  return result.ok ? exitCodes.ok : exitCodes.failed
}

function readJobs(text: string | undefined): number {
  if (text === undefined) return Math.min(4, availableParallelism())
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw failure('wrong-input', 'usage', `--jobs must be a whole number from 1 to 999, not ${JSON.stringify(text)}`)
  return Number(text)
}

function readDeadline(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms === undefined)
    throw failure('wrong-input', 'usage', `--deadline must be a duration such as 30m, not ${JSON.stringify(text)}`)
  return ms
}
