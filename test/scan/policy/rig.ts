import fc from 'fast-check'
import type { ScanLayer } from '../../../src/config/commands.ts'
import type { IgnoreRule, Policy, VexStatement } from '../../../src/scan/policy/types.ts'
import type { Decision, Finding } from '../../../src/scan/types.ts'

export const today = '2026-06-15'

/** A vulnerability of lodash unless it is told otherwise; its fingerprint comes from what makes it. */
export function finding(id: string, more: Partial<Finding> = {}): Finding {
  const where = more.where ?? {
    file: 'package-lock.json',
    line: 12,
    package: 'lodash',
    version: '4.17.20',
    purl: 'pkg:npm/lodash@4.17.20',
  }
  const layer = more.layer ?? 'deps'
  return {
    id,
    severity: 'high',
    layer,
    scanner: 'trivy',
    title: 'command injection',
    references: [],
    fingerprint: JSON.stringify([layer, id, where.file, where.package ?? '']),
    ...more,
    where,
  }
}

export function policy(more: Partial<Policy> = {}): Policy {
  return {
    layer: 'deps',
    limit: 'high',
    fixOnly: false,
    today,
    ignores: [],
    vex: [],
    honorsSuppressed: { inline: false, suppressions: false },
    ...more,
  }
}

export function ignore(id: string, more: Partial<IgnoreRule> = {}): IgnoreRule {
  return {
    of: 'config',
    file: 'devflow.toml',
    line: 12,
    layers: ['deps'],
    id,
    package: 'lodash',
    reason: 'no user input',
    expires: '2027-01-01',
    ...more,
  }
}

export function vex(id: string, more: Partial<VexStatement> = {}): VexStatement {
  return {
    id,
    purl: 'pkg:npm/lodash@4.17.20',
    status: 'not_affected',
    reason: 'vulnerable_code_not_present',
    by: 'shop',
    file: 'vex/shop.json',
    source: 'vex/shop.json, statement 1',
    ...more,
  }
}

/** A decision by the severity alone. */
export function decided(one: Finding, refuses = true, more: Partial<Decision> = {}): Decision {
  return { finding: one, refuses, rule: { kind: 'limit' }, says: `${one.severity}, a test`, ...more }
}

/** Texts that would like to be something else. */
export const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', '', ' ', '\n', '\r\n::error::x', '\u001b[2J', '\u2028', '\u202e', '\0'),
  fc.constant('a'.repeat(5000)),
  fc.constantFrom('CVE-2021-1', 'CVE-2021-2', 'GHSA-aaaa-bbbb-cccc', 'MAL-2024-1', 'lodash', '**', '[', '\\'),
)

const word = (...words: readonly string[]) => fc.constantFrom(...words)

/** Of a small world, so that findings meet: the same names, files and packages again and again. */
export const anyFinding: fc.Arbitrary<Finding> = fc
  .record({
    id: word('CVE-2021-1', 'CVE-2021-2', 'cve-2021-2', 'GHSA-aaaa-bbbb-cccc', 'DSA-1-1', 'MAL-2024-1', 'DS-0002'),
    aliases: fc.subarray(['CVE-2021-1', 'CVE-2021-3', 'GHSA-AAAA-bbbb-cccc', 'DSA-1-1']),
    severity: fc.constantFrom('unknown', 'low', 'medium', 'high', 'critical'),
    layer: fc.constantFrom<ScanLayer[]>('deps', 'image', 'config', 'code'),
    scanner: word('trivy', 'semgrep', 'other'),
    file: word('a.lock', 'b.lock', 'Dockerfile'),
    line: fc.option(fc.nat({ max: 2 }), { nil: undefined }),
    name: fc.option(word('lodash', 'openssl'), { nil: undefined }),
    version: word('1.0.0', '2.0.0'),
    type: word('npm', 'deb'),
    fixedIn: fc.option(word('1.0.1', '1.0.1, 2.0.1', ' '), { nil: undefined }),
    suppressed: fc.option(fc.constantFrom('inline', 'suppressions'), { nil: undefined }),
  })
  .map(({ file, line, name, version, type, fixedIn, suppressed, ...rest }) => {
    const where = {
      file,
      ...(line === undefined ? {} : { line }),
      ...(name === undefined ? {} : { package: name, version, purl: `pkg:${type}/${name}@${version}` }),
      ...(rest.layer === 'image' ? { image: 'localhost/dwf/shop:ci' } : {}),
    }
    return finding(rest.id, {
      ...rest,
      where,
      ...(fixedIn === undefined ? {} : { fixedIn }),
      ...(suppressed === undefined ? {} : { suppressed: { by: suppressed } }),
      fingerprint: JSON.stringify([rest.layer, rest.id, file, name, type, line]),
    })
  })

export const anyPolicy: fc.Arbitrary<Policy> = fc
  .record({
    limit: fc.constantFrom('low', 'medium', 'high', 'critical'),
    fixOnly: fc.boolean(),
    inline: fc.boolean(),
    suppressions: fc.boolean(),
    ignores: fc.array(
      fc.record({
        of: fc.constantFrom('config', 'file'),
        id: word('CVE-2021-1', 'GHSA-aaaa-bbbb-cccc', 'DS-0002', 'CVE-2021-9'),
        expires: word('2026-06-14', today, '2027-06-15', '2027-06-16'),
        paths: fc.option(fc.subarray(['a.*', '**', 'Dockerfile'], { minLength: 1 }), { nil: undefined }),
        package: fc.option(word('lodash', 'openssl@1.0.0'), { nil: undefined }),
      }),
      { maxLength: 4 },
    ),
    vex: fc.array(
      fc.record({
        id: word('CVE-2021-1', 'CVE-2021-2'),
        status: fc.constantFrom('not_affected', 'fixed', 'affected'),
        purl: word('pkg:npm/lodash', 'pkg:deb/openssl@1.0.0'),
      }),
      { maxLength: 3 },
    ),
    baselined: fc.array(anyFinding, { maxLength: 4 }),
  })
  .map(({ inline, suppressions, ignores, vex: statements, baselined, ...rest }) =>
    policy({
      ...rest,
      honorsSuppressed: { inline, suppressions },
      ignores: ignores.map(({ paths, package: name, ...more }, line) => ({
        file: more.of === 'config' ? 'devflow.toml' : '.trivyignore',
        line,
        layers: ['deps', 'image'],
        reason: 'a test',
        ...more,
        ...(paths === undefined ? {} : { paths }),
        ...(name === undefined ? {} : { package: name }),
      })),
      vex: statements.map((statement) => vex(statement.id, statement)),
      baseline: {
        entries: baselined.map(({ layer, fingerprint, id }) => ({
          layer,
          fingerprint,
          id,
          where: 'x',
          since: '2026-01-01',
        })),
      },
    }),
  )

/** The items, and the same in another order. */
export const shuffled = <T>(items: fc.Arbitrary<T[]>): fc.Arbitrary<readonly [readonly T[], readonly T[]]> =>
  items.chain((list) =>
    fc
      .shuffledSubarray(
        list.map((_, index) => index),
        { minLength: list.length },
      )
      .map((order) => [list, order.map((index) => list[index]!)] as const),
  )
