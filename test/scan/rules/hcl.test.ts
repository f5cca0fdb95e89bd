import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type HclBody, type HclValue, readHcl } from '../../../src/scan/rules/hcl.ts'
import { Unreadable } from '../../../src/scan/rules/types.ts'
import { growsLinearly } from '../../growth.ts'

/** Without places: strings as they are, other words as `{ bare }`. */
function plain(value: HclValue): unknown {
  switch (value.kind) {
    case 'text':
      return value.isBare ? { bare: value.text } : value.text
    case 'list':
      return value.items.map(plain)
    case 'map':
      return new Map(value.entries.map((entry) => [entry.key, plain(entry.value)]))
    case 'open':
      return { open: value.texts.map(plain) }
  }
}
const plainBody = ({ attributes, blocks }: HclBody): unknown => ({
  attributes: attributes.map(({ key, value }) => [key, plain(value)]),
  blocks: blocks.map(({ type, labels, body }) => [type, labels, plainBody(body)]),
})
const value = (text: string) => plain(readHcl(`a = ${text}\n`).attributes[0]!.value)

test('values are read as bake files write them', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['"x"', 'x'],
    ['"a\\n\\"\\\\\\u00e9\\U0001F600"', 'a\n"\\é😀'],
    ['"${x}-$${y}-%{if a}b%{endif}"', '${x}-$${y}-%{if a}b%{endif}'],
    ['"${lookup({a = "}"}, "${b}")} c"', '${lookup({a = "}"}, "${b}")} c'],
    ['12.5', '12.5'],
    ['true', { bare: 'true' }],
    ['[]', []],
    ['["a", b, [1],] # c', ['a', { bare: 'b' }, ['1']]],
    ['[\n  "a", // c\n  /* d\n */ "b"\n]', ['a', 'b']],
    ['{}', new Map()],
    [
      '{ a = 1, "b.c" : "d" }',
      new Map([
        ['a', '1'],
        ['b.c', 'd'],
      ]),
    ],
    [
      '{\n  a = 1\n\n  b = [\n 2 ]\n}',
      new Map<string, unknown>([
        ['a', '1'],
        ['b', ['2']],
      ]),
    ],
    ['<<E\n a\n  b\n E\n', ' a\n  b\n'],
    ['<<-E\n    a\n\n      b\n  E\n', 'a\n\n  b\n'],
    ['A == "" ? [] : ["x${A}"]', { open: [{ bare: 'A' }, '', 'x${A}'] }],
    ['notequal("", A) ? "b" : null', { open: [{ bare: 'notequal' }, '', { bare: 'A' }, 'b', { bare: 'null' }] }],
    ['[for x in y : "z-${x}"]', { open: ['for', 'x', 'in', 'y'].map((bare) => ({ bare })).concat('z-${x}' as never) }],
    ['{ for k, v in y : k => v }', { open: ['for', 'k', 'v', 'in', 'y', 'k', 'v'].map((bare) => ({ bare })) }],
    ['[f("a",\n "b"), x[0].y]', [{ open: [{ bare: 'f' }, 'a', 'b'] }, { open: [{ bare: 'x' }, { bare: 'y' }] }]],
    ['{ (k) = "v" }', { open: [{ bare: 'k' }, 'v'] }],
    ['-1', { open: [] }],
    ['f(<<E\nx\nE\n)', { open: [{ bare: 'f' }, 'x\n'] }],
  ]
  for (const [text, expected] of cases) assert.deepEqual(value(text), expected, text)
})

test('blocks have labels, bodies and places', () => {
  const text = 'target "a" {\n  inherits = ["b"]\n  inner x "y" {}\n}\nvariable "V" { default = "1" }'
  const body = readHcl(text)
  assert.deepEqual(plainBody(body), {
    attributes: [],
    blocks: [
      [
        'target',
        ['a'],
        { attributes: [['inherits', ['b']]], blocks: [['inner', ['x', 'y'], { attributes: [], blocks: [] }]] },
      ],
      ['variable', ['V'], { attributes: [['default', '1']], blocks: [] }],
    ],
  })
  assert.equal(body.blocks[0]!.body.attributes[0]!.at, text.indexOf('inherits'))
})

test('what is no HCL is said with its place', () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ['a = ', 4, 'the end where a value was expected'],
    ['a = \n', 4, 'the end of the line where a value was expected'],
    ['a = "b', 4, 'a string without its end'],
    ['a = "b\n"', 4, 'a string without its end'],
    ['a = "${b"', 5, 'a template without its end'],
    ['a = "\\q"', 5, 'an escape that HCL does not know'],
    ['a = <<E\nb\n', 4, 'a heredoc without its end'],
    ['a = [1 2]', 7, '"2" where an operator was expected'],
    ['a = (1', 6, 'the end where ")" was expected'],
    ['a = (1]', 6, '"]" where its opening was expected'],
    ['a = 1 b = 2', 6, '"b" where an operator was expected'],
    ['a = b() = 2', 8, '"=" where an operator was expected'],
    ['/* a', 0, 'a comment without its end'],
    ['a {\n', 4, 'the end where the name of an attribute or block was expected'],
    ['}', 0, '"}" where the name of an attribute or block was expected'],
    ['a "b"\n{}', 5, 'the end of the line where "=" or "{" was expected'],
    ['a = 1\na = 2', 6, 'the attribute "a" is given twice'],
    ['a = \u0001', 4, '"\\u0001" is no part of HCL'],
    ['a = {b 1}', 7, '"1" where "=" was expected'],
    ['a { b = 1 } c = 2', 12, '"c" where a new line was expected'],
    [`a = ${'['.repeat(100)}`, 0, 'it is nested deeper than 64'],
    [`a "${'b'.repeat(600)}" "${'c'.repeat(600)}" {}`, 605, 'a name is longer than 1024 characters'],
  ]
  for (const [text, at, message] of cases)
    assert.throws(
      () => readHcl(text),
      (error) => {
        assert.ok(error instanceof Unreadable, text)
        assert.equal(error.message, message, text)
        if (at > 0) assert.equal(error.at, at, text)
        return true
      },
    )
})

type Node = string | readonly Node[] | ReadonlyMap<string, Node>
const name = fc.stringMatching(/^[a-z_][a-z0-9_-]{0,8}$/).filter((word) => word !== 'for')
const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('node'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(name, fc.string()), tie('node')), { maxLength: 4, selector: ([key]) => key })
      .map((pairs) => new Map(pairs)),
  ),
}))

const quote = (text: string) =>
  `"${text.replace(/[\\"\u0000-\u001f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
function render(value: Node, gap: string): string {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return `[${gap}${value.map((item) => render(item, gap)).join(`,${gap}`)}${gap}]`
  const entries = [...(value as ReadonlyMap<string, Node>)].map(([key, item]) => `${quote(key)} = ${render(item, gap)}`)
  return `{${gap}${entries.join(gap.includes('\n') ? gap : ',')}${gap}}`
}
/** Templates stay as text, so a string with one comes back only when it was closed. */
const isPlain = (value: Node): boolean =>
  typeof value === 'string'
    ? !/[$%]\{/.test(value)
    : Array.isArray(value)
      ? value.every(isPlain)
      : [...(value as ReadonlyMap<string, Node>)].every(([key, item]) => isPlain(key) && isPlain(item))

test('what is written is read back', () => {
  const gaps = fc.constantFrom('', ' ', '\n', ' # c\n ', '\n/* "[ */\n')
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, node.filter(isPlain)), { selector: ([key]) => key }),
      gaps,
      (pairs, gap) => {
        const lines = pairs.map(([key, value]) => `  ${key} = ${render(value, gap)}\n`).join('')
        const body = readHcl(`target "x" {\n${lines}}\n`).blocks[0]!.body
        assert.deepEqual(
          body.attributes.map(({ key, value }) => [key, plain(value)]),
          pairs,
        )
      },
    ),
  )
})

const readable = (text: string) => {
  try {
    readHcl(text)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
  }
}

test('any text is read or refused', () => {
  const pieces = fc.constantFrom(
    '"',
    '${',
    '}',
    '{',
    '[',
    ']',
    '(',
    ')',
    '=',
    ',',
    '\n',
    '<<E\n',
    'E\n',
    'a',
    ' ',
    '/*',
    '#',
    '\\',
    '%{',
    'for',
    '?',
    ':',
    '.',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(pieces).map((all) => all.join('')),
      ),
      readable,
    ),
  )
})

test('no text costs more time than it is long', async () => {
  for (const piece of [
    '[',
    '{a=',
    '"',
    '"${',
    '/*',
    'a=[\n',
    '<<E\n',
    'a=1+',
    '(',
    'a {',
    '\n',
    'x=[[a]+1],',
    '${"',
    'a.',
    '=> ',
    '"${"',
    ' ',
  ])
    for (const lead of ['', 'a = ', 'a = [', 'a = [b +'])
      await growsLinearly(JSON.stringify([lead, piece]), (size) => lead + piece.repeat(size / piece.length), readable, {
        limit: 1 << 18,
      })
})
