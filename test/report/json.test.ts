import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readDocument, toJson } from '../../src/report/index.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { document, layer, shop } from './documents.ts'
import { decisionsOf, hostileDocument } from './hostile.ts'

test('the schema comes first, members are sorted, findings are merged', () => {
  assert.equal(
    toJson(document([])),
    `{
  "schema": "dwf.scan/1",
  "at": 1795332660000,
  "commit": "9c1f0e7ab4d25583c6a0f3b1e8d7c4a5b6f70812",
  "dwf": "0.1.0",
  "findings": [],
  "layers": [],
  "ok": true,
  "project": "shop",
  "run": "20261122-073100-4f2a"
}
`,
  )
  const { findings } = JSON.parse(toJson(shop))
  assert.deepEqual(
    findings.map(({ id, places }: { id: string; places: unknown[] }) => [id, places.length]).slice(0, 3),
    [
      ['CVE-2026-10234', 2],
      ['aws-access-key-id', 1],
      ['CVE-2021-23337', 2],
    ],
  )
  const { layers, ...rest } = shop
  assert.equal(toJson({ layers, ...rest }), toJson(shop))
})

test('property: what was written is read back, and every finding is in it', () => {
  fc.assert(
    fc.property(hostileDocument, (scan) => {
      const text = toJson(scan)
      assert.deepEqual(readDocument(text, 'x.json'), JSON.parse(JSON.stringify(scan)))
      const prints = JSON.parse(text).findings.flatMap(({ places }: { places: { fingerprint: string }[] }) =>
        places.map(({ fingerprint }) => fingerprint),
      )
      for (const { finding } of decisionsOf(scan)) assert.ok(prints.includes(finding.fingerprint))
    }),
    { numRuns: 200 },
  )
})

test('what is no document is refused, with the place of what is wrong', () => {
  const whole = JSON.parse(toJson(shop))
  const changed = (path: readonly (string | number)[], value: unknown) => {
    const copy = structuredClone(whole)
    let at = copy
    for (const key of path.slice(0, -1)) at = at[key]
    if (value === undefined) delete at[path.at(-1)!]
    else at[path.at(-1)!] = value
    return JSON.stringify(copy)
  }
  const cases: readonly (readonly [string, string])[] = [
    ['', 'it is not JSON'],
    ['{', 'it is not JSON'],
    ['null', 'it is null, expected an object'],
    ['[]', 'it is [], expected an object'],
    ['{}', 'schema is missing, expected text'],
    [changed(['schema'], 'dwf.scan/2'), 'its schema is "dwf.scan/2", and this dwf reads "dwf.scan/1"'],
    [changed(['at'], 'now'), 'at is "now", expected milliseconds since the epoch'],
    [changed(['at'], 9e15), 'at is 9000000000000000, expected milliseconds since the epoch'],
    [changed(['layers'], {}), 'layers is {}, expected a list'],
    [changed(['layers', 0, 'verdict'], 'x'), 'layers[0].verdict is "x", expected one of passed, refused, broken'],
    [
      changed(['layers', 0, 'decisions', 0, 'finding'], undefined),
      'layers[0].decisions[0].finding is missing, expected an object',
    ],
    [
      changed(['layers', 0, 'decisions', 0, 'finding', 'where', 'line'], 0),
      'where.line is 0, expected a whole number from 1',
    ],
    [changed(['layers', 0, 'decisions', 0, 'finding', 'severity'], 'HIGH'), 'severity is "HIGH", expected one of'],
    [
      changed(['layers', 0, 'decisions', 0, 'rule', 'kind'], 'constructor'),
      'rule.kind is "constructor", expected one of',
    ],
    [changed(['layers', 0, 'components', 0, 'licenses'], 'MIT'), 'components[0].licenses is "MIT", expected a list'],
  ]
  for (const [text, says] of cases)
    assert.throws(
      () => readDocument(text, 'a\u001b.json'),
      (error) =>
        error instanceof Failure &&
        error.kind === 'wrong-input' &&
        error.message.startsWith("a\\u001b.json is not a document of dwf's gates: ") &&
        error.message.includes(says),
      says,
    )
})

test('what dwf does not know is left out, and no member comes from a prototype', () => {
  const text = JSON.stringify({ ...document([layer({ layer: 'deps' })]), more: 1 }).replace(
    '"more":1',
    '"__proto__":{"ok":true}',
  )
  assert.deepEqual(readDocument(text, 'x'), document([layer({ layer: 'deps' })]))
  assert.throws(() => readDocument(text.replace('"ok":true,"layers"', '"layers"'), 'x'), /ok is missing/)
})
