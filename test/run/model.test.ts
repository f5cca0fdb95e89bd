import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import type { Condition } from '../../src/conditions/types.ts'
import type { Exit } from '../../src/engine/types.ts'
import type { Plan } from '../../src/plan/types.ts'
import { runPlan } from '../../src/run/run.ts'
import type { RunResult, TaskResult } from '../../src/run/types.ts'
import { type EventRow, verifyChain } from '../../src/store/chain.ts'
import { readTasks } from '../../src/store/read.ts'
import { openStore, type Store } from '../../src/store/store.ts'
import { isLong } from '../seed.ts'
import { type ModelRun, type ModelTask, modelOf } from './model.ts'
import { code, fakeWorld, options, part, planOf } from './rig.ts'

let folder: string
let store: Store
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dwf-model-'))
  store = await openStore(folder)
  store.database.exec('PRAGMA synchronous = OFF')
})
after(() => {
  store.close()
  rmSync(folder, { recursive: true, force: true })
})

const status = (name: NonNullable<ModelTask['condition']>): Condition => ({ kind: 'status', name })

function planFor(tasks: readonly ModelTask[]): Plan {
  const planned = tasks.map((task) =>
    part(
      task.id,
      { ignoreFailure: task.ignoreFailure, ...(task.condition ? { condition: status(task.condition) } : {}) },
      { needs: task.needs, weight: task.weight, retries: task.retries, argv: [task.id] },
    ),
  )
  return { ...planOf(planned, {}), hash: 'h', project: 'p', requested: ['w'] } as Plan
}

/** A clock that stands still until nothing else can happen. */
class Clock {
  now = 0
  #order = 0
  #waiting: { readonly at: number; readonly order: number; readonly wake: () => void }[] = []

  sleep(steps: number): Promise<void> {
    return new Promise((wake) => void this.#waiting.push({ at: this.now + steps, order: this.#order++, wake }))
  }

  async runUntil(done: Promise<unknown>): Promise<void> {
    let isDone = false
    done.then(
      () => (isDone = true),
      () => (isDone = true),
    )
    for (;;) {
      // A commit takes a turn, and what waits for it some more.
      for (let turns = 0; turns < 6; turns++) await turn()
      if (isDone) return
      const next = this.#waiting.sort((a, b) => a.at - b.at || a.order - b.order).shift()
      if (!next) continue
      this.now = next.at
      next.wake()
    }
  }
}

const crashed = new Error('dwf was killed')
let runs = 0

/** One session of the real thing, against the model's processes and the real store. */
async function session(model: ModelRun, id: string, resumed: { crashAfter?: number; session: number }) {
  const plan = planFor(model.tasks)
  const clock = new Clock()
  const tries = new Map<string, number>()
  const behaviour = new Map(model.tasks.map((task) => [task.id, task]))
  const journal =
    resumed.session === 1
      ? store.begin({
          id,
          kind: 'workflow',
          title: 'w',
          project: 'p',
          root: '/r',
          tags: [],
          plan,
          options: {},
          image: '',
          dwf: '0',
          at: 0,
        })
      : store.resume({ id, plan, image: '', options: {}, sessions: 1, kept: new Set(model.kept), at: 0 })
  let left = resumed.crashAfter ?? Number.POSITIVE_INFINITY
  const controller = new AbortController()
  const { world, done } = fakeWorld(
    async ({ argv }): Promise<Exit> => {
      const task = behaviour.get(argv[0]!)!
      const attempt = (tries.get(task.id) ?? 0) + 1
      tries.set(task.id, attempt)
      await clock.sleep(task.takes)
      return code(attempt > task.failures ? 0 : 1)
    },
    {
      runId: id,
      // What would be written after the crash is not.
      journal: {
        record: (event) => (left-- > 0 ? journal.record(event) : Promise.reject(crashed)),
        head: journal.head,
        onLost: journal.onLost,
      },
    },
  )
  if (model.cancelAt !== undefined) void clock.sleep(model.cancelAt).then(() => controller.abort('signal'))
  const kept = new Map(
    model.kept.map((task): [string, TaskResult] => [task, { id: task, outcome: 'passed', ms: 0, attempts: 1 }]),
  )
  const work = runPlan(
    plan,
    world,
    options({ jobs: model.jobs, keepGoing: model.keepGoing, signal: controller.signal }),
    resumed.session === 1 ? undefined : { session: resumed.session, kept },
  )
  let result: RunResult | undefined
  try {
    await clock.runUntil(work)
    result = await work.catch((error) => {
      if (error !== crashed) throw error
      return undefined
    })
  } finally {
    journal.close()
    done()
  }
  return { result }
}

const shape = fc.array(
  fc.record({
    needs: fc.array(fc.nat(), { maxLength: 3 }),
    weight: fc.integer({ min: 1, max: 3 }),
    retries: fc.nat({ max: 2 }),
    failures: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 3 })),
    takes: fc.integer({ min: 1, max: 4 }),
    ignoreFailure: fc.boolean(),
    condition: fc.option(fc.constantFrom('always', 'failure', 'success', 'cancelled'), { nil: undefined, freq: 3 }),
  }),
  { minLength: 1, maxLength: 10 },
)

const modelTasks = (nodes: typeof shape extends fc.Arbitrary<infer T> ? T : never): readonly ModelTask[] =>
  nodes.map(({ needs, condition, ...more }, index) => ({
    id: `t${index}`,
    needs: index === 0 ? [] : [...new Set(needs.map((need) => `t${need % index}`))],
    ...more,
    ...(condition ? { condition } : {}),
  }))

const runsOfModel = fc.record({
  nodes: shape,
  jobs: fc.integer({ min: 1, max: 4 }),
  keepGoing: fc.boolean(),
  cancelAt: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  crashAfter: fc.option(fc.nat({ max: 25 }), { nil: undefined }),
})

const statesOf = (id: string) => Object.fromEntries(readTasks(store.database, id).map(({ id, state }) => [id, state]))

/** Attempts of the last session, in the order of the events. */
function startsIn(rows: readonly EventRow[]): readonly string[] {
  const began = rows.findLastIndex(({ type }) => type === 'run-started' || type === 'run-resumed')
  return rows
    .slice(began)
    .filter(({ type }) => type === 'task-started')
    .map(({ task, data }) => `${task}#${JSON.parse(data).attempt}`)
}

function holds(id: string, model: ModelRun, { result }: Awaited<ReturnType<typeof session>>): void {
  const expected = modelOf(model)
  const rows = store.database.prepare('SELECT * FROM events WHERE run = ? ORDER BY sequence').all(id) as never
  assert.deepEqual(startsIn(rows), expected.started, 'the order of attempts')
  assert.deepEqual(Object.fromEntries(result!.tasks.map((task) => [task.id, task.outcome])), expected.outcomes)
  for (const task of result!.tasks)
    if (!task.kept) assert.equal(task.attempts, expected.attempts[task.id], `attempts of ${task.id}`)
  assert.deepEqual(statesOf(id), expected.outcomes, 'the store says the same')
  assert.equal(verifyChain(rows).ok, true)
}

test('order, states and counters of random runs are those of the model, also after a crash', async () => {
  await fc.assert(
    fc.asyncProperty(runsOfModel, async ({ nodes, jobs, keepGoing, cancelAt, crashAfter }) => {
      const id = `run-${runs++}`
      const tasks = modelTasks(nodes)
      const model: ModelRun = { tasks, jobs, keepGoing, kept: [], ...(cancelAt === undefined ? {} : { cancelAt }) }
      const first = await session(model, id, { session: 1, ...(crashAfter === undefined ? {} : { crashAfter }) })
      if (first.result) return holds(id, model, first)
      // Nothing was written when it was killed at its first event: then there is nothing to go on with.
      if (statesOf(id).t0 === undefined) return
      store.database.prepare("UPDATE leases SET started = 'dead' WHERE run = ?").run(id)
      assert.deepEqual(
        store.settleDead().map((dead) => dead.id),
        [id],
      )
      assert.ok(!Object.values(statesOf(id)).includes('running'))
      const kept = Object.entries(statesOf(id)).flatMap(([task, state]) => (state === 'passed' ? [task] : []))
      // What depends on nothing that is to be done again.
      const closed: string[] = []
      for (const task of tasks)
        if (kept.includes(task.id) && task.needs.every((need) => closed.includes(need))) closed.push(task.id)
      const second: ModelRun = { tasks, jobs, keepGoing, kept: closed }
      holds(id, second, await session(second, id, { session: 2 }))
    }),
    { numRuns: isLong ? 5000 : 300 },
  )
})
