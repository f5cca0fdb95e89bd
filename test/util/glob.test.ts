import assert from 'node:assert/strict'
import { test } from 'node:test'
import { globTest } from '../../src/util/glob.ts'
import { growsLinearly } from '../growth.ts'

test('patterns match as builders and shells do', () => {
  const yes: readonly (readonly [string, string])[] = [
    ['a', 'a'],
    ['*', 'a.b'],
    ['*', '.a'],
    ['a*c', 'abbc'],
    ['a?c', 'abc'],
    ['**', 'a/b/c'],
    ['**/c', 'c'],
    ['**/c', 'a/b/c'],
    ['a/**', 'a/b'],
    ['a/**/d', 'a/d'],
    ['a/**/d', 'a/b/c/d'],
    ['[a-c]x', 'bx'],
    ['[^a-c]x', 'dx'],
    ['[]]x', ']x'],
    ['\\*', '*'],
    ['*.*', 'a.b'],
    ['a[', 'a['],
    ['**/*.log', 'x/y.log'],
  ]
  const no: readonly (readonly [string, string])[] = [
    ['a', 'b'],
    ['*', 'a/b'],
    ['a/*', 'a/b/c'],
    ['a?c', 'ac'],
    ['[a-c]x', 'dx'],
    ['[^a-c]x', 'ax'],
    ['\\*', 'a'],
    ['a.b', 'axb'],
    ['**/c', 'a/b'],
    ['', 'a'],
  ]
  for (const [pattern, path] of yes) assert.equal(globTest(pattern)(path), true, `${pattern} ${path}`)
  for (const [pattern, path] of no) assert.equal(globTest(pattern)(path), false, `${pattern} ${path}`)
})

test('no pattern takes long', () => {
  const started = performance.now()
  globTest(`${'*a'.repeat(40)}b`)('a'.repeat(5000))
  globTest(`${'**/a/'.repeat(40)}b`)('a/'.repeat(2000))
  assert.ok(performance.now() - started < 2000)
})

test('long patterns cost no time', async () => {
  for (const piece of ['[', '[a', '[^', '*', '?', '\\', '[a]', '/', '**/', '[]'])
    await growsLinearly(
      piece,
      (size) => piece.repeat(size / piece.length),
      (pattern) => globTest(pattern)('src/a.ts'),
      { limit: 1 << 18 },
    )
})
