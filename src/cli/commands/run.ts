import { randomBytes } from 'node:crypto'
import { toJson } from '../../report/index.ts'
import type { RunResult } from '../../run/types.ts'
import type { LayerResult } from '../../scan/index.ts'
import type { TrustRequest } from '../../trust/requests.ts'
import { Failure, failure } from '../../util/diagnostics.ts'
import { formatDuration } from '../../util/units.ts'
import { beginStatuses, type CommitStatuses } from '../commit-status.ts'
import { exitCodes } from '../exit-codes.ts'
import { lonePolicy } from '../gates.ts'
import type { Globals } from '../globals.ts'
import { requireVersion } from '../lock-version.ts'
import type { Output } from '../output.ts'
import { type Prepared, type PrepareRequest, prepare } from '../prepare.ts'
import { renderPlan } from '../render/plan.ts'
import { summary, verdictOf } from '../render/run.ts'
import { isWorkflowLog } from '../render/workflow-log.ts'
import { keptOptions, kindOf } from '../run/kept-options.ts'
import { type RunCommandOptions, readOptions, type WantedRun } from '../run/options.ts'
import { type Keeping, perform, streams } from '../run/perform.ts'
import { documentOf, publish } from '../run/report.ts'
import { openRuns } from '../run/store.ts'
import { onSignals } from '../signals.ts'
import { version } from '../version.ts'
import { requireTrust } from './trust.ts'

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
  return runRequest({ commands, tasks, rest: options.rest }, options, globals, output, hook)
}

/** The same for what was asked for in one piece. */
export async function runRequest(
  request: PrepareRequest,
  options: RunCommandOptions,
  globals: Globals,
  output: Output,
  hook?: ScanHook,
): Promise<number> {
  const wanted = readOptions(options, globals, { isWorkflow: request.workflow !== undefined })
  const prepared = await prepare(request, globals)
  if (request.commands.some((command) => command === 'check' || command.startsWith('check:')))
    requireVersion(prepared.workspace.lock, options.anyVersion === true)
  return (await runPrepared(prepared, options, globals, output, { wanted, ...(hook ? { hook } : {}) })).exit
}

export interface PreparedOptions {
  readonly wanted?: WantedRun
  readonly hook?: ScanHook
  /** A run that goes on; else a new one begins. */
  readonly keeping?: Keeping
}

/** A plan that is made already: the whole of one, what one job of CI runs of it, or one that goes on. */
export async function runPrepared(
  prepared: Prepared,
  options: RunCommandOptions,
  globals: Globals,
  output: Output,
  { wanted = readOptions(options, globals), hook, keeping }: PreparedOptions = {},
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
    const { result, ...ended } = await runReported(prepared, { ...options, ...wanted }, signals, globals, output, {
      hook,
      keeping,
    }).catch(async (error: unknown) => {
      output.diagnostics((await statuses?.end('error', `${title} could not run; its log says why`)) ?? [])
      // The signal is what ended it, whatever broke on the way.
      const bySignal = signals.exitCode()
      if (bySignal === undefined || !(error instanceof Failure)) throw error
      output.diagnostics(error.diagnostics)
      return { exit: bySignal, result: undefined }
    })
    if (!result) return { exit: ended.exit }
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

/** Trust, run, summary, reports. */
async function runReported(
  prepared: Prepared,
  options: Omit<RunCommandOptions, 'jobs' | 'deadline'> & WantedRun,
  signals: ReturnType<typeof onSignals>,
  globals: Globals,
  output: Output,
  { hook, keeping }: { readonly hook: ScanHook | undefined; readonly keeping: Keeping | undefined },
): Promise<{ readonly exit: number; readonly result: RunResult }> {
  const { plan, workspace } = prepared
  const hasGates = plan.tasks.some((task) => task.kind === 'gate')
  const granted = await requireTrust(
    workspace,
    plan.tasks.map((task) => task.command),
    prepared.workflow,
  )
  // Before an engine is asked for anything: what the policy names and cannot be read is wrong input.
  if (hasGates) await lonePolicy(workspace).ready()
  const kept = keeping ?? (await newRun(prepared, options, globals, output))
  const { result, remarks, engine, layers, head } = await perform(
    prepared,
    kept,
    { jobs: options.jobs, keepGoing: options.keepGoing === true, offline: options.offline === true },
    signals,
    globals,
    output,
  ).finally(() => kept.store.close())
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
    ...trustedFor(granted, prepared),
  ]
  const exit = exitCodeOf(result, signals.exitCode())
  if (globals.json) {
    if (document) output.json(JSON.parse(toJson(document)))
    output.json({
      schema: 'dwf.run/1',
      run: result.id,
      ok: result.ok,
      exit,
      plan: plan.hash,
      head,
      engine,
      remarks: all,
    })
  } else if (!isReplaced) {
    output.result(
      summary(
        {
          result,
          tasks: plan.tasks,
          planHash: plan.hash,
          head,
          ...(engine ? { engine } : {}),
          remarks: all,
          streamed,
          canResume: !options.part && plan.tasks.some(({ kind }) => kind !== 'gate'),
        },
        output.style,
      ),
    )
  }
  // After the summary: what cannot be written must not hide what was found.
  if (isWorkflowLog(process.env)) {
    const { tellWorkflow } = await import('../workflow.ts')
    tellWorkflow({ prepared, rest: options.rest, result, document, engine, head, remarks: all }, output, process.env)
  }
  if (document) await publish(document, workspace.project.root, options.reports, output)
  return { exit, result }
}

/** What was approved and is used now. The commands of a workflow on this machine are said once: its tasks are listed. */
function trustedFor(granted: readonly TrustRequest[], { workflow }: Prepared): readonly string[] {
  const isTask = ({ kind, path }: TrustRequest) =>
    workflow !== undefined && kind === 'host-command' && path[0] === 'tasks'
  return [
    ...(granted.some(isTask) ? [`trusted: may run the tasks of ${workflow!.name} on this machine`] : []),
    // `dwf trust` has all of it.
    ...new Set(
      granted
        .filter((request) => !isTask(request))
        .map(({ says }) => `trusted: may ${says.replace(/, which runs [\s\S]*$/, '')}`),
    ),
  ]
}

/** A run that is not in the store yet. */
async function newRun(
  prepared: Prepared,
  options: Omit<RunCommandOptions, 'jobs' | 'deadline'> & WantedRun,
  globals: Globals,
  output: Output,
): Promise<Keeping> {
  const { plan, workspace, imageTag } = prepared
  const runId = `${new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '')}-${randomBytes(3).toString('hex')}`
  const store = await openRuns(output)
  return {
    runId,
    store,
    journal: () =>
      store.begin({
        id: runId,
        kind: kindOf(prepared),
        title: plan.requested.join(' '),
        project: plan.project,
        root: workspace.project.root,
        ...(plan.workflow ? { workflow: plan.workflow.name } : {}),
        tags: plan.workflow?.tags ?? [],
        plan,
        options: keptOptions(prepared, options, globals),
        image: imageTag,
        dwf: version,
        at: Date.now(),
      }),
  }
}

function exitCodeOf(result: RunResult, bySignal: number | undefined): number {
  if (result.ended === 'cancelled') return bySignal ?? exitCodes.interrupted
  if (result.ended === 'deadline') return exitCodes.deadline
  if (result.tasks.some((task) => task.gate === 'broken')) return exitCodes['machine-cannot']
  return result.ok ? exitCodes.ok : exitCodes.failed
}
