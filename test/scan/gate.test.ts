import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gate } from '../../src/scan/gate.ts'
import type { Finding, FindingSeverity } from '../../src/scan/types.ts'

const finding = (severity: FindingSeverity, id: string, more: Partial<Finding> = {}): Finding => ({
  id,
  severity,
  layer: 'deps',
  where: { file: 'package-lock.json', line: 3, package: 'p', version: '1.0.0' },
  title: 'a title',
  references: [],
  fingerprint: id,
  ...more,
})

test('the worst comes first, with what to upgrade to, and what is below the limit is marked', () => {
  const found = [
    finding('medium', 'M-1'),
    finding('high', 'H-1', { fixedIn: '1.0.1' }),
    finding('critical', 'C-1', { fixedIn: '2.0.0, 1.9.9' }),
  ]
  assert.deepEqual(gate(found, 'high'), {
    kind: 'refused',
    summary: '3 findings, 1 critical, 1 high, 1 medium; limit high',
    lines: [
      'critical',
      '  C-1 p 1.0.0, fixed in 2.0.0, 1.9.9: a title (package-lock.json:3)',
      'high',
      '  H-1 p 1.0.0, fixed in 1.0.1: a title (package-lock.json:3)',
      'medium (below the limit)',
      '  M-1 p 1.0.0, no fix known: a title (package-lock.json:3)',
    ],
    diagnostics: [],
  })
})

test('a limit refuses what is at least as severe', () => {
  const limits = ['low', 'medium', 'high', 'critical'] as const
  const table = limits.map((severity) =>
    limits.map((limit) => gate([finding(severity, 'X')], limit).kind === 'refused'),
  )
  assert.deepEqual(table, [
    [true, false, false, false],
    [true, true, false, false],
    [true, true, true, false],
    [true, true, true, true],
  ])
  assert.deepEqual([gate([], 'low').kind, gate([], 'low').summary], ['passed', '0 findings; limit low'])
})

test('an unknown severity refuses at any limit, says so, and stands before what does not', () => {
  const verdict = gate([finding('high', 'H'), finding('unknown', 'U')], 'critical')
  assert.equal(verdict.kind, 'refused')
  assert.equal(verdict.summary, '2 findings, 1 of unknown severity, which refuses, 1 high; limit critical')
  assert.deepEqual(
    verdict.lines.filter((line) => !line.startsWith(' ')),
    ['unknown', 'high (below the limit)'],
  )
})

test('a flood of findings is counted, and the refusing ones are not drowned by others', () => {
  const found = [...Array.from({ length: 500 }, (_, index) => finding('low', `L-${index}`)), finding('critical', 'C')]
  const { lines, summary } = gate(found, 'high')
  assert.equal(summary, '501 findings, 1 critical, 500 low; limit high')
  assert.match(lines[1]!, /^ {2}C /)
  assert.equal(lines.at(-1), '  … and 301 more')
})
