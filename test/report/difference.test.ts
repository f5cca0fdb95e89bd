import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { difference, renderDifference } from '../../src/report/index.ts'
import { withFingerprints } from '../../src/scan/fingerprint.ts'
import type { Component, LayerResult, ScanDocument } from '../../src/scan/types.ts'
import { decision, document, finding, layer, noon } from './documents.ts'
import { decisionsOf, hostileDocument } from './hostile.ts'

const cve = (id: string, more: Partial<Parameters<typeof finding>[0]> = {}) =>
  decision(finding({ id, where: { file: 'a.lock', package: 'x', version: '1' }, ...more }))
const component = (name: string, version: string, more: Partial<Component> = {}): Component => ({
  ...{ name, version, licenses: ['MIT'], file: 'a.lock', purl: `pkg:npm/${name}@${version}` },
  ...more,
})
const first = (...layers: readonly LayerResult[]) => document(layers, { run: 'one', at: noon - 86_400_000 })
const second = (...layers: readonly LayerResult[]) => document(layers, { run: 'two' })
const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id)

test('new, fixed and changed, in words', () => {
  const a = first(
    layer({
      layer: 'deps',
      decisions: [
        cve('CVE-1'),
        cve('CVE-2', { severity: 'medium' }),
        cve('CVE-3'),
        cve('CVE-4', { where: { file: 'a.lock', package: 'y', version: '1' } }),
      ],
      components: [component('x', '1'), component('gone', '1'), component('z', '1')],
    }),
  )
  const b = second(
    layer({
      layer: 'deps',
      decisions: [
        cve('CVE-2', { severity: 'high' }),
        decision(cve('CVE-3').finding, { kind: 'ignore', source: 'devflow.toml:3' }, 'ignored by devflow.toml:3'),
        // The line and the version are not the finding.
        cve('CVE-4', { where: { file: 'a.lock', line: 9, package: 'y', version: '2' } }),
        cve('CVE-5', { fixedIn: '3' }),
      ],
      components: [component('x', '2'), component('come', '1'), component('z', '1', { licenses: ['GPL-3.0'] })],
    }),
  )
  assert.deepEqual(renderDifference(difference(a, b)), [
    'run one (2026-11-21 07:31 UTC, commit 9c1f0e7ab4d2) → run two (2026-11-22 07:31 UTC, commit 9c1f0e7ab4d2)',
    'findings: 1 new, 1 fixed, 3 changed, 0 as before',
    '  + high CVE-5 x, fixed in 3: what CVE-5 is (a.lock), refuses',
    '  - high CVE-1 x: what CVE-1 is (a.lock)',
    '  ~ high CVE-2 x: what CVE-2 is (a.lock): severity medium → high; decision passes (medium, below the limit high) → refuses (high, at or above the limit high)',
    '  ~ high CVE-3 x: what CVE-3 is (a.lock): decision refuses (high, at or above the limit high) → passes (ignored by devflow.toml:3)',
    '  ~ high CVE-4 y: what CVE-4 is (a.lock:9): version 1 → 2',
    'components: 1 added, 1 removed, 2 changed',
    '  + come 1 (a.lock), MIT',
    '  - gone 1 (a.lock)',
    '  ~ x 1 → 2 (a.lock)',
    '  ~ z 1: licences MIT → GPL-3.0 (a.lock)',
  ])
})

test('a layer that was not scanned, or could not look, has fixed nothing', () => {
  const deps = layer({ layer: 'deps', decisions: [cve('CVE-1')], components: [component('x', '1')] })
  for (const [b, says] of [
    [second(), 'the second run did not scan it'],
    [second(layer({ layer: 'deps', verdict: 'broken' })), 'the second run could not look'],
    [second(layer({ layer: 'deps', verdict: 'broken', subjects: [] })), 'the second run could not look'],
  ] as const) {
    const result = difference(first(deps), b)
    assert.deepEqual([result.findings.new, result.findings.fixed, result.components.removed], [[], [], []])
    assert.deepEqual(renderDifference(result).slice(1, 3), [
      `not compared: scan:deps of repository, ${says}; 1 finding of the other is not counted as fixed`,
      'findings: 0 new, 0 fixed, 0 changed, 0 as before',
    ])
  }
})

test('what the first run could not see is not new', () => {
  const deps = layer({ layer: 'deps', decisions: [cve('CVE-1')], components: [component('x', '1')] })
  const result = difference(first(layer({ layer: 'deps', verdict: 'broken' })), second(deps))
  assert.deepEqual([result.findings.new, result.findings.fixed, result.components.added], [[], [], []])
  assert.deepEqual(
    result.notCompared.map(({ missing, why, findings }) => [missing, why, findings]),
    [['first', 'broken', 1]],
  )
})

test('two images that are compared with each other are one subject: what each was called makes no difference', () => {
  const scan = (name: string) => {
    const where = { file: 'a', package: 'x', image: name }
    const [marked] = withFingerprints([finding({ id: 'CVE-1', layer: 'image', where })])
    // As dwf scan diff has it.
    const decisions = [decision({ ...marked!, where: { ...where, image: 'image' } })]
    return layer({ layer: 'image', subjects: ['image'], decisions })
  }
  const { findings } = difference(first(scan('shop:1')), second(scan('registry.example/cart:1')))
  assert.deepEqual([findings.same, findings.new, findings.fixed], [1, [], []])
})

test('an image that was not scanned again, or by another scanner, has fixed nothing; another tag is the same image', () => {
  const found = (image: string) =>
    decision(finding({ id: 'CVE-1', layer: 'image', where: { file: 'a', image, package: 'x' }, fingerprint: 'same' }))
  const scan = (...images: readonly string[]) =>
    layer({ layer: 'image', subjects: images, decisions: images.map(found) })
  const a = first(scan('localhost/shop:1', 'localhost/cart:1'))
  const result = difference(a, second({ ...scan('localhost/shop:2'), decisions: [] }))
  assert.deepEqual(
    result.findings.fixed.flatMap(({ places }) => places.map(({ where }) => where.image)),
    ['localhost/shop:1'],
  )
  assert.deepEqual(
    result.notCompared.map(({ subject, missing, findings }) => [subject, missing, findings]),
    [['localhost/cart:1', 'second', 1]],
  )
  assert.equal(difference(a, second(scan('localhost/shop:2', 'localhost/cart:2'))).findings.same, 2)

  const code = (name: string) =>
    layer({
      layer: 'code',
      scanners: [{ name, version: '1' }],
      decisions: [
        decision(finding({ id: `r-${name}`, layer: 'code', scanner: name, where: { file: 'a.js', line: 1 } })),
      ],
    })
  const other = difference(first(code('semgrep')), second(code('opengrep')))
  assert.deepEqual([other.findings.new, other.findings.fixed], [[], []])
})

test('a vulnerability that changed in two places in the same way is one line', () => {
  const places = ['a.lock', 'b.lock']
  const scan = (severity: 'low' | 'medium') =>
    layer({
      layer: 'deps',
      decisions: places.map((file) => cve('CVE-1', { severity, where: { file, package: 'x', purl: 'pkg:npm/x@1' } })),
    })
  const { findings } = difference(first(scan('low')), second(scan('medium')))
  assert.deepEqual(
    findings.changed.map(({ finding: one, changes }) => [one.places.length, changes]),
    [[2, [{ what: 'severity', from: 'low', to: 'medium' }]]],
  )
})

test('several versions of a component: those that come and go', () => {
  const scan = (...versions: readonly string[]) =>
    layer({ layer: 'deps', components: versions.map((version) => component('x', version)) })
  const { components } = difference(first(scan('1', '2')), second(scan('2', '3', '4')))
  assert.deepEqual(
    [components.removed, components.added].map((list) => list.map(({ version }) => version)),
    [['1'], ['3', '4']],
  )
  // Licences are compared with what the same layer said of them.
  const deps = layer({ layer: 'deps', components: [component('x', '1', { licenses: [] })] })
  const licenses = layer({ layer: 'licenses', components: [component('x', '1')] })
  assert.deepEqual(difference(first(deps), second(deps, licenses)).components.changed, [])
})

test('property: a document has no difference to itself', () => {
  fc.assert(
    fc.property(hostileDocument, (scan) => {
      const { findings, components } = difference(scan, scan)
      assert.deepEqual([findings.new, findings.fixed, findings.changed], [[], [], []])
      assert.deepEqual([components.added, components.removed], [[], []])
      assert.equal(findings.same, decisionsOf(scan).length)
    }),
    { numRuns: 200 },
  )
})

test('property: fixed and new change sides with the documents, and nothing is fixed in what was not judged', () => {
  fc.assert(
    fc.property(hostileDocument, hostileDocument, (a, b) => {
      const [there, back] = [difference(a, b), difference(b, a)]
      assert.deepEqual(ids(there.findings.new), ids(back.findings.fixed))
      assert.deepEqual(ids(there.findings.fixed), ids(back.findings.new))
      const judged = (scan: ScanDocument) =>
        new Set(scan.layers.filter(({ verdict }) => verdict !== 'broken').map((one) => one.layer))
      for (const { places } of there.findings.fixed)
        for (const place of places) assert.ok(judged(b).has(place.layer), place.layer)
      for (const line of renderDifference(there)) assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e\u2028]/)
    }),
    { numRuns: 200 },
  )
})
