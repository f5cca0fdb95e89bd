import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import toml from '@iarna/toml'
import fc from 'fast-check'
import { parseFragment } from 'parse5'
import * as quote from '../../src/scaffold/quote.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { printable } from '../../src/util/text.ts'
import { findTool } from './tools.ts'

const odd = [
  '"',
  "'",
  '\\',
  '$',
  '{',
  '}',
  '%',
  '#',
  '\n',
  '\r',
  '\t',
  '`',
  '$(id)',
  '${HOME}',
  '${{',
  '%{if}',
  '"""',
  "'''",
  '\u007f',
  '\u0085',
  '\u2028',
  'é',
  '𝄞',
  ' ',
  'a',
  '\\n',
  '<<EOF',
  '/*',
  '//',
]
const nasty = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.oneof(fc.constantFrom(...odd), fc.string({ unit: 'grapheme', maxLength: 3 })))
    .map((parts) => parts.join('')),
)
const writable = nasty.filter((text) => text.isWellFormed() && !text.includes('\0'))
const oneLine = writable.filter((text) => !/[\u0001-\u001f\u007f]/.test(text))

test('TOML gives back what was written, as value and as key', () => {
  fc.assert(
    fc.property(writable, writable, (key, value) => {
      fc.pre(key !== '__proto__')
      const text = `${quote.tomlKey(key)} = ${quote.toml(value)}\n`
      assert.equal(text.split('\n').length, 2)
      assert.equal((toml.parse(text) as Record<string, unknown>)[key], value)
    }),
    { numRuns: 500 },
  )
})

test('HCL gives back what was written', { skip: findTool('buildx') ? false : 'no buildx' }, () => {
  // One run of buildx for all of them: a label for each.
  const values = [...odd, '$${x}', '%%{x}', '$$$${', '${', '$', ...fc.sample(writable, 300)].map((text) =>
    text.normalize('NFC'),
  )
  const labels = values.map((value, index) => `    l${index} = ${quote.hcl(value)}`).join('\n')
  const folder = mkdtempSync(join(tmpdir(), 'dwf-hcl-'))
  try {
    writeFileSync(join(folder, 'docker-bake.hcl'), `target "default" {\n  labels = {\n${labels}\n  }\n}\n`)
    const printed = JSON.parse(
      execFileSync(findTool('buildx')!, ['bake', '--print'], {
        cwd: folder,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 1 << 26,
      }),
    )
    assert.deepEqual(
      values.map((_, index) => printed.target.default.labels[`l${index}`]),
      values,
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

/** What BuildKit and Buildah make of a value in double quotes (frontend/dockerfile/shell/lex.go, processDoubleQuote). */
function readDoubleQuoted(text: string): { value: string; rest: string } {
  assert.equal(text[0], '"')
  let value = ''
  let at = 1
  for (; text[at] !== '"'; at++) {
    assert.ok(at < text.length, 'the quote does not end')
    assert.notEqual(text[at], '$', 'a variable is expanded')
    if (text[at] === '\\' && ['"', '$', '\\'].includes(text[at + 1]!)) at++
    value += text[at]
  }
  return { value, rest: text.slice(at + 1) }
}

test('values of LABEL and ENV give back what was written', () => {
  fc.assert(
    fc.property(oneLine, (value) => {
      const quoted = quote.dockerfileValue(value)
      assert.equal(quoted.split(/[\n\r]/).length, 1)
      assert.deepEqual(readDoubleQuoted(quoted), { value, rest: '' })
    }),
    { numRuns: 500 },
  )
})

test('every line of a comment is one', () => {
  fc.assert(
    fc.property(writable, (text) => {
      const lines = quote.comment(text).split(/[\n\r\v\f\u0085\u2028\u2029]/)
      for (const line of lines) assert.match(line, /^#( |$)/)
      assert.deepEqual(toml.parse(`${quote.comment(text)}\na = 1\n`), { a: 1 })
    }),
    { numRuns: 500 },
  )
})

test('what cannot be written down is refused with the reason', () => {
  const refused: readonly (readonly [() => string, RegExp])[] = [
    [() => quote.toml('a\0b'), /^"a\\u0000b" cannot be written in TOML: it holds NUL$/],
    [() => quote.hcl('a\ud800'), /cannot be written in HCL: it holds half of a surrogate pair/],
    [() => quote.dockerfileValue('a\nRUN evil'), /cannot be written in a Dockerfile: it holds a line break/],
    [() => quote.dockerfileValue('a\u001b[0m'), /another control character/],
    [() => quote.dockerfileWord('a b'), /is more than one plain word/],
    [() => quote.dockerfileWord('$(id)'), /is more than one plain word/],
    [() => quote.dockerfileWord(''), /is more than one plain word/],
    [() => quote.shellLine('a\nb'), /is more than one line/],
    [() => quote.shellLine('a \\'), /ends with a backslash/],
    [() => quote.shellLine('cat <<EOF'), /has a heredoc/],
    [() => quote.comment('\0'), /holds NUL/],
  ]
  for (const [write, reason] of refused)
    assert.throws(
      write,
      (error) => error instanceof Failure && error.kind === 'wrong-input' && reason.test(error.message),
    )
  assert.throws(() => quote.toml(3), TypeError)
  assert.throws(() => quote.toml(undefined), TypeError)
})

test('shell lines are one command of a list of commands', () => {
  assert.equal(quote.shellLine('a && b'), 'a && b')
  assert.equal(quote.shellLine('a || b'), '{ a || b; }')
  assert.equal(quote.shellLine('a; b'), '{ a; b; }')
  assert.equal(quote.shellLine('a & b'), '{ a & b; }')
})

test('HTML gives back what was written, between tags and in an attribute, but for what must be seen', () => {
  interface Node {
    readonly nodeName: string
    readonly value?: string
    readonly attrs?: readonly { readonly name: string; readonly value: string }[]
    readonly childNodes?: readonly Node[]
  }
  fc.assert(
    fc.property(nasty, (value) => {
      const seen = printable(value.toWellFormed()).replaceAll('\u061c', '\\u061c')
      const text = `<p title="${quote.html(value)}">${quote.html(value)}</p>`
      const { childNodes } = parseFragment(text) as unknown as Node
      assert.equal(childNodes!.length, 1)
      const [p] = childNodes!
      assert.deepEqual(p!.attrs, [{ name: 'title', value: seen }])
      assert.deepEqual(
        p!.childNodes!.map((node) => [node.nodeName, node.value]),
        seen === '' ? [] : [['#text', seen]],
      )
    }),
    { numRuns: 500 },
  )
  assert.equal(quote.html(`<&>"'\``), '&lt;&amp;&gt;&quot;&#39;&#96;')
  assert.equal(quote.html('a\0\r\u202e\u061c\ud800'), 'a\\u0000\\u000d\\u202e\\u061c\ufffd')
  assert.throws(() => quote.html(1), TypeError)
})
