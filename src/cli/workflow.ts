import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import type { EngineInfo } from '../engine/types.ts'
import type { PlannedTask } from '../plan/types.ts'
import { openTree } from '../project/tree.ts'
import { type FailedTask, jobSummary, runAnnotations, runSummary, summaryLimit } from '../report/index.ts'
import { workspace as containerRoot } from '../run/binding.ts'
import { isFailure, type RunResult, type TaskResult } from '../run/types.ts'
import type { ScanDocument } from '../scan/index.ts'
import { shellQuote } from '../util/text.ts'
import { formatDuration } from '../util/units.ts'
import type { Output } from './output.ts'
import type { Prepared } from './prepare.ts'
import { engineText, outcomeOf, tame, timeOf, verdictOf } from './render/run.ts'
import { isWorkflowLog, withoutCommands } from './render/workflow-log.ts'
import { addToJobSummary } from './scan-document.ts'
import { version } from './version.ts'

export interface EndedRun {
  readonly prepared: Prepared
  readonly rest: readonly string[]
  readonly result: RunResult
  /** Of the gates, where there were any. */
  readonly document: ScanDocument | undefined
  readonly engine: EngineInfo | undefined
  /** Hash of the run's last event. */
  readonly head: string
  readonly remarks: readonly string[]
}

/** Tells GitHub Actions how a run ended: annotations on what failed, and a job summary. Elsewhere nobody is told. */
export function tellWorkflow(run: EndedRun, output: Output, env: NodeJS.ProcessEnv): void {
  if (!isWorkflowLog(env)) return
  const { document, result } = run
  const { violations } = result
  for (const line of runAnnotations({ tasks: failedTasks(run), violations, document })) output.command(line)
  // Other commands of the same step may have written to it before.
  const room = summaryLimit - sizeOf(env.GITHUB_STEP_SUMMARY)
  const text = summaryOf(run, Math.min(room, summaryLimit / 4))
  const more = document ? jobSummary(document, room - Buffer.byteLength(text)) : ''
  if (Buffer.byteLength(text) + Buffer.byteLength(more) > room)
    output.talk('the job summary of this step is full: this run is not in it')
  else for (const note of addToJobSummary(text + more, env)) output.talk(note)
}

/** Places are looked for in so much of the end of an output, bytes. */
const readBytes = 512 * 1024

/** What failed by itself; gates have their own annotations. */
function failedTasks({ prepared, result }: EndedRun): readonly FailedTask[] {
  const { plan, workspace } = prepared
  return result.tasks
    .filter((task) => isFailure(task.outcome) && task.gate === undefined)
    .map((task) => ({
      id: task.id,
      outcome: [outcomeOf(task).says, ...(task.reason ? [task.reason] : [])].join(': '),
      lines: (task.log === undefined ? [] : endOf(task.log)).map((line) => withoutCommands(tame(line, false))),
      // What was stopped or went away did not fail where its output says so.
      fileOf:
        task.outcome === 'failed'
          ? filesOf(workspace.project.root, plan.tasks.find(({ id }) => id === task.id)!)
          : () => undefined,
    }))
}

/** Whole lines of the end of a log; none where it cannot be read, since that must not change how the run ended. */
function endOf(path: string): readonly string[] {
  let file: number | undefined
  try {
    file = openSync(path, 'r')
    const { size } = fstatSync(file)
    const buffer = Buffer.alloc(Math.min(size, readBytes))
    const length = readSync(file, buffer, 0, buffer.length, size - buffer.length)
    const lines = buffer.toString('utf8', 0, length).split('\n')
    return size > buffer.length ? lines.slice(1) : lines
  } catch {
    return []
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Paths as a task writes them → files of the repository: absolute ones of its container or of here, relative ones of its folder. */
export function filesOf(root: string, { dir }: Pick<PlannedTask, 'dir'>): (written: string) => string | undefined {
  const tree = openTree(root)
  return (written) => {
    const inside = [containerRoot, root, tree.root].find((folder) => written.startsWith(`${folder}/`))
    if (inside === undefined && written.startsWith('/')) return undefined
    const ways =
      inside === undefined
        ? [posix.join(dir, written), posix.normalize(written)]
        : [posix.normalize(written.slice(inside.length + 1))]
    return ways.find((way) => tree.has(way))
  }
}

function summaryOf(run: EndedRun, maxBytes: number): string {
  const { prepared, result, engine, remarks } = run
  const { plan } = prepared
  return runSummary(
    {
      run: result.id,
      dwf: version,
      ok: result.ok,
      what: `dwf ${plan.requested.join(' ')}`,
      verdict: `${verdictOf(result)} in ${formatDuration(result.ms)}`,
      plan: plan.hash,
      head: run.head,
      ...(engine ? { engine: engineText(engine) } : {}),
      tasks: result.tasks.map((task) => {
        const { sign, says } = outcomeOf(task)
        const ms = timeOf(task)
        return {
          id: task.id,
          sign,
          outcome: says,
          attempts: task.attempts,
          ...(ms === undefined ? {} : { ms }),
          ...(task.reason === undefined ? {} : { reason: task.reason }),
        }
      }),
      remarks: [...(engine?.unenforced ?? []).map((gap) => `not enforced here: ${gap}`), ...remarks],
      violations: result.violations.map(({ message }) => message),
      again: againOf(run),
    },
    maxBytes,
  )
}

/** The commands that do the same on another machine: all of it, and each task that failed. */
function againOf({ prepared, rest, result }: EndedRun): readonly string[] {
  const { requested } = prepared.plan
  const [only, ...others] = requested
  const isCommand = only !== undefined && others.length === 0 && !only.includes('@')
  // Names of images belong to the command; everything else goes to the task.
  const more = rest.length === 0 ? [] : only?.startsWith('scan') ? rest : ['--', ...rest]
  const failed = result.tasks.filter((task: TaskResult) => isFailure(task.outcome))
  return [
    ['dwf', ...(isCommand ? [only] : ['run', ...requested]), ...more],
    ...failed.filter(({ id }) => !requested.includes(id)).map(({ id }) => ['dwf', 'run', id]),
  ].map((words) => words.map(shellQuote).join(' '))
}

function sizeOf(file: string | undefined): number {
  try {
    return file ? statSync(file).size : 0
  } catch {
    return 0
  }
}
