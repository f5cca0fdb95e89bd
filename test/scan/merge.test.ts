import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { mergeFindings } from '../../src/scan/merge.ts'
import type { Decision, Finding } from '../../src/scan/types.ts'
import { canonicalJson } from '../../src/util/canonical.ts'
import { anyFinding, decided, finding, hostile, shuffled } from './policy/rig.ts'

const inImage = { file: 'usr/lib/a/package.json', image: 'shop:ci', package: 'lodash', purl: 'pkg:npm/lodash@4.17.20' }

const groups = (findings: readonly Finding[]) =>
  mergeFindings(findings.map((one) => decided(one)))
    .map(({ places }) => places.map(({ fingerprint }) => fingerprint).sort())
    .sort()

test('a vulnerability of a package is one, in a lock file, in an image, by two scanners', () => {
  const lock = finding('GHSA-35jh-r3h4-6jhm', {
    aliases: ['CVE-2021-23337'],
    severity: 'medium',
    title: 'in the lock file',
    fixedIn: '4.17.21',
    references: ['https://a.example', 'https://b.example'],
    fingerprint: 'f2',
  })
  const image = finding('CVE-2021-23337', {
    layer: 'image',
    where: inImage,
    scanner: 'other',
    title: 'in the image',
    fixedIn: '4.17.21, 5.0.0',
    references: ['https://b.example', 'https://c.example'],
    fingerprint: 'f1',
  })
  const rule = { kind: 'ignore', source: 'devflow.toml:12' } as const
  const merged = mergeFindings([
    decided(lock, false, { rule, says: 'ignored' }),
    decided(image, true, { says: 'high, a test' }),
  ])
  assert.deepEqual(merged, [
    {
      id: 'CVE-2021-23337',
      aliases: ['GHSA-35jh-r3h4-6jhm'],
      severity: 'high',
      title: 'in the image',
      package: 'lodash',
      fixedIn: '4.17.21, 5.0.0',
      references: ['https://b.example', 'https://c.example', 'https://a.example'],
      refuses: true,
      fingerprint: 'f1',
      places: [
        {
          layer: 'image',
          scanners: ['other'],
          where: inImage,
          refuses: true,
          rule: { kind: 'limit' },
          says: 'high, a test',
          fingerprint: 'f1',
        },
        {
          layer: 'deps',
          scanners: ['trivy'],
          where: lock.where,
          refuses: false,
          rule,
          says: 'ignored',
          fingerprint: 'f2',
        },
      ],
    },
  ])
})

test('the same place by two scanners is one place with both; with two fingerprints it is two', () => {
  const one = finding('rule', { layer: 'code', where: { file: 'a.py', line: 3 }, scanner: 'semgrep', fingerprint: 'f' })
  const places = (...findings: readonly Finding[]) =>
    mergeFindings(findings.map((found) => decided(found))).map((merged) =>
      merged.places.map(({ scanners, fingerprint }) => [scanners.join(), fingerprint]),
    )
  assert.deepEqual(places(one, { ...one, scanner: 'bandit' }), [[['bandit,semgrep', 'f']]])
  assert.deepEqual(places(one, { ...one, scanner: 'bandit', fingerprint: 'g' }), [
    [
      ['semgrep', 'f'],
      ['bandit', 'g'],
    ],
  ])
})

test('of two judgements of one place the one that refuses counts', () => {
  const one = finding('rule', { layer: 'code', where: { file: 'a.py' }, fingerprint: 'f' })
  const low = { ...one, scanner: 'bandit', severity: 'low' } as const
  const [merged, ...more] = mergeFindings([
    decided(low, false, { says: 'below' }),
    decided(one, true, { says: 'above' }),
  ])
  assert.deepEqual(more, [])
  assert.deepEqual(
    merged?.places.map(({ refuses, says }) => [refuses, says]),
    [[true, 'above']],
  )
})

test('another package, ecosystem or vulnerability is another finding', () => {
  const where = finding('x').where
  const all = [
    finding('CVE-2021-1', { fingerprint: '1' }),
    finding('CVE-2021-2', { fingerprint: '2' }),
    finding('CVE-2021-1', { fingerprint: '3', where: { ...where, package: 'lodash.template' } }),
    finding('CVE-2021-1', { fingerprint: '4', where: { ...where, purl: 'pkg:deb/debian/lodash@4' } }),
  ]
  assert.deepEqual(groups(all), [['1'], ['2'], ['3'], ['4']])
})

test('names join in any case and through a third; an advisory about many joins nothing', () => {
  const named = (id: string, aliases: readonly string[], fingerprint: string) => finding(id, { aliases, fingerprint })
  assert.deepEqual(groups([named('cve-2021-1', [], '1'), named('CVE-2021-1', [], '2')]), [['1', '2']])
  assert.deepEqual(
    groups([
      named('CVE-2021-1', ['PYSEC-2021-1'], '1'),
      named('GHSA-aaaa-bbbb-cccc', ['PYSEC-2021-1'], '2'),
      named('PYSEC-2021-1', [], '3'),
    ]),
    [['1', '2', '3']],
  )
  assert.deepEqual(
    groups([named('CVE-2021-1', ['GHSA-aaaa-bbbb-cccc'], '1'), named('GO-2021-1', ['ghsa-AAAA-bbbb-cccc'], '2')]),
    [['1', '2']],
  )
  assert.deepEqual(groups([named('CVE-2021-1', ['DSA-1-1'], '1'), named('CVE-2021-2', ['DSA-1-1'], '2')]), [
    ['1'],
    ['2'],
  ])
})

test('a CVE is what the merged finding is called', () => {
  const where = finding('x').where
  const [merged] = mergeFindings([
    decided(finding('ALAS-2021-1', { aliases: ['CVE-2021-1'], where, fingerprint: '1' })),
    decided(finding('CVE-2021-1', { where, fingerprint: '2' })),
  ])
  assert.deepEqual([merged?.id, merged?.aliases], ['CVE-2021-1', ['ALAS-2021-1']])
})

test('what is no vulnerability stays in its file, line and layer', () => {
  const at = (file: string, line: number, more: Partial<Finding> = {}) =>
    finding('rule', { layer: 'code', where: { file, line }, fingerprint: `${file}:${line}`, ...more })
  assert.deepEqual(groups([at('a', 1), at('a', 1, { scanner: 'x', fingerprint: 'y' }), at('a', 2), at('b', 1)]), [
    ['a:1', 'y'],
    ['a:2'],
    ['b:1'],
  ])
  assert.deepEqual(groups([at('a', 1), at('a', 1, { layer: 'config', fingerprint: 'y' })]), [['a:1'], ['y']])
  const license = (name: string) =>
    finding('GPL-3.0', { layer: 'licenses', where: { file: 'a', package: name }, fingerprint: name })
  assert.deepEqual(groups([license('x'), license('y')]), [['x'], ['y']])
})

test('refusing first, then the worst, then by name and place', () => {
  const at = (id: string, severity: Finding['severity'], refuses: boolean, file = 'a') =>
    decided(finding(id, { severity, layer: 'code', where: { file }, fingerprint: id + file }), refuses)
  const merged = mergeFindings([
    at('e', 'critical', false),
    at('d', 'low', true),
    at('c', 'unknown', true),
    at('b', 'high', true, 'b'),
    at('b', 'high', true, 'a'),
    at('a', 'high', true),
    at('z', 'critical', true),
  ])
  assert.deepEqual(
    merged.map(({ id, places }) => id + places[0]?.where.file),
    ['za', 'ca', 'aa', 'ba', 'bb', 'da', 'ea'],
  )
})

const anyDecisions = fc.array(
  fc.tuple(anyFinding, fc.boolean()).map(([one, refuses]): Decision => decided(one, refuses)),
  { maxLength: 14 },
)

test('no order of decisions changes anything', () => {
  fc.assert(
    fc.property(shuffled(anyDecisions), ([given, other]) => {
      assert.deepEqual(mergeFindings(other), mergeFindings(given))
    }),
  )
})

test('nothing is lost and nothing is added', () => {
  fc.assert(
    fc.property(anyDecisions, (given) => {
      const merged = mergeFindings(given)
      const ways = given.map(({ finding: { layer, where, fingerprint, scanner } }) =>
        canonicalJson([layer, where, fingerprint, scanner]),
      )
      const out = merged.flatMap(({ places }) =>
        places.flatMap(({ layer, where, fingerprint, scanners }) =>
          scanners.map((scanner) => canonicalJson([layer, where, fingerprint, scanner])),
        ),
      )
      assert.deepEqual([...out].sort(), [...new Set(ways)].sort())
      assert.equal(
        merged.some(({ refuses }) => refuses),
        given.some(({ refuses }) => refuses),
      )
      for (const { refuses, places } of merged)
        assert.equal(
          refuses,
          places.some((place) => place.refuses),
        )
      const names = new Set(
        given.flatMap(({ finding: { id, aliases = [] } }) => [id, ...aliases]).map((name) => name.toUpperCase()),
      )
      const left = new Set(merged.flatMap(({ id, aliases }) => [id, ...aliases]).map((name) => name.toUpperCase()))
      assert.deepEqual(left, names)
    }),
  )
})

test('names of any kind are only names', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(hostile, hostile, hostile)), (texts) => {
      const given = texts.map(([id, alias, name], index) =>
        decided(finding(id, { aliases: [alias], where: { file: name, package: name }, fingerprint: String(index) })),
      )
      const fingerprints = mergeFindings(given).flatMap(({ places }) => places.map((place) => place.fingerprint))
      assert.deepEqual(fingerprints.sort(), given.map((decision) => decision.finding.fingerprint).sort())
    }),
  )
})
