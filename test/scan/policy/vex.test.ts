import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { matches, readVex } from '../../../src/scan/policy/vex.ts'
import { Failure } from '../../../src/util/diagnostics.ts'
import { finding, hostile, vex } from './rig.ts'

const file = 'vex/shop.json'
const lodash = 'pkg:npm/lodash@4.17.20'

const open = (statements: unknown, more: object = {}) =>
  readVex(
    file,
    JSON.stringify({
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': 'https://example.org/vex/1',
      author: 'shop',
      timestamp: '2026-01-01T00:00:00Z',
      version: 1,
      statements,
      ...more,
    }),
  )

const cyclone = (vulnerabilities: unknown, more: object = {}) =>
  readVex(file, JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.5', vulnerabilities, ...more }))

function refused(text: string): string {
  try {
    readVex(file, text)
  } catch (error) {
    assert.ok(error instanceof Failure, String(error))
    assert.equal(error.kind, 'wrong-input')
    const [{ message, where } = { message: '', where: undefined }] = error.diagnostics
    return `${where ? `${where.line}:${where.column} ` : ''}${message}`
  }
  return 'read'
}

test('OpenVEX: a statement for each product, or for its subcomponents', () => {
  const statements = open([
    {
      vulnerability: { name: 'CVE-2021-23337', aliases: ['GHSA-35jh-r3h4-6jhm'] },
      timestamp: '2026-02-01T00:00:00Z',
      products: [
        { '@id': lodash },
        { '@id': 'https://example.org/shop', identifiers: { purl: 'pkg:npm/a' } },
        { '@id': 'pkg:oci/shop', subcomponents: [{ '@id': 'pkg:npm/b' }, { identifiers: { purl: 'pkg:npm/c' } }] },
        { '@id': 'pkg:github/example/shop', subcomponents: [{ '@id': 'pkg:npm/d' }] },
      ],
      status: 'not_affected',
      justification: 'vulnerable_code_not_present',
      impact_statement: 'template is\nnot called',
    },
    { vulnerability: 'CVE-2021-1', products: [lodash], status: 'under_investigation' },
  ])
  const first = {
    id: 'CVE-2021-23337',
    aliases: ['GHSA-35jh-r3h4-6jhm'],
    status: 'not_affected',
    reason: 'vulnerable_code_not_present: template is not called',
    by: 'shop',
    at: Date.parse('2026-02-01T00:00:00Z'),
    file,
    source: 'vex/shop.json, statement 1',
  }
  assert.deepEqual(statements, [
    { ...first, purl: lodash },
    { ...first, purl: 'pkg:npm/a' },
    { ...first, purl: 'pkg:npm/b', image: 'pkg:oci/shop' },
    { ...first, purl: 'pkg:npm/c', image: 'pkg:oci/shop' },
    { ...first, purl: 'pkg:npm/d' },
    {
      id: 'CVE-2021-1',
      status: 'under_investigation',
      by: 'shop',
      at: Date.parse('2026-01-01T00:00:00Z'),
      file,
      source: 'vex/shop.json, statement 2',
      purl: lodash,
    },
  ])
})

test('a statement that names no package is read and matches nothing', () => {
  const vulnerability = { name: 'CVE-2021-23337' }
  const statements = open([
    { vulnerability, status: 'not_affected' },
    { vulnerability, status: 'not_affected', products: [] },
    { vulnerability, status: 'not_affected', products: [{ '@id': 'https://example.org/shop' }, {}] },
  ])
  assert.equal(statements.length, 4)
  for (const statement of statements) assert.ok(!matches(statement, finding('CVE-2021-23337')))
  const [bare] = cyclone([{ id: 'CVE-2021-23337', analysis: { state: 'not_affected' } }])
  assert.ok(bare && !matches(bare, finding('CVE-2021-23337')))
})

test('CycloneDX: states, and products by component, package URL or BOM-Link', () => {
  const serial = '3e671687-395b-41f5-a30f-a58921a69b79'
  const affects = [
    { ref: 'a' },
    { ref: 'inner' },
    { ref: 'root' },
    { ref: lodash },
    { ref: `urn:cdx:${serial}/1#a` },
    { ref: `urn:cdx:11111111-395b-41f5-a30f-a58921a69b79/1#${encodeURIComponent('pkg:npm/%40x/y@1')}` },
    { ref: 'urn:cdx:11111111-395b-41f5-a30f-a58921a69b79/1#a' },
    { ref: 'nowhere' },
  ]
  const statements = cyclone(
    [
      {
        id: 'CVE-2021-23337',
        references: [{ id: 'GHSA-35jh-r3h4-6jhm', source: {} }],
        analysis: { state: 'not_affected', justification: 'code_not_reachable', detail: 'not called' },
        affects,
      },
    ],
    {
      serialNumber: `urn:uuid:${serial}`,
      metadata: {
        timestamp: '2026-01-01T00:00:00Z',
        authors: [{ name: 'ana' }],
        component: { 'bom-ref': 'root', purl: 'pkg:npm/shop@1.0.0' },
      },
      components: [
        { 'bom-ref': 'a', purl: 'pkg:npm/a@1', components: [{ 'bom-ref': 'inner', purl: 'pkg:npm/inner@1' }] },
        { name: 'without' },
      ],
    },
  )
  assert.deepEqual(
    statements.map(({ purl }) => purl),
    [
      'pkg:npm/a@1',
      'pkg:npm/inner@1',
      'pkg:npm/shop@1.0.0',
      lodash,
      'pkg:npm/a@1',
      'pkg:npm/%40x/y@1',
      undefined,
      undefined,
    ],
  )
  assert.deepEqual(statements[0], {
    id: 'CVE-2021-23337',
    aliases: ['GHSA-35jh-r3h4-6jhm'],
    purl: 'pkg:npm/a@1',
    status: 'not_affected',
    reason: 'code_not_reachable: not called',
    by: 'ana',
    at: Date.parse('2026-01-01T00:00:00Z'),
    file,
    source: 'vex/shop.json, vulnerability 1',
  })
  const states = [
    ...['not_affected', 'false_positive', 'resolved', 'resolved_with_pedigree'],
    ...['exploitable', 'affected', 'in_triage'],
  ].map((state) => cyclone([{ id: 'CVE-1', analysis: { state }, affects: [{ ref: lodash }] }])[0]?.status)
  assert.deepEqual(states, [
    ...['not_affected', 'not_affected', 'fixed', 'fixed'],
    ...['affected', 'affected', 'under_investigation'],
  ])
  assert.deepEqual(cyclone([{ id: 'CVE-1' }, { id: 'CVE-2', analysis: {} }]), [])
  const [silent] = cyclone([{ id: 'CVE-1', analysis: { state: 'resolved', detail: '' }, affects: [{ ref: lodash }] }])
  assert.equal(silent?.reason, undefined)
})

test('CycloneDX: of listed versions only those that are called unaffected', () => {
  const purls = (ref: string, versions: readonly object[]) =>
    cyclone([{ id: 'CVE-1', analysis: { state: 'resolved' }, affects: [{ ref, versions }] }]).map(({ purl }) => purl)
  assert.deepEqual(
    purls('pkg:npm/a?x=y', [
      { version: '1.0.0', status: 'affected' },
      { version: '1.0.1', status: 'unaffected' },
      { version: '1.0.2' },
      { range: 'vers:npm/>=2', status: 'unaffected' },
    ]),
    ['pkg:npm/a@1.0.1?x=y', undefined],
  )
  assert.deepEqual(purls('pkg:npm/a@1', [{ version: '1', status: 'unaffected' }]), ['pkg:npm/a@1'])
  assert.deepEqual(purls('pkg:npm/a@1', [{ version: '2', status: 'unaffected' }]), [undefined])
  assert.deepEqual(purls('pkg:npm/a@1', [{ version: '1', status: 'affected' }]), [undefined])
})

test('a statement is about a finding by name and package', () => {
  const found = finding('GHSA-35jh-r3h4-6jhm', { aliases: ['CVE-2021-23337'] })
  for (const statement of [
    vex('CVE-2021-23337'),
    vex('cve-2021-23337'),
    vex('CVE-1', { aliases: ['ghsa-35JH-R3H4-6jhm'] }),
    vex('CVE-2021-23337', { purl: 'pkg:NPM/lodash' }),
  ])
    assert.ok(matches(statement, found), JSON.stringify(statement))
  for (const statement of [
    vex('CVE-2021-2333'),
    vex('CVE-2021-23337', { purl: 'pkg:npm/lodash@4.17.2' }),
    vex('CVE-2021-23337', { purl: 'pkg:pypi/lodash' }),
    vex('CVE-2021-23337', { purl: 'lodash' }),
  ])
    assert.ok(!matches(statement, found), JSON.stringify(statement))
  assert.ok(!matches(vex('CVE-1'), finding('CVE-1', { where: { file: 'a', package: 'lodash', version: '4.17.20' } })))
})

test('a statement about one image says nothing about another, or about the repository', () => {
  const inside = (image?: string) =>
    finding('CVE-1', {
      layer: 'image',
      where: { file: 'a', package: 'lodash', purl: lodash, ...(image === undefined ? {} : { image }) },
    })
  const digest = `sha256:${'a'.repeat(64)}`
  const about = vex('CVE-1', { image: 'pkg:oci/shop?repository_url=ghcr.io/example' })
  assert.ok(matches(about, inside('localhost/dwf/shop:ci')))
  assert.ok(matches(about, inside(`ghcr.io:443/example/Shop@${digest}`)))
  assert.ok(!matches(about, inside('localhost/dwf/shop-admin:ci')))
  assert.ok(!matches(about, inside()))
  const exact = vex('CVE-1', { image: `pkg:oci/shop@${digest.replace(':', '%3A')}` })
  assert.ok(matches(exact, inside(`shop@${digest}`)))
  assert.ok(!matches(exact, inside('shop:ci')))
})

test('a file that is neither format, or damaged, is refused by name and place', () => {
  const openvex = '{"@context": "https://openvex.dev/ns/v0.2.0",\n "statements": '
  const one = (more: string) => `${openvex}[\n{"vulnerability": {"name": "CVE-1"}, ${more}}]}`
  const bom = '{"bomFormat": "CycloneDX", "specVersion": "1.6",\n '
  const cases: readonly (readonly [string, string])[] = [
    ['', '1:1 vex/shop.json is not JSON: expected a value, but the file ends'],
    ['{"a": 1,\n "b" 2}', '2:6 vex/shop.json is not JSON: expected'],
    ['[]', '1:1 vex/shop.json: expected an object, found an array'],
    ['{"document": {"category": "csaf_vex"}}', '1:1 vex/shop.json: neither OpenVEX nor CycloneDX'],
    ['{"__proto__": {"bomFormat": "CycloneDX"}}', '1:1 vex/shop.json: neither OpenVEX nor CycloneDX'],
    [`${openvex}{}}`, '2:2 vex/shop.json: statements: expected an array, found an object'],
    [`${openvex}[7]}`, '2:17 vex/shop.json: statements[0]: expected an object, found a number'],
    ['{"@context": "https://openvex.dev/ns"}', '1:1 vex/shop.json: statements: expected an array, found nothing'],
    [one('"status": "fine"'), '3:38 vex/shop.json: statements[0].status: expected not_affected, fixed, affected or'],
    [one('"products": []'), '3:1 vex/shop.json: statements[0].status: expected a text, found nothing'],
    [
      one('"status": "fixed", "products": [{"@id": "pkg:npm"}]'),
      '3:71 vex/shop.json: statements[0].products[0].@id: expected a package URL such as pkg:npm/lodash@4.17.20, found "pkg:npm"',
    ],
    [one('"status": "fixed", "products": "lodash"'), 'statements[0].products: expected an array, found a string'],
    [one('"status": "fixed", "timestamp": "soon"'), 'statements[0].timestamp: expected a time such as'],
    ['{"bomFormat": "CycloneDX", "specVersion": "1.3"}', 'specVersion: expected 1.4, 1.5, 1.6 or 1.7, found "1.3"'],
    [
      `${bom}"vulnerabilities": [{"id": "CVE-1", "analysis": {"state": "ok"}}]}`,
      'analysis.state: expected not_affected',
    ],
    [`${bom}"components": [{"bom-ref": "a", "purl": "b"}]}`, '2:34 vex/shop.json: components[0].purl: expected a'],
    [
      `${bom}"components": [{"bom-ref": "a", "purl": "pkg:npm/a"}, {"bom-ref": "a", "purl": "pkg:npm/b"}]}`,
      'components[0].bom-ref: it is in the document twice',
    ],
  ]
  for (const [text, expected] of cases) {
    const found = refused(text)
    assert.ok(found.includes(expected), `${text}\n${found}`)
    assert.ok(found.includes(file), found)
  }
})

test('whatever is in a document, it is read or refused, and its texts are one line', () => {
  const broken = /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/
  fc.assert(
    fc.property(hostile, hostile, hostile, fc.jsonValue(), (id, by, reason, anything) => {
      const documents = [
        {
          '@context': 'https://openvex.dev/ns',
          author: by,
          statements: [{ vulnerability: id, status: 'fixed', justification: reason, products: [lodash] }],
        },
        { '@context': 'https://openvex.dev/ns', statements: [anything] },
        { bomFormat: 'CycloneDX', specVersion: '1.4', vulnerabilities: [anything], components: anything },
        anything,
      ]
      for (const document of documents) {
        try {
          for (const statement of readVex(file, JSON.stringify(document)))
            for (const text of [statement.id, statement.by, statement.reason]) assert.doesNotMatch(text ?? '', broken)
        } catch (error) {
          assert.ok(error instanceof Failure, String(error))
          assert.doesNotMatch(error.message, broken)
        }
      }
    }),
  )
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  assert.match(refused(deep), /nested more than 100 deep/)
})
