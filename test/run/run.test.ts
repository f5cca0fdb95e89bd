import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Engine } from '../../src/engine/types.ts'
import { reapDead } from '../../src/run/reap.ts'
import { runPlan } from '../../src/run/run.ts'
import { isGood, type Verdict } from '../../src/run/types.ts'
import { failure } from '../../src/util/diagnostics.ts'
import { holderWord, thisProcess } from '../../src/util/lock.ts'
import { code, fakeWorld, options, planOf, task } from './rig.ts'

test('random graphs: every task once, needs first, never more at once than jobs, green only when all are', async () => {
  const shape = fc.array(fc.record({ needs: fc.array(fc.nat(), { maxLength: 3 }), fails: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  })
  await fc.assert(
    fc.asyncProperty(shape, fc.integer({ min: 1, max: 4 }), fc.boolean(), async (nodes, jobs, keepGoing) => {
      const tasks = nodes.map(({ needs }, index) =>
        task(`t${index}`, { needs: index === 0 ? [] : [...new Set(needs.map((need) => `t${need % index}`))] }),
      )
      let now = 0
      let most = 0
      const ran: string[] = []
      const { world, done } = fakeWorld(async ({ argv }) => {
        most = Math.max(most, ++now)
        ran.push(argv[0]!)
        await sleep(0)
        now--
        return code(nodes[Number(argv[0]!.slice(1))]!.fails ? 1 : 0)
      })
      const result = await runPlan(planOf(tasks), world, options({ jobs, keepGoing })).finally(done)
      assert.deepEqual(
        result.tasks.map(({ id }) => id),
        tasks.map(({ id }) => id),
      )
      assert.ok(most <= jobs)
      assert.equal(new Set(ran).size, ran.length)
      const outcome = new Map(result.tasks.map((one) => [one.id, one.outcome]))
      for (const { id, needs } of tasks) {
        const allGood = needs.every((need) => isGood(outcome.get(need)!))
        if (ran.includes(id)) assert.ok(allGood, `${id} ran without ${needs}`)
        else assert.equal(outcome.get(id), 'not-run')
        if (keepGoing && allGood) assert.ok(ran.includes(id))
      }
      assert.equal(
        result.ok,
        nodes.every(({ fails }) => !fails),
      )
    }),
    { numRuns: 150 },
  )
})

const gateTask = (id: string) => task(id, { kind: 'gate', class: 'gate', layer: 'deps', argv: [] })

test('gates look before the first task, all of them, and a refusal starts none', async () => {
  const seen: string[] = []
  const verdicts: Verdict[] = [
    { kind: 'refused', summary: 'no', lines: ['bad'], diagnostics: [] },
    { kind: 'passed', summary: '', lines: [], diagnostics: [] },
  ]
  const { world, opened, done } = fakeWorld(async () => code(0), {
    gate: async () => {
      seen.push('gate')
      return verdicts.shift()!
    },
  })
  const tasks = [gateTask('g1'), gateTask('g2'), task('t', { after: ['g1', 'g2'] })]
  const result = await runPlan(planOf(tasks), world, options()).finally(done)
  assert.deepEqual(
    result.tasks.map(({ outcome }) => outcome),
    ['failed', 'passed', 'not-run'],
  )
  assert.deepEqual(seen, ['gate', 'gate'])
  assert.deepEqual(opened, [])
  assert.equal(result.ok, false)
})

test('a gate that throws is broken, never passed', async () => {
  const { world, done } = fakeWorld(async () => code(0), {
    gate: () => Promise.reject(failure('machine-cannot', 'no-scanner', 'no trivy')),
  })
  const result = await runPlan(planOf([gateTask('g')]), world, options()).finally(done)
  assert.equal(result.tasks[0]!.gate, 'broken')
  assert.equal(result.ok, false)
})

test('a container that went away is lost, and the next attempt would get a new one', async () => {
  const { world, opened, closed, done } = fakeWorld(async ({ argv }) =>
    argv[0] === 'a' ? { kind: 'lost', reason: 'gone' } : code(0),
  )
  const result = await runPlan(
    planOf([task('a'), task('b', { needs: [] })]),
    world,
    options({ jobs: 1, keepGoing: true }),
  ).finally(done)
  assert.deepEqual(
    result.tasks.map(({ outcome }) => outcome),
    ['lost', 'passed'],
  )
  assert.deepEqual(opened, ['offline', 'offline'])
  assert.ok(closed.length >= 2)
})

test('a setup is skipped when nothing changed, and runs again when its lock file, its output or its end does', async () => {
  let runs = 0
  let exit = code(0)
  const { world, root, done } = fakeWorld(async () => {
    runs++
    writeFileSync(join(root, 'out'), '')
    return exit
  })
  const setup = task('setup', { kind: 'setup', lockFiles: ['lock'], outputs: ['out'] })
  const once = () => runPlan(planOf([setup]), world, options()).then((result) => result.tasks[0]!.outcome)
  writeFileSync(join(root, 'lock'), 'a')
  assert.equal(await once(), 'passed')
  assert.equal(await once(), 'current')
  writeFileSync(join(root, 'lock'), 'b')
  assert.equal(await once(), 'passed')
  rmSync(join(root, 'out'))
  assert.equal(await once(), 'passed')
  writeFileSync(join(root, 'lock'), 'c')
  exit = code(1)
  assert.equal(await once(), 'failed')
  exit = code(0)
  assert.equal(await once(), 'passed')
  assert.equal(runs, 5)
  done()
})

test('what was fetched anew is installed anew', async () => {
  const ran: string[] = []
  const { world, root, done } = fakeWorld(async ({ argv }) => {
    ran.push(argv[0]!)
    writeFileSync(join(root, 'out'), '')
    return code(0)
  })
  const fetch = task('fetch', { kind: 'fetch', lockFiles: ['lock'], outputs: ['out'] })
  const install = task('install', { kind: 'setup', lockFiles: ['lock'], outputs: [], needs: ['fetch'] })
  await runPlan(planOf([fetch, install]), world, options())
  await runPlan(planOf([fetch, install]), world, options())
  rmSync(join(root, 'out'))
  await runPlan(planOf([fetch, install]), world, options()).finally(done)
  assert.deepEqual(ran, ['fetch', 'install', 'fetch', 'install'])
})

test('what a task may not touch is compared after the last one', async () => {
  const { world, root, done } = fakeWorld(async () => {
    writeFileSync(join(root, 'lock'), 'changed')
    mkdirSync(join(root, '.git'))
    return code(0)
  })
  writeFileSync(join(root, 'lock'), 'as it was')
  const result = await runPlan(planOf([task('t')]), world, options()).finally(done)
  assert.deepEqual(
    result.violations.map(({ message }) => message),
    ['a task changed lock', 'a task created .git'],
  )
  assert.equal(result.ok, false)
})

test('a secret that is split between two chunks is masked in log and events', async () => {
  const { world, events, done } = fakeWorld(
    async ({ onOutput }) => {
      onOutput('stdout', Buffer.from('before hunter2'))
      onOutput('stdout', Buffer.from('hunter2 after hunt'))
      return code(0)
    },
    { secrets: { of: () => ({ env: { TOKEN: 'hunter2hunter2' }, files: {} }), values: ['hunter2hunter2'] } },
  )
  const result = await runPlan(planOf([task('t')]), world, options())
  const shown = events.map((event) => (event.type === 'output' ? event.chunk.toString() : '')).join('')
  assert.equal(shown, 'before •••••••• after hunt')
  assert.equal(readFileSync(result.tasks[0]!.log!, 'utf8'), shown)
  done()
})

test('an interrupt before anything runs starts nothing and is not green', async () => {
  const { world, opened, done } = fakeWorld(async () => code(0))
  const result = await runPlan(planOf([task('a')]), world, options({ signal: AbortSignal.abort('signal') })).finally(
    done,
  )
  assert.equal(result.ok, false)
  assert.equal(result.ended, 'cancelled')
  assert.deepEqual(opened, [])
})

test('retries stop at the first success', async () => {
  let runs = 0
  const { world, done } = fakeWorld(async () => code(++runs < 3 ? 1 : 0))
  const result = await runPlan(planOf([task('a', { retries: 5 })]), world, options()).finally(done)
  assert.equal(result.tasks[0]!.attempts, 3)
  assert.equal(result.ok, true)
})

test('a container is reaped only when the very process that made it is gone', async () => {
  const removed: string[] = []
  const owner = (more: object) => holderWord({ ...thisProcess(), ...more })
  const containers = [
    { id: 'mine', labels: { 'dev.dwf.owner': owner({}) } },
    { id: 'dead', labels: { 'dev.dwf.owner': owner({ pid: 2 ** 22 + 1 }) } },
    { id: 'pid taken again', labels: { 'dev.dwf.owner': owner({ started: 'another boot' }) } },
    { id: 'on another machine', labels: { 'dev.dwf.owner': owner({ pid: 2 ** 22 + 1, host: 'elsewhere' }) } },
    { id: 'unreadable', labels: { 'dev.dwf.owner': 'x' } },
  ]
  const engine = { containers: async () => containers, removeContainer: async (id: string) => void removed.push(id) }
  await reapDead(engine as unknown as Engine)
  assert.deepEqual(removed, ['dead', 'pid taken again'])
})
