import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { didYouMean, distance, printable, printableJson, shellQuote } from '../../src/util/text.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/util/units.ts'

test('a near word is suggested, a far one is not', () => {
  assert.equal(didYouMean('retires', ['retries', 'run', 'needs']), 'retries')
  assert.equal(didYouMean('tset', ['test', 'setup']), 'test')
  assert.equal(didYouMean('xyzzy', ['retries', 'run']), undefined)
})

test('distance is a metric on short words', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
      assert.equal(distance(a, b), distance(b, a))
      assert.equal(distance(a, b) === 0, a === b)
      assert.ok(distance(a, b) <= Math.max(a.length, b.length))
    }),
  )
})

test('a shell reads a quoted word back as it was', () => {
  const word = fc
    .string({ unit: 'binary', minLength: 0, maxLength: 20 })
    .filter((text) => !text.includes('\0') && text.isWellFormed())
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      const out = execFileSync('sh', ['-c', `printf '%s\\0' ${words.map(shellQuote).join(' ')}`]).toString('utf8')
      assert.deepEqual(out.split('\0').slice(0, -1), words)
    }),
    { numRuns: 50 },
  )
  assert.throws(() => shellQuote('a\0b'), RangeError)
})

test('no control character of a repository reaches the terminal', () => {
  assert.equal(printable('a\u001b[31mb\u202e\u0007c\td\n'), 'a\\u001b[31mb\\u202e\\u0007c\td\n')
})

test('what turns, breaks or hides a line is shown by its number', () => {
  const ranges = [
    [0x7f, 0x9f],
    [0xad, 0xad],
    [0x61c, 0x61c],
    [0x200b, 0x200f],
    [0x2028, 0x202e],
    [0x2060, 0x206f],
    [0xfeff, 0xfeff],
  ] as const
  for (const [from, to] of ranges)
    for (let code = from; code <= to; code++)
      assert.equal(printable(`a${String.fromCodePoint(code)}`), `a\\u${code.toString(16).padStart(4, '0')}`)
  for (let code = 0xe0000; code <= 0xe007f; code++)
    assert.equal(printable(String.fromCodePoint(code)), `\\u{${code.toString(16)}}`)
  assert.equal(printable('ä 漢 👍🏽 e\u0301\t\n'), 'ä 漢 👍🏽 e\u0301\t\n')
})

test('JSON that is made printable means the same, and nothing in it drives a terminal', () => {
  const unseen = fc.constantFrom('\u009b31m', '\u202e', '\u2028', '\u{e0041}', '\u200d', '\u007f', '\\', '"')
  const text = fc.array(fc.oneof(unseen, fc.string({ unit: 'binary' }))).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.dictionary(text, text), fc.constantFrom(undefined, 2), (value, indent) => {
      const json = printableJson(JSON.stringify(value, undefined, indent))
      assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(value)))
      assert.equal(/[\p{Cf}\p{Zl}\p{Zp}\u007f-\u009f]/u.test(json), false)
    }),
  )
  assert.equal(printableJson('"\u009b\u{e0041}"'), '"\\u009b\\udb40\\udc41"')
})

test('durations and sizes', () => {
  assert.equal(parseDuration('1h30m'), 5_400_000)
  assert.equal(parseDuration('500ms'), 500)
  for (const bad of ['', '0s', '15x', '15', 's', '-5s', '1h 30m', '400d'])
    assert.equal(parseDuration(bad), undefined, bad)
  assert.equal(parseSize('4g'), 4 * 1024 ** 3)
  assert.equal(parseSize('4GiB'), 4 * 1024 ** 3)
  for (const bad of ['', '0', '4x', '-1g', 'g']) assert.equal(parseSize(bad), undefined, bad)
  assert.equal(formatDuration(65_000), '1 min 05 s')
  assert.equal(formatDuration(59_960), '1 min 00 s')
  assert.equal(formatDuration(420), '0.4 s')
  assert.equal(formatSize(1536), '1.5 KiB')
})
