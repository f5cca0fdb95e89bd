import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { RunKind, RunState } from '../../src/store/journal.ts'
import { countRuns, listRuns, type RunFilter, type RunOrder, runOrders } from '../../src/store/query.ts'
import { openStore } from '../../src/store/store.ts'

async function emptyStore(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-query-'))
  const store = await openStore(join(folder, 'dwf'))
  t.after(() => {
    store.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return store.database
}

interface Given {
  readonly root: string
  readonly workflow: string | null
  readonly state: RunState
  readonly kind: RunKind
  readonly tags: readonly string[]
  readonly title: string
  readonly startedAt: number
  readonly ms: number
}

const now = 1_000_000
const rank: readonly RunState[] = ['running', 'interrupted', 'failed', 'timed-out', 'cancelled', 'passed']

const given: fc.Arbitrary<Given> = fc.record({
  root: fc.constantFrom('/a', '/b'),
  workflow: fc.constantFrom(null, 'deploy', "de'ploy"),
  state: fc.constantFrom(...rank),
  kind: fc.constantFrom('check', 'task', 'scan', 'workflow'),
  tags: fc.array(fc.constantFrom('x', 'y', '"', '%'), { maxLength: 2 }),
  title: fc.constantFrom('a', 'B', 'c', "d' --"),
  startedAt: fc.integer({ min: 0, max: 1000 }),
  ms: fc.integer({ min: 0, max: 1000 }),
})

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const filters = fc.record({
  root: some(fc.constantFrom('/a', '/b')),
  workflow: some(fc.constantFrom('deploy', "de'ploy", '%')),
  states: some(fc.uniqueArray(fc.constantFrom(...rank), { minLength: 1 })),
  kind: some(fc.constantFrom<RunKind[]>('check', 'task', 'scan', 'workflow')),
  tag: some(fc.constantFrom('x', '"', '%', '')),
  since: some(fc.integer({ min: 0, max: 1000 })),
  until: some(fc.integer({ min: 0, max: 1000 })),
  minMs: some(fc.integer({ min: 0, max: 1000 })),
})

/** Ended where it has ended: a running one goes on until now. */
const elapsed = (run: Given): number =>
  run.state === 'running' ? run.ms + now - run.startedAt : run.state === 'interrupted' ? run.ms + 10 : run.ms

function fits(run: Given, filter: RunFilter): boolean {
  return (
    (filter.root === undefined || run.root === filter.root) &&
    (filter.workflow === undefined || run.workflow === filter.workflow) &&
    (filter.states === undefined || filter.states.includes(run.state)) &&
    (filter.kind === undefined || run.kind === filter.kind) &&
    (filter.tag === undefined || run.tags.includes(filter.tag)) &&
    (filter.since === undefined || run.startedAt >= filter.since) &&
    (filter.until === undefined || run.startedAt < filter.until) &&
    (filter.minMs === undefined || elapsed(run) >= filter.minMs)
  )
}

const keys: Readonly<Record<RunOrder, (run: Given) => number | string>> = {
  time: () => 0,
  duration: (run) => -elapsed(run),
  title: (run) => run.title,
  state: (run) => rank.indexOf(run.state),
}

test('filters, order, limit and offset say what the same steps on a list say', async (t) => {
  const database = await emptyStore(t)
  const insert = database.prepare(
    `INSERT INTO runs (id, kind, title, project, root, workflow, tags, plan_hash, plan, options, image, dwf, state, sessions,
       started_at, ended_at, ms) VALUES (?, ?, ?, 'p', ?, ?, ?, '', '{}', '{}', '', '', ?, 1, ?, ?, ?)`,
  )
  const property = fc.property(
    fc.array(given, { maxLength: 12 }),
    filters,
    fc.constantFrom(...runOrders),
    fc.nat(13),
    fc.nat(13),
    (runs, wanted, order, limit, offset) => {
      const filter = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as RunFilter
      database.exec('BEGIN')
      try {
        const named = runs.map((run, index) => ({ ...run, id: `r${String(index).padStart(3, '0')}` }))
        for (const { id, kind, title, root, workflow, tags, state, startedAt, ms } of named) {
          const ended = state === 'running' ? null : startedAt + 10
          insert.run(id, kind, title, root, workflow, JSON.stringify(tags), state, startedAt, ended, ms)
        }
        const fitting = named.filter((run) => fits(run, filter))
        const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0)
        const sorted = fitting.toSorted(
          (a, b) => compare(keys[order](a), keys[order](b)) || b.startedAt - a.startedAt || compare(b.id, a.id),
        )
        const found = listRuns(database, { ...filter, order, limit, offset }, now)
        assert.deepEqual(
          found.map((run) => [run.id, run.elapsedMs, run.tags]),
          sorted.slice(offset, offset + limit).map((run) => [run.id, elapsed(run), run.tags]),
        )
        assert.equal(countRuns(database, filter, now), fitting.length)
      } finally {
        database.exec('ROLLBACK')
      }
    },
  )
  fc.assert(property)
})
