import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PatternError, parsePattern } from '../../src/conditions/pattern.ts'
import { matchesPattern } from '../../src/conditions/pattern-steps.ts'
import { growsLinearly } from '../growth.ts'

const matches = (source: string, text: string): boolean => {
  const pattern = parsePattern(source)
  assert.ok(!('message' in pattern), `${source}: ${(pattern as PatternError).message}`)
  return matchesPattern(pattern, text)
}

/** Patterns of the syntax that both engines have, over few letters, so that many of them match. */
const { pattern } = fc.letrec<{ pattern: string; row: string; piece: string; single: string }>((tie) => ({
  pattern: fc.array(tie('row'), { minLength: 1, maxLength: 3 }).map((rows) => rows.join('|')),
  row: fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
  piece: fc.oneof(
    tie('single'),
    fc.constantFrom('^', '$', '\\b', '\\B'),
    fc
      .tuple(tie('single'), fc.constantFrom('*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '+?'))
      .map((pair) => pair.join('')),
  ),
  single: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('a', 'b', '.', '\\d', '\\W', '[ab]', '[^a\\]]', '-', '\\.', '😀', '\\u{1F600}', '\\n'),
    tie('pattern').map((inner) => `(${inner})`),
    tie('pattern').map((inner) => `(?:${inner})`),
  ),
}))

test('finds what RegExp finds', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '-', '.', ' ', '\n', '😀', ']'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 1, maxLength: 6 }), (source, texts) => {
      fc.pre(source.length <= 256)
      for (const one of texts) assert.equal(matches(source, one), new RegExp(source, 'u').test(one), one)
    }),
  )
})

test('escapes, classes and a leading (?i)', () => {
  assert.equal(matches('(?i)^HÄUSER$', 'häuser'), true)
  assert.equal(matches('^HÄUSER$', 'häuser'), false)
  assert.equal(matches('^\\p{Lu}+\\x41$', 'ÄA'), true)
  assert.equal(matches('^v\\d+\\.\\d+(-rc\\.\\d+)?$', 'v1.20-rc.3'), true)
  assert.equal(matches('^v\\d+\\.\\d+$', 'v1x20'), false)
  assert.equal(matches('\\-\\/\\_', '-/_'), true)
  assert.equal(matches('}]', '}]'), true)
  assert.equal(matches('\\t', '\t'), true)
})

test('what backtracks, is too large or is not understood is refused with its place', () => {
  const refused = (source: string) => {
    const parsed = parsePattern(source)
    return 'message' in parsed ? `${parsed.at}: ${parsed.message}` : 'taken'
  }
  assert.equal(refused('(a)\\1'), '3: what a group found cannot be asked for again')
  assert.equal(refused('x(?=a)'), '1: only (…), (?:…) and a leading (?i) are known: no look-around, no names')
  assert.equal(refused('(a'), '0: the "(" is not closed')
  assert.equal(refused('a)'), '1: there is no "(" for this ")"')
  assert.equal(refused('[a'), '0: the "[" is not closed')
  assert.equal(refused('[b-a]'), '0: range out of order in character class')
  assert.equal(refused('a**'), '2: nothing to repeat before "*"; for the character itself write "\\*"')
  assert.equal(refused('a{x'), '1: nothing to repeat before "{"; for the character itself write "\\{"')
  assert.equal(refused('^*'), '0: a place cannot be repeated')
  assert.equal(refused('a{2,1}'), '1: the numbers are the wrong way round')
  assert.equal(refused('a{1001}'), '1: repeats more than 1000 times')
  assert.equal(refused('a{2,99999}'), '1: repeats more than 1000 times')
  assert.equal(refused('(a{500}){500}'), '0: too large when its repetitions are written out')
  assert.equal(refused('((((){999}){999}){999}){999}'), '0: too large when its repetitions are written out')
  assert.equal(refused('a\\'), '1: nothing after the "\\"')
  assert.equal(refused('\\A'), '0: "\\A" is not known')
  assert.equal(refused('('.repeat(60)), '50: too many groups in each other')
  assert.equal(refused('a'.repeat(257)), '256: the pattern is longer than 256 characters')
})

test('patterns that hang other engines take time that grows with the text only', async () => {
  for (const source of ['^(a+)+$', '(a|a)*b', '(a*)*(a*)*c', 'a*a*a*a*a*b', '(.*)(.*)(.*)x'])
    await growsLinearly(
      source,
      (size) => `${'a'.repeat(size)}!`,
      (text) => matches(source, text),
      { limit: 1 << 17 },
    )
})
