import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Plan, PlannedTask, PlannedWorkflow } from '../../src/plan/types.ts'
import { logFiles, TaskLog } from '../../src/run/log.ts'
import type { RunResult, TaskResult } from '../../src/run/types.ts'
import type { NewRun, OpenJournal } from '../../src/store/journal.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { shellQuote } from '../../src/util/text.ts'
import { planOf, task } from '../run/rig.ts'
import { sealed } from '../store/rig.ts'

const cli = join(import.meta.dirname, '../../src/cli.ts')

export const minute = 60_000

/** A repository and a state folder, with the real command line; runs are written as a run writes them. */
export function looksRig(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-looks-')))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const root = join(folder, 'shop')
  mkdirSync(join(root, '.git'), { recursive: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const state = join(folder, 'state/dwf')
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    XDG_STATE_HOME: join(folder, 'state'),
    NO_COLOR: '1',
    TZ: 'UTC',
  }
  const stores: Store[] = []
  t.after(() => {
    for (const store of stores) if (store.database.isOpen) store.close()
  })
  return {
    folder,
    root,
    state,
    open: async (): Promise<Store> => {
      const store = await openStore(state)
      stores.push(store)
      return store
    },
    dwf: (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
        cwd: root,
        encoding: 'utf8',
        env: { ...env, ...more },
        maxBuffer: 1 << 28,
      })
      return { status, stdout, stderr }
    },
    /** What a terminal gets; its lines end with CR LF. */
    onTerminal: (args: readonly string[]): string => {
      const command = [process.execPath, cli, ...args].map(shellQuote).join(' ')
      return spawnSync('script', ['-qec', command, '/dev/null'], { cwd: root, encoding: 'utf8', env }).stdout
    },
    /** While this process goes on; what it said, and its exit code at the end. */
    follow: (args: readonly string[]) => {
      const child = spawn(process.execPath, [cli, ...args], { cwd: root, env })
      t.after(() => void child.kill())
      let said = ''
      const heard = new Set<() => void>()
      const hear = (chunk: Buffer) => {
        said += chunk.toString()
        for (const look of heard) look()
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
      return {
        said: () => said,
        ended,
        /** Resolves when it has said so; rejects when it ended without. */
        hears: (text: string) =>
          new Promise<void>((resolve, reject) => {
            const look = () => {
              if (said.includes(text)) resolve()
            }
            heard.add(look)
            look()
            void ended.then(() => reject(new Error(`it never said ${JSON.stringify(text)}, but ${said}`)))
          }),
      }
    },
    log: (run: string, id: string) => new TaskLog(join(state, 'runs', run, 'logs'), id),
    logOf: (run: string, id: string) => logFiles(join(state, 'runs', run, 'logs'), id),
  }
}

export const plan = (
  tasks: readonly PlannedTask[],
  more: Partial<Plan> = {},
  workflow?: Partial<PlannedWorkflow>,
): Plan => sealed({ ...planOf(tasks, workflow), project: 'shop', requested: ['check:pr'], ...more } as Plan)

/** A run as far as its beginning. */
export function newRun(id: string, root: string, at: number, more: Partial<NewRun> = {}): NewRun {
  return {
    id,
    kind: 'check',
    title: 'check:pr',
    project: 'shop',
    root,
    tags: [],
    plan: plan([task('lint@node'), task('test@node', { needs: ['lint@node'] })]),
    options: { schema: 'dwf.options/1', jobs: 2 },
    image: 'f00d',
    dwf: '0.1.0',
    at,
    ...more,
  }
}

export interface Told {
  readonly run: string
  readonly journal: OpenJournal
  begin(at: number, tasks: readonly string[]): Promise<void>
  start(task: string, at: number, attempt?: number): Promise<void>
  end(task: string, at: number, result?: Partial<TaskResult>): Promise<void>
  finish(at: number, result: Partial<RunResult>): Promise<void>
}

/** Tells a run event by event. */
export function tell(store: Store, run: NewRun): Told {
  const journal = store.begin(run)
  const id = run.id
  return {
    run: id,
    journal,
    begin: (at, tasks) => journal.record({ type: 'run-started', run: id, at, tasks }),
    start: (name, at, attempt = 1) => journal.record({ type: 'task-started', run: id, at, task: name, attempt }),
    end: (name, at, result = {}) =>
      journal.record({
        type: 'task-ended',
        run: id,
        at,
        task: name,
        result: { id: name, outcome: 'passed', ms: 1000, attempts: 1, ...result },
      }),
    async finish(at, result) {
      await journal.record({
        type: 'run-ended',
        run: id,
        at,
        result: { id, ok: true, ms: 2000, tasks: [], violations: [], ...result },
      })
      journal.close()
    },
  }
}

/** A whole run: lint passes, test as it is told. */
export async function wholeRun(
  store: Store,
  run: NewRun,
  result: Partial<TaskResult> = {},
  ended: Partial<RunResult> = {},
): Promise<void> {
  const told = tell(store, run)
  const { at } = run
  await told.begin(
    at,
    run.plan.tasks.map(({ id }) => id),
  )
  await told.start('lint@node', at)
  await told.end('lint@node', at + 1000, { ms: 1000 })
  await told.start('test@node', at + 1000)
  await told.end('test@node', at + 2000, result)
  await told.finish(at + 2000, { ok: (result.outcome ?? 'passed') === 'passed', ...ended })
}

/** Its dwf is gone: another process than any has its lease. */
export function kill(store: Store, run: string): void {
  store.database.prepare("UPDATE leases SET pid = 4194304, started = 'gone' WHERE run = ?").run(run)
}
