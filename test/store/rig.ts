import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { hashOfPlan } from '../../src/plan/hash.ts'
import type { TaskResult } from '../../src/run/types.ts'
import type { NewRun } from '../../src/store/journal.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { part, planOf } from '../run/rig.ts'

/** A store in a folder of its own, closed and gone after the test. */
export async function tempStore(t: TestContext): Promise<{ readonly store: Store; readonly folder: string }> {
  const folder = join(mkdtempSync(join(tmpdir(), 'dwf-store-')), 'dwf')
  const store = await openStore(folder)
  t.after(() => {
    if (store.database.isOpen) store.close()
    rmSync(join(folder, '..'), { recursive: true, force: true })
  })
  return { store, folder }
}

/** With the hash that it has to have. */
export const sealed = (plan: NewRun['plan']): NewRun['plan'] => ({ ...plan, hash: hashOfPlan(plan) })

/** A run of a workflow with these tasks, one after the other. */
export function newRun(id: string, tasks: readonly string[] = ['a', 'b'], more: Partial<NewRun> = {}): NewRun {
  const planned = tasks.map((task, index) => part(task, {}, { needs: index === 0 ? [] : [tasks[index - 1]!] }))
  return {
    id,
    kind: 'workflow',
    title: 'w',
    project: 'shop',
    root: '/shop',
    workflow: 'w',
    tags: ['daily'],
    plan: sealed({ ...planOf(planned, {}), project: 'shop', requested: ['w'] } as NewRun['plan']),
    options: { schema: 'dwf.options/1' },
    image: 'i',
    dwf: '0.1.0',
    at: 1_000,
    ...more,
  }
}

export const passed = (id: string, more: Partial<TaskResult> = {}): TaskResult => ({
  id,
  outcome: 'passed',
  code: 0,
  ms: 5,
  attempts: 1,
  ...more,
})

/** Everything that a short run records, in order. */
export async function recordRun(store: Store, run: NewRun, results: readonly TaskResult[], isOk = true): Promise<void> {
  const journal = store.begin(run)
  await journal.record({ type: 'run-started', run: run.id, at: run.at, tasks: results.map(({ id }) => id) })
  for (const [index, result] of results.entries()) {
    const at = run.at + index * 10
    await journal.record({ type: 'task-started', run: run.id, task: result.id, attempt: 1, at })
    await journal.record({ type: 'task-ended', run: run.id, task: result.id, at: at + 5, result })
  }
  const ms = results.length * 10
  const result = { id: run.id, ok: isOk, ms, tasks: results, violations: [] }
  await journal.record({ type: 'run-ended', run: run.id, at: run.at + ms, result })
  journal.close()
}
