import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gate } from '../../src/scan/gate.ts'
import { decide } from '../../src/scan/policy/decide.ts'
import type { Policy } from '../../src/scan/policy/types.ts'
import type { Finding, FindingSeverity } from '../../src/scan/types.ts'
import { finding, ignore, policy } from './policy/rig.ts'

const verdict = (findings: readonly Finding[], more: Partial<Policy> = {}) => {
  const rules = policy(more)
  return gate(decide(findings, rules), rules.limit)
}

const at = (severity: FindingSeverity, id: string, more: Partial<Finding> = {}): Finding =>
  finding(id, {
    severity,
    title: 'a title',
    where: { file: 'package-lock.json', line: 3, package: 'p', version: '1.0.0', purl: 'pkg:npm/p@1.0.0' },
    ...more,
  })

test('the worst comes first, with what to upgrade to, and what is below the limit stands apart', () => {
  const found = [
    at('medium', 'M-1'),
    at('high', 'H-1', { fixedIn: '1.0.1' }),
    at('critical', 'C-1', { fixedIn: '2.0.0' }),
  ]
  const { shown, ...rest } = verdict(found)
  assert.deepEqual(shown, rest.lines)
  assert.deepEqual(rest, {
    kind: 'refused',
    summary: '3 findings, 1 critical, 1 high, 1 medium; limit high',
    lines: [
      'refused',
      '  p 1.0.0 → 2.0.0  package-lock.json:3',
      '    critical  C-1  a title',
      '    high      H-1  a title',
      'below the limit high',
      '  p 1.0.0, no fix known  package-lock.json:3',
      '    medium  M-1  a title',
    ],
    diagnostics: [],
  })
})

test('on the terminal all that refuses is listed, and ten of what does not; the log has every one', () => {
  const low = Array.from({ length: 30 }, (_, index) => at('low', `L-${index}`))
  const high = Array.from({ length: 20 }, (_, index) => at('high', `H-${index}`))
  const { lines, shown } = verdict([...low, ...high])
  const listed = (text: readonly string[], word: string) => text.filter((line) => line.includes(` ${word}-`)).length
  assert.deepEqual([listed(lines, 'H'), listed(lines, 'L')], [20, 30])
  assert.deepEqual([listed(shown!, 'H'), listed(shown!, 'L')], [20, 10])
  assert.equal(shown!.at(-1), '… and 20 more')
})

test('a limit refuses what is at least as severe', () => {
  const limits = ['low', 'medium', 'high', 'critical'] as const
  const table = limits.map((severity) =>
    limits.map((limit) => verdict([at(severity, 'X')], { limit }).kind === 'refused'),
  )
  assert.deepEqual(table, [
    [true, false, false, false],
    [true, true, false, false],
    [true, true, true, false],
    [true, true, true, true],
  ])
  const { kind, summary } = verdict([], { limit: 'low' })
  assert.deepEqual([kind, summary], ['passed', '0 findings; limit low'])
})

test('an unknown severity refuses at any limit, says so, and stands before what does not', () => {
  const { kind, summary, lines } = verdict([at('high', 'H'), at('unknown', 'U')], { limit: 'critical' })
  assert.equal(kind, 'refused')
  assert.equal(summary, '2 findings, 1 of unknown severity, which refuses, 1 high; limit critical')
  assert.deepEqual(
    lines.filter((line) => !line.startsWith(' ')),
    ['refused', 'below the limit critical'],
  )
})

test('what is accepted, or has no fix, is counted apart from the severities, and by whom follows the table', () => {
  const found = [at('high', 'A'), at('critical', 'B', { fixedIn: '2.0.0' }), at('low', 'C')]
  const ignores = [ignore('B', { package: 'p' }), ignore('C', { package: 'p', of: 'file', file: '.trivyignore' })]
  const { kind, summary, lines } = verdict(found, { ignores, fixOnly: true })
  assert.equal(kind, 'passed')
  assert.equal(summary, '3 findings, 1 without a fix, 2 accepted; limit high')
  assert.deepEqual(lines.slice(-2), ['accepted by .trivyignore: 1 finding', 'accepted by devflow.toml: 1 finding'])
})

test('an ignore that has expired refuses by itself', () => {
  const { kind, summary, lines } = verdict([], { ignores: [ignore('A', { expires: '2026-01-01' })] })
  assert.equal(kind, 'refused')
  assert.equal(summary, '1 finding, 1 high; limit high')
  assert.deepEqual(lines, [
    'refused',
    '  devflow.toml',
    '    high  ignore-expired  line 12: the ignore of A for lodash expired on 2026-01-01 → fix what it accepts and remove it, or give it a new day and a reason that still holds',
  ])
})

test('a flood of findings is counted, and the refusing ones are not drowned by others', () => {
  const found = [...Array.from({ length: 500 }, (_, index) => at('low', `L-${index}`)), at('critical', 'C')]
  const { lines, summary } = verdict(found)
  assert.equal(summary, '501 findings, 1 critical, 500 low; limit high')
  assert.match(lines[2]!, /^ {4}critical {2}C /)
  assert.equal(lines.at(-1), '… and 301 more')
})
