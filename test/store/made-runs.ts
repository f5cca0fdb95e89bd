import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Plan } from '../../src/plan/types.ts'
import { TaskLog } from '../../src/run/log.ts'
import type { RunResult, TaskResult } from '../../src/run/types.ts'
import { type OpenJournal, stateOf } from '../../src/store/journal.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { task } from '../run/rig.ts'
import { sealed } from './rig.ts'

/** A store in a folder of its own, which is gone afterwards. */
export async function temporaryStore(t: TestContext) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-store-')))
  const state = join(folder, 'state/dwf')
  mkdirSync(join(folder, 'state'))
  const store = await openStore(state)
  t.after(() => {
    if (store.database.isOpen) store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { folder, state, store, runs: join(state, 'runs') }
}

export interface MadeRun {
  readonly id: string
  readonly root?: string
  readonly at?: number
  readonly title?: string
  readonly tasks?: readonly string[]
  readonly results?: Readonly<Record<string, Partial<TaskResult>>>
  /** What each task says, in a log below `runs`. */
  readonly logs?: Readonly<Record<string, string | Buffer>>
  /** False for a run that is going on. */
  readonly ends?: boolean
}

export const planFor = (tasks: readonly string[]): Plan =>
  sealed({ project: 'shop', requested: ['check:pr'], tasks: tasks.map((id) => task(id)) } as unknown as Plan)

/** A run as dwf would have written it, with an attempt for each of its tasks. */
export async function makeRun(store: Store, runs: string, made: MadeRun): Promise<string> {
  const { id, root = '/repo', at = 1_700_000_000_000, title = 'check:pr', tasks = ['build', 'test'] } = made
  const journal = store.begin({
    id,
    kind: 'check',
    title,
    project: 'shop',
    root,
    tags: ['nightly'],
    plan: planFor(tasks),
    options: { schema: 'dwf.options/1', request: { commands: ['check:pr'], tasks: [], rest: [] } },
    image: 'image',
    dwf: '0.1.0',
    at,
  })
  try {
    return await record(journal, { ...made, root, at, title, tasks }, join(runs, id, 'logs'))
  } finally {
    journal.close()
  }
}

async function record(
  journal: OpenJournal,
  {
    id,
    at,
    tasks,
    results = {},
    logs = {},
    ends = true,
  }: MadeRun & { readonly at: number; readonly tasks: readonly string[] },
  folder: string,
): Promise<string> {
  await journal.record({ type: 'run-started', run: id, at, tasks })
  const ended: TaskResult[] = []
  for (const [index, name] of tasks.entries()) {
    const from = at + 100 * index
    const result: TaskResult = { id: name, outcome: 'passed', code: 0, ms: 40, attempts: 1, ...results[name] }
    await journal.record({ type: 'task-started', run: id, at: from, task: name, attempt: 1 })
    const text = logs[name]
    if (text !== undefined) {
      const log = new TaskLog(folder, name)
      log.begin(1, from)
      log.write('stdout', Buffer.from(text), from + 1)
      log.close()
    }
    if (!ends) continue
    await journal.record({ type: 'task-ended', run: id, at: from + 40, task: name, result })
    ended.push(result)
  }
  const result: RunResult = {
    id,
    ok: ended.every(({ outcome }) => outcome === 'passed'),
    ms: 500,
    tasks: ended,
    violations: [],
  }
  if (ends) await journal.record({ type: 'run-ended', run: id, at: at + 500, result })
  return ends ? stateOf(result) : 'running'
}

/** Takes the defences of the store away, as somebody with `sqlite3` could. */
export function dropTriggers(store: Store): void {
  const names = store.database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all() as {
    name: string
  }[]
  for (const { name } of names) store.database.exec(`DROP TRIGGER ${name}`)
}
