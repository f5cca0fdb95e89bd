import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { severityOfLicense } from '../../src/scan/license-classes.ts'
import { parseExpression } from '../../src/scan/license-expression.ts'
import { judgeLicenses } from '../../src/scan/licenses.ts'
import type { Component, Finding, FindingSeverity } from '../../src/scan/types.ts'
import { hostile } from './policy/rig.ts'

type Lists = Parameters<typeof judgeLicenses>[2]

const component = (...licenses: readonly string[]): Component => ({
  ...{ name: 'left-pad', version: '1.0.0', licenses, file: 'package-lock.json' },
})

/** What Trivy says of one licence. */
const reported = (id: string, severity: FindingSeverity): Finding => ({
  ...{ id, severity, layer: 'licenses', scanner: 'trivy', title: 'x', references: [], fingerprint: id },
  where: { file: 'package-lock.json', package: 'left-pad' },
})

/** What becomes of one licence that Trivy cannot read: `passed`, or the severity and what it is. */
function became(license: string, lists: Partial<Lists> = {}, trivy: FindingSeverity = 'unknown'): string {
  const whole = { allow: [], deny: [], unknown: 'report' as const, ...lists }
  const { findings } = judgeLicenses([reported(license, trivy)], [component(license)], whole)
  assert.ok(findings.length <= 1)
  return findings[0] ? `${findings[0].severity} ${findings[0].title}` : 'passed'
}

const denied = 'critical licence on the deny list'
const notAllowed = 'critical licence that is not on the allow list'

test('a denied licence is denied in every spelling, and in what cannot be read', () => {
  const deny = ['GPL-3.0-only']
  for (const license of [
    ...['GPL-3.0-only', 'GPL-3.0', 'gpl-3.0-ONLY', 'GPL-3.0+', 'GPL-3.0-or-later', 'GPLv3', 'GPL-3', 'GPLv3+'],
    ...['GPL-3.0-only WITH foo', 'GPL-3.0-or-later WITH GCC-exception-3.1', 'GPL-3.0-with-GCC-exception'],
    ...['GPL-3.0-only AND', 'AND GPL-3.0-only', 'GPL-3.0-only WITH', '(GPL-3.0-only', 'GPL-3.0-only)'],
    ...['GPL-3.0-only, MIT', 'MIT,GPL-3.0-only', 'GPL-3.0-only/MIT', 'MIT / GPL-3.0-only', 'MIT; GPL-3.0-only'],
    ...['MIT AND GPL-3.0-only', '(MIT OR ISC) AND GPL-3.0-or-later', 'GPL-3.0-only OR GPL-3.0-or-later'],
    ...['GPL-3.0-only, see COPYING', 'License: GPL-3.0.', 'License:GPL-3.0', '"GPL-3.0-with-GCC-exception" (sic)'],
  ])
    assert.equal(became(license, { deny }), denied, license)
  for (const license of [
    ...['MIT', 'MIT OR GPL-3.0-only', '(GPL-3.0-only AND ISC) OR MIT', 'LGPL-3.0-only', 'AGPL-3.0-only'],
    ...['GPL-2.0-only', 'GPL-2.0-or-later', 'GPL-3.0-only-fork', 'GPL-30', 'GPL-3.0.1'],
  ])
    assert.notEqual(became(license, { deny }), denied, license)
  assert.equal(became('GPL-3.0-only', { deny: ['GPL-3.0-or-later'] }), denied)
  assert.equal(became('GPL-3.0-only', { deny: ['GPLv3'] }), denied)
})

test('a denied name may be an exception, have blanks, or be a whole expression', () => {
  assert.equal(became('Apache-2.0 WITH Commons-Clause', { deny: ['Commons-Clause'] }), denied)
  const classpath = ['GPL-2.0-only WITH Classpath-exception-2.0']
  assert.equal(became('GPL-2.0-or-later WITH classpath-exception-2.0', { deny: classpath }), denied)
  assert.notEqual(became('GPL-2.0-only', { deny: classpath }), denied)
  assert.equal(became('see license in LICENSE', { deny: ['SEE LICENSE IN LICENSE'] }), denied)
  assert.equal(became('(GPL 3.0 or so)', { deny: ['GPL 3.0'] }), denied)
  assert.notEqual(became('(GPL 3.0 or so)', { deny: ['GPL 2.0', '3.0 GPL'] }), denied)
  assert.equal(became('MIT AND Zlib', { deny: ['MIT AND Zlib'] }), denied)
  assert.notEqual(became('!', { deny: ['?'] }), denied)
})

test('a licence whose text was cut off is refused where there is a deny list: the name may be in the rest', () => {
  const cut = `${'MIT AND '.repeat(120)}…`
  assert.equal(became(cut, { deny: ['GPL-3.0-only'] }), 'critical licence whose text is too long to be read to its end')
  assert.equal(became(cut, { allow: ['MIT'] }), notAllowed)
  assert.equal(became(cut), 'low unknown licence')
  const { findings } = judgeLicenses([], [component(cut)], { allow: ['MIT'], deny: [], unknown: 'report' })
  assert.ok(findings[0]!.id.length <= 240, 'an ignore can name it')
})

test('an allow list accepts what is written there, and nothing that follows from it', () => {
  const allow = ['MIT', 'Apache-2.0', 'GPL-3.0-only', 'SEE LICENSE IN LICENSE', 'BSD*']
  for (const license of [
    ...['MIT', 'mit', 'GPL-3.0', 'GPL-3.0-only', 'MIT AND Apache-2.0', 'ISC OR MIT', '(MIT)', 'BSD*'],
    ...['Apache-2.0 WITH LLVM-exception', 'MIT/Apache-2.0', 'MIT, Apache-2.0', 'SEE LICENSE IN LICENSE'],
  ])
    assert.equal(became(license, { allow }), 'passed', license)
  for (const license of [
    ...['ISC', 'MIT AND ISC', 'GPL-3.0-or-later', 'GPL-3.0+', 'GPLv3', 'MIT/ISC', 'ISC, MIT', 'MIT AND', '(MIT'],
    ...['MIT License', 'SEE LICENSE IN LICENSE.md', 'SEE LICENSE IN LICENSE OR MIT', 'Apache-2.0 WITH Commons-Clause'],
  ])
    assert.equal(became(license, { allow }), notAllowed, license)
  assert.equal(became('GPL-3.0+', { allow: ['GPL-3.0-or-later'] }), 'passed')
  assert.equal(became('GPL-3.0-only', { allow: ['GPL-3.0-or-later'] }), notAllowed)
  assert.equal(became('A WITH B', { allow: ['a with b'] }), 'passed')
  assert.equal(became('MIT', { allow: ['MIT'], deny: ['MIT'] }), denied)
})

test("without lists Trivy's class counts, and of what it cannot read the worst of the names", () => {
  assert.equal(became('MIT', {}, 'low'), 'passed')
  assert.equal(became('AGPL-3.0-only', {}, 'critical'), 'critical forbidden licence')
  assert.equal(became('GPL-2.0-only', {}, 'high'), 'high restricted licence')
  assert.equal(became('MPL-2.0', {}, 'medium'), 'medium reciprocal licence')
  for (const [license, expected] of [
    ['WTFPL, AGPL-3.0', 'critical forbidden licence'],
    ['AGPL-3.0 AND', 'critical forbidden licence'],
    ['see AGPLv3+ in COPYING', 'critical forbidden licence'],
    ['Foo AND AGPL-3.0-or-later', 'critical forbidden licence'],
    ['GPL-2.0-only WITH Classpath-exception-2.0', 'high restricted licence'],
    ['MIT WITH Commons-Clause', 'critical forbidden licence'],
    ['Foo OR AGPL-3.0-only', 'critical forbidden licence'],
    ['MIT OR (AGPL-3.0-only AND Foo)', 'passed'],
    ['MIT/Apache-2.0', 'passed'],
    ['MIT License', 'low unknown licence'],
    ['Foo', 'low unknown licence'],
    ['Foo OR Bar', 'low unknown licence'],
    ['MIT AND Foo', 'low unknown licence'],
    ['MIT WITH foo', 'low unknown licence'],
    ['…', 'low unknown licence'],
  ] as const)
    assert.equal(became(license), expected, license)
})

test('what nobody knows refuses only who asks for it', () => {
  const lists = { unknown: 'refuse' } as const
  for (const license of ['Foo', 'MIT AND Foo', 'MIT License', 'GPL-2.0-only AND Foo', 'SEE LICENSE IN LICENSE'])
    assert.equal(became(license, lists), 'unknown unknown licence', license)
  for (const license of ['MIT', 'MIT OR Foo', 'MIT/Apache-2.0']) assert.equal(became(license, lists), 'passed', license)
  assert.equal(became('AGPL-3.0-only AND Foo', lists), 'critical forbidden licence')
  assert.equal(became('Foo', { ...lists, allow: ['Foo'] }), 'passed')
  const { findings, lines } = judgeLicenses([], [component(), component('')], { allow: [], deny: [], ...lists })
  assert.deepEqual(
    [findings.map(({ id, severity }) => [id, severity]), lines],
    [Array.from({ length: 2 }, () => ['license-unknown', 'critical']), []],
  )
  const report = judgeLicenses([], [component(), component('')], { allow: [], deny: [], unknown: 'report' })
  assert.deepEqual(report, { findings: [], lines: ['2 packages whose licence no lock file tells: not judged'] })
})

test('an expression is read as SPDX says, or not at all', () => {
  const one = (name: string, exception?: string) => ({
    kind: 'one' as const,
    license: exception === undefined ? { name } : { name, exception },
  })
  assert.deepEqual(parseExpression('A or B and (C OR D with E)'), {
    kind: 'any',
    of: [one('A'), { kind: 'all', of: [one('B'), { kind: 'any', of: [one('C'), one('D', 'E')] }] }],
  })
  assert.deepEqual(parseExpression('A/B, C OR D'), {
    kind: 'all',
    of: [one('A'), one('B'), { kind: 'any', of: [one('C'), one('D')] }],
  })
  assert.deepEqual(parseExpression('DocumentRef-x:LicenseRef-y'), one('DocumentRef-x:LicenseRef-y'))
  for (const text of [
    '',
    ' ',
    'A B',
    'A AND',
    'OR',
    '()',
    '(A',
    'A)',
    'A WITH',
    'A WITH B WITH C',
    'A,',
    '(A, B)',
    'A:B',
    '…',
  ])
    assert.equal(parseExpression(text), undefined, text)
})

test('whatever the text, it is judged, and a denied name in it never passes unless one may choose another', () => {
  const part = fc.oneof(hostile, fc.constantFrom('MIT', 'AND', 'OR', 'WITH', '(', ')', ',', '/', 'foo', 'GPL-3.0+'))
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.array(part, { maxLength: 12 }), (before, after) => {
      const text = [...before, 'GPL-3.0-only', ...after].join(' ')
      const lists = { allow: [], deny: ['GPL-3.0-only'], unknown: 'report' as const }
      const { findings } = judgeLicenses([], [component(text)], lists)
      if (!/\bOR\b/i.test(text)) assert.equal(findings[0]?.title, 'licence on the deny list')
      for (const unknown of ['report', 'refuse'] as const)
        judgeLicenses([], [component(text)], { allow: before, deny: after, unknown })
    }),
  )
  // Nested as deep as a text can be, and none of it is looked at twice.
  const deep = `${'(MIT OR '.repeat(110)}Foo${')'.repeat(110)}`
  assert.equal(became(deep), 'passed')
})

test('the classes have each name once', () => {
  assert.deepEqual(['agpl-3.0', 'gpl-3.0', 'mpl-2.0', 'mit', 'toString', 'constructor', ''].map(severityOfLicense), [
    'critical',
    'high',
    'medium',
    'low',
    'unknown',
    'unknown',
    'unknown',
  ])
})
