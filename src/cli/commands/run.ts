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
import { formatDuration, parseDuration } from '../../util/units.ts'
import { beginStatuses, type CommitStatuses } from '../commit-status.ts'
import { exitCodes } from '../exit-codes.ts'
import { gatesOfRun, lonePolicy } from '../gates.ts'
import type { Globals } from '../globals.ts'
import { requireVersion } from '../lock-version.ts'
import { type Output, outputPressure } from '../output.ts'
import { openPlace } from '../place.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { jsonRun } from '../render/json.ts'
import { renderPlan } from '../render/plan.ts'
import { humanRun, summary, verdictOf } from '../render/run.ts'
import { isWorkflowLog } from '../render/workflow-log.ts'
import { keepDocument, readReports, scanDocument, type WantedReport, writeReports } from '../scan-document.ts'
import { secretsOf } from '../secrets.ts'
import { onSignals } from '../signals.ts'
import { statusTarget } from '../status-target.ts'
import { requireTrust } from './trust.ts'

export interface RunCommandOptions {
  readonly rest: readonly string[]
  readonly jobs?: string
  readonly keepGoing?: boolean
  readonly offline?: boolean
  readonly deadline?: string
  /** `FORMAT=FILE` or the context of a commit status, each. */
  readonly report?: readonly string[]
  /** devflow.lock may name another version of dwf than this one. */
  readonly anyVersion?: boolean
  /** The run is a part of a plan, whose gates may be in another. */
  readonly part?: string
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
  const wanted = readOptions(options, globals)
  const prepared = await prepare({ commands, tasks, rest: options.rest }, globals)
  if (commands.some((command) => command === 'check' || command.startsWith('check:')))
    requireVersion(prepared.workspace.lock, options.anyVersion === true)
  return (await runPrepared(prepared, options, globals, output, { wanted, ...(hook ? { hook } : {}) })).exit
}

function readOptions(options: RunCommandOptions, globals: Globals) {
  const { files, contexts } = readReports(options.report, globals.cwd)
  const isReported = contexts.length > 0 && !globals.dryRun
  return {
    reports: files,
    statuses: isReported ? { contexts, target: statusTarget(process.env) } : undefined,
    jobs: readJobs(options.jobs),
    deadlineMs: readDeadline(options.deadline),
  }
}

/** Options that were read: what they ask for can be had. */
type WantedRun = ReturnType<typeof readOptions>

/** A plan that is made already: the whole of one, or what one job of CI runs of it. */
export async function runPrepared(
  prepared: Prepared,
  options: RunCommandOptions,
  globals: Globals,
  output: Output,
  { wanted = readOptions(options, globals), hook }: { readonly wanted?: WantedRun; readonly hook?: ScanHook } = {},
): Promise<{ readonly exit: number; readonly result?: RunResult }> {
  const { plan, workspace } = prepared
  output.diagnostics(workspace.warnings)
  if (globals.dryRun) {
    if (globals.json) output.json({ ...plan })
    else output.result(renderPlan(plan, output.style))
    return { exit: exitCodes.ok }
  }
  const hasGates = plan.tasks.some((task) => task.kind === 'gate')
  if (wanted.reports.length > 0 && !hasGates)
    throw failure(
      'wrong-input',
      'usage',
      '--report has nothing to report: there is no gate in this run',
      'dwf plan shows what a run has',
    )
  const signals = onSignals(wanted.deadlineMs)
  try {
    const title = `dwf ${plan.requested.join(' ')}`
    const statuses = wanted.statuses
      ? await beginStatuses(wanted.statuses.contexts, wanted.statuses.target, `${title} runs`, { env: process.env })
      : undefined
    const { result, ...ended } = await runReported(
      prepared,
      { ...options, ...wanted, keepGoing: options.keepGoing === true, offline: options.offline === true },
      signals,
      globals,
      output,
      hook,
    ).catch(async (error: unknown) => {
      output.diagnostics((await statuses?.end('error', `${title} could not run; its log says why`)) ?? [])
      throw error
    })
    const exit = await endStatuses(statuses, result, ended.exit, output)
    // Somebody who reads nothing must not keep alive what a signal or the deadline ended.
    if (result.ended) setTimeout(() => process.exit(exit), 3_000).unref()
    return { exit, result }
  } finally {
    signals.dispose()
  }
}

/** The final state of the commit statuses; the exit code, which a status that is not set makes one of a failure. */
async function endStatuses(
  statuses: CommitStatuses | undefined,
  result: RunResult,
  exit: number,
  output: Output,
): Promise<number> {
  const state = exit === exitCodes.ok ? 'success' : exit === exitCodes.failed ? 'failure' : 'error'
  const problems = (await statuses?.end(state, `${verdictOf(result)} in ${formatDuration(result.ms)}`)) ?? []
  output.diagnostics(problems)
  const isLesser = exit === exitCodes.ok || exit === exitCodes.failed
  return problems.length > 0 && isLesser ? exitCodes['machine-cannot'] : exit
}

interface ReportedOptions {
  readonly reports: readonly WantedReport[]
  readonly rest: readonly string[]
  readonly jobs: number
  readonly keepGoing: boolean
  readonly offline: boolean
  readonly part?: string
}

/** Trust, run, summary, reports. */
async function runReported(
  prepared: Prepared,
  options: ReportedOptions,
  signals: ReturnType<typeof onSignals>,
  globals: Globals,
  output: Output,
  hook: ScanHook | undefined,
): Promise<{ readonly exit: number; readonly result: RunResult }> {
  const { plan, workspace } = prepared
  const hasGates = plan.tasks.some((task) => task.kind === 'gate')
  const granted = await requireTrust(
    workspace,
    plan.tasks.map((task) => task.command),
  )
  // Before an engine is asked for anything: what the policy names and cannot be read is wrong input.
  if (hasGates) await lonePolicy(workspace).ready()
  const { result, remarks, engine, layers } = await perform(prepared, options, signals, globals, output)
  const document = hasGates ? documentOf(prepared, result, layers) : undefined
  await hook?.after({
    layers: document?.layers ?? [],
    root: workspace.project.root,
    today: new Date().toISOString().slice(0, 10),
  })
  const isReplaced = hook?.replacesSummary && !document?.layers.some(({ verdict }) => verdict === 'broken')
  // In a workflow's log the output is in groups: what failed has to be found without opening one.
  const streamed = streams(plan, globals) && !isWorkflowLog(process.env)
  const judged = hasGates || !plan.requested.some((word) => word.startsWith('check:'))
  const all = [
    ...(options.part ? [`part ${options.part} of the plan: its gates may be in another`] : []),
    ...(judged || options.part ? [] : ['no gate judged this run: its target has none']),
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
  if (isWorkflowLog(process.env)) {
    const { tellWorkflow } = await import('../workflow.ts')
    tellWorkflow({ prepared, rest: options.rest, result, document, engine, remarks: all }, output, process.env)
  }
  if (document) await publish(document, workspace.project.root, options.reports, output)
  return { exit, result }
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
  const inWorkflow =
    globals.json || globals.quiet || !isWorkflowLog(process.env) ? undefined : await workflowLog(output)
  const emit = globals.json
    ? jsonRun(output)
    : (inWorkflow?.emit ?? humanRun({ out: output.talk, style: output.talkStyle, stream: streams(plan, globals) }))
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
    workspace,
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
  ).finally(async () => {
    await place.close()
    // A runner that was told to stop gives a few seconds, whether it reads or not.
    await inWorkflow?.end(signals.signal.aborted ? 3_000 : undefined)
  })
  return {
    result,
    engine: place.engine(),
    remarks: [...place.remarks(), ...gates.remarks()],
    layers: gates.results(),
  }
}

async function workflowLog(output: Output) {
  const { workflowRun } = await import('../render/workflow-run.ts')
  const { talk: out, talkStyle: style, command } = output
  return workflowRun({ out, style, command, pressure: outputPressure })
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

/** Keeps the document with the run, and writes the reports that were asked for. */
async function publish(
  document: ScanDocument,
  root: string,
  reports: readonly WantedReport[],
  output: Output,
): Promise<void> {
  for (const note of keepDocument(document, root)) output.talk(note)
  for (const note of await writeReports(document, reports, root)) output.talk(note)
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
