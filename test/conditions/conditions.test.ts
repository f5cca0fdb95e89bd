import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Evaluation, evaluate } from '../../src/conditions/evaluate.ts'
import { asksStatus, variablesOf } from '../../src/conditions/names.ts'
import { isConditionError, numberOf, parseCondition, reservedNames } from '../../src/conditions/parse.ts'
import { printCondition } from '../../src/conditions/print.ts'
import type { Condition, Operand } from '../../src/conditions/types.ts'

const parsed = (text: string): Condition => {
  const condition = parseCondition(text)
  if (isConditionError(condition)) assert.fail(`${text}: ${condition.message}`)
  return condition
}

const asked = (
  text: string,
  values: Readonly<Record<string, string>> = {},
  status: 'success' | 'failure' | 'cancelled' = 'success',
): Evaluation =>
  evaluate(parsed(text), {
    value: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    status: {
      success: () => status === 'success',
      failure: () => status === 'failure',
      cancelled: () => status === 'cancelled',
    },
  })

const yes = (text: string, values: Readonly<Record<string, string>> = {}) =>
  assert.deepEqual(asked(text, values), { ok: true }, text)
const no = (text: string, values: Readonly<Record<string, string>> = {}) =>
  assert.deepEqual(asked(text, values), { ok: false }, text)

test('conditions as workflow files have them', () => {
  yes('env == production', { env: 'production' })
  yes('env=="production"', { env: 'production' })
  no("env != 'production'", { env: 'production' })
  yes('a==b', { a: 'b' })
  yes('a-b==-1', { 'a-b': '-1' })
  yes('branch == release/1.2', { branch: 'release/1.2' })
  yes('build[arch=amd64,os=linux].os == linux', { 'build[arch=amd64,os=linux].os': 'linux' })
  yes('tag contains "-rc."', { tag: 'v1-rc.2' })
  yes('tag starts_with v', { tag: 'v1' })
  no('tag ends_with 1', { tag: 'v12' })
  yes('tag matches "^v\\d+$"', { tag: 'v12' })
  yes("note == 'it\\'s'", { note: "it's" })
  yes('path == "C:\\dir"', { path: 'C:\\dir' })
})

test('and, or, not and parentheses, in words and in signs', () => {
  const values = { a: '1', b: '0', c: 'x' }
  yes('a == 1 and c == x', values)
  yes('a == 1 && c == x', values)
  yes('a == 2 || c == x', values)
  yes('not a == 2 and !(b == 1)', values)
  yes('a == 1 or a == 1 and a == 2', values)
  no('(a == 1 or a == 1) and a == 2', values)
  no('!!b', values)
  yes('not not a', values)
})

test('a variable alone is true unless it is empty, false or 0', () => {
  for (const value of ['', 'false', '0']) no('flag', { flag: value })
  for (const value of ['true', '1', 'no', '00', 'False']) yes('flag', { flag: value })
  yes('true')
  no('false or false')
})

test('numbers are compared as numbers, unquoted; quotes make text of them', () => {
  yes('n == 1', { n: '1.0' })
  no('n == "1"', { n: '1.0' })
  yes('n != 1', { n: 'one' })
  yes('n < 10', { n: '9' })
  yes('n >= "2.5"', { n: '2.5' })
  no('n > 1e3', { n: '1000' })
  yes('n <= -1', { n: '-1.5' })
  yes('n == 0', { n: '-0' })
  yes('flag == true', { flag: 'true' })
  no('flag == true', { flag: '1' })
})

test('long identifiers are text: two of them are never the same number', () => {
  no('id == 12345678901234567890', { id: '12345678901234567891' })
  yes('id == 12345678901234567890', { id: '12345678901234567890' })
  assert.equal(numberOf('1234567890123456'), undefined)
  assert.equal(numberOf('123456789012345'), 123456789012345)
  for (const text of ['', ' 1', '0x10', 'Infinity', '1_000', '1.', '.5', '+1', '1e999'])
    assert.equal(numberOf(text), undefined, text)
})

test('what cannot be answered is said, never false', () => {
  assert.deepEqual(asked('n < 10', { n: 'many' }), {
    problem: '"<" compares numbers, and n is "many"',
    variable: 'n',
  })
  assert.deepEqual(asked('missing == 1'), { problem: 'the variable "missing" has no value', variable: 'missing' })
  assert.deepEqual(asked('missing'), { problem: 'the variable "missing" has no value', variable: 'missing' })
  assert.deepEqual(asked('long matches a', { long: 'b'.repeat(70_000) }), {
    problem: 'long is too long for "matches": more than 65536 characters',
    variable: 'long',
  })
  // 903 steps.
  assert.deepEqual(asked('long matches "^(ab?){300}$"', { long: 'a'.repeat(5600) }), {
    problem: 'long is too long for this pattern: with its repetitions written out it takes at most 5537 characters',
    variable: 'long',
  })
  assert.deepEqual(asked('long matches "^a+$"', { long: 'a'.repeat(60_000) }), { ok: true })
  assert.deepEqual(asked('a == 1 or missing', { a: '1' }), { ok: true })
})

test('status functions', () => {
  assert.deepEqual(asked('failure()', {}, 'failure'), { ok: true })
  assert.deepEqual(asked('failure() or cancelled()', {}, 'cancelled'), { ok: true })
  assert.deepEqual(asked('success( )', {}, 'failure'), { ok: false })
  assert.deepEqual(asked('always()', {}, 'cancelled'), { ok: true })
  assert.equal(asksStatus(parsed('a == 1 and not (b or failure())')), true)
  assert.equal(asksStatus(parsed('failure == 1')), false)
})

test('the variables that it asks for', () => {
  assert.deepEqual(variablesOf(parsed('a == b and not (c.d or a) or failure()')), ['a', 'c.d'])
})

test('what is wrong is said with its place', () => {
  const wrong = (text: string) => {
    const condition = parseCondition(text)
    assert.ok(isConditionError(condition), text)
    const { message, at, length, hint } = condition
    return [message, text.slice(at, at + length), ...(hint === undefined ? [] : [hint])]
  }
  assert.deepEqual(wrong(''), ['a condition is missing here', ''])
  assert.deepEqual(wrong('env == New York'), [
    'expected "and", "or" or the end, not "York"',
    'York',
    'text with blanks or signs stands in quotes',
  ])
  assert.deepEqual(wrong('env = prod'), ['"=" is no comparison', '=', 'write == or matches'])
  assert.deepEqual(wrong('tag start_with v'), [
    '"start_with" is no comparison',
    'start_with',
    'did you mean "starts_with"?',
  ])
  assert.deepEqual(wrong('failures()'), ['there is no function "failures"', 'failures', 'did you mean "failure()"?'])
  assert.deepEqual(wrong('ok()'), [
    'there is no function "ok"',
    'ok',
    'there are success(), failure(), cancelled() and always()',
  ])
  assert.deepEqual(wrong('success(1)'), ['success() takes nothing', '1'])
  assert.deepEqual(wrong('{{.env}} == prod'), ['a condition names a variable without braces', '{{.env}}', 'write env'])
  assert.deepEqual(wrong('a == {{.b}}'), [
    'the right side is a text, a number, true or false: two variables cannot be compared',
    '{{.b}}',
  ])
  assert.deepEqual(wrong('"prod" == env'), [
    'a comparison begins with the name of a variable, not with text',
    '"prod"',
    'write name == "text"',
  ])
  assert.deepEqual(wrong('n < many'), ['"<" compares numbers, and "many" is none', 'many'])
  assert.deepEqual(wrong('a =='), ['something to compare with is missing here', '', 'the empty text is ""'])
  assert.deepEqual(wrong('a == )'), ['expected something to compare with, not ")"', ')', 'the empty text is ""'])
  assert.deepEqual(wrong('a == "b'), ['the quote is not closed', '"'])
  assert.deepEqual(wrong('(a'), ['the "(" is not closed', '('])
  assert.deepEqual(wrong('a)'), ['there is no "(" for this ")"', ')'])
  assert.deepEqual(wrong('a and'), ['a condition is missing here', ''])
  assert.deepEqual(wrong('a == 1 and or b'), ['expected the name of a variable, not "or"', 'or'])
  assert.deepEqual(wrong('$a == 1'), ['expected the name of a variable, not "$a"', '$a'])
  assert.deepEqual(wrong('a matches "(?=b)"'), [
    'not a regular expression that dwf knows: only (…), (?:…) and a leading (?i) are known: no look-around, no names',
    '"(?=b)"',
  ])
  assert.match(wrong('('.repeat(200))[0]!, /^too many parentheses in each other$/)
  assert.match(wrong(`${'not '.repeat(200)}a`)[0]!, /^too many parentheses in each other$/)
  assert.match(wrong('a'.repeat(5000))[0]!, /^a condition has at most 4096 characters$/)
})

const names = fc
  .stringMatching(/^[A-Za-z0-9_.+-]{1,8}(\[[a-z0-9=,]{0,8}\])?(\.[a-z]{1,3})?$/)
  .filter((name) => !reservedNames.has(name))
const number = fc.oneof(fc.integer(), fc.constantFrom(0.5, -2.25, 1e21, 1e-7)).map((value) => value + 0)
const text = fc.string({ unit: 'binary', maxLength: 12 })
const literal: fc.Arbitrary<Operand> = fc.oneof(
  text.map((value) => ({ kind: 'text' as const, value })),
  number.map((value) => ({ kind: 'number' as const, value })),
  fc.boolean().map((value) => ({ kind: 'boolean' as const, value })),
)
const left = names.map((name) => ({ kind: 'variable' as const, name }))
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({
    kind: fc.constant('truth' as const),
    of: fc.oneof(left, fc.constant({ kind: 'boolean' as const, value: true })),
  }),
  fc.record({
    kind: fc.constant('status' as const),
    name: fc.constantFrom('success' as const, 'failure' as const, 'cancelled' as const, 'always' as const),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    left,
    operator: fc.constantFrom('==' as const, '!=' as const),
    right: literal,
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    left,
    operator: fc.constantFrom('<' as const, '<=' as const, '>' as const, '>=' as const),
    right: number.map((value) => ({ kind: 'number' as const, value })),
  }),
  fc.record({
    kind: fc.constant('compare' as const),
    left,
    operator: fc.constantFrom('contains' as const, 'starts_with' as const, 'ends_with' as const),
    right: text.map((value) => ({ kind: 'text' as const, value })),
  }),
)
const { condition } = fc.letrec<{ condition: Condition }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      of: fc.array(tie('condition'), { minLength: 2, maxLength: 3 }),
    }),
    tie('condition').map((of) => ({ kind: 'not' as const, of })),
  ),
}))

test('a condition that is printed and parsed is the same condition', () => {
  fc.assert(
    fc.property(condition, (one) => {
      const printed = printCondition(one)
      fc.pre(printed.length <= 4096)
      assert.deepStrictEqual(parseCondition(printed), structuredClone(one), printed)
    }),
  )
})

test('any text is a condition or an error with a place in it', () => {
  const pieces = fc.constantFrom(
    'a',
    ' ',
    '==',
    '"',
    "'",
    '(',
    ')',
    '!',
    '&&',
    '|',
    'and ',
    '1',
    '{{',
    '.b}}',
    '\\',
    '<',
    'matches ',
    '[',
    'é',
  )
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')),
      (source) => {
        const result = parseCondition(source)
        if (isConditionError(result))
          assert.ok(result.at >= 0 && result.at <= source.length && result.length >= 1, source)
        else assert.deepStrictEqual(parseCondition(printCondition(result)), result)
      },
    ),
  )
})
