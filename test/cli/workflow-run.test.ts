import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Style } from '../../src/cli/render/style.ts'
import { workflowRun } from '../../src/cli/render/workflow-run.ts'
import type { TaskId } from '../../src/plan/types.ts'
import type { DwfEvent, TaskResult } from '../../src/run/types.ts'

const style: Style = Object.assign((_: unknown, text: string) => text, { isTerminal: false })
const run = 'run'

/** A renderer whose log is a list; `c:` marks what was said as a command. */
function log(context: TestContext, pressure: () => Promise<void> | undefined = () => undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-log-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const said: string[] = []
  const show = workflowRun({
    out: (text) => said.push(text),
    command: (line) => said.push(`c:${line}`),
    style,
    pressure,
    every: 60_000,
  })
  const started = (task: TaskId, attempt = 1): void =>
    show.emit({ type: 'task-started', run, task, attempt, at: Date.now() })
  const printed = (task: TaskId, text: string): void =>
    show.emit({ type: 'output', run, task, stream: 'stdout', chunk: Buffer.from(text), at: Date.now() })
  const ended = (id: TaskId, text: string | undefined, more: Partial<TaskResult> = {}): void => {
    const path = join(folder, `${id.replaceAll('/', '_')}.log`)
    if (text !== undefined) writeFileSync(path, text)
    const result = {
      id,
      outcome: 'passed',
      ms: 3100,
      attempts: 1,
      ...(text === undefined ? {} : { log: path }),
      ...more,
    }
    show.emit({ type: 'task-ended', run, task: id, at: Date.now(), result: result as TaskResult })
  }
  return { show, said, started, printed, ended }
}

test('the output of a task is one group, whose title says how it ended', async (context) => {
  const { show, said, started, printed, ended } = log(context)
  started('a@node')
  started('b@node')
  printed('a@node', 'one\n')
  printed('b@node', 'two\n')
  printed('a@node', 'three')
  ended('b@node', 'two\n', { outcome: 'failed', code: 3, attempts: 2 })
  ended('a@node', 'one\nthree')
  ended('c@node', undefined, { outcome: 'current', ms: 0, attempts: 0, reason: 'nothing changed' })
  ended('d@node', undefined, { outcome: 'not-run', ms: 0, attempts: 0, reason: 'needs b@node' })
  ended('e@node', '')
  await show.end()
  assert.deepEqual(said, [
    '▶ a@node',
    '▶ b@node',
    'c:::group::✖ b@node  failed (exit 3), 2 attempts  3.1 s',
    'two',
    'c:::endgroup::',
    'c:::group::✔ a@node  passed  3.1 s',
    'one',
    'three',
    'c:::endgroup::',
    '✔ c@node  up to date  nothing changed',
    '✔ e@node  passed  3.1 s',
  ])
})

test('nothing that a task prints is a command, nor in its title', async (context) => {
  const { show, said, started, ended } = log(context)
  const evil = [
    '::endgroup::',
    '  ::set-env name=A::b',
    'progress\r::add-mask::x',
    '\u001b[0m::stop-commands::x',
    '\u001b]0;t\u0007::error::x',
    'a ##[endgroup]',
    `${'x'.repeat(16_385)}`,
    '::half a line',
  ].join('\n')
  const id = 'x\n::warning::y@node:100%/##[x]' as TaskId
  started(id)
  show.emit({ type: 'note', run, at: 0, text: '::error::note' })
  ended(id, evil, { reason: '\r\n::error::r' })
  await show.end()
  const lines = said.flatMap((text) => text.split(/\r\n|\r|\n/))
  const own = lines.filter((line) => line.startsWith('c:'))
  assert.deepEqual(own, [
    'c:::group::✔ x ::warning::y@node:100%25/## [x]  passed  3.1 s  \\u000d ::error::r',
    'c:::endgroup::',
  ])
  const rest = lines.filter((line) => !line.startsWith('c:'))
  assert.deepEqual(
    rest.filter((line) => /^[\s\p{C}]*::/u.test(line) || line.includes('##[')),
    [],
  )
  assert.ok(rest.includes('│ ::endgroup::'))
  assert.ok(rest.includes('│ ::half a line'))
})

test('an output of any size is read as the reader takes it, and nothing is said into its group', async (context) => {
  let inHand = 0
  let most = 0
  let waited = 0
  const { show, said, started, ended } = log(context, () => {
    most = Math.max(most, said.length - inHand)
    inHand = said.length
    waited++
    return new Promise((resolve) => setImmediate(resolve))
  })
  const line = `${'x'.repeat(99)}\n`
  started('a@node')
  ended('a@node', line.repeat(50_000))
  started('b@node')
  ended('b@node', 'short\n')
  await show.end()
  assert.equal(said.filter((text) => text === line.trim()).length, 50_000)
  assert.ok(waited > 50, `${waited}`)
  assert.ok(most < 2_000, `${most}`)
  assert.deepEqual(said.slice(-5), [
    'c:::endgroup::',
    '▶ b@node',
    'c:::group::✔ b@node  passed  3.1 s',
    'short',
    'c:::endgroup::',
  ])
})

test('what runs for long gives a sign of life, with the last that it said', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000 })
  const { show, said, started, printed, ended } = log(context)
  started('a@node')
  printed('a@node', 'compiling\n::error::half')
  context.mock.timers.tick(60_000)
  started('b@node')
  printed('a@node', `\n${'é'.repeat(300)}\n`)
  context.mock.timers.tick(60_000)
  ended('a@node', 'x')
  context.mock.timers.tick(60_000)
  await show.end()
  context.mock.timers.tick(60_000)
  assert.deepEqual(
    said.filter((text) => text.startsWith('…')).map((text) => text.replace(/é+/, 'é')),
    [
      '… a@node runs for 1 min 00 s: ::error::half',
      '… a@node runs for 2 min 00 s: é',
      '… b@node runs for 1 min 00 s',
      '… b@node runs for 2 min 00 s',
    ],
  )
})

test('a log that cannot be read closes its group, and a reader that does not read holds up nothing for long', async (context) => {
  const { show, said, ended } = log(context)
  ended('a@node', undefined, { log: '/nonexistent/a.log' })
  await show.end()
  assert.match(said[0]!, /^the output of a@node cannot be shown: ENOENT/)
  assert.equal(said[1], '✔ a@node  passed  3.1 s')
  const stuck = log(context, () => new Promise(() => {}))
  stuck.ended('a@node', 'x\n')
  const alive = setTimeout(() => {}, 5_000)
  await stuck.show.end(20)
  clearTimeout(alive)
})

test('every event is taken', async (context) => {
  const { show, said } = log(context)
  const result = { id: run, ok: true, ms: 1, tasks: [], violations: [] }
  const events: readonly DwfEvent[] = [
    { type: 'run-started', run, at: 0, tasks: [] },
    { type: 'task-retried', run, task: 'a@node', attempt: 1, at: 0, outcome: 'failed', delayMs: 0 },
    { type: 'run-resumed', run, at: 0, session: 2, tasks: ['a@node'], kept: [] },
    { type: 'run-interrupted', run, at: 0, pid: 1, host: 'h' },
    { type: 'lock-taken', run, at: 0, lock: { name: 'x', token: 1 } },
    { type: 'output', run, task: 'unknown@node', stream: 'stderr', chunk: Buffer.from('x'), at: 0 },
    { type: 'run-ended', run, at: 0, result },
  ]
  for (const event of events) show.emit(event)
  await show.end()
  assert.deepEqual(said, ['↻ a@node failed, trying again'])
})
