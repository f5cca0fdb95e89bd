import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { escapeTaskId } from '../../plan/task-id.ts'
import type { Plan } from '../../plan/types.ts'
import {
  cacheRootOf,
  workspace as containerRoot,
  onHost,
  outputsIn,
  outputsInside,
  watchedOf,
} from '../../run/binding.ts'
import { Masker } from '../../run/masker.ts'
import { type Earlier, runPlan } from '../../run/run.ts'
import { SetupStamps } from '../../run/setup-stamps.ts'
import type { DwfEvent, RunResult } from '../../run/types.ts'
import type { Secrets, World } from '../../run/world.ts'
import type { LayerResult } from '../../scan/index.ts'
import type { OpenJournal } from '../../store/journal.ts'
import type { Store } from '../../store/store.ts'
import { failure } from '../../util/diagnostics.ts'
import { privateFolder, projectStateFolder, stateFolder } from '../../util/paths.ts'
import { gatesOfRun } from '../gates.ts'
import type { Globals } from '../globals.ts'
import { type Output, outputPressure } from '../output.ts'
import { openPlace } from '../place.ts'
import type { Prepared } from '../prepare.ts'
import { jsonRun } from '../render/json.ts'
import { humanRun } from '../render/run.ts'
import { isWorkflowLog } from '../render/workflow-log.ts'
import { readSecrets } from '../secrets.ts'
import type { onSignals } from '../signals.ts'
import { brief } from './brief.ts'
import { inputsOf } from './inputs-of.ts'

/** Where a run is kept, and what of it is done already. */
export interface Keeping {
  readonly runId: string
  readonly store: Store
  /** Begins the run, or the next session of it, in the store. */
  readonly journal: () => OpenJournal
  readonly earlier?: Earlier
}

export interface Performed {
  readonly result: RunResult
  readonly engine: ReturnType<ReturnType<typeof openPlace>['engine']>
  readonly remarks: readonly string[]
  readonly layers: readonly LayerResult[]
  /** Hash of the run's last event. */
  readonly head: string
}

/** Between TERM and KILL, ms. */
const graceMs = 5_000

/** Runs a plan on this machine. */
export async function perform(
  prepared: Prepared,
  keeping: Keeping,
  options: { readonly jobs: number; readonly keepGoing: boolean; readonly offline: boolean },
  signals: ReturnType<typeof onSignals>,
  globals: Globals,
  output: Output,
): Promise<Performed> {
  const { plan, workspace } = prepared
  const { config, project } = workspace
  const { runId, store } = keeping
  const secrets = await readSecrets(plan.tasks, config, process.env, { signal: signals.signal, cwd: project.root })
  refuseSecretVariables(plan, secrets)
  const runFolder = privateFolder(join(privateFolder(join(stateFolder(), 'runs')), runId))
  const cacheRoot = cacheRootOf(config, runFolder, process.env)
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
    session: keeping.earlier?.session ?? 1,
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
  const journal = keeping.journal()
  place.onEngine((name) => journal.usesEngine(name))
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
      outputs: outputFiles(runFolder),
      inputs: (task) => inputsOf(project.root, task),
      journal,
      locks: store.locks(runId),
      now: Date.now,
      chance: Math.random,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
      emit: emit as (event: DwfEvent) => void,
      pressure: outputPressure,
    },
    { jobs: options.jobs, keepGoing: options.keepGoing, graceMs, signal: signals.signal, hurry: signals.hurry },
    keeping.earlier,
  ).finally(async () => {
    journal.close()
    await place.close()
    // A runner that was told to stop gives a few seconds, whether it reads or not.
    await inWorkflow?.end(signals.signal.aborted ? 3_000 : undefined)
  })
  return {
    result,
    engine: place.engine(),
    remarks: [...place.remarks(), ...gates.remarks()],
    layers: gates.results(),
    head: journal.head(),
  }
}

/** Each attempt has a file of its own: what another one wrote, also in an earlier session, does not count. */
function outputFiles(runFolder: string): World['outputs'] {
  const session = randomBytes(3).toString('hex')
  return (task, attempt) => {
    const name = `${escapeTaskId(task.id)}~${session}~${attempt}`
    const folder = outputsIn(runFolder, task.class)
    // Each time: a task on the host could have removed it.
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const outside = join(folder, name)
    return { inside: task.runtime === 'host' ? outside : `${outputsInside}/${name}`, outside }
  }
}

/** Variables are kept with the run, and secrets never are. */
function refuseSecretVariables(plan: Plan, secrets: Secrets): void {
  const masker = new Masker(secrets.values)
  for (const [name, value] of Object.entries(plan.workflow?.variables ?? {}))
    if (masker.finds(value))
      throw failure(
        'wrong-input',
        'secret-variable',
        `--var ${name} has a secret of this run in it, and variables are kept with the run`,
        'name the secret in secrets of the task, and read it from the environment there',
      )
}

async function workflowLog(output: Output) {
  const { workflowRun } = await import('../render/workflow-run.ts')
  const { talk: out, talkStyle: style, command } = output
  return workflowRun({ out, style, command, pressure: outputPressure })
}

/** What a task says is shown as it comes, unless it is one of many that a target runs and nobody asked for more. */
export function streams(plan: Plan, globals: Pick<Globals, 'quiet' | 'verbose'>): boolean {
  if (globals.quiet) return false
  return globals.verbose || !plan.requested.some((request) => request.startsWith('check:'))
}
