import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { didYouMean, distance, printable, shellQuote } from '../../src/util/text.ts'
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
