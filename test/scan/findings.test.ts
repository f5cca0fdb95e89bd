import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ScanLayer } from '../../src/config/commands.ts'
import { withoutImage } from '../../src/scan/fingerprint.ts'
import { findingLine } from '../../src/scan/gate.ts'
import { translate } from '../../src/scan/trivy/findings.ts'
import { checkReport } from '../../src/scan/trivy/report.ts'
import type { Finding } from '../../src/scan/types.ts'

function read(results: readonly unknown[], layer: ScanLayer = 'deps', folder = ''): readonly Finding[] {
  const report = checkReport(
    { SchemaVersion: 2, ArtifactName: '/r', Results: results },
    { artifact: '/r', version: '0.76.0' },
  )
  return translate([{ folder, report }], layer).findings
}

const lodash = {
  VulnerabilityID: 'CVE-2021-23337',
  PkgName: 'lodash',
  PkgIdentifier: { UID: 'a' },
  InstalledVersion: '4.17.20',
  FixedVersion: '4.17.21',
  PrimaryURL: 'https://avd.aquasec.com/nvd/cve-2021-23337',
  References: ['https://avd.aquasec.com/nvd/cve-2021-23337', 'javascript:alert(1)', 'https://x/\u001b[2J', 7],
  Title: 'lodash: command injection',
  Severity: 'HIGH',
}
const packageLock = (more: object, line = 12) => ({
  Target: 'package-lock.json',
  Class: 'lang-pkgs',
  Type: 'npm',
  Packages: [{ Name: 'lodash', Identifier: { UID: 'a' }, Locations: [{ StartLine: line, EndLine: line }] }],
  Vulnerabilities: [{ ...lodash, ...more }],
})

test('a vulnerability says package, fix, file and line', () => {
  const [finding] = read([packageLock({})])
  assert.ok(finding)
  const { fingerprint, ...rest } = finding
  assert.deepEqual(rest, {
    id: 'CVE-2021-23337',
    severity: 'high',
    layer: 'deps',
    scanner: 'trivy',
    where: { file: 'package-lock.json', line: 12, package: 'lodash', version: '4.17.20' },
    title: 'lodash: command injection',
    fixedIn: '4.17.21',
    references: ['https://avd.aquasec.com/nvd/cve-2021-23337'],
  })
  assert.match(fingerprint, /^[0-9a-f]{64}$/)
  assert.equal(
    findingLine(finding),
    'CVE-2021-23337 lodash 4.17.20, fixed in 4.17.21: lodash: command injection (package-lock.json:12)',
  )
})

test('a severity that is missing or new is unknown', () => {
  for (const Severity of [undefined, '', 'UNKNOWN', 'SEVERE', 7, 'constructor']) {
    assert.equal(read([packageLock({ Severity })])[0]?.severity, 'unknown')
  }
  assert.equal(read([packageLock({ Severity: 'Critical' })])[0]?.severity, 'critical')
})

test('text of a report drives no terminal and adds no line', () => {
  const evil = 'a\u001b[2J\r\n  0 findings\u2028\u0085\u202e\u0007b'
  const [finding] = read([
    {
      ...packageLock({
        Title: evil,
        VulnerabilityID: `CVE${evil}`,
        PkgName: evil,
        FixedVersion: evil,
        InstalledVersion: evil,
      }),
      Target: `x\n\u001b[1m\ty`,
    },
  ])
  const line = findingLine(finding!)
  assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
  assert.match(line, /a\\u001b\[2J 0 findings \\u202e\\u0007b \(x\\u000a\\u001b\[1m\\u0009y:12\)$/)
  assert.ok(findingLine(read([packageLock({ Title: 'x'.repeat(10_000) })])[0]!).length < 400)
})

test('a secret is told without the line it stands in', () => {
  const Secrets = [
    {
      RuleID: 'github-pat',
      Severity: 'CRITICAL',
      Title: 'GitHub PAT',
      StartLine: 3,
      Match: 'user=hunter2 token=****',
      Code: { Lines: [{ Content: 'hunter2' }] },
    },
  ]
  const [finding] = read([{ Target: 'a.conf', Class: 'secret', Secrets }], 'secrets')
  assert.deepEqual(finding?.where, { file: 'a.conf', line: 3 })
  assert.doesNotMatch(JSON.stringify(finding), /hunter2/)
})

test('a check that is neither passed nor failed counts as failed', () => {
  const check = (Status: string | undefined) => ({ ID: `D-${Status}`, Severity: 'LOW', Status })
  const Misconfigurations = ['PASS', 'FAIL', 'EXCEPTION', undefined].map(check)
  const found = read([{ Target: 'Dockerfile', Class: 'config', Type: 'dockerfile', Misconfigurations }], 'config')
  assert.deepEqual(
    found.map(({ id }) => id),
    ['D-FAIL', 'D-EXCEPTION', 'D-undefined'],
  )
})

test('a fingerprint outlives moved lines and other versions, and tells layers, files, packages and ids apart', () => {
  const mark = (more: object, line?: number, layer?: ScanLayer, folder?: string) =>
    read([packageLock(more, line)], layer, folder)[0]!.fingerprint
  const same = mark({})
  assert.equal(mark({ InstalledVersion: '4.17.19', FixedVersion: '5', Title: 'x', Severity: 'LOW' }, 99), same)
  const others = [
    mark({ VulnerabilityID: 'CVE-1' }),
    mark({ PkgName: 'other' }),
    mark({}, 12, 'config'),
    mark({}, 12, 'deps', 'dev/'),
  ]
  assert.equal(new Set([same, ...others]).size, 5)
})

test('the fingerprint of a finding in an image tells images apart, and not their tags', () => {
  const mark = (image?: string) => {
    const report = checkReport(
      { SchemaVersion: 2, ArtifactName: '/r', Results: [packageLock({})] },
      { artifact: '/r', version: '0.76.0' },
    )
    const [first] = translate([{ folder: '', ...(image === undefined ? {} : { image }), report }], 'image').findings
    return first!.fingerprint
  }
  assert.equal(mark('shop:1'), mark('shop:2'))
  assert.equal(new Set([mark(), mark('shop:1'), mark('cart:1'), mark('image of tasks'), mark('./shop')]).size, 5)
  // What is behind the dash is the image alone: two images can be compared.
  assert.equal(withoutImage(mark('shop:1')), withoutImage(mark('cart:1')))
  assert.equal(withoutImage(mark('shop:1')), mark())
  assert.equal(withoutImage('a-b'), 'a-b')
})

test('a licence is told whole, as far as a person would write one', () => {
  const text = (length: number) => 'x'.repeat(length)
  const report = checkReport(
    {
      SchemaVersion: 2,
      ArtifactName: '/r',
      Results: [
        {
          ...{ Target: 'package-lock.json', Class: 'lang-pkgs', Type: 'npm' },
          Packages: [{ Name: 'a', Licenses: [text(1000), text(1001)] }],
          Licenses: [{ Name: text(1000), PkgName: 'a', Severity: 'LOW' }],
        },
      ],
    },
    { artifact: '/r', version: '0.76.0' },
  )
  const { components, findings } = translate([{ folder: '', report }], 'licenses')
  assert.deepEqual(components[0]?.licenses, [text(1000), `${text(999)}…`])
  assert.equal(findings[0]?.id, text(1000))
})

test('equal findings of one file are told apart by number, and by resource where there is one', () => {
  const secret = (StartLine: number) => ({ RuleID: 'r', Severity: 'LOW', StartLine })
  const of = (...lines: number[]) =>
    read([{ Target: 'a', Class: 'secret', Secrets: lines.map(secret) }], 'secrets').map(
      ({ fingerprint }) => fingerprint,
    )
  assert.equal(new Set(of(1, 5)).size, 2)
  assert.deepEqual(of(3, 9), of(1, 5))
  const check = (Resource: string) => ({ ID: 'K', Severity: 'LOW', Status: 'FAIL', CauseMetadata: { Resource } })
  const marks = (...names: string[]) =>
    read([{ Target: 'a', Class: 'config', Misconfigurations: names.map(check) }], 'config').map(
      ({ fingerprint }) => fingerprint,
    )
  assert.equal(marks('b', 'a')[1], marks('a')[0])
})

test('a package without a name is a component all the same', () => {
  const report = checkReport(
    {
      SchemaVersion: 2,
      ArtifactName: '/r',
      Results: [{ Target: 'Cargo.lock', Class: 'lang-pkgs', Packages: [{ ID: 'app@1' }, { Version: '1' }] }],
    },
    { artifact: '/r', version: '0.76.0' },
  )
  assert.deepEqual(
    translate([{ folder: '', report }], 'deps').components.map(({ name }) => name),
    ['app@1', '(without a name)'],
  )
})
