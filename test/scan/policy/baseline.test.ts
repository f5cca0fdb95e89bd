import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { withFingerprints } from '../../../src/scan/fingerprint.ts'
import { type JudgedLayer, pruneBaseline, readBaseline, writeBaseline } from '../../../src/scan/policy/baseline.ts'
import { decide } from '../../../src/scan/policy/decide.ts'
import { isMalicious, isNeverBaselined } from '../../../src/scan/policy/names.ts'
import type { Baseline } from '../../../src/scan/policy/types.ts'
import { Failure } from '../../../src/util/diagnostics.ts'
import { anyFinding, anyPolicy, decided, finding, hostile, ignore, policy } from './rig.ts'

const judged = (decisions: JudgedLayer['decisions'], more: Partial<JudgedLayer> = {}): JudgedLayer => ({
  layer: 'deps',
  verdict: 'refused',
  decisions,
  ...more,
})

const high = finding('CVE-2', { fingerprint: 'f2' })
const entry = (fingerprint: string, more: Partial<Baseline['entries'][number]> = {}) => ({
  fingerprint,
  layer: 'deps' as const,
  id: 'CVE-1',
  where: 'package-lock.json lodash',
  since: '2026-01-01',
  ...more,
})

test('a malicious package never enters', () => {
  const text = writeBaseline(undefined, [judged([decided(finding('MAL-2024-1'), true)])], '2026-06-15')
  assert.deepEqual(readBaseline(text).entries, [])
})

test('what could not be read never enters, and leaves where somebody wrote it in', () => {
  const unread = ['DWF-COMPOSE-000', 'DWF-BAKE-000', 'DWF-ACTIONS-000'].flatMap((id) =>
    (['unknown', 'low'] as const).map((severity) =>
      finding(id, { severity, scanner: 'dwf', fingerprint: `${id} ${severity}` }),
    ),
  )
  const findings = [
    ...unread,
    finding('SOME-000', { severity: 'unknown', fingerprint: 'some' }),
    finding('MAL-2024-1', { fingerprint: 'mal' }),
    finding('CVE-9', { severity: 'unknown', fingerprint: 'f9' }),
  ]
  const old = { entries: findings.map(({ fingerprint }) => entry(fingerprint)) }
  for (const before of [undefined, old]) {
    const text = writeBaseline(before, [judged(findings.map((one) => decided(one)))], '2026-06-15')
    assert.deepEqual(
      readBaseline(text).entries.map(({ fingerprint }) => fingerprint),
      ['f9'],
    )
  }
})

test('what is accepted in one image is accepted in no other, and with any tag', () => {
  const inImage = (image: string) =>
    withFingerprints([
      { ...finding('CVE-1', { layer: 'image', where: { file: 'a', package: 'lodash', image } }) },
      // The second of its kind.
      { ...finding('CVE-1', { layer: 'image', where: { file: 'a', package: 'lodash', image } }) },
    ])
  const after = (written: string, asked: string) => {
    const results = [
      judged(
        inImage(written).map((one) => decided(one)),
        { layer: 'image' },
      ),
    ]
    const baseline = readBaseline(writeBaseline(undefined, results, '2026-06-15'))
    assert.equal(baseline.entries.length, 2)
    return decide(inImage(asked), policy({ layer: 'image', baseline })).decisions.map(({ refuses }) => refuses)
  }
  for (const [written, asked] of [
    ['image of tasks', 'image of tasks'],
    ['ghcr.io/shop/web:1.2', `ghcr.io/shop/web:1.3@sha256:${'a'.repeat(64)}`],
    ['localhost/dwf/shop:ci', 'dwf/shop'],
    ['/tmp/shop.tar', './dist/shop.tar'],
  ] as const)
    assert.deepEqual(after(written, asked), [false, false], `${written} ${asked}`)
  for (const [written, asked] of [
    ['image of tasks', 'registry.example/shop:1'],
    ['image of tasks', '/tmp/image of tasks'],
    ['ghcr.io/shop/web:1.2', 'ghcr.io/shop/api:1.2'],
    ['/tmp/shop.tar', '/tmp/cart.tar'],
    ['./shop', 'shop'],
  ] as const)
    assert.deepEqual(after(written, asked), [true, true], `${written} ${asked}`)
})

test('everything that refuses enters, sorted, one member a line', () => {
  const secret = finding('aws-access-key-id', {
    layer: 'secrets',
    where: { file: 'a\nb.txt', line: 3 },
    fingerprint: 'f1',
  })
  const passes = decided(finding('CVE-3', { severity: 'low', fingerprint: 'f3' }), false)
  const text = writeBaseline(
    undefined,
    [judged([decided(secret)], { layer: 'secrets' }), judged([passes, decided(high)])],
    '2026-06-15',
  )
  assert.equal(
    text,
    `{
  "schema": "dwf.baseline/1",
  "since": "2026-06-15",
  "entries": [
    {
      "fingerprint": "f2",
      "layer": "deps",
      "id": "CVE-2",
      "where": "package-lock.json lodash",
      "since": "2026-06-15"
    },
    {
      "fingerprint": "f1",
      "layer": "secrets",
      "id": "aws-access-key-id",
      "where": "a\\\\u000ab.txt",
      "since": "2026-06-15"
    }
  ]
}
`,
  )
})

test('what stays keeps its day, what is gone leaves, what was not judged stays', () => {
  const old: Baseline = {
    since: '2026-01-01',
    entries: [
      entry('f2', { id: 'CVE-2' }),
      entry('gone'),
      entry('image', { layer: 'image' }),
      entry('ignored', { id: 'CVE-4' }),
    ],
  }
  const rule = { kind: 'baseline', source: 'devflow.baseline.json', since: '2026-01-01' } as const
  const now = [
    judged([
      decided(high, false, { rule }),
      decided(finding('CVE-3', { fingerprint: 'f3' })),
      decided(finding('CVE-4', { fingerprint: 'ignored' }), false, { rule: { kind: 'ignore', source: 'x' } }),
    ]),
  ]
  const summary = (text: string) => readBaseline(text).entries.map(({ fingerprint, since }) => [fingerprint, since])
  assert.deepEqual(summary(writeBaseline(old, now, '2026-06-15')), [
    ['f2', '2026-01-01'],
    ['f3', '2026-06-15'],
    ['ignored', '2026-01-01'],
    ['image', '2026-01-01'],
  ])
  assert.equal(readBaseline(writeBaseline(old, now, '2026-06-15')).since, '2026-01-01')
  assert.deepEqual(summary(pruneBaseline(old, now)), [
    ['f2', '2026-01-01'],
    ['ignored', '2026-01-01'],
    ['image', '2026-01-01'],
  ])
  assert.equal(summary(pruneBaseline(old, [judged([], { verdict: 'broken' })])).length, 4)
  assert.deepEqual(summary(pruneBaseline(old, [judged([])])), [['image', '2026-01-01']])
  assert.equal(summary(pruneBaseline(old, [])).length, 4)
})

test("the policy's own findings never enter, other findings of dwf do", () => {
  const { decisions } = decide(
    [],
    policy({ limit: 'low', ignores: [ignore('CVE-1'), ignore('CVE-2', { expires: '2026-01-01' })] }),
  )
  assert.deepEqual(
    decisions.map(({ refuses }) => refuses),
    [true, true],
  )
  const own = finding('workflow-unpinned', { scanner: 'dwf', fingerprint: 'own' })
  const text = writeBaseline(undefined, [judged([...decisions, decided(own)])], '2026-06-15')
  assert.deepEqual(
    readBaseline(text).entries.map(({ id }) => id),
    ['workflow-unpinned'],
  )
})

test('a baseline that was written accepts what refused, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(anyFinding, { maxLength: 12 }), anyPolicy, (given, any) => {
      const { baseline: _, ...without } = any
      const layers = ['deps', 'image', 'config', 'code'] as const
      const results = layers.map((layer) =>
        judged(
          decide(
            given.filter((one) => one.layer === layer),
            { ...without, layer },
          ).decisions,
          { layer },
        ),
      )
      const baseline = readBaseline(writeBaseline(undefined, results, '2026-06-15'))
      const entries = new Set(baseline.entries.map(({ layer, fingerprint }) => `${layer} ${fingerprint}`))
      const refused = results.flatMap(({ decisions }) =>
        decisions.filter(({ refuses, finding }) => refuses && finding.scanner !== 'dwf' && !isNeverBaselined(finding)),
      )
      assert.deepEqual(
        entries,
        new Set(refused.map(({ finding: { layer, fingerprint } }) => `${layer} ${fingerprint}`)),
      )
      for (const { layer } of results) {
        const after = decide(
          given.filter((one) => one.layer === layer),
          { ...without, layer, baseline },
        )
        assert.ok(
          after.decisions.every(
            ({ refuses, finding }) => !refuses || finding.scanner === 'dwf' || isNeverBaselined(finding),
          ),
        )
      }
    }),
  )
})

test('what is written is read again, whatever the texts', () => {
  const name = hostile.filter((text) => text.trim() !== '')
  const entries = fc.uniqueArray(
    fc.record({
      fingerprint: name,
      layer: fc.constantFrom('deps', 'image', 'code'),
      id: name,
      where: name,
      since: fc.constantFrom('2026-01-01', '2024-02-29'),
    }),
    { selector: ({ layer, fingerprint }) => `${layer} ${fingerprint}` },
  )
  fc.assert(
    fc.property(entries, fc.option(fc.constant('2026-01-01'), { nil: undefined }), (given, since) => {
      const old = { entries: given, ...(since === undefined ? {} : { since }) }
      const text = pruneBaseline(old, [])
      const read = readBaseline(text)
      assert.deepEqual(new Set(read.entries), new Set(given.map((one) => ({ ...one }))))
      assert.equal(read.since, since)
      assert.equal(pruneBaseline({ ...old, entries: [...given].reverse() }, []), text)
    }),
  )
  fc.assert(
    fc.property(
      hostile.filter((text) => !isMalicious({ id: text })),
      hostile,
      (id, file) => {
        const one = finding(id, { where: { file }, fingerprint: 'f' })
        const text = writeBaseline(undefined, [judged([decided(one)])], '2026-06-15')
        assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u2028\u202e]/)
        assert.equal(readBaseline(text).entries.length, 1)
      },
    ),
  )
})

test('what is not understood is refused where it stands', () => {
  const whole = (more: string, schema = 'dwf.baseline/1') => `{"schema": "${schema}",\n"entries": [\n${more}]}`
  const good = JSON.stringify(entry('f1'))
  const cases: readonly (readonly [string, string])[] = [
    ['{', '1:2 devflow.baseline.json is not JSON: expected text in double quotes, but the file ends'],
    ['[]', '1:1 devflow.baseline.json: expected an object, found an array'],
    ['{"entries": []}', '1:1 devflow.baseline.json: schema: expected a text, found nothing'],
    [whole('', 'dwf.baseline/2'), '1:2 devflow.baseline.json: schema: expected dwf.baseline/1, found "dwf.baseline/2"'],
    ['{"schema": "dwf.baseline/1"}', 'entries: expected an array, found nothing'],
    [
      '{"schema": "dwf.baseline/1", "entrys": []}',
      'entrys: a key that is not known here; known: schema, since and entries',
    ],
    [whole(`${good},\n${good}`), '4:2 devflow.baseline.json: entries[1].fingerprint: it is in the file twice'],
    [
      whole(good.replace('deps', 'dep')),
      'entries[0].layer: expected deps, image, config, secrets, licenses or code, found "dep"',
    ],
    [
      whole(good.replace('2026-01-01', '2026-02-30')),
      'entries[0].since: expected a day such as 2027-03-31, found "2026-02-30"',
    ],
    [whole(good.replace('"id"', '"name"')), 'entries[0].name: a key that is not known here'],
    [whole(good.replace('"f1"', '""')), 'entries[0].fingerprint: expected a text, found an empty one'],
    [whole('{"__proto__": 1}'), 'entries[0].__proto__: a key that is not known here'],
    [whole('7'), '3:1 devflow.baseline.json: entries[0]: expected an object, found a number'],
    [whole(good).replace('{', '{"since": "soon",'), 'since: expected a day such as 2027-03-31, found "soon"'],
  ]
  for (const [text, expected] of cases) {
    assert.throws(
      () => readBaseline(text),
      (error) => {
        assert.ok(error instanceof Failure)
        assert.equal(error.kind, 'wrong-input')
        const { where, message } = error.diagnostics[0]!
        const found = `${where?.line}:${where?.column} ${message}`
        assert.ok(found.includes(expected), found)
        assert.equal(where?.file, 'devflow.baseline.json')
        return true
      },
    )
  }
})
