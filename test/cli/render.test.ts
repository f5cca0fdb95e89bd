import assert from 'node:assert/strict'
import { test } from 'node:test'
import { humanRun, type SummaryOf, summary } from '../../src/cli/render/run.ts'
import type { Style } from '../../src/cli/render/style.ts'
import { withoutCommands } from '../../src/cli/render/workflow-log.ts'
import type { TaskId } from '../../src/plan/types.ts'
import type { TaskResult } from '../../src/run/types.ts'
import { growsLinearly } from '../growth.ts'

const style: Style = Object.assign((_: unknown, text: string) => text, { isTerminal: false })
const id = 'scan:secrets@project' as TaskId
const evil = ['::stop-commands::x', '   ::add-mask::a', '\u200b: :no', 'a ##[add-matcher]x', '\t##[debug]y', 'plain']

function summaryOf(env: NodeJS.ProcessEnv, more: Partial<TaskResult> = {}): readonly string[] {
  const task: TaskResult = { id, outcome: 'failed', attempts: 1, ms: 1000, tail: evil, ...more } as TaskResult
  const result = { id: 'run', ok: false, ms: 1000, tasks: [task], violations: [{ message: 'm', hint: '::warning::h' }] }
  const of = {
    result,
    tasks: [],
    planHash: 'a'.repeat(64),
    head: 'b'.repeat(64),
    remarks: ['::error::r'],
    streamed: false,
    env,
  }
  return summary(of as unknown as SummaryOf, style).split('\n')
}

/** As the runner reads a line: actions/runner, src/Runner.Common/ActionCommand.cs. */
const isCommand = (line: string): boolean => line.trimStart().startsWith('::') || line.includes('##[')

test('in a workflow no line of the summary is a command to the runner', () => {
  for (const more of [{}, { gate: 'refused' as const }, { reason: '::notice::x\u2028::notice::y' }]) {
    const lines = summaryOf({ GITHUB_ACTIONS: 'true' }, more)
    assert.deepEqual(lines.filter(isCommand), [])
  }
  const lines = summaryOf({ GITHUB_ACTIONS: 'true' })
  const at = lines.indexOf('scan:secrets@project, its last lines:')
  assert.deepEqual(lines.slice(at + 1, at + 1 + evil.length), [
    '  │ ::stop-commands::x',
    '  │    ::add-mask::a',
    '  │ \\u200b: :no',
    '  │ a ## [add-matcher]x',
    '  │ \t## [debug]y',
    '  │ plain',
  ])
  assert.ok(lines.includes('│   ::warning::h'))
  assert.ok(lines.includes('│ ::error::r'))
})

test('elsewhere the last lines are as they were said', () => {
  const lines = summaryOf({})
  assert.deepEqual(lines.slice(lines.indexOf('scan:secrets@project, its last lines:') + 1).slice(0, 6), [
    '  ::stop-commands::x',
    '     ::add-mask::a',
    '  \\u200b: :no',
    '  a ##[add-matcher]x',
    '  \t##[debug]y',
    '  plain',
  ])
})

test('in a workflow no line of a run is a command to the runner', () => {
  const said: string[] = []
  const show = humanRun({ out: (line) => said.push(line), style, stream: true, env: { GITHUB_ACTIONS: 'true' } })
  const at = 0
  const run = 'run'
  for (const text of evil) {
    show({ type: 'note', run, at, text: `${text}\r${text}\n${text}` })
    show({ type: 'output', run, at, task: id, stream: 'stdout', chunk: Buffer.from(`${text}\n`) })
  }
  assert.equal(said.length, 2 * evil.length)
  assert.deepEqual(said.flatMap((line) => line.split(/\r?\n|\r/)).filter(isCommand), [])
  assert.ok(said.includes('scan:secrets@project │ a ## [add-matcher]x'))
})

test('what the runner would pass over hides no command', () => {
  const cases = ['\u00ad::a::b', ':\u200d:a::b', '\ufeff ::a::b', '#\u00ad#[a]', '##\u0301[a]', '###[a]', '##[##[a]']
  assert.deepEqual(cases.map(withoutCommands), [
    '│ \u00ad::a::b',
    '│ :\u200d:a::b',
    '│ \ufeff ::a::b',
    '#\u00ad# [a]',
    '##\u0301 [a]',
    '### [a]',
    '## [## [a]',
  ])
  for (const text of ['a ::b::', '#[', '# #', ': :', '│ ::a::', '']) assert.equal(withoutCommands(text), text)
})

test('long lines cost no time', async () => {
  for (const piece of ['#', '# ', '##', '#\u00ad', ' ', '\u00ad', ':', ': ', '\r', '\n', '##['])
    await growsLinearly(JSON.stringify(piece), (size) => `${piece.repeat(size / piece.length)}x`, withoutCommands)
})
