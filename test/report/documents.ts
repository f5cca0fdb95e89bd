import type { HistoryEntry } from '../../src/report/index.ts'
import { imageRepository } from '../../src/scan/image-name.ts'
import { isRefusing } from '../../src/scan/severity.ts'
import type {
  Component,
  Decision,
  Finding,
  FindingPlace,
  LayerResult,
  Rule,
  ScanDocument,
} from '../../src/scan/types.ts'
import { hashOf } from '../../src/util/canonical.ts'

/** Sunday 2026-11-22, 07:31 UTC. */
export const noon = Date.UTC(2026, 10, 22, 7, 31)

type FindingInput = Partial<Finding> & { readonly id: string; readonly where: FindingPlace }

export function finding(input: FindingInput): Finding {
  const { id, where, layer = 'deps' } = input
  return {
    severity: 'high',
    layer,
    scanner: 'trivy',
    title: `what ${id} is`,
    references: [],
    fingerprint: hashOf([layer, id, where.file, where.package ?? '', imageRepository(where.image ?? '')]),
    ...input,
  }
}

/** As the gate decides with the limit high, where no rule is given. */
export function decision(found: Finding, rule?: Rule, says?: string): Decision {
  if (rule) return { finding: found, refuses: false, rule, says: says ?? `accepted by ${rule.kind}` }
  const refuses = isRefusing(found.severity, 'high')
  const where = refuses ? 'at or above' : 'below'
  return { finding: found, refuses, rule: { kind: 'limit' }, says: `${found.severity}, ${where} the limit high` }
}

export function layer(input: Partial<LayerResult> & Pick<LayerResult, 'layer'>): LayerResult {
  const decisions = input.decisions ?? []
  const refused = decisions.some(({ refuses }) => refuses)
  return {
    verdict: refused ? 'refused' : 'passed',
    summary: `${decisions.length} findings; limit high`,
    limit: 'high',
    scanners: [{ name: 'trivy', version: '0.76.0' }],
    subjects: ['repository'],
    scannedAt: noon - 4_000,
    isCached: false,
    decisions,
    components: [],
    lines: [],
    ms: 1_240,
    ...input,
  }
}

export function document(layers: readonly LayerResult[], input: Partial<ScanDocument> = {}): ScanDocument {
  return {
    schema: 'dwf.scan/1',
    dwf: '0.1.0',
    run: '20261122-073100-4f2a',
    project: 'shop',
    commit: '9c1f0e7ab4d25583c6a0f3b1e8d7c4a5b6f70812',
    at: noon,
    ok: layers.every(({ verdict }) => verdict === 'passed'),
    layers,
    ...input,
  }
}

const lodash = (where: Partial<FindingPlace>, changes: Partial<Finding> = {}) =>
  finding({
    id: 'CVE-2021-23337',
    aliases: ['GHSA-35jh-r3h4-6jhm'],
    where: {
      ...{ file: 'package-lock.json', line: 1182, package: 'lodash', version: '4.17.20' },
      purl: 'pkg:npm/lodash@4.17.20',
      ...where,
    },
    title: 'Command injection via the template function',
    fixedIn: '4.17.21',
    references: [
      'https://nvd.nist.gov/vuln/detail/CVE-2021-23337',
      'https://github.com/advisories/GHSA-35jh-r3h4-6jhm',
    ],
    ...changes,
  })

const image = 'localhost/shop-ci:3f2a91c'

const component = (name: string, version: string, licenses: readonly string[], file: string, more = {}): Component => ({
  ...{ name, version, licenses, file },
  ...more,
})

/** A repository as there are many: a vulnerable package in two places, a leaked key, something accepted, noise below. */
export const shop: ScanDocument = document([
  layer({
    layer: 'deps',
    database: 'vulnerability database of 2026-11-22, 3 h old',
    summary: '4 findings, 1 high, 2 medium, 1 low; limit high; 412 packages in 2 lock files',
    decisions: [
      decision(lodash({})),
      decision(
        finding({
          id: 'CVE-2022-25883',
          severity: 'medium',
          where: {
            file: 'package-lock.json',
            line: 2210,
            package: 'semver',
            version: '5.7.1',
            purl: 'pkg:npm/semver@5.7.1',
          },
          title: 'Regular expression denial of service in the class Range',
          fixedIn: '5.7.2, 6.3.1, 7.5.2',
          references: ['https://nvd.nist.gov/vuln/detail/CVE-2022-25883'],
        }),
        {
          ...{ kind: 'ignore', source: 'devflow.toml:31', until: '2027-01-31', by: 'mara@example.org' },
          reason: 'only our own version strings are parsed',
        },
        'ignored by devflow.toml:31 until 2027-01-31: only our own version strings are parsed',
      ),
      decision(
        finding({
          id: 'CVE-2024-37890',
          severity: 'medium',
          where: {
            file: 'tools/package-lock.json',
            line: 88,
            package: 'ws',
            version: '8.16.0',
            purl: 'pkg:npm/ws@8.16.0',
          },
          title: 'Denial of service by a request with many headers',
          fixedIn: '8.17.1',
          references: ['https://nvd.nist.gov/vuln/detail/CVE-2024-37890'],
        }),
      ),
      decision(
        finding({
          id: 'CVE-2024-47764',
          severity: 'low',
          where: {
            file: 'package-lock.json',
            line: 640,
            package: 'cookie',
            version: '0.6.0',
            purl: 'pkg:npm/cookie@0.6.0',
          },
          title: 'Name, path and domain of a cookie may hold characters out of bounds',
          fixedIn: '0.7.0',
          references: ['https://nvd.nist.gov/vuln/detail/CVE-2024-47764'],
        }),
      ),
    ],
    components: [
      component('cookie', '0.6.0', ['MIT'], 'package-lock.json', { purl: 'pkg:npm/cookie@0.6.0' }),
      component('lodash', '4.17.20', ['MIT'], 'package-lock.json', { purl: 'pkg:npm/lodash@4.17.20' }),
      component('semver', '5.7.1', ['ISC'], 'package-lock.json', { purl: 'pkg:npm/semver@5.7.1' }),
      component('ws', '8.16.0', [], 'tools/package-lock.json', { purl: 'pkg:npm/ws@8.16.0' }),
    ],
  }),
  layer({
    layer: 'image',
    subjects: [image],
    database: 'vulnerability database of 2026-11-22, 3 h old',
    summary: '3 findings, 1 critical, 1 high, 1 medium; limit high; 138 packages',
    isCached: true,
    scannedAt: noon - 3_600_000 * 5,
    decisions: [
      decision(
        lodash(
          { file: 'usr/lib/node_modules/npm/node_modules/lodash/package.json', image, line: 1 },
          { layer: 'image' },
        ),
      ),
      decision(
        finding({
          id: 'CVE-2026-10234',
          layer: 'image',
          severity: 'critical',
          where: {
            file: 'var/lib/dpkg/status',
            image,
            package: 'libexpat1',
            version: '2.7.1-2',
            purl: 'pkg:deb/debian/libexpat1@2.7.1-2',
          },
          title: 'Integer overflow in storeRawNames allows code execution by a crafted document',
          fixedIn: '2.7.1-2+deb13u1',
          references: ['https://security-tracker.debian.org/tracker/CVE-2026-10234'],
        }),
      ),
      decision(
        finding({
          id: 'CVE-2026-10234',
          layer: 'image',
          severity: 'critical',
          where: {
            file: 'opt/toolchain/lib/libexpat.so.1',
            image,
            package: 'libexpat1',
            version: '2.7.1-2',
            purl: 'pkg:deb/debian/libexpat1@2.7.1-2',
          },
          title: 'Integer overflow in storeRawNames allows code execution by a crafted document',
          fixedIn: '2.7.1-2+deb13u1',
          references: ['https://security-tracker.debian.org/tracker/CVE-2026-10234'],
        }),
      ),
      decision(
        finding({
          id: 'CVE-2025-14104',
          layer: 'image',
          severity: 'medium',
          where: {
            file: 'var/lib/dpkg/status',
            image,
            package: 'util-linux',
            version: '2.41-5',
            purl: 'pkg:deb/debian/util-linux@2.41-5',
          },
          title: 'Heap buffer read beyond its end when setting a name of 256 bytes',
          references: ['https://security-tracker.debian.org/tracker/CVE-2025-14104'],
        }),
        { kind: 'baseline', source: 'devflow.baseline.json', since: '2026-10-02' },
        'in the baseline since 2026-10-02',
      ),
    ],
    components: [
      component('libexpat1', '2.7.1-2', ['MIT'], 'var/lib/dpkg/status', {
        image,
        purl: 'pkg:deb/debian/libexpat1@2.7.1-2',
      }),
      component('util-linux', '2.41-5', ['GPL-2.0-or-later', 'BSD-4-Clause'], 'var/lib/dpkg/status', { image }),
    ],
  }),
  layer({
    layer: 'config',
    summary: '1 finding, 1 low; limit high; 3 configuration files',
    decisions: [
      decision(
        finding({
          id: 'DS-0026',
          layer: 'config',
          severity: 'low',
          where: { file: 'Dockerfile.devflow', line: 1, endLine: 64 },
          title: 'No HEALTHCHECK defined',
          advice: 'add a HEALTHCHECK instruction',
          references: ['https://avd.aquasec.com/misconfig/ds-0026'],
        }),
      ),
    ],
    lines: ['1 comment with trivy:ignore or tfsec:ignore had no effect', '  deploy/main.tf:14'],
  }),
  layer({
    layer: 'secrets',
    summary: '1 finding, 1 critical; limit high; a tree of 1204 files',
    decisions: [
      decision(
        finding({
          id: 'aws-access-key-id',
          layer: 'secrets',
          severity: 'critical',
          where: { file: 'deploy/legacy.env', line: 4, endLine: 4 },
          title: 'AWS access key',
          advice: 'revoke the key, then remove it from the history',
        }),
      ),
    ],
  }),
])

const counts = (critical: number, high: number, medium: number, low: number) => ({
  critical,
  unknown: 0,
  high,
  medium,
  low,
})

export const shopHistory: readonly HistoryEntry[] = [
  counts(0, 1, 3, 2),
  counts(0, 1, 3, 2),
  counts(0, 0, 3, 2),
  counts(0, 0, 3, 3),
  counts(0, 0, 2, 3),
  counts(0, 2, 2, 3),
  counts(0, 2, 2, 2),
  counts(0, 0, 2, 2),
  counts(0, 0, 2, 2),
  counts(1, 0, 2, 2),
  counts(1, 1, 3, 2),
].map((one, index) => ({
  run: `20261${index < 6 ? '115' : '120'}-0900${index}`,
  at: noon - (11 - index) * 86_400_000,
  commit: hashOf(index).slice(0, 40),
  ok: one.critical + one.high === 0,
  counts: one,
}))
