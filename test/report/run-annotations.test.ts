import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runAnnotations } from '../../src/report/index.ts'
import { decision, document, finding, layer } from './documents.ts'

const task = (id: string, places: number) => ({
  id,
  outcome: 'failed (exit 1)',
  lines: Array.from({ length: places }, (_, index) => `a.c:${index + 1}:1: error: ${id}${index}`),
  fileOf: (written: string) => written,
})

const scan = document([
  layer({
    layer: 'config',
    decisions: [decision(finding({ id: 'r', layer: 'config', where: { file: 'a.tf', line: 1 } }))],
  }),
])

test('one of each task first, then what no task may change, then the gates, then the rest by turns', () => {
  const lines = runAnnotations({
    tasks: [task('a', 2), task('b', 3), task('c', 0)],
    violations: [{ message: 'a task changed package-lock.json', hint: 'see git diff' }],
    document: scan,
  })
  assert.deepEqual(
    lines.map((line) => line.replace(/^::error (?:file=(\S+?),line=(\d+),\S*?)?title=/, '$1:$2 ')),
    [
      'a.c:1 a::a0',
      'a.c:1 b::b0',
      ': c::failed (exit 1)',
      ': dwf::a task changed package-lock.json%0Asee git diff',
      'a.tf:1 high%3A r::r: what r is%0Ahigh, at or above the limit high',
      'a.c:2 a::a1',
      'a.c:2 b::b1',
      'a.c:3 b::b2',
    ],
  )
})

test('GitHub shows ten of a step: how many it does not show, and how many are not said, is', () => {
  const lines = runAnnotations({ tasks: [task('a', 10), task('b', 4)], violations: [] })
  assert.equal(lines.length, 15)
  assert.equal(lines[14], '::notice title=dwf::GitHub shows 10 errors of a step, and the log 4 more')
  const tasks = Array.from({ length: 8 }, (_, index) => task(`t${index}`, 12))
  const many = runAnnotations({ tasks, violations: [] })
  assert.equal(many.length, 51)
  assert.equal(
    many[50],
    '::notice title=dwf::GitHub shows 10 errors of a step, and the log 40 more; 46 more are in the output of the tasks',
  )
  assert.deepEqual(runAnnotations({ tasks: [], violations: [] }), [])
})
