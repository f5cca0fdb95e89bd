import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { scanLayers } from '../../src/config/commands.ts'
import { partsOf, planOfPart } from '../../src/plan/parts.ts'
import type { Plan, PlannedTask, TaskId } from '../../src/plan/types.ts'

const task = (id: string, more: Partial<PlannedTask> = {}): PlannedTask => {
  const [, command, stack, dir = ''] = /^([^@]*)@([^:]*):?(.*)$/s.exec(id)!
  return {
    id,
    command: command!,
    stack: stack!,
    dir,
    kind: 'task',
    argv: ['true'],
    env: {},
    path: [],
    needs: [],
    after: [],
    class: 'offline',
    timeoutMs: 1,
    retries: 0,
    network: 'none',
    runtime: 'container',
    secrets: [],
    hash: `hash of ${id}`,
    ...more,
  }
}
const gate = (layer: (typeof scanLayers)[number]): PlannedTask =>
  task(`scan:${layer}@project`, { kind: 'gate', layer, runtime: 'host', class: 'gate' })

const planOf = (tasks: readonly PlannedTask[]): Plan =>
  ({
    tasks,
    classes: [...new Set(tasks.map((one) => one.class))].map((id) => ({ id })),
    hash: 'whole',
  }) as unknown as Plan

const shown = (tasks: readonly PlannedTask[]) =>
  partsOf({ tasks }).map(({ name, kind, tasks }) => `${name} (${kind}): ${tasks.join(' ')}`)

test('tasks of a stack go together, gates by what they look at, each alone with what it needs', () => {
  assert.deepEqual(
    shown([
      ...scanLayers.map(gate),
      task('setup:deps@node', { kind: 'setup' }),
      task('build:debug@node', { needs: ['setup:deps@node'] }),
      task('test:unit@node:web', { needs: ['setup:deps@node'] }),
      task('test:unit@go'),
      task('package:all@project', { needs: ['build:debug@node'] }),
    ]),
    [
      'go (tasks): test:unit@go',
      'node (tasks): setup:deps@node build:debug@node test:unit@node:web',
      'project (tasks): setup:deps@node build:debug@node package:all@project',
      'scan (gates): scan:deps@project scan:config@project scan:secrets@project scan:licenses@project',
      'scan-code (gates): scan:code@project',
      'scan-image (gates): scan:image@project',
    ],
  )
})

test('what needs a secret or the host is apart, and so is what cannot do without it', () => {
  assert.deepEqual(
    shown([
      task('setup:deps@node', { kind: 'setup' }),
      task('test:unit@node', { needs: ['setup:deps@node'] }),
      task('test:e2e@project', { needs: ['setup:deps@node'], secrets: ['TOKEN'] }),
      task('package:app@project', { needs: ['test:e2e@project'] }),
      task('release:app@project', { needs: ['package:app@project'] }),
      task('test:device@project', { runtime: 'host' }),
      task('lint:docs@project'),
    ]),
    [
      'node (tasks): setup:deps@node test:unit@node',
      'project (tasks): lint:docs@project',
      'task-package_3aapp_40project (tasks): setup:deps@node test:e2e@project package:app@project',
      'task-release_3aapp_40project (tasks): setup:deps@node test:e2e@project package:app@project release:app@project',
      'task-test_3adevice_40project (tasks): test:device@project',
      'task-test_3ae2e_40project (tasks): setup:deps@node test:e2e@project',
    ],
  )
})

test('tasks whose ids differ little have parts whose names differ, whatever their case', () => {
  const dirs = [
    'a/b',
    'a_2fb',
    'A/b',
    'a/B',
    'a.b',
    'a_b',
    'a-b',
    'a~b',
    'a__b',
    `${'x'.repeat(200)}a`,
    `${'x'.repeat(200)}b`,
  ]
  const parts = partsOf({ tasks: dirs.map((dir) => task(`test:unit@node:${dir}`, { runtime: 'host' })) })
  assert.equal(parts.length, dirs.length)
  assert.equal(new Set(parts.map(({ name }) => name.toLowerCase())).size, dirs.length)
})

const secrets = fc.array(fc.constantFrom('TOKEN', 'KEY'), { maxLength: 2 }).map((names) => [...new Set(names)])
const folder = fc.oneof(
  fc.constantFrom('', 'a/b', 'a_2fb', 'A/b'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ minLength: 80, maxLength: 300 }),
)

/** Plans as they are made: gates first, then each task after those that it needs, which all others have ended before. */
const plans: fc.Arbitrary<Plan> = fc
  .record({
    gates: fc.subarray([...scanLayers]),
    tasks: fc.uniqueArray(
      fc.record({
        stack: fc.constantFrom('node', 'go', 'rust', 'project'),
        dir: folder,
        command: fc.constantFrom('test:unit', 'build:debug', 'setup:deps', 'lint:a_b', 'lint:A.b'),
        kind: fc.constantFrom<PlannedTask['kind']>('fetch', 'setup', 'task', 'task', 'task'),
        isHost: fc.boolean(),
        secrets: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: secrets }),
        needs: fc.array(fc.nat(), { maxLength: 3 }),
        network: fc.boolean(),
      }),
      { maxLength: 14, selector: ({ command, stack, dir }) => `${command}@${stack}:${dir}` },
    ),
  })
  .map(({ gates, tasks }) => {
    const judges = gates.map(gate)
    const ids = tasks.map(({ command, stack, dir }): TaskId => `${command}@${stack}${dir === '' ? '' : `:${dir}`}`)
    return planOf([
      ...judges,
      ...tasks.map(({ kind, isHost, secrets, needs, network }, at) =>
        task(ids[at]!, {
          kind,
          runtime: isHost ? 'host' : 'container',
          secrets: kind === 'task' ? secrets : [],
          needs: at === 0 ? [] : [...new Set(needs.map((need) => ids[need % at]!))],
          after: judges.map(({ id }) => id),
          class: network ? ids[at]! : 'offline',
        }),
      ),
    ])
  })
  .filter((plan) => new Set(plan.tasks.map(({ id }) => id)).size === plan.tasks.length)

/** An oracle of its own: what a task needs, and what these need. */
function closure(plan: Plan, id: TaskId): ReadonlySet<TaskId> {
  const found = new Set([id])
  for (const one of found) for (const need of plan.tasks.find((task) => task.id === one)!.needs) found.add(need)
  return found
}

test('the parts are the whole plan, each can run alone, and their names are jobs', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const parts = partsOf(plan)
      assert.deepEqual(new Set(parts.flatMap(({ tasks }) => tasks)), new Set(plan.tasks.map(({ id }) => id)))
      const names = parts.map(({ name }) => name)
      assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length)
      for (const part of parts) {
        assert.match(part.name, /^[A-Za-z_][A-Za-z0-9_-]{0,98}$/)
        for (const id of part.tasks)
          for (const need of closure(plan, id)) assert.ok(part.tasks.includes(need), `${part.name} lacks ${need}`)
        const own = plan.tasks.filter(({ id }) => part.tasks.includes(id))
        assert.deepEqual(
          part.tasks,
          own.map(({ id }) => id),
        )
        assert.deepEqual(part.secrets, [...new Set(own.flatMap(({ secrets }) => secrets))].sort())
        assert.equal(
          own.some(({ kind }) => kind === 'gate'),
          part.kind === 'gates',
        )
        assert.equal(
          own.every(({ kind }) => kind === 'gate'),
          part.kind === 'gates',
        )
        assert.equal(
          part.needsImage,
          own.some(({ kind, layer, runtime }) =>
            kind === 'gate' ? layer === 'image' || layer === 'code' : runtime === 'container',
          ),
        )
        assert.equal(
          part.needsDatabase,
          own.some(({ layer }) => layer === 'deps' || layer === 'image'),
        )
      }
    }),
    { numRuns: 500 },
  )
})

test('a task with secrets or on the host never shares a part with one that it does not need and that does not need it', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      for (const part of partsOf(plan)) {
        const own = plan.tasks.filter(({ id }) => part.tasks.includes(id))
        for (const apart of own) {
          if (apart.secrets.length === 0 && !(apart.runtime === 'host' && apart.kind === 'task')) continue
          // One task that all others are there for.
          const roots = own.filter(({ id }) => own.every((one) => closure(plan, id).has(one.id)))
          assert.ok(roots.length >= 1, `${part.name}: ${part.tasks.join(' ')}`)
        }
      }
    }),
    { numRuns: 500 },
  )
})

test('the plan of a part has its tasks as they are, under the hash of the whole', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      for (const part of partsOf(plan)) {
        const own = planOfPart(plan, part.name)!
        assert.equal(own.hash, plan.hash)
        assert.deepEqual(
          own.tasks.map(({ id }) => id),
          part.tasks,
        )
        for (const one of own.tasks) {
          const { after, ...rest } = plan.tasks.find(({ id }) => id === one.id)!
          assert.deepEqual({ ...one, after: undefined }, { ...rest, after: undefined })
          assert.deepEqual(
            one.after,
            after.filter((id) => part.tasks.includes(id)),
          )
        }
        assert.deepEqual(new Set(own.classes.map(({ id }) => id)), new Set(own.tasks.map((one) => one.class)))
      }
      assert.equal(planOfPart(plan, 'no-such-part'), undefined)
    }),
    { numRuns: 200 },
  )
})

test('the order of a plan changes no name of a part, and not what is in it', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const turned = partsOf({ tasks: [...plan.tasks].reverse() })
      assert.deepEqual(
        turned.map((part) => ({ ...part, tasks: [...part.tasks].reverse() })),
        partsOf(plan),
      )
    }),
    { numRuns: 100 },
  )
})
