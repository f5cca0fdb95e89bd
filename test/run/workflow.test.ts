import assert from 'node:assert/strict'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { ExecRequest, Exit } from '../../src/engine/types.ts'
import type { PlannedTask, PlannedWorkflow } from '../../src/plan/types.ts'
import { runPlan } from '../../src/run/run.ts'
import type { RunResult } from '../../src/run/types.ts'
import type { RunOptions, World } from '../../src/run/world.ts'
import { code, fakeWorld, options, part, planOf } from './rig.ts'

const reads = (variable: string, env = 'DWF_VALUE_1') => ({ references: [{ variable, env }] })

async function outcomeOf(
  tasks: readonly PlannedTask[],
  run: (request: ExecRequest) => Promise<Exit> | Exit,
  more: { workflow?: Partial<PlannedWorkflow>; world?: Partial<World>; options?: Partial<RunOptions> } = {},
) {
  const rig = fakeWorld(async (request) => run(request), more.world)
  try {
    const result = await runPlan(planOf(tasks, more.workflow ?? {}), rig.world, options({ jobs: 1, ...more.options }))
    return { ...rig, result, outcomes: outcomes(result) }
  } finally {
    rig.done()
  }
}

const outcomes = (result: RunResult) => Object.fromEntries(result.tasks.map(({ id, outcome }) => [id, outcome]))
const handler = (id: string, more = {}) => part(id, more, { kind: 'handler' })

test('a registered line and what is written to $DWF_OUTPUT reach the tasks after it, verbatim, in the environment', async () => {
  const nasty = `$(touch x); '"\``
  const seen: Record<string, string>[] = []
  const { result } = await outcomeOf(
    [
      part('a', { register: 'version' }),
      part(
        'b',
        { references: [...reads('version').references, ...reads('a.notes', 'DWF_VALUE_2').references] },
        { needs: ['a'] },
      ),
    ],
    ({ argv, env, onOutput }) => {
      if (argv[0] === 'b') seen.push({ ...env })
      else {
        onOutput('stdout', Buffer.from(`first\n  ${nasty}  \n\n`))
        onOutput('stderr', Buffer.from('not this\n'))
        writeFileSync(env.DWF_OUTPUT!, 'notes<<END\none\ntwo=2\nEND\n')
      }
      return code(0)
    },
  )
  assert.equal(result.ok, true)
  assert.deepEqual(result.tasks[0]!.outputs, { notes: 'one\ntwo=2', version: nasty })
  assert.equal(seen[0]!.DWF_VALUE_1, nasty)
  assert.equal(seen[0]!.DWF_VALUE_2, 'one\ntwo=2')
  assert.equal(seen[0]!.WF_RUN_ID, 'r')
  assert.equal(seen[0]!.WF_WORKFLOW, 'w')
  assert.equal(seen[0]!.WF_TASK_ID, 'b')
})

test('an attempt that failed gives nothing, and the file of another attempt does not count', async () => {
  let tries = 0
  const { result } = await outcomeOf([part('a', {}, { retries: 1 })], ({ env }) => {
    writeFileSync(env.DWF_OUTPUT!, tries === 0 ? 'from=first' : 'more=second')
    return code(tries++ === 0 ? 1 : 0)
  })
  assert.deepEqual(result.tasks[0]!.outputs, { more: 'second' })
})

for (const [what, write, says] of [
  ['a link', (path: string) => symlinkSync('/etc/passwd', path), 'cannot be read: it is a link'],
  [
    'no output',
    (path: string) => writeFileSync(path, 'a=1\n?\n'),
    'line 2 is neither name=value nor name<<WORD; a name is letters, digits, "_", "." and "-"',
  ],
  [
    'an end that is missing',
    (path: string) => writeFileSync(path, 'a<<X\n1\n'),
    'line 1 begins a value that nothing ends',
  ],
  ['NUL', (path: string) => writeFileSync(path, 'a=1\0\n'), 'line 1: the value has a NUL in it'],
  [
    'a long value',
    (path: string) => writeFileSync(path, `a=${'x'.repeat(65_537)}\n`),
    'line 1: the value is longer than 64 KiB',
  ],
  [
    'a huge file',
    (path: string) => writeFileSync(path, 'a=1\n'.repeat(300_000)),
    'cannot be read: it is larger than 1024 KiB',
  ],
] as const) {
  test(`$DWF_OUTPUT with ${what} fails the task, and no retry helps`, async () => {
    let tries = 0
    const { result } = await outcomeOf([part('a', {}, { retries: 3 })], ({ env }) => {
      write(env.DWF_OUTPUT!)
      tries++
      return code(0)
    })
    assert.equal(result.tasks[0]!.outcome, 'failed')
    assert.equal(result.tasks[0]!.reason, `what it wrote to $DWF_OUTPUT: ${says}`)
    assert.equal(tries, 1)
  })
}

test('a secret is refused as an output, however it is written', async () => {
  for (const text of ['hunter2hunter2', Buffer.from('x hunter2hunter2').toString('base64')]) {
    const { result, recorded } = await outcomeOf(
      [part('a', { register: 'v' })],
      ({ onOutput }) => {
        onOutput('stdout', Buffer.from(`${text}\n`))
        return code(0)
      },
      { world: { secrets: { of: () => ({ env: {}, files: {} }), values: ['hunter2hunter2'] } } },
    )
    assert.equal(result.tasks[0]!.outcome, 'failed')
    assert.equal(result.tasks[0]!.reason, 'an output of it has a secret in it, and outputs are kept: give it to nobody')
    assert.ok(!JSON.stringify(recorded).includes('hunter2'))
  }
})

for (const text of ['x<<SECRET\n', 'SECRET=a\0b', 'SECRET=1\n', 'a=SECRET\n'])
  test(`a secret in ${JSON.stringify(text)} is told to nobody, and the file is gone`, async () => {
    const secret = 'hunter2_hunter2'
    let path = ''
    const { result, recorded, events } = await outcomeOf(
      [part('a')],
      ({ env }) => {
        path = env.DWF_OUTPUT!
        writeFileSync(path, text.replace('SECRET', secret))
        return code(0)
      },
      { world: { secrets: { of: () => ({ env: {}, files: {} }), values: [secret] } } },
    )
    assert.equal(result.tasks[0]!.outcome, 'failed')
    assert.ok(!JSON.stringify([recorded, events, result]).includes('hunter2'))
    assert.ok(!existsSync(path))
  })

test('a name that every object has is an output like any other', async () => {
  const { result } = await outcomeOf(
    [part('a', { register: '__proto__' }), part('b', reads('__proto__'), { needs: ['a'] })],
    ({ argv, env, onOutput }) => {
      if (argv[0] === 'a') onOutput('stdout', Buffer.from('x\n'))
      else assert.equal(env.DWF_VALUE_1, 'x')
      return code(0)
    },
  )
  assert.equal(result.ok, true)
})

test('a variable without a value fails its task before it runs, and says why', async () => {
  const no = { kind: 'status', name: 'failure' } as const
  const { result } = await outcomeOf(
    [part('a', { register: 'v', condition: no }), part('b', reads('v'), { needs: ['a'] })],
    () => code(0),
  )
  assert.deepEqual(outcomes(result), { a: 'skipped', b: 'failed' })
  assert.equal(result.tasks[1]!.reason, 'the variable v has no value: a, which sets it, was skipped')
})

test('a failure that may be is an outcome of its own, and what needs it runs', async () => {
  const { result } = await outcomeOf(
    [part('a', { ignoreFailure: true }), part('b', {}, { needs: ['a'] })],
    ({ argv }) => code(argv[0] === 'a' ? 3 : 0),
  )
  assert.deepEqual(outcomes(result), { a: 'ignored', b: 'passed' })
  assert.equal(result.tasks[0]!.code, 3)
  assert.equal(result.ok, true)
})

test('handlers: of the task, then of the run; told what failed and what it said last; the others are skipped', async () => {
  const calls: string[] = []
  const { result } = await outcomeOf(
    [
      part('a', { onFailure: 'mine' }),
      handler('always', reads('failed_task')),
      handler('cancelled'),
      handler('mine', {
        references: [...reads('failed_task').references, ...reads('error_message', 'DWF_VALUE_2').references],
      }),
      handler('ours', reads('failed_dag')),
    ],
    ({ argv, env, onOutput }) => {
      calls.push([argv[0], env.DWF_VALUE_1, env.DWF_VALUE_2].filter((word) => word !== undefined).join(' '))
      if (argv[0] !== 'a') return code(0)
      onOutput('stderr', Buffer.from('it is broken\n'))
      return code(7)
    },
    { workflow: { onFailure: 'ours', onCancel: 'cancelled', always: 'always' } },
  )
  assert.deepEqual(calls, ['a', 'mine a failed (exit 7)\nit is broken', 'ours w', 'always a'])
  assert.deepEqual(outcomes(result), {
    a: 'failed',
    always: 'passed',
    cancelled: 'skipped',
    mine: 'passed',
    ours: 'passed',
  })
})

test('a handler runs once, however many call it', async () => {
  const calls: string[] = []
  await outcomeOf(
    [part('a', { onFailure: 'h' }), part('b', { onFailure: 'h' }), handler('h')],
    ({ argv }) => {
      calls.push(argv[0]!)
      return code(argv[0] === 'h' ? 0 : 1)
    },
    { options: { keepGoing: true }, workflow: { onFailure: 'h' } },
  )
  assert.deepEqual(calls, ['a', 'h', 'b'])
})

for (const [reason, ended] of [
  ['signal', 'cancelled'],
  ['deadline', 'deadline'],
] as const) {
  test(`after the ${reason}, handlers run in a context of their own, and the run is not green`, async () => {
    const controller = new AbortController()
    const calls: string[] = []
    const { result } = await outcomeOf(
      [part('a'), part('b', {}, { needs: ['a'] }), handler('always'), handler('c')],
      async ({ argv }) => {
        calls.push(argv[0]!)
        if (argv[0] !== 'a') return code(0)
        controller.abort(reason)
        return new Promise(() => {})
      },
      { workflow: { onCancel: 'c', always: 'always' }, options: { signal: controller.signal } },
    )
    assert.deepEqual(calls, ['a', 'c', 'always'])
    assert.equal(result.ended, ended)
    assert.deepEqual(outcomes(result), { a: 'cancelled', b: 'not-run', always: 'passed', c: 'passed' })
  })
}

test("the workflow's own time limit ends it as a deadline does", async () => {
  const { result } = await outcomeOf(
    [part('a'), handler('always')],
    ({ argv }) => (argv[0] === 'a' ? new Promise(() => {}) : code(0)),
    {
      workflow: { timeoutMs: 20, always: 'always' },
    },
  )
  assert.equal(result.ended, 'deadline')
  assert.deepEqual(outcomes(result), { a: 'cancelled', always: 'passed' })
})

test('a handler that hangs ends with its own limit; a second signal ends it at once', async () => {
  const limited = await outcomeOf(
    [part('a'), part('h', {}, { kind: 'handler', timeoutMs: 20 })],
    ({ argv }) => (argv[0] === 'a' ? code(0) : new Promise(() => {})),
    {
      workflow: { always: 'h' },
    },
  )
  assert.deepEqual(limited.outcomes, { a: 'passed', h: 'timed-out' })
  assert.equal(limited.result.ok, false)
  const hurry = new AbortController()
  const hurried = await outcomeOf(
    [part('a'), handler('h')],
    ({ argv }) => {
      if (argv[0] === 'a') return code(0)
      hurry.abort()
      return new Promise(() => {})
    },
    { workflow: { always: 'h' }, options: { hurry: hurry.signal } },
  )
  assert.deepEqual(hurried.outcomes, { a: 'passed', h: 'cancelled' })
})

test('the wait before a retry grows, is bounded, and its chance is on both sides', async () => {
  for (const [chance, waits] of [
    [0.5, [100, 200, 300, 300]],
    [0, [50, 100, 150, 150]],
    [1, [150, 300, 450, 450]],
  ] as const) {
    const slept: number[] = []
    await outcomeOf(
      [part('a', {}, { retries: 4, retryDelay: { delayMs: 100, factor: 2, maxDelayMs: 300, jitter: 0.5 } })],
      () => code(1),
      { world: { chance: () => chance, sleep: async (ms) => void slept.push(ms) } },
    )
    assert.deepEqual(slept, waits)
  }
})

test('the time of all attempts is bounded: a wait that would go over it is not begun', async () => {
  let now = 0
  const { result } = await outcomeOf(
    [part('a', {}, { retries: 9, totalMs: 1000, retryDelay: { delayMs: 400, factor: 1, maxDelayMs: 400, jitter: 0 } })],
    () => {
      now += 100
      return code(1)
    },
    {
      world: {
        now: () => now,
        sleep: async (ms) => {
          now += ms
        },
      },
    },
  )
  assert.equal(result.tasks[0]!.attempts, 2)
  assert.equal(result.tasks[0]!.reason, 'no time is left to try again')
})

test('an interrupt during the wait before a retry ends the task', async () => {
  const controller = new AbortController()
  const { result } = await outcomeOf(
    [part('a', {}, { retries: 1, retryDelay: { delayMs: 60_000, factor: 1, maxDelayMs: 60_000, jitter: 0 } })],
    () => code(1),
    { world: { sleep: async () => controller.abort('signal') }, options: { signal: controller.signal } },
  )
  assert.equal(result.tasks[0]!.outcome, 'cancelled')
  assert.equal(result.tasks[0]!.attempts, 1)
})

const cell = (os: string) => part(`t[os=${os}]`, { matrix: { base: 't', values: { os } }, ...reads('os') })

test('cells of a matrix: their own values, never more at once than its limit, the first failure stops the others', async () => {
  const seen: string[] = []
  let now = 0
  let most = 0
  const cells = ['a', 'b', 'c'].map(cell)
  const nodes = cells.map(({ id }) => id)
  const run = (limit: number, failFast: boolean) =>
    outcomeOf(
      cells,
      async ({ env }) => {
        most = Math.max(most, ++now)
        seen.push(env.DWF_VALUE_1!)
        await new Promise(setImmediate)
        now--
        return code(env.DWF_VALUE_1 === 'a' ? 1 : 0)
      },
      { workflow: { matrices: [{ base: 't', nodes, limit, failFast }] }, options: { jobs: 4 } },
    )
  assert.deepEqual((await run(1, true)).outcomes, { 't[os=a]': 'failed', 't[os=b]': 'not-run', 't[os=c]': 'not-run' })
  assert.equal(most, 1)
  assert.deepEqual(seen, ['a'])
  assert.deepEqual((await run(2, false)).outcomes, { 't[os=a]': 'failed', 't[os=b]': 'passed', 't[os=c]': 'passed' })
  assert.equal(most, 2)
})

test('a lock is taken before its task, told to it, given back after its end is kept, and a lost one refuses the end', async () => {
  const calls: string[] = []
  const locks = {
    take: async (name: string) => {
      calls.push(`take ${name}`)
      return { name, token: 7 }
    },
    release: async ({ name }: { name: string }) => void calls.push(`release ${name}`),
  }
  const { recorded } = await outcomeOf(
    [part('a', {}, { concurrency: 'deploy' })],
    ({ env }) => {
      calls.push(`run ${env.DWF_LOCK_TOKEN}`)
      return code(0)
    },
    { world: { locks }, workflow: { concurrency: 'all' } },
  )
  assert.deepEqual(calls, ['take all', 'take deploy', 'run 7', 'release deploy', 'release all'])
  assert.deepEqual(
    recorded.map((event) => (event.type === 'task-ended' ? event.lock : event.type)),
    ['run-started', 'lock-taken', 'lock-taken', 'task-started', { name: 'deploy', token: 7 }, 'run-ended'],
  )
})

test('tasks of one lock never overlap in a run, also without a second run', async () => {
  let now = 0
  let most = 0
  const tasks = ['a', 'b', 'c'].map((id) => part(id, {}, { concurrency: 'x' }))
  await outcomeOf(
    tasks,
    async () => {
      most = Math.max(most, ++now)
      await new Promise(setImmediate)
      now--
      return code(0)
    },
    { options: { jobs: 3 } },
  )
  assert.equal(most, 1)
})

test('a journal that fails stops the run: nothing more is begun, and the error is what comes out', async () => {
  const calls: string[] = []
  let left = 3
  await assert.rejects(
    outcomeOf(
      [part('a'), part('b'), part('c')],
      ({ argv }) => {
        calls.push(argv[0]!)
        return code(0)
      },
      {
        world: {
          journal: {
            record: () => (left-- > 0 ? Promise.resolve() : Promise.reject(new Error('no space'))),
            head: () => '',
            onLost: () => {},
          },
        },
      },
    ),
    /no space/,
  )
  assert.deepEqual(calls, ['a'])
})

test('what does not fit beside a heavy task waits, and a heavy one is not overtaken', async () => {
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const rig = fakeWorld(({ argv }) => {
    began.push(argv[0]!)
    return new Promise((resolve) => ends.set(argv[0]!, () => resolve(code(0))))
  })
  const tasks = [part('light'), part('heavy', {}, { weight: 3 }), part('after')]
  const done = runPlan(planOf(tasks, {}), rig.world, options({ jobs: 3 })).finally(rig.done)
  const settled = async () => {
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  }
  await settled()
  assert.deepEqual(began, ['light'])
  ends.get('light')!()
  await settled()
  assert.deepEqual(began, ['light', 'heavy'])
  ends.get('heavy')!()
  await settled()
  assert.deepEqual(began, ['light', 'heavy', 'after'])
  ends.get('after')!()
  assert.equal((await done).ok, true)
})

test('the log of a task that says nothing is none; that of another is private, and says which attempt said what when', async () => {
  let tries = 0
  const rig = fakeWorld(async ({ argv, onOutput }) => {
    if (argv[0] === 'quiet') return code(0)
    onOutput('stdout', Buffer.from(`try ${++tries}\n`))
    return code(tries === 1 ? 1 : 0)
  })
  const result = await runPlan(
    planOf([part('quiet'), part('loud', {}, { retries: 1 })], {}),
    { ...rig.world, now: () => 5 },
    options(),
  )
  assert.equal(result.tasks[0]!.log, undefined)
  const log = result.tasks[1]!.log!
  assert.equal(readFileSync(log, 'utf8'), 'try 1\ntry 2\n')
  assert.equal(readFileSync(log.replace(/log$/, 'times'), 'utf8'), '5 0 1\n5 1 6\n5 0 2\n5 1 6\n')
  rig.done()
})

test('what keeps a run from going on is thrown, and no task is said to be cancelled', async () => {
  const rig = fakeWorld(async () => code(0), { open: () => Promise.reject(new Error('no image')) })
  await assert.rejects(runPlan(planOf([part('a'), part('b')], {}), rig.world, options({ jobs: 1 })), /no image/)
  rig.done()
  assert.deepEqual(
    rig.recorded.flatMap((event) => (event.type === 'task-ended' ? [event.result.reason] : [])),
    ['the run could not go on', 'the run could not go on'],
  )
  const last = rig.recorded.at(-1)!
  assert.ok(last.type === 'run-ended' && !last.result.ok)
})

test('a lock that cannot be had is no reason to go on without it', async () => {
  const calls: string[] = []
  const locks = { take: () => Promise.reject(new Error('the store does not answer')), release: async () => {} }
  const run = ({ argv }: ExecRequest) => {
    calls.push(argv[0]!)
    return code(0)
  }
  await assert.rejects(
    outcomeOf([part('a')], run, { world: { locks }, workflow: { concurrency: 'x' } }),
    /does not answer/,
  )
  await assert.rejects(outcomeOf([part('a', {}, { concurrency: 'x' })], run, { world: { locks } }), /does not answer/)
  assert.deepEqual(calls, [])
})

test('a handler waits for a task of its own run that has the same lock', async () => {
  let now = 0
  let most = 0
  const tasks = [
    part('a', {}, { concurrency: 'db' }),
    part('b', { onFailure: 'h' }),
    part('h', {}, { kind: 'handler', concurrency: 'db' }),
  ]
  const { outcomes: ended } = await outcomeOf(
    tasks,
    async ({ argv }) => {
      if (argv[0] === 'b') return code(1)
      most = Math.max(most, ++now)
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      now--
      return code(0)
    },
    { options: { jobs: 2, keepGoing: true } },
  )
  assert.equal(most, 1)
  assert.deepEqual(ended, { a: 'passed', b: 'failed', h: 'passed' })
})

test('a task that would not run now is ended with the run; what cleans up is not, but for a time', async () => {
  const status = (name: 'success' | 'always' | 'failure') => ({ condition: { kind: 'status', name } as const })
  const controller = new AbortController()
  const ends: (() => void)[] = []
  const { outcomes: ended } = await outcomeOf(
    [part('a', status('success')), part('b', status('always')), part('c')],
    ({ argv }) => {
      if (argv[0] === 'c') setImmediate(() => controller.abort('deadline'))
      return new Promise((resolve) => {
        if (argv[0] === 'b') ends.push(() => resolve(code(0)))
        controller.signal.addEventListener('abort', () => setTimeout(() => ends[0]?.(), 20))
      })
    },
    { options: { jobs: 3, signal: controller.signal } },
  )
  assert.deepEqual(ended, { a: 'cancelled', b: 'passed', c: 'cancelled' })
})

test('a run that is somebody else’s by now stops at once', async () => {
  let lose: (error: Error) => void = () => {}
  const journal = {
    record: async () => {},
    head: () => '',
    onLost: (listener: (error: Error) => void) => {
      lose = listener
    },
  }
  await assert.rejects(
    outcomeOf(
      [part('a')],
      () => {
        setImmediate(() => lose(new Error('another dwf has it')))
        return new Promise(() => {})
      },
      { world: { journal } },
    ),
    /another dwf has it/,
  )
})
