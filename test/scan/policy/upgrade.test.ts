import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { upgradeOf } from '../../../src/scan/policy/upgrade.ts'

test('an upgrade is the lowest version that cures all', () => {
  const cases: readonly (readonly [string | undefined, readonly (readonly string[])[], string, string])[] = [
    ['1.0.0', [], 'npm', ''],
    ['4.17.20', [['4.17.21']], 'npm', '4.17.21'],
    ['4.17.20', [['4.17.21'], ['4.17.9', '5.0.0']], 'npm', '5.0.0'],
    ['1.9.0', [['1.10.0'], ['1.9.1']], 'npm', '1.10.0'],
    // 3.0.5 cures the second, and lies in the part of the 3 line that has the first.
    ['2.0.0', [['2.5.3', '3.1.0'], ['3.0.5']], 'npm', '3.1.0'],
    [
      '1.2.3',
      [
        ['1.2.9', '1.3.4'],
        ['1.2.5', '1.3.1'],
      ],
      'npm',
      '1.2.9',
    ],
    ['1.2.3', [['1.2.9', '1.3.4'], ['1.3.1']], 'npm', '1.3.4'],
    ['1.0.0-rc.1', [['1.0.0']], 'npm', '1.0.0'],
    ['v1.2.3', [['v1.2.4+incompatible', '2']], 'golang', 'v1.2.4+incompatible'],
    ['2.30', [['2.31'], ['2.30.1']], 'pypi', '2.31'],
    ['2.30', [['2.31rc1'], ['2.30.1']], 'pypi', '2.30.1, 2.31rc1'],
    ['1.2.3.4', [['2.0.0'], ['1.9.9']], 'gem', '1.9.9, 2.0.0'],
    ['3.0.0', [['2.0.0']], 'npm', '2.0.0'],
    [undefined, [['1.0.1'], ['1.0.2']], '', '1.0.2'],
    // An epoch, a tilde or a number of digits may decide otherwise than semver.
    ['1.2.3-1', [['1.2.10-1'], ['1.2.4-1']], 'deb', '1.2.10-1, 1.2.4-1'],
    ['2.36-9', [['2.36-9+deb12u2'], ['2.36-9+deb12u1']], 'deb', '2.36-9+deb12u1, 2.36-9+deb12u2'],
  ]
  for (const [installed, lists, type, expected] of cases)
    assert.equal(upgradeOf(installed, lists, type), expected, JSON.stringify([installed, lists]))
})

test('where each finding has one fix, the upgrade is the highest of the newer ones', () => {
  const version = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join('.'))
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 10 + Number(part), 0)
  fc.assert(
    fc.property(version, fc.array(version, { minLength: 1, maxLength: 5 }), (installed, fixes) => {
      const upgrade = upgradeOf(
        installed,
        fixes.map((fix) => [fix]),
        'npm',
      )
      const newer = fixes.filter((fix) => number(fix) > number(installed))
      if (newer.length > 0) assert.equal(number(upgrade), Math.max(...newer.map(number)))
      else assert.deepEqual(upgrade.split(', '), [...new Set(fixes)].sort())
    }),
  )
})
