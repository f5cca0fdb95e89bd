import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Plan } from '../../plan/types.ts'
import { cacheRootOf, workspace as containerRoot, onHost, watchedOf } from '../../run/binding.ts'
import { runPlan } from '../../run/run.ts'
import { SetupStamps } from '../../run/setup-stamps.ts'
import type { RunResult } from '../../run/types.ts'
import { failure } from '../../util/diagnostics.ts'
import { privateFolder, projectStateFolder, stateFolder } from '../../util/paths.ts'
import { parseDuration } from '../../util/units.ts'
import { exitCodes } from '../exit-codes.ts'
import { openGates } from '../gates.ts'
import type { Globals } from '../globals.ts'
import { type Output, outputPressure } from '../output.ts'
import { openPlace } from '../place.ts'
import { type Prepared, prepare } from '../prepare.ts'
import { jsonRun } from '../render/json.ts'
import { renderPlan } from '../render/plan.ts'
import { humanRun, summary } from '../render/run.ts'
import { secretsOf } from '../secrets.ts'
import { onSignals } from '../signals.ts'
import { requireTrust } from './trust.ts'

export interface RunCommandOptions {
  readonly rest: readonly string[]
  readonly jobs?: string
  readonly keepGoing?: boolean
  readonly offline?: boolean
  readonly deadline?: string
}

/** `dwf check`, `dwf test`, `dwf run`, …: plan, trust, engine, image, run, summary. */
export async function runCommands(
  commands: readonly string[],
  tasks: readonly string[],
  options: RunCommandOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
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
  const granted = await requireTrust(
    workspace.config,
    plan.tasks.map((task) => task.command),
  )
  const signals = onSignals(deadlineMs)
  try {
    const { result, remarks, engine } = await perform(
      prepared,
      { jobs, keepGoing: options.keepGoing === true, offline: options.offline === true },
      signals,
      globals,
      output,
    )
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
      output.json({ schema: 'dwf.run/1', run: result.id, ok: result.ok, exit, plan: plan.hash, engine, remarks: all })
    } else {
      output.result(
        summary(
          { result, tasks: plan.tasks, planHash: plan.hash, ...(engine ? { engine } : {}), remarks: all, streamed },
          output.style,
        ),
      )
    }
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
  const gates = openGates({
    plan,
    config,
    root: project.root,
    lock: workspace.lock,
    offline: options.offline,
    env: process.env,
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
  return { result, engine: place.engine(), remarks: [...place.remarks(), ...gates.remarks()] }
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
