import assert from 'node:assert/strict'
import { test } from 'node:test'
import parse from '@iarna/toml/parse-string.js'
import { parseToml } from '../../src/project/toml.ts'
import { guarded } from '../../src/util/toml-guard.ts'

const attacks = [
  '[constructor]\nevil = 1\n',
  '[constructor]\nkeys = "x"\nassign = "y"\n',
  '[a.constructor]\nevil = 1\n',
  '["con\\u0073tructor"]\nevil = 1\n',
  '[toString]\nevil = 1\n',
  'constructor.evil = 1\n',
  '[hasOwnProperty]\ncall = 1\n',
]

test('without the guard the parser writes into what every object has', () => {
  const target = Object as unknown as Record<PropertyKey, unknown>
  const before = Reflect.ownKeys(Object)
  parse('[constructor]\nevilOfThisTest = 1\n')
  assert.equal(target.evilOfThisTest, 1)
  for (const key of Reflect.ownKeys(Object)) if (!before.includes(key)) delete target[key]
})

for (const text of attacks)
  test(`${JSON.stringify(text)} is refused and leaves nothing behind`, () => {
    const before = [Object, Object.prototype.toString, Object.prototype].map((one) =>
      Object.getOwnPropertyDescriptors(one),
    )
    assert.throws(() => guarded(text, parse))
    const after = [Object, Object.prototype.toString, Object.prototype].map((one) =>
      Object.getOwnPropertyDescriptors(one),
    )
    assert.deepEqual(after, before)
    assert.equal(({} as Record<string, unknown>).evil, undefined)
    assert.equal(parseToml('pyproject.toml', text).ok, false)
  })

test('a text that only mentions such a name is read', () => {
  const text = 'description = "A constructor.\\u0041"\n[valueOfAll]\nx = 1\n'
  assert.deepEqual({ ...guarded(text, parse) }, { description: 'A constructor.A', valueOfAll: { x: 1 } })
})
