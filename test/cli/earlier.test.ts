import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareRuns, type EarlierRun } from '../../src/cli/run/earlier.ts'
import { hashOfTask } from '../../src/plan/hash.ts'
import type { Plan, PlannedTask } from '../../src/plan/types.ts'
import type { StoredTask } from '../../src/store/read.ts'
import { part, planOf, task } from '../run/rig.ts'

const sealed = (one: PlannedTask): PlannedTask => ({ ...one, hash: hashOfTask(one) })
const plan = (tasks: readonly PlannedTask[], variables: Record<string, string> = {}): Plan =>
  planOf(tasks.map(sealed), { variables })

const stored = (
  planned: Plan,
  states: Readonly<Record<string, string>>,
  more: Partial<StoredTask> = {},
): EarlierRun => ({
  plan: planned,
  image: 'i',
  tasks: planned.tasks.map(
    ({ id, hash }) =>
      ({ id, hash, state: states[id] ?? 'passed', attempts: 1, ms: 1, outputs: {}, ...more }) as StoredTask,
  ),
})

function compare(
  before: EarlierRun,
  now: Plan,
  more: { from?: string; image?: string; files?: string[]; inputs?: string } = {},
) {
  const { kept, changes } = compareRuns(
    before,
    { plan: now, image: more.image ?? 'i', inputs: () => more.inputs, changedFiles: more.files ?? [] },
    more.from,
  )
  return { kept: [...kept.keys()], changes: changes.map(({ task: id, what }) => `${id}: ${what.join('; ')}`) }
}

const chain = [part('a'), part('b', {}, { needs: ['a'] }), part('c', {}, { needs: ['b'] })]

test('what is done stays; what failed, and what needs it, runs', () => {
  const old = plan(chain)
  assert.deepEqual(compare(stored(old, { b: 'failed', c: 'not-run' }), old), { kept: ['a'], changes: [] })
  assert.deepEqual(compare(stored(old, { b: 'ignored', c: 'interrupted' }), old).kept, ['a', 'b'])
})

test('what changed is named, and takes along what needs it', () => {
  const old = plan(chain)
  const fresh = plan([{ ...chain[0]!, argv: ['sh', '-c', 'other'] }, ...chain.slice(1)])
  assert.deepEqual(compare(stored(old, {}), fresh), { kept: [], changes: ['a: argv: ["a"] → ["sh","-c","other"]'] })
  const secret = plan([{ ...chain[0]!, env: { X: 'secret' } }, ...chain.slice(1)])
  assert.deepEqual(compare(stored(old, {}), secret).changes, ['a: env'])
  assert.deepEqual(compare(stored(old, {}), old, { image: 'j' }).changes[0], 'a: the image that it runs in')
  assert.deepEqual(
    compare(stored(old, {}, { inputs: 'x' }), old, { inputs: 'y' }).changes[0],
    'a: the files that it names as inputs',
  )
})

test('files of the repository count for tasks that are not of a workflow and name no inputs', () => {
  const old = plan([task('lint'), part('w'), task('test', { inputs: ['x'] })])
  const files = ['1', '2', '3', '4']
  assert.deepEqual(compare(stored(old, {}), old, { files }).changes, [
    'lint: files of the repository: 1, 2, 3 and 1 more',
    'test: files of the repository: 1, 2, 3 and 1 more',
  ])
  assert.deepEqual(compare(stored(old, {}, { inputs: 'x' }), old, { files, inputs: 'x' }).changes, [])
})

test('a variable that changed counts for what reads it; a skipped task that reads it runs, with what needs it', () => {
  const condition = { kind: 'truth', of: { kind: 'variable', name: 'region' } } as const
  const tasks = [part('a', { condition }), part('b', {}, { needs: ['a'] }), part('c')]
  const old = plan(tasks, { region: '' })
  assert.deepEqual(compare(stored(old, { a: 'skipped' }), old).kept, ['b', 'c'])
  assert.deepEqual(compare(stored(old, { a: 'skipped' }), plan(tasks, { region: 'eu' })), { kept: ['c'], changes: [] })
})

test('--from runs a task and what needs it, setups and gates too', () => {
  const old = plan(chain)
  assert.deepEqual(compare(stored(old, {}), old, { from: 'b' }).kept, ['a'])
  const setup = plan([
    task('setup', { kind: 'setup', lockFiles: ['l'] }),
    task('test', { needs: ['setup'] }),
    task('lint'),
  ])
  assert.deepEqual(compare(stored(setup, {}), setup).kept, ['test', 'lint'])
  assert.deepEqual(compare(stored(setup, {}), setup, { from: 'setup' }).kept, ['lint'])
})

test('gates, setups and handlers are never kept', () => {
  const all = plan([
    task('g', { kind: 'gate' }),
    task('s', { kind: 'setup', lockFiles: ['l'] }),
    part('h', {}, { kind: 'handler' }),
  ])
  assert.deepEqual(compare(stored(all, {}), all).kept, [])
})
