import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import satisfies from 'semver/functions/satisfies.js'
import validRange from 'semver/ranges/valid.js'
import { jdkRange } from '../../src/stacks/jvm-requests.ts'
import { nodeRange } from '../../src/stacks/node-requests.ts'
import { pep440Range } from '../../src/stacks/pep440.ts'
import { minimumRange, npmRange, prefixRange } from '../../src/stacks/versions.ts'

test('what version files mean', () => {
  assert.equal(prefixRange('3.12'), '3.12')
  assert.equal(prefixRange('v3.12.1'), '3.12.1')
  assert.equal(prefixRange('24'), '24')
  for (const word of ['', 'system', '3.12.1.4', '1.x; rm', 'pypy3.10', '3.12-rc'])
    assert.equal(prefixRange(word), undefined, word)
  assert.equal(minimumRange('1.26'), '>=1.26.0')
  assert.equal(minimumRange('1.26.3'), '>=1.26.3')
  assert.equal(minimumRange('21'), '>=21.0.0')
  assert.equal(minimumRange('1.26rc1'), undefined)
  assert.equal(npmRange('>= 18'), '>= 18')
  assert.equal(npmRange(''), '*')
  assert.equal(npmRange('not a range'), undefined)
  assert.equal(npmRange(`1${' || 1'.repeat(100)}`), undefined)
})

test('what .nvmrc may say', () => {
  const cases = {
    24: '24',
    'v24.1.0': '24.1.0',
    'lts/iron': '20',
    'LTS/Krypton': '24',
    'lts/*': '22 || 24 || 26',
    stable: '*',
  }
  for (const [text, range] of Object.entries(cases)) assert.equal(nodeRange(text), range, text)
  for (const text of ['lts/constructor', 'lts/-1', 'iojs', '']) assert.equal(nodeRange(text), undefined, text)
})

test('what names a JDK', () => {
  const cases = {
    21: '21',
    '21.0.2': '21',
    'temurin-21.0.2+13': '21',
    '17.0.9-tem': '17',
    '1.8': '8',
    'openjdk-25': '25',
    'corretto-8.402.06.1': '8',
  }
  for (const [text, range] of Object.entries(cases)) assert.equal(jdkRange(text), range, text)
  assert.equal(jdkRange('latest'), undefined)
})

test('Python specifiers as npm ranges', () => {
  const cases: Readonly<Record<string, string | undefined>> = {
    '>=3.9': '>=3.9.0',
    '>=3.9,<4': '>=3.9.0 <4.0.0',
    '>3.9': '>=3.9.1',
    '<=3.12': '<3.12.1',
    '==3.11.*': '>=3.11.0 <3.12.0',
    '==3.11': '>=3.11.0 <3.11.1',
    '>=3.9,!=3.10.*': '>=3.9.0 <3.10.0 || >=3.11.0',
    '~=3.10': '>=3.10.0 <4.0.0',
    '~=3.10.2': '>=3.10.2 <3.11.0',
    '~=3': undefined,
    '^3.10': '>=3.10.0 <4.0.0',
    '^0.2.3': '>=0.2.3 <0.3.0',
    '~3.10': '>=3.10.0 <3.11.0',
    '3.11': '>=3.11.0 <3.11.1',
    '3.*': '>=3.0.0 <4.0.0',
    '^2.7 || ^3.6': '>=2.7.0 <3.0.0 || >=3.6.0 <4.0.0',
    '>=3.9.0rc1': '>=3.9.0',
    '>=3.9,<3': '<0.0.0-0',
    '*': '*',
    '': '*',
    '>=3.9.0.0': '>=3.9.0',
    '>=3.9.0.1': undefined,
    '>=3.9,': undefined,
    '1!3.9': undefined,
    '>= three': undefined,
    '<3.*': undefined,
  }
  for (const [text, range] of Object.entries(cases)) assert.equal(pep440Range(text), range, text)
})

type Version = readonly [number, number, number]
const version = fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4)) as fc.Arbitrary<Version>

interface Specifier {
  readonly operator: string
  readonly numbers: readonly number[]
  readonly isWild: boolean
}

/** PEP 440 in the words of its text: release numbers padded with zeros and compared one by one, prefixes compared as prefixes. */
function reference({ operator, numbers, isWild }: Specifier, candidate: Version): boolean {
  const padded = [0, 1, 2].map((index) => numbers[index] ?? 0)
  const order = candidate.map((number, index) => Math.sign(number - padded[index]!)).find((sign) => sign !== 0) ?? 0
  const hasPrefix = (count: number): boolean =>
    numbers.slice(0, count).every((number, index) => candidate[index] === number)
  switch (operator) {
    case '==':
      return isWild ? hasPrefix(numbers.length) : order === 0
    case '!=':
      return isWild ? !hasPrefix(numbers.length) : order !== 0
    case '~=':
      return order >= 0 && hasPrefix(numbers.length - 1)
    case '>=':
      return order >= 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    default:
      return order < 0
  }
}

const specifier = fc
  .record({
    operator: fc.constantFrom('==', '!=', '~=', '>=', '<=', '>', '<'),
    numbers: fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }),
    isWild: fc.boolean(),
  })
  .filter(({ operator, numbers }) => operator !== '~=' || numbers.length > 1)
  .map((one): Specifier => ({ ...one, isWild: one.isWild && (one.operator === '==' || one.operator === '!=') }))

test('property: a version satisfies the npm range when it satisfies the specifiers', () => {
  fc.assert(
    fc.property(fc.array(specifier, { minLength: 1, maxLength: 4 }), version, (specifiers, candidate) => {
      const text = specifiers
        .map(({ operator, numbers, isWild }) => `${operator}${numbers.join('.')}${isWild ? '.*' : ''}`)
        .join(', ')
      const range = pep440Range(text)
      assert.ok(range !== undefined && validRange(range) !== null, text)
      assert.equal(
        satisfies(candidate.join('.'), range),
        specifiers.every((one) => reference(one, candidate)),
        `${text} → ${range}`,
      )
    }),
    { numRuns: 2000 },
  )
})

test('property: no text throws, and what comes out is a range of npm', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789.*<>=!~^, |v-abrc') }))
  fc.assert(
    fc.property(text, (word) => {
      for (const toRange of [pep440Range, prefixRange, minimumRange, npmRange, nodeRange, jdkRange]) {
        const range = toRange(word)
        if (range !== undefined) assert.notEqual(validRange(range), null, `${word} → ${range}`)
      }
    }),
    { numRuns: 2000 },
  )
})
