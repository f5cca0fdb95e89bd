import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { justRecipes, makeTargets } from '../../src/stacks/recipes.ts'
import { asked, commands, unit, units } from './rig.ts'

test('Makefile targets become commands', (t) => {
  const found = unit(t, {
    Makefile: '.PHONY: all test\nall: build\nbuild:\n\tcc\ntest lint::\n\tx\nfmt_check:\ntest-e2e: build\n',
  })
  assert.deepEqual([found.manager, found.manifest, found.name], ['make', 'Makefile', undefined])
  assert.deepEqual(commands(found), {
    'fmt:check': 'make fmt_check',
    'lint:static': 'make lint',
    'build:debug': 'make build',
    'build:release': 'make build',
    'test:unit': 'make test',
    'test:e2e': 'make test-e2e',
  })
  assert.deepEqual(asked(found), ['make *'])
  assert.deepEqual(found.missing, [
    { command: 'fmt:fix', hint: 'add a target "fmt" to Makefile' },
    { command: 'test:integration', hint: 'add a target "test-integration" to Makefile' },
    { command: 'package:artifact', hint: 'add a target "package" to Makefile' },
  ])
})

test('justfile recipes become commands', (t) => {
  const found = unit(t, {
    Justfile: 'test-unit:\n  x\nlint-security *args:\n  x\ncheck-fmt:\n  x\n',
    Makefile: 'test:\n',
  })
  assert.equal(found.manager, 'just')
  assert.deepEqual(commands(found), {
    'fmt:check': 'just check-fmt',
    'test:unit': 'just test-unit',
    'lint:security': 'just lint-security',
  })
})

test('names of a justfile', () => {
  const text = `set shell := ["bash", "-c"]
x := "a: b"
export Y := \`id\`
alias t := test
# comment: no
@test a='x' *rest:
    echo: no
[private]
hidden:
[group('x')]
shown: test
_private:
needs one:
plus +more:
default-value b=("x" + "y"):
import 'other.just'
mod sub
`
  assert.deepEqual(justRecipes(text), ['t', 'test', 'shown', 'default-value'])
  assert.deepEqual(justRecipes('a:\r\n  x\r\nb: a\r\n'), ['a', 'b'])
})

test('names of a Makefile', () => {
  const text = `A := x: y
B = c: d
E ::= f
$(NAME): x
%.o: %.c
.PHONY: one
one two: CFLAGS = -g
one: two ; echo
two three \\
  four: A
\t recipe: no
define X
inside: no
endef
ifeq (a, b)
five : six
endif
grouped &: x
url = http://x
-dash:
`
  assert.deepEqual(makeTargets(text), ['one', 'two', 'three', 'four', 'five', 'grouped'])
})

test('property: no text makes the readers throw, be slow, or give a name that is not plain', () => {
  const text = fc.string({
    unit: fc.constantFrom(
      'a',
      'b-',
      ':',
      ':=',
      '=',
      '\n',
      '\t',
      ' ',
      '\\',
      '$(',
      ')',
      '@',
      "'",
      '"',
      '+',
      '*',
      '\0',
      '[',
    ),
    maxLength: 200,
  })
  fc.assert(
    fc.property(text, (content) => {
      for (const name of [...justRecipes(content), ...makeTargets(content)])
        assert.match(name, /^[A-Za-z0-9][A-Za-z0-9_.-]*$/)
    }),
    { numRuns: 1000 },
  )
})

test('long hostile lines take no long time', { timeout: 5000 }, () => {
  for (const line of [
    'a'.repeat(1e6),
    `${'a '.repeat(5e5)}`,
    `a ${"='".repeat(3e5)}`,
    `a:${'b$('.repeat(3e5)}`,
    ' '.repeat(1e6),
  ]) {
    makeTargets(line)
    justRecipes(line)
  }
})

test('beside another stack custom is found only when asked for', (t) => {
  const files = { 'package.json': '{"scripts": {"test": "x"}}', Makefile: 'test:\n', 'docs/Makefile': 'test:\n' }
  assert.deepEqual(
    units(t, files).map((one) => one.stack),
    ['node'],
  )
  assert.deepEqual(
    units(t, files, ['node', 'custom']).map((one) => one.stack),
    ['node', 'custom'],
  )
  assert.deepEqual(
    units(t, files, ['custom']).map((one) => one.dir),
    [''],
  )
})

test('a Makefile in a folder counts where there is none above and it offers something', (t) => {
  const found = units(t, { 'a/Makefile': 'test:\n', 'a/b/Makefile': 'test:\n', 'docs/Makefile': 'html:\n' })
  assert.deepEqual(
    found.map((one) => one.dir),
    ['a'],
  )
})
