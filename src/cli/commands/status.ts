import type { StoredTask } from '../../store/read.ts'
import type { Store } from '../../store/store.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { follow } from '../looks/follow.ts'
import { type LookedRun, lookAt } from '../looks/looked.ts'
import { holderJson, runJson, taskJson } from '../looks/run-json.ts'
import type { Output } from '../output.ts'
import { renderStatus, taskLine, verdictLine } from '../render/status.ts'
import { terminalWidth } from '../render/table.ts'
import { findRun } from '../run/find-run.ts'
import { openRunsIfAny } from '../run/store.ts'

export interface StatusOptions {
  /** Until it ends. */
  readonly follow?: boolean
  /** 1 when it did not pass. */
  readonly exitCode?: boolean
}

/** Between two looks at a run that is followed, ms. */
const pollMs = 500

/** `dwf status [RUN]`: a run and its tasks, as they are now or until it ends. */
export async function status(
  word: string | undefined,
  options: StatusOptions,
  globals: Globals,
  output: Output,
): Promise<number> {
  const store = await openRunsIfAny(output)
  try {
    const { id } = await findRun(store, word, globals)
    const last = options.follow
      ? await followed(store!, id, globals, output)
      : show(lookAt(store!, id, Date.now()), globals, output)
    return options.exitCode && last.run.state !== 'passed' ? exitCodes.failed : exitCodes.ok
  } finally {
    store?.close()
  }
}

function show(looked: LookedRun, { json }: Pick<Globals, 'json'>, output: Output): LookedRun {
  if (json) output.json(statusJson(looked))
  else for (const line of renderStatus(looked, Date.now(), output.style, terminalWidth())) output.result(line)
  return looked
}

function statusJson({ run, tasks, elapsedMs, holder }: LookedRun) {
  return {
    schema: 'dwf.status/1',
    run: { ...runJson(run, elapsedMs), ...(holder ? { holder: holderJson(holder) } : {}) },
    tasks: tasks.map(taskJson),
  }
}

/** First all of it, then each task that changed, then how it ended; as JSON a whole document for each change. */
async function followed(store: Store, id: string, globals: Globals, output: Output): Promise<LookedRun> {
  let last = lookAt(store, id, Date.now())
  show(last, globals, output)
  if (last.run.state !== 'running') return last
  await follow(store, id, pollMs, output, (isEnd) => {
    const now = lookAt(store, id, Date.now())
    const changed = changedTasks(last.tasks, now.tasks)
    last = now
    if (globals.json) {
      if (changed.length > 0 || isEnd) output.json(statusJson(now))
      return
    }
    for (const task of changed) output.result(taskLine(task, Date.now(), output.style))
    if (isEnd) output.result(verdictLine(now, output.style))
  })
  return last
}

function changedTasks(before: readonly StoredTask[], now: readonly StoredTask[]): readonly StoredTask[] {
  const known = new Map(before.map(({ id, state, attempts }) => [id, `${state} ${attempts}`]))
  return now.filter(({ id, state, attempts }) => known.get(id) !== `${state} ${attempts}`)
}
