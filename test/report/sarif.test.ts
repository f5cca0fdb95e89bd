import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { renderReport, sarif } from '../../src/report/index.ts'
import { severities } from '../../src/scan/severity.ts'
import type { ScanDocument } from '../../src/scan/types.ts'
import { decision, document, finding, layer, shop } from './documents.ts'
import { decisionsOf, hostileDocument } from './hostile.ts'
import { problemsOf } from './schemas.ts'

const runsOf = (scan: ScanDocument, options?: Parameters<typeof sarif>[1]) => JSON.parse(sarif(scan, options).text).runs

test('one finding, whole', () => {
  const scan = document([
    layer({
      layer: 'deps',
      summary: '1 finding',
      decisions: [
        decision(
          finding({
            id: 'CVE-2021-23337',
            aliases: ['GHSA-35jh-r3h4-6jhm'],
            where: {
              ...{ file: 'a b/package-lock.json', line: 12, package: 'lodash', version: '4.17.20' },
              purl: 'pkg:npm/lodash@4.17.20',
            },
            title: 'Command injection',
            fixedIn: '4.17.21',
            references: ['https://nvd.nist.gov/vuln/detail/CVE-2021-23337'],
            fingerprint: 'f1',
          }),
        ),
      ],
    }),
  ])
  const { text, notes } = sarif(scan)
  assert.deepEqual(notes, [])
  const { $schema, version, runs } = JSON.parse(text)
  assert.equal($schema, 'https://json.schemastore.org/sarif-2.1.0.json')
  assert.equal(version, '2.1.0')
  assert.equal(runs.length, 3)
  assert.deepEqual(runs[0], {
    tool: {
      driver: {
        name: 'trivy',
        version: '0.76.0',
        rules: [
          {
            id: 'CVE-2021-23337',
            name: 'VulnerablePackage',
            shortDescription: { text: 'Command injection' },
            fullDescription: { text: 'Command injection · Also called GHSA-35jh-r3h4-6jhm.' },
            help: {
              text: 'Command injection\nAlso called GHSA-35jh-r3h4-6jhm.\nhttps://nvd.nist.gov/vuln/detail/CVE-2021-23337',
              markdown:
                'Command injection\n\nAlso called GHSA-35jh-r3h4-6jhm.\n\n' +
                '- [https:&#8203;//nvd.nist.gov/vuln/detail/CVE-2021-23337](<https://nvd.nist.gov/vuln/detail/CVE-2021-23337>)',
            },
            helpUri: 'https://nvd.nist.gov/vuln/detail/CVE-2021-23337',
            defaultConfiguration: { level: 'error' },
            properties: { tags: ['security', 'deps', 'high'], precision: 'very-high', 'security-severity': '8.0' },
          },
        ],
      },
    },
    automationDetails: { id: 'dwf/deps/20261122-073100-4f2a' },
    conversion: { tool: { driver: { name: 'dwf', version: '0.1.0' } } },
    invocations: [
      {
        executionSuccessful: true,
        endTimeUtc: '2026-11-22T07:30:56.000Z',
        toolExecutionNotifications: [{ level: 'note', message: { text: 'scan:deps refused: 1 finding' } }],
      },
    ],
    versionControlProvenance: [
      {
        repositoryUri: 'urn:x-dwf:shop',
        revisionId: '9c1f0e7ab4d25583c6a0f3b1e8d7c4a5b6f70812',
        mappedTo: { uriBaseId: '%SRCROOT%' },
      },
    ],
    originalUriBaseIds: { '%SRCROOT%': { description: { text: 'The root of the repository.' } } },
    columnKind: 'utf16CodeUnits',
    results: [
      {
        ruleId: 'CVE-2021-23337',
        ruleIndex: 0,
        level: 'error',
        message: {
          text: 'lodash 4.17.20: Command injection. CVE-2021-23337. Fixed in 4.17.21. high, at or above the limit high',
        },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'a%20b/package-lock.json', uriBaseId: '%SRCROOT%' },
              region: { startLine: 12 },
            },
          },
        ],
        partialFingerprints: { 'dwf/v1': 'f1', primaryLocationLineHash: 'f1' },
        properties: {
          severity: 'high',
          refuses: true,
          says: 'high, at or above the limit high',
          package: 'lodash',
          version: '4.17.20',
          purl: 'pkg:npm/lodash@4.17.20',
          fixedIn: '4.17.21',
        },
      },
    ],
  })
  assert.equal(runs[1].automationDetails.id, 'dwf/deps/20261122-073100-4f2a')
  assert.deepEqual(runs[1].tool, { driver: { name: 'dwf', version: '0.1.0', rules: [] } })
  assert.equal(runs[2].automationDetails.id, 'dwf/gates/deps/20261122-073100-4f2a')
  assert.deepEqual([runs[1].results, runs[2].results], [[], []])
})

test('two jobs with other gates do not replace the own run of each other', () => {
  const idOf = (...names: readonly string[]) =>
    runsOf(document(names.map((name) => layer({ layer: name as 'deps' })))).at(-1).automationDetails.id
  assert.equal(idOf('deps', 'config', 'secrets'), 'dwf/gates/config+deps+secrets/20261122-073100-4f2a')
  assert.equal(idOf('secrets', 'config', 'deps', 'deps'), idOf('deps', 'config', 'secrets'))
  assert.equal(idOf('image'), 'dwf/gates/image/20261122-073100-4f2a')
  assert.equal(idOf(), 'dwf/gates/20261122-073100-4f2a')
})

test('what is uploaded to GitHub has nothing in it that somebody accepted', async () => {
  const github = await renderReport('github', shop)
  assert.equal(github.text, sarif(shop, { accepted: 'left-out' }).text)
  assert.notEqual(github.text, (await renderReport('sarif', shop)).text)
  assert.doesNotMatch(github.text, /"suppressions"/)
  assert.ok(github.notes.some((note) => /accepted finding/.test(note)))
})

test('the official schema takes it', () => {
  assert.deepEqual(problemsOf('sarif', JSON.parse(sarif(shop).text)), [])
  assert.deepEqual(problemsOf('sarif', JSON.parse(sarif(document([])).text)), [])
  // The schema is one that says no.
  const bad = JSON.parse(sarif(shop).text)
  bad.runs[0].results[0].level = 'fatal'
  assert.notDeepEqual(problemsOf('sarif', bad), [])
})

test('a category for each layer and scanner, and one for the gates', () => {
  const scan = document([
    layer({ layer: 'deps' }),
    layer({
      layer: 'code',
      scanners: [
        { name: 'semgrep', version: '1' },
        { name: 'opengrep', version: '2' },
      ],
      decisions: [decision(finding({ id: 'r', layer: 'code', scanner: 'opengrep', where: { file: 'a.js', line: 3 } }))],
    }),
    layer({ layer: 'code', scanners: [{ name: 'semgrep', version: '1' }] }),
  ])
  interface Run {
    readonly automationDetails: { readonly id: string }
    readonly tool: { readonly driver: { readonly name: string } }
    readonly results: readonly unknown[]
  }
  assert.deepEqual(
    runsOf(scan).map(({ automationDetails, tool, results }: Run) => {
      return [automationDetails.id.split('/', 2).join('/'), tool.driver.name, results.length]
    }),
    [
      ['dwf/deps', 'trivy', 0],
      ['dwf/deps', 'dwf', 0],
      ['dwf/code', 'semgrep', 0],
      ['dwf/code', 'opengrep', 1],
      ['dwf/code', 'dwf', 0],
      ['dwf/gates', 'dwf', 0],
    ],
  )
})

test('a gate that could not look brings no run of its scanner, which would close alerts as fixed', () => {
  const found = finding({ id: 'CVE-1', where: { file: 'x.lock', package: 'x' } })
  const scan = document([
    layer({ layer: 'deps', verdict: 'broken', summary: '1 file not judged', decisions: [decision(found)] }),
    layer({ layer: 'config' }),
  ])
  const runs = runsOf(scan)
  assert.deepEqual(
    runs.map((run: { automationDetails: { id: string } }) => run.automationDetails.id.split('/')[1]),
    ['config', 'config', 'gates'],
  )
  const [config, , gates] = runs
  assert.equal(config.invocations[0].executionSuccessful, true)
  assert.equal(gates.invocations[0].executionSuccessful, false)
  assert.deepEqual(gates.invocations[0].toolExecutionNotifications[0], {
    level: 'error',
    message: { text: 'scan:deps is broken: 1 file not judged' },
  })
  assert.deepEqual(
    gates.results.map(({ ruleId, level }: Record<string, string>) => [ruleId, level]),
    [
      ['dwf-gate-broken', 'error'],
      ['CVE-1', 'error'],
    ],
  )
  assert.deepEqual(problemsOf('sarif', JSON.parse(sarif(scan).text)), [])
})

test('what somebody accepted is suppressed, and can be left out for GitHub, counted', () => {
  const accepted = runsOf(shop).flatMap(({ results }: { results: { suppressions?: unknown[] }[] }) =>
    results.filter(({ suppressions }) => suppressions),
  )
  assert.deepEqual(
    accepted.map(({ ruleId, suppressions }: Record<string, unknown>) => [ruleId, suppressions]),
    [
      [
        'CVE-2022-25883',
        [
          {
            kind: 'external',
            status: 'accepted',
            justification: 'ignored by devflow.toml:31 until 2027-01-31: only our own version strings are parsed',
          },
        ],
      ],
      ['CVE-2025-14104', [{ kind: 'external', status: 'accepted', justification: 'in the baseline since 2026-10-02' }]],
    ],
  )
  const { text, notes } = sarif(shop, { accepted: 'left-out' })
  assert.doesNotMatch(text, /suppressions|CVE-2022-25883|CVE-2025-14104/)
  assert.deepEqual(notes, [
    'SARIF, dwf/deps of trivy: 1 accepted finding left out',
    'SARIF, dwf/image of trivy: 1 accepted finding left out',
  ])
  const inline = finding({ id: 'DS-1', layer: 'config', where: { file: 'Dockerfile' } })
  const scan = document([
    layer({ layer: 'config', decisions: [decision(inline, { kind: 'suppressed', by: 'inline' })] }),
  ])
  assert.equal(runsOf(scan)[0].results[0].suppressions[0].kind, 'inSource')
})

test('what is in an image has a path that stays when the tag changes, and its whole name as a logical place', () => {
  const at = (image: string, file: string) =>
    runsOf(
      document([
        layer({
          layer: 'image',
          decisions: [decision(finding({ id: 'CVE-1', layer: 'image', where: { file, image } }))],
        }),
      ]),
    )[0].results[0]
  const one = at('registry.example:5000/team/shop:1.2@sha256:abc', '/usr/lib/a b.so')
  assert.deepEqual(one.locations, [
    {
      physicalLocation: { artifactLocation: { uri: 'team/shop/usr/lib/a%20b.so' }, region: { startLine: 1 } },
      logicalLocations: [
        {
          fullyQualifiedName: 'registry.example:5000/team/shop:1.2@sha256:abc:/usr/lib/a b.so',
          name: '/usr/lib/a b.so',
          kind: 'resource',
        },
      ],
    },
  ])
  const other = at('registry.example:5000/team/shop:1.3', '/usr/lib/a b.so')
  assert.deepEqual(other.partialFingerprints, one.partialFingerprints)
  assert.notDeepEqual(at('team/cart:1.3', '/usr/lib/a b.so').partialFingerprints, one.partialFingerprints)
  const uri = (image: string, file: string) => at(image, file).locations[0].physicalLocation.artifactLocation.uri
  assert.equal(uri('debian:13', '.'), 'debian')
  assert.equal(uri('localhost/x', 'a'), 'x/a')
  assert.equal(uri('docker.io/library/debian:13-slim', 'a'), 'library/debian/a')
})

test('a rule has the worst severity of its findings; of unknown severity it says nothing and is an error', () => {
  const scan = document([
    layer({
      layer: 'deps',
      decisions: severities.flatMap((severity) => [
        decision(finding({ id: severity, severity, where: { file: 'a', package: severity } })),
        decision(finding({ id: 'both', severity, where: { file: 'b', package: severity } })),
      ]),
    }),
  ])
  const { rules } = runsOf(scan)[0].tool.driver
  const row = ({ id, defaultConfiguration, properties }: Record<string, Record<string, string>>) => [
    id,
    defaultConfiguration!.level,
    properties!['security-severity'],
  ]
  assert.deepEqual(rules.map(row).sort(), [
    ['both', 'error', '9.5'],
    ['critical', 'error', '9.5'],
    ['high', 'error', '8.0'],
    ['low', 'note', '2.0'],
    ['medium', 'warning', '5.5'],
    ['unknown', 'error', undefined],
  ])
})

test('beyond the limit the least severe are left out, and counted', () => {
  const many = (amount: number) =>
    document([
      layer({
        layer: 'deps',
        decisions: Array.from({ length: amount }, (_, index) =>
          decision(
            finding({
              id: `CVE-1-${index}`,
              severity: index % 5 === 0 ? 'critical' : 'low',
              where: { file: 'x.lock', package: `p${index}` },
            }),
          ),
        ),
      }),
    ])
  const { text, notes } = sarif(many(5100))
  const [run] = JSON.parse(text).runs
  assert.equal(run.results.length, 5000)
  assert.equal(run.results.filter(({ level }: { level: string }) => level === 'error').length, 1020)
  const note = '100 findings of 5100 left out, the least severe ones; none of them refuses'
  assert.deepEqual(notes, [`SARIF, dwf/deps of trivy: ${note}`])
  assert.deepEqual(run.invocations[0].toolExecutionNotifications[0], { level: 'warning', message: { text: note } })

  const few = sarif(many(30), { limits: { results: 4 } })
  assert.deepEqual(few.notes, [
    'SARIF, dwf/deps of trivy: 26 findings of 30 left out, the least severe ones; 2 of them refuse',
  ])
})

test('a file stays below the bytes that GitHub takes', () => {
  const scan = document([
    layer({
      layer: 'deps',
      decisions: Array.from({ length: 400 }, (_, index) =>
        decision(finding({ id: `CVE-1-${index}`, where: { file: 'x.lock', package: `p${index}` } })),
      ),
    }),
  ])
  const { text, notes } = sarif(scan, { limits: { gzipBytes: 12_000 } })
  const size = gzipSync(text).length
  assert.ok(size < 12_000, `${size}`)
  assert.equal(gunzipSync(gzipSync(text)).toString(), text)
  const kept = JSON.parse(text).runs[0].results.length
  assert.ok(kept > 0 && kept < 400)
  assert.match(notes.join(), new RegExp(`${400 - kept} findings of 400 left out`))
})

test('more runs than GitHub takes go into the last one', () => {
  const scan = document([
    layer({
      layer: 'code',
      scanners: Array.from({ length: 25 }, (_, index) => ({ name: `s${index}`, version: '1' })),
      decisions: Array.from({ length: 25 }, (_, index) =>
        decision(finding({ id: `r${index}`, layer: 'code', scanner: `s${index}`, where: { file: 'a.js', line: 1 } })),
      ),
    }),
  ])
  const runs = runsOf(scan)
  assert.equal(runs.length, 20)
  assert.equal(runs.flatMap(({ results }: { results: unknown[] }) => results).length, 25)
})

test('property: every finding is in it and the schema takes it, whatever the texts are', () => {
  fc.assert(
    fc.property(hostileDocument, (scan) => {
      const { text, notes } = sarif(scan)
      const value = JSON.parse(text)
      assert.deepEqual(problemsOf('sarif', value), [])
      assert.deepEqual(notes, [])
      const prints = value.runs.flatMap(({ results }: { results: { partialFingerprints: Record<string, string> }[] }) =>
        results.map(({ partialFingerprints }) => partialFingerprints['dwf/v1']),
      )
      for (const { finding: one } of decisionsOf(scan)) assert.ok(prints.includes(one.fingerprint), one.fingerprint)
      for (const run of value.runs) {
        for (const { message, locations, ruleId, ruleIndex } of run.results) {
          assert.equal(run.tool.driver.rules[ruleIndex].id, ruleId)
          assert.ok(message.text.length > 0)
          assert.doesNotMatch(message.text, /[\u0000-\u001f\u202e]|\]\(/)
          const { uri } = locations[0].physicalLocation.artifactLocation
          assert.match(uri, /^(?!\/)[\w%.~!*'()/-]+$/)
          assert.ok(locations[0].physicalLocation.region.startLine >= 1)
        }
        for (const { helpUri } of run.tool.driver.rules) assert.match(helpUri ?? 'https://', /^https?:\/\//)
      }
    }),
    { numRuns: 150 },
  )
})

test('property: what is left out is counted exactly, and nothing that refuses goes before what does not', () => {
  fc.assert(
    fc.property(hostileDocument, fc.integer({ min: 0, max: 3 }), (scan, results) => {
      const { text, notes } = sarif(scan, { limits: { results } })
      const value = JSON.parse(text)
      const kept = value.runs.flatMap((run: { results: { ruleId: string }[] }) =>
        run.results.filter(({ ruleId }) => ruleId !== 'dwf-gate-broken'),
      ).length
      const left = notes.reduce((sum, note) => sum + Number(/(\d+) findings? of/.exec(note)![1]), 0)
      assert.equal(kept + left, decisionsOf(scan).length)
      for (const run of value.runs) {
        const refusing = run.results
          .filter(({ ruleId }: { ruleId: string }) => ruleId !== 'dwf-gate-broken')
          .map(({ properties }: { properties: { refuses: boolean } }) => properties.refuses)
        assert.deepEqual(
          refusing,
          [...refusing].sort((a, b) => Number(b) - Number(a)),
        )
      }
    }),
    { numRuns: 100 },
  )
})
