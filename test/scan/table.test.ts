import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decide } from '../../src/scan/policy/decide.ts'
import { findingTable } from '../../src/scan/table.ts'
import type { Finding } from '../../src/scan/types.ts'
import { anyFinding, anyPolicy, finding, hostile, ignore, policy, shuffled } from './policy/rig.ts'

const table = (findings: readonly Finding[], more: Parameters<typeof policy>[0] = {}) => {
  const rules = policy(more)
  return findingTable(decide(findings, rules).decisions, rules.limit)
}

const of = (name: string, version: string, line: number, file = 'package-lock.json') => ({
  where: { file, line, package: name, version, purl: `pkg:npm/${name}@${version}` },
  fingerprint: `${name} ${version} ${line}`,
})

test('vulnerabilities by package with the upgrade, others by file, accepted last', () => {
  const lodash = of('lodash', '4.17.20', 12)
  const minimist = of('minimist', '1.2.0', 30)
  const findings = [
    finding('CVE-2021-44906', { ...minimist, severity: 'medium', title: 'prototype pollution', fixedIn: '1.2.6' }),
    finding('CVE-2021-23337', {
      ...lodash,
      fingerprint: '1',
      title: 'lodash: command injection via template',
      fixedIn: '4.17.21',
    }),
    finding('CVE-2019-10744', {
      ...lodash,
      fingerprint: '2',
      severity: 'critical',
      title: 'prototype pollution',
      fixedIn: '4.17.12, 4.17.22',
    }),
    finding('GHSA-aaaa-bbbb-cccc', { ...lodash, fingerprint: '3', title: 'nobody has fixed it' }),
    finding('CVE-2020-1', { ...of('left-pad', '1.0.0', 40), title: 'x' }),
    finding('DS-0002', {
      where: { file: 'docker/Dockerfile', line: 7 },
      title: 'image user should not be root',
      advice: 'add USER',
    }),
    finding('x', { where: { file: 'docker/Dockerfile' }, severity: 'unknown', title: 'nobody knows' }),
  ]
  assert.deepEqual(table(findings, { ignores: [ignore('CVE-2020-1', { package: 'left-pad' })] }), [
    'refused',
    '  lodash 4.17.20 → 4.17.22  package-lock.json:12',
    '    critical  CVE-2019-10744       prototype pollution',
    '    high      CVE-2021-23337       command injection via template',
    '    high      GHSA-aaaa-bbbb-cccc  nobody has fixed it (no fix known)',
    '  docker/Dockerfile',
    '    unknown  x        nobody knows',
    '    high     DS-0002  line 7: image user should not be root → add USER',
    'below the limit high',
    '  minimist 1.2.0 → 1.2.6  package-lock.json:30',
    '    medium  CVE-2021-44906  prototype pollution',
    'accepted',
    '  high  CVE-2020-1 left-pad 1.0.0 (package-lock.json:40): ignored by devflow.toml:12 until 2027-01-01: no user input',
  ])
  assert.deepEqual(table([]), [])
})

test('with several versions each has its upgrade, and what concerns one of them says so', () => {
  const old = of('lodash', '3.10.1', 40, 'tools/package-lock.json')
  const findings = [
    finding('CVE-1', { ...of('lodash', '4.17.20', 12), title: 'both', fixedIn: '3.10.2, 4.17.21' }),
    finding('CVE-1', { ...old, title: 'both', fixedIn: '3.10.2, 4.17.21' }),
    finding('CVE-2', { ...old, fingerprint: 'x', title: 'old', severity: 'critical', fixedIn: '3.10.5' }),
  ]
  assert.deepEqual(table(findings), [
    'refused',
    '  lodash 3.10.1 → 3.10.5  tools/package-lock.json:40',
    '  lodash 4.17.20 → 4.17.21  package-lock.json:12',
    '    critical  CVE-2  old (3.10.1)',
    '    high      CVE-1  both',
  ])
})

test('a finding that is accepted in one place and refuses in another is in both parts', () => {
  const findings = [
    finding('CVE-1', of('lodash', '4.17.20', 12)),
    finding('CVE-1', of('lodash', '4.17.19', 5, 'web/package-lock.json')),
  ]
  assert.deepEqual(table(findings, { ignores: [ignore('CVE-1', { package: 'lodash@4.17.19' })] }), [
    'refused',
    '  lodash 4.17.20, no fix known  package-lock.json:12',
    '    high  CVE-1  command injection',
    'accepted',
    '  high  CVE-1 lodash 4.17.19 (web/package-lock.json:5): ignored by devflow.toml:12 until 2027-01-01: no user input',
  ])
})

test('an image is named, places are counted, two scanners are told', () => {
  const inImage = (file: string) =>
    finding('CVE-1', {
      layer: 'image',
      where: { file, image: 'shop:ci', package: 'openssl', version: '3.0.9-1', purl: 'pkg:deb/debian/openssl@3.0.9-1' },
      fingerprint: file,
      fixedIn: '3.0.11-1~deb12u2',
    })
  const findings = ['.', 'a', 'b', 'c', 'd'].map(inImage)
  assert.deepEqual(table([...findings, { ...findings[1]!, scanner: 'grype' }], { layer: 'image' }), [
    'refused',
    '  openssl 3.0.9-1 → 3.0.11-1~deb12u2  a in shop:ci, b in shop:ci, c in shop:ci and 2 more places',
    '    high  CVE-1  command injection (grype and trivy)',
  ])
})

test('what fix_only lets pass stands apart', () => {
  assert.deepEqual(table([finding('CVE-1')], { fixOnly: true }), [
    'without a fix',
    '  lodash 4.17.20, no fix known  package-lock.json:12',
    '    high  CVE-1  command injection',
  ])
})

test('a license names its package', () => {
  const license = finding('GPL-3.0-only', { layer: 'licenses', title: 'a denied licence' })
  assert.deepEqual(table([license], { layer: 'licenses' }), [
    'refused',
    '  package-lock.json',
    '    high  GPL-3.0-only  line 12: lodash 4.17.20: a denied licence',
  ])
})

test('two hundred are listed, the refusing ones first, and the rest is counted', () => {
  const many = Array.from({ length: 300 }, (_, index) =>
    finding(`L-${index}`, { severity: 'low', where: { file: `f${index}` } }),
  )
  const lines = table([...many, finding('C', { severity: 'critical', where: { file: 'c' } })])
  assert.deepEqual(lines.slice(0, 4), ['refused', '  c', '    critical  C  command injection', 'below the limit high'])
  assert.equal(lines.filter((line) => line.startsWith('    ')).length, 200)
  assert.equal(lines.at(-1), '… and 101 more')
  assert.equal(table(many.slice(0, 200)).filter((line) => line.startsWith('…')).length, 0)
})

test('no order of findings changes the table', () => {
  fc.assert(
    fc.property(shuffled(fc.array(anyFinding, { maxLength: 12 })), anyPolicy, ([given, other], any) => {
      const lines = findingTable(decide(given, any).decisions, any.limit)
      assert.deepEqual(findingTable(decide(other, any).decisions, any.limit), lines)
      assert.equal(lines.length > 0, given.length > 0 || lines.some((line) => line.includes('ignore-')))
    }),
  )
})

test('no text breaks a line, throws or gets lost in a page of it', () => {
  const broken = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/
  fc.assert(
    fc.property(hostile, hostile, hostile, hostile, fc.boolean(), (id, name, title, version, isIgnored) => {
      const findings = [
        finding(id, { title, fixedIn: version, advice: title, where: { file: name, package: name, version } }),
        finding(id, { title, scanner: name, where: { file: title, line: 1 } }),
      ]
      const ignores = isIgnored ? [ignore(id, { package: name, reason: title, by: version })] : []
      for (const line of table(findings, { ignores })) {
        assert.doesNotMatch(line, broken)
        assert.ok(line.length < 12_000)
      }
    }),
  )
})
