import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecRequest, Exit, Session } from '../../src/engine/types.ts'
import type { Plan, PlannedTask, PlannedWorkflow, WorkflowPart } from '../../src/plan/types.ts'
import { SetupStamps } from '../../src/run/setup-stamps.ts'
import type { DwfEvent, RecordedEvent } from '../../src/run/types.ts'
import type { RunOptions, World } from '../../src/run/world.ts'

export function task(id: string, more: Partial<PlannedTask> = {}): PlannedTask {
  return {
    id,
    command: id,
    stack: 'project',
    dir: '',
    kind: 'task',
    argv: [id],
    env: {},
    path: [],
    needs: [],
    after: [],
    class: 'offline',
    timeoutMs: 10_000,
    retries: 0,
    network: 'none',
    runtime: 'container',
    secrets: [],
    hash: id,
    ...more,
  }
}

/** A task of a workflow file. */
export const part = (id: string, more: Partial<WorkflowPart> = {}, also: Partial<PlannedTask> = {}): PlannedTask =>
  task(id, { workflow: { references: [], templates: {}, ignoreFailure: false, ...more }, ...also })

export const planOf = (tasks: readonly PlannedTask[], workflow?: Partial<PlannedWorkflow>): Plan =>
  ({
    tasks,
    ...(workflow
      ? { workflow: { name: 'w', file: 'workflows/w.toml', tags: [], variables: {}, matrices: [], ...workflow } }
      : {}),
  }) as unknown as Plan

const noSecrets = { of: () => ({ env: {}, files: {} }), values: [] }

/** A world whose processes are functions: named as a stand-in, for what the scheduler alone decides. */
export function fakeWorld(run: (request: ExecRequest) => Promise<Exit>, more: Partial<World> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-run-'))
  const root = join(folder, 'repo')
  mkdirSync(root)
  const events: DwfEvent[] = []
  const recorded: RecordedEvent[] = []
  const closed: string[] = []
  const opened: string[] = []
  const open = async (id: string): Promise<Session> => {
    opened.push(id)
    return {
      exec: async (request) => {
        let stop = () => {}
        const stopped = new Promise<Exit>((resolve) => {
          stop = () => resolve({ kind: 'code', code: 143 })
        })
        return { exit: Promise.race([run(request), stopped]), signal: () => stop() }
      },
      close: async () => void closed.push(id),
      ended: new Promise(() => {}),
    }
  }
  const world: World = {
    runId: 'r',
    root,
    logs: join(folder, 'logs'),
    workspace: () => '/workspace',
    here: (_task, values) => values,
    open,
    gate: async () => ({ kind: 'passed', summary: '', lines: [], diagnostics: [] }),
    stamps: new SetupStamps(join(folder, 'state/setup.json'), { root, cacheRoot: join(folder, 'cache'), image: 'i' }),
    watched: { files: ['lock'], absent: ['.git'] },
    secrets: noSecrets,
    outputs: ({ id }, attempt) => {
      const path = join(folder, 'outputs', `${encodeURIComponent(id)}~${attempt}`)
      mkdirSync(join(folder, 'outputs'), { recursive: true })
      return { inside: path, outside: path }
    },
    inputs: () => undefined,
    journal: { record: async (event) => void recorded.push(event), head: () => '', onLost: () => {} },
    locks: { take: async (name) => ({ name, token: 1 }), release: async () => {} },
    now: Date.now,
    chance: () => 0.5,
    sleep: async () => {},
    emit: (event) => void events.push(event),
    pressure: () => undefined,
    ...more,
  }
  return {
    world,
    events,
    recorded,
    opened,
    closed,
    folder,
    root,
    done: () => rmSync(folder, { recursive: true, force: true }),
  }
}

export function options(more: Partial<RunOptions> = {}): RunOptions {
  return {
    jobs: 4,
    keepGoing: false,
    graceMs: 50,
    signal: new AbortController().signal,
    hurry: new AbortController().signal,
    ...more,
  }
}

export const code = (value: number): Exit => ({ kind: 'code', code: value })
