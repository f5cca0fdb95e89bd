import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { parseJson } from '../../src/project/json.ts'
import { at, readManifest, stringAt, stringsAt, stringTableAt, tableAt } from '../../src/project/manifest.ts'
import { parseToml } from '../../src/project/toml.ts'
import { openTree } from '../../src/project/tree.ts'
import { repository } from './rig.ts'

function read(t: TestContext, name: string, content: string | Buffer) {
  return readManifest(openTree(repository(t, { [name]: content })), name)!
}

/** `line:column-endColumn code: message`, as little as a test needs to see all of it. */
function said(t: TestContext, name: string, content: string | Buffer): readonly string[] {
  return read(t, name, content).problems.map(({ where, code, message }) => {
    return `${where ? `${where.line}:${where.column}-${where.endColumn} ` : ''}${code}: ${message}`
  })
}

test('JSON values, by type', (t) => {
  const manifest = read(t, 'a.json', '{ "a": { "b": "c", "n": 1 }, "list": ["x", 2, "y"], "__proto__": "own" }')
  assert.equal(stringAt(manifest, ['a', 'b']), 'c')
  assert.deepEqual(stringsAt(manifest, ['list']), ['x', 'y'])
  assert.equal(at(manifest, ['a', 'none', 'deep']), undefined)
  assert.equal(at(manifest, ['constructor']), undefined)
  assert.equal(at(manifest, ['__proto__']), 'own')
  assert.equal(manifest.problems.length, 0)
  assert.equal(stringAt(manifest, ['a', 'n']), undefined)
  assert.equal(tableAt(manifest, ['list']), undefined)
  assert.deepEqual({ ...stringTableAt(manifest, ['a']) }, { b: 'c' })
  assert.deepEqual(
    manifest.problems.map((one) => one.message),
    ['a.n must be text, not a number', 'list must be a table, not a list'],
  )
})

test('JSON that cannot be read says where and why', (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['', '1:1-2 manifest-syntax: expected a value, but the file ends'],
    ['{\n  "a": 1,\n}', '3:1-2 manifest-syntax: expected a key: a comma before "}" is not allowed, but found "}"'],
    ['{\r\n  "a" 1\r\n}', '2:7-8 manifest-syntax: expected ":", but found "1"'],
    ['{"a": [1 2]}', '1:10-11 manifest-syntax: expected "," or "]", but found "2"'],
    ['{"a": tru}', '1:7-8 manifest-syntax: expected a value, but found "t"'],
    ["{'a': 1}", '1:2-3 manifest-syntax: expected text in double quotes, but found "\'"'],
    ['{"a": "\n"}', '1:7-8 manifest-syntax: expected text in double quotes, but found "\\""'],
    ['{} x', '1:4-5 manifest-syntax: expected the end of the file, but found "x"'],
    ['{"a": 01}', '1:8-9 manifest-syntax: expected "," or "}", but found "1"'],
    ['[]', 'manifest-type: a.json must be a table, not a list'],
    ['null', 'manifest-type: a.json must be a table, not null'],
    ['{"a": 1, "a": 2}', '1:10-13 manifest-duplicate-key: the key "a" is there twice'],
    ['['.repeat(5000), '1:102-103 manifest-syntax: tables and lists are nested more than 100 deep'],
  ]
  for (const [text, message] of cases) assert.deepEqual(said(t, 'a.json', text), [message], text.slice(0, 40))
})

test('a byte order mark and CRLF are no matter; UTF-16 and NUL are', (t) => {
  assert.equal(stringAt(read(t, 'a.json', '\ufeff{\r\n"a":\r\n"b"}\r\n'), ['a']), 'b')
  assert.equal(stringAt(read(t, 'a.toml', '\ufeffa = "b"\r\n'), ['a']), 'b')
  const message = ['manifest-encoding: a.json is not UTF-8 text (UTF-16?)']
  assert.deepEqual(said(t, 'a.json', Buffer.from('\ufeff{"a": 1}', 'utf16le')), message)
  assert.deepEqual(said(t, 'a.json', Buffer.from('\ufeff{"a": 1}', 'utf16le').swap16()), message)
  assert.deepEqual(said(t, 'a.json', '{"a": "\0"}'), message)
})

test('a manifest that is too large is said to be', (t) => {
  assert.deepEqual(said(t, 'a.json', ' '.repeat(4 * 1024 * 1024 + 1)), [
    'manifest-unreadable: a.json is larger than 4 MiB or cannot be read',
  ])
})

test('a very long JSON text and very many keys are read', { timeout: 10_000 }, () => {
  const long = parseJson('a.json', JSON.stringify({ a: 'x\\n'.repeat(900_000) }))
  assert.equal(long.ok, true)
  const twice = `{${'"a":1,'.repeat(200_000)}"a":1}`
  assert.equal((parseJson('a.json', twice) as { problems: unknown[] }).problems.length, 10)
})

test('JSON knows where keys and entries are written', (t) => {
  const manifest = read(t, 'a.json', '{\n  "a": {\n    "b c": [1, "two" ]\n  }\n}')
  const where = (path: (string | number)[]) => {
    const span = manifest.span(path)
    return span && [span.line, span.column, span.endColumn, span.text]
  }
  assert.deepEqual(where(['a', 'b c']), [3, 5, 10, '    "b c": [1, "two" ]'])
  assert.deepEqual(where(['a', 'b c', 1]), [3, 16, 21, '    "b c": [1, "two" ]'])
  assert.equal(where(['none']), undefined)
})

test('TOML that cannot be read says where and why', (t) => {
  const cause = 'Unexpected character, expecting string, number, datetime, boolean, inline array or inline table'
  assert.deepEqual(said(t, 'a.toml', 'b = = 2\n'), [`1:5-6 manifest-syntax: ${cause}`])
  assert.deepEqual(said(t, 'a.toml', '\ufeffa = 1\r\nb = = 2\r\n'), [`2:5-6 manifest-syntax: ${cause}`])
  assert.deepEqual(said(t, 'a.toml', 'a = 1\na = 2\n'), ["2:6-7 manifest-syntax: Can't redefine existing key"])
  const deep = `a = ${'['.repeat(200_000)}`
  assert.deepEqual(said(t, 'a.toml', deep).length, 1)
})

test('TOML knows where keys are written', (t) => {
  const text =
    '# [no]\na.b = 1\n[x."y z"] # c\n"k" = 1\n[[list]]\nn = 1\n[[list]]\nn = 2\n[w]\nrust-version.workspace = true\n'
  const manifest = read(t, 'a.toml', text)
  const where = (...path: (string | number)[]) => {
    const span = manifest.span(path)
    return span && [span.line, span.column, span.endColumn]
  }
  assert.deepEqual(where('a', 'b'), [2, 1, 4])
  assert.deepEqual(where('x', 'y z'), [3, 1, 14])
  assert.deepEqual(where('x', 'y z', 'k'), [4, 1, 4])
  assert.deepEqual(where('list', 1, 'n'), [8, 1, 2])
  assert.deepEqual(where('w', 'rust-version'), [10, 1, 23])
  assert.equal(where('no'), undefined)
})

test('property: JSON is read as JSON.parse reads it, and nothing else throws', () => {
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const parsed = parseJson('a.json', text)
      assert.equal(parsed.ok, true)
      if (parsed.ok) assert.equal(JSON.stringify(parsed.value), JSON.stringify(plain(JSON.parse(text))))
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\n1e-tu \n\0é') }), (text) => {
      const parsed = parseJson('a.json', text)
      let isJson = true
      try {
        JSON.parse(text)
      } catch {
        isJson = false
      }
      assert.equal(parsed.ok, isJson)
    }),
  )
})

test('property: no TOML makes the reader throw, and every key it has can be asked for', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'[]="\'.#ab \n\r\\{},0-') }), (text) => {
      const parsed = parseToml('a.toml', text)
      if (parsed.ok) parsed.span(['a'])
      else assert.ok(parsed.where.line >= 1 && parsed.where.column >= 1)
    }),
  )
})
