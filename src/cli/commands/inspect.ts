import { exitCodes } from '../exit-codes.ts'
import type { Globals } from '../globals.ts'
import { type InspectedRun, inspectRun } from '../looks/inspected.ts'
import { attemptJson, holderJson, runJson, taskJson } from '../looks/run-json.ts'
import type { Output } from '../output.ts'
import { renderInspect } from '../render/inspect.ts'
import { findRun } from '../run/find-run.ts'
import { openRunsIfAny } from '../run/store.ts'

/** `dwf inspect [RUN]`: all that is known of a run, and where its files are. */
export async function inspect(word: string | undefined, globals: Globals, output: Output): Promise<number> {
  const store = await openRunsIfAny(output)
  try {
    const { id } = await findRun(store, word, globals)
    const now = Date.now()
    const inspected = inspectRun(store!, id, now)
    if (globals.json) output.json(inspectJson(inspected))
    else for (const line of renderInspect(inspected, now, output.style)) output.result(line)
    return exitCodes.ok
  } finally {
    store?.close()
  }
}

function inspectJson({ run, elapsedMs, holder, options, plan, tasks, attempts, audit, files }: InspectedRun) {
  const { logs, ...places } = files
  return {
    schema: 'dwf.inspect/1',
    run: { ...runJson(run, elapsedMs), ...(holder ? { holder: holderJson(holder) } : {}) },
    options,
    ...(plan.workflow
      ? { workflow: { file: plan.workflow.file, variables: plan.workflow.variables, tags: plan.workflow.tags } }
      : {}),
    tasks: tasks.map((task) => ({
      ...taskJson(task),
      attempts: (attempts.get(task.id) ?? []).map(attemptJson),
      ...(Object.hasOwn(logs, task.id) ? { log: logs[task.id] } : {}),
    })),
    audit,
    files: places,
  }
}
