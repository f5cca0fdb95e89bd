import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decide } from '../../../src/scan/policy/decide.ts'
import type { Policy } from '../../../src/scan/policy/types.ts'
import type { Finding } from '../../../src/scan/types.ts'
import { anyFinding, anyPolicy, finding, hostile, ignore, policy, shuffled, vex } from './rig.ts'

const cve = 'CVE-2021-23337'

/** What became of one finding. */
function became(one: Finding, more: Partial<Policy> = {}) {
  const { decisions } = decide([one], policy(more))
  const found = decisions.find((decision) => decision.finding === one)
  assert.ok(found)
  return { refuses: found.refuses, rule: found.rule, says: found.says }
}

const own = (more: Partial<Policy>, findings: readonly Finding[] = []) =>
  decide(findings, policy(more)).decisions.filter((decision) => !findings.includes(decision.finding))

test('the limit refuses what is at least as severe', () => {
  assert.deepEqual(became(finding(cve)), {
    refuses: true,
    rule: { kind: 'limit' },
    says: 'high, at or above the limit high',
  })
  assert.deepEqual(became(finding(cve, { severity: 'medium' })), {
    refuses: false,
    rule: { kind: 'limit' },
    says: 'medium, below the limit high',
  })
})

test('an unknown severity refuses at any limit, and with fix_only', () => {
  assert.deepEqual(became(finding(cve, { severity: 'unknown' }), { limit: 'critical', fixOnly: true }), {
    refuses: true,
    rule: { kind: 'unknown-severity' },
    says: 'of unknown severity, which refuses at any limit',
  })
})

test('an ignore accepts, and says where it stands, who wrote it, until when and why', () => {
  assert.deepEqual(became(finding(cve), { ignores: [ignore(cve)] }), {
    refuses: false,
    rule: { kind: 'ignore', source: 'devflow.toml:12', reason: 'no user input', until: '2027-01-01' },
    says: 'ignored by devflow.toml:12 until 2027-01-01: no user input',
  })
  assert.equal(
    became(finding(cve), { ignores: [ignore(cve, { by: 'ana' })] }).says,
    'ignored by devflow.toml:12 (ana) until 2027-01-01: no user input',
  )
  const { reason, expires, package: _, ...bare } = ignore(cve)
  assert.equal(
    became(finding(cve), { ignores: [{ ...bare, of: 'file', file: '.trivyignore', line: 3 }] }).says,
    'ignored by .trivyignore:3 without an end, without a reason',
  )
})

test('an ignore goes by any name of a vulnerability in any case, and by the exact name of a rule', () => {
  const known = finding('GHSA-35jh-r3h4-6jhm', { aliases: [cve] })
  for (const id of [cve, 'cve-2021-23337', 'ghsa-35JH-r3h4-6jhm'])
    assert.equal(became(known, { ignores: [ignore(id)] }).rule.kind, 'ignore', id)
  assert.equal(became(known, { ignores: [ignore('CVE-2021-2333')] }).rule.kind, 'limit')
  const rule = finding('python.Lang', { layer: 'code', where: { file: 'a.py' } })
  const { package: _, ...bare } = ignore('python.Lang', { layers: ['code'], paths: ['**'] })
  assert.equal(became(rule, { layer: 'code', ignores: [bare] }).rule.kind, 'ignore')
  assert.equal(became(rule, { layer: 'code', ignores: [{ ...bare, id: 'python.lang' }] }).rule.kind, 'limit')
})

test('an ignore of another layer, package, version or path changes nothing', () => {
  const others = [
    ignore(cve, { layers: ['image', 'config'] }),
    ignore(cve, { package: 'lodash.template' }),
    ignore(cve, { package: 'lodash@4.17.19' }),
    ignore(cve, { paths: ['web/**'] }),
    ignore(cve, { paths: ['package-lock'] }),
    ignore(cve, { purls: ['pkg:npm/lodash@4.17.19', 'pkg:pypi/lodash'] }),
  ]
  for (const rule of others) assert.equal(became(finding(cve), { ignores: [rule] }).refuses, true, JSON.stringify(rule))
  for (const rule of [
    ignore(cve, { package: 'lodash@4.17.20' }),
    ignore(cve, { paths: ['x', '*-lock.json'] }),
    ignore(cve, { layers: ['image', 'deps'] }),
    ignore(cve, { purls: ['pkg:npm/lodash'] }),
  ])
    assert.equal(became(finding(cve), { ignores: [rule] }).refuses, false, JSON.stringify(rule))
})

test('an ignore of the gate does not reach a finding of another layer', () => {
  const image = finding(cve, { layer: 'image' })
  assert.equal(became(image, { ignores: [ignore(cve)] }).refuses, true)
})

test('of two ignores that match, the first in the policy is named, by whatever name it matches', () => {
  const known = finding(cve, { aliases: ['GHSA-35jh-r3h4-6jhm'] })
  const ignores = [ignore('GHSA-35jh-r3h4-6jhm', { line: 30 }), ignore(cve, { line: 40 })]
  const { rule } = became(known, { ignores })
  assert.equal(rule.kind === 'ignore' && rule.source, 'devflow.toml:30')
})

test('the last day counts, the day after is a finding', () => {
  assert.equal(became(finding(cve), { ignores: [ignore(cve, { expires: '2026-06-15' })] }).rule.kind, 'ignore')
  const expired = ignore(cve, { expires: '2026-06-14' })
  assert.equal(became(finding(cve), { ignores: [expired] }).refuses, true)
  const [decision, ...more] = own({ ignores: [expired] }, [finding(cve)])
  assert.ok(decision)
  assert.deepEqual(more, [])
  const { fingerprint, ...rest } = decision.finding
  assert.match(fingerprint, /^[0-9a-f]{64}$/)
  assert.deepEqual(rest, {
    id: 'ignore-expired',
    severity: 'high',
    layer: 'deps',
    scanner: 'dwf',
    where: { file: 'devflow.toml', line: 12 },
    title: 'the ignore of CVE-2021-23337 for lodash expired on 2026-06-14',
    advice: 'fix what it accepts and remove it, or give it a new day and a reason that still holds',
    references: [],
  })
  assert.equal(decision.refuses, true)
  assert.equal(own({ ignores: [expired], limit: 'critical' })[0]?.refuses, false)
})

test('365 days ahead count, 366 are a finding', () => {
  assert.equal(became(finding(cve), { ignores: [ignore(cve, { expires: '2027-06-15' })] }).rule.kind, 'ignore')
  const long = ignore(cve, { expires: '2027-06-16' })
  assert.equal(became(finding(cve), { ignores: [long] }).refuses, true)
  assert.deepEqual(
    own({ ignores: [long] }).map(({ finding: { id, severity, title }, refuses }) => ({ id, severity, title, refuses })),
    [
      {
        id: 'ignore-too-long',
        severity: 'high',
        title:
          'the ignore of CVE-2021-23337 for lodash holds until 2027-06-16, more than 365 days ahead, and does not count',
        refuses: true,
      },
    ],
  )
})

test('an ignore that matches nothing is a low finding, in its own layers only', () => {
  const idle = ignore('CVE-2000-1', { paths: ['web/**'] })
  assert.deepEqual(
    own({ ignores: [idle] }, [finding(cve)]).map(({ finding: { id, severity, title, advice }, refuses }) => {
      return { id, severity, title, advice, refuses }
    }),
    [
      {
        id: 'ignore-unmatched',
        severity: 'low',
        title: 'the ignore of CVE-2000-1 for lodash in web/** matches nothing in deps',
        advice: 'remove it, or take deps from its layers',
        refuses: false,
      },
    ],
  )
  assert.deepEqual(own({ ignores: [ignore('CVE-2000-1', { layers: ['image'] })] }), [])
  // The second of two that match is of use as well: nobody can tell which one to remove.
  assert.deepEqual(own({ ignores: [ignore(cve), ignore(cve, { line: 20 })] }, [finding(cve)]), [])
})

test('nothing accepts what the policy finds itself', () => {
  const expired = ignore(cve, { expires: '2026-01-01' })
  const { fingerprint } = own({ ignores: [expired] })[0]!.finding
  const { package: _, ...all } = ignore('ignore-expired', { paths: ['**'], line: 20 })
  const decisions = own({
    ignores: [expired, all],
    baseline: { entries: [{ fingerprint, layer: 'deps', id: 'ignore-expired', where: 'x', since: '2026-01-01' }] },
  })
  assert.deepEqual(
    decisions.map(({ finding: { id }, refuses }) => [id, refuses]),
    [
      ['ignore-expired', true],
      ['ignore-unmatched', false],
    ],
  )
})

test('an ignore file is spoken of, and makes no findings', () => {
  const { reason, ...bare } = ignore(cve, { of: 'file', file: '.trivyignore', line: 3 })
  const rules = [
    { ...bare, expires: '2030-01-01' },
    { ...bare, id: 'CVE-2000-1', line: 4 },
    { ...bare, id: 'CVE-2000-2', line: 5, expires: '2026-01-01' },
    { ...bare, id: 'CVE-2000-3', line: 6 },
  ]
  const { decisions, lines } = decide([finding(cve), finding(cve)], policy({ ignores: rules }))
  assert.equal(decisions.length, 2)
  assert.deepEqual(lines, [
    'accepted by .trivyignore: 2 findings',
    '1 entry of .trivyignore has expired and does not count: CVE-2000-2 (line 5)',
    '2 entries of .trivyignore match nothing in deps: CVE-2000-1 (line 4), CVE-2000-3 (line 6)',
  ])
  assert.equal(became(finding('CVE-2000-2'), { ignores: rules }).refuses, true)
})

test('VEX accepts what is not affected or fixed, and nothing else', () => {
  assert.deepEqual(became(finding(cve), { vex: [vex(cve)] }), {
    refuses: false,
    rule: {
      kind: 'vex',
      source: 'vex/shop.json, statement 1',
      status: 'not_affected',
      reason: 'vulnerable_code_not_present',
      by: 'shop',
    },
    says: 'not affected, says vex/shop.json, statement 1 (shop): vulnerable_code_not_present',
  })
  const { reason, by, ...bare } = vex(cve, { status: 'fixed' })
  assert.equal(became(finding(cve), { vex: [bare] }).says, 'fixed, says vex/shop.json, statement 1, without a reason')
  for (const status of ['affected', 'under_investigation'] as const)
    assert.deepEqual(became(finding(cve), { vex: [vex(cve, { status })] }).rule, { kind: 'limit' })
  assert.deepEqual(decide([finding(cve)], policy({ vex: [vex(cve)] })).lines, ['accepted by vex/shop.json: 1 finding'])
})

test('a later statement takes an acquittal back, an earlier one does not', () => {
  const back = vex(cve, { status: 'affected', at: 2000 })
  assert.equal(became(finding(cve), { vex: [vex(cve, { at: 1000 }), back] }).refuses, true)
  assert.equal(became(finding(cve), { vex: [vex(cve, { at: 3000 }), back] }).refuses, false)
  const elsewhere = { ...back, purl: 'pkg:npm/lodash@4.17.19' }
  assert.equal(became(finding(cve), { vex: [vex(cve, { at: 1000 }), elsewhere] }).refuses, false)
})

test('an acquittal counts only when it is later than every statement against it about the same', () => {
  for (const status of ['affected', 'under_investigation'] as const) {
    const against = (at?: number) => vex(cve, { status, ...(at === undefined ? {} : { at }) })
    const refuses = (...statements: Policy['vex']) => became(finding(cve), { vex: statements }).refuses
    assert.equal(refuses(vex(cve), against()), true, 'without times')
    assert.equal(refuses(vex(cve, { at: 1000 }), against(1000)), true, 'of the same time')
    assert.equal(refuses(vex(cve), against(1000)), true, 'the acquittal has no time')
    assert.equal(refuses(vex(cve, { at: 1000 }), against()), true, 'what is against it has no time')
    assert.equal(refuses(against(1000), vex(cve, { at: 1001 })), false, 'later')
    assert.equal(refuses(against(1000), vex(cve, { at: 1001 }), against(2000)), true, 'one of two is later')
    assert.equal(refuses(vex(cve), vex(cve, { at: 1001 }), against(1000)), false, 'one acquittal is enough')
    // The same by another name, and for all versions.
    const known = finding(cve, { aliases: ['GHSA-35jh-r3h4-6jhm'] })
    const other = vex('GHSA-35jh-r3h4-6jhm', { status, purl: 'pkg:npm/lodash' })
    assert.equal(became(known, { vex: [vex(cve), other] }).refuses, true)
  }
})

test('a suppression counts only where it is honoured, each kind by itself', () => {
  const where = { file: 'Dockerfile', line: 3 }
  const inline = finding('DS-0002', { where, suppressed: { by: 'inline', says: 'needs root' } })
  const sarif = finding('rule', { where, suppressed: { by: 'suppressions' } })
  const both = { inline: true, suppressions: true }
  assert.deepEqual(became(inline, { honorsSuppressed: both }), {
    refuses: false,
    rule: { kind: 'suppressed', by: 'inline', reason: 'needs root' },
    says: 'suppressed by a comment in the file: needs root',
  })
  assert.equal(
    became(sarif, { honorsSuppressed: both }).says,
    'suppressed in the report of its scanner, without a reason',
  )
  assert.equal(became(inline, { honorsSuppressed: { ...both, inline: false } }).refuses, true)
  assert.equal(became(sarif, { honorsSuppressed: { ...both, suppressions: false } }).refuses, true)
  assert.deepEqual(decide([inline, sarif, inline], policy({ honorsSuppressed: both })).lines, [
    'accepted by comments in files (inline): 2 findings',
    'accepted by suppressions in SARIF: 1 finding',
  ])
})

test('the baseline goes by fingerprint and layer, and says what is stale', () => {
  const entry = { ...finding(cve), where: 'package-lock.json lodash', since: '2026-01-31' }
  const { fingerprint, id, layer, where, since } = entry
  const entries = [{ fingerprint, id, layer, where, since }]
  assert.deepEqual(became(finding(cve), { baseline: { entries } }), {
    refuses: false,
    rule: { kind: 'baseline', source: 'devflow.baseline.json', since: '2026-01-31' },
    says: 'in devflow.baseline.json since 2026-01-31',
  })
  const other = [{ ...entries[0]!, layer: 'image' as const }]
  assert.equal(became(finding(cve), { baseline: { entries: other } }).refuses, true)
  const gone = (amount: number, of: 'deps' | 'image') =>
    Array.from({ length: amount }, (_, index) => ({ ...entries[0]!, fingerprint: `gone-${index}`, layer: of }))
  const lines = (amount: number) =>
    decide(
      [finding(cve)],
      policy({ baseline: { entries: [...entries, ...gone(amount, 'deps'), ...gone(5, 'image')] } }),
    ).lines
  assert.deepEqual(lines(3), [
    'accepted by devflow.baseline.json: 1 finding',
    '3 entries of devflow.baseline.json match nothing any more: dwf scan baseline --prune',
  ])
  assert.equal(lines(1)[1], '1 entry of devflow.baseline.json matches nothing any more: dwf scan baseline --prune')
  assert.deepEqual(lines(0), ['accepted by devflow.baseline.json: 1 finding'])
})

test('the baseline accepts no malicious package and nothing that could not be read, whatever is in it', () => {
  const config = (id: string, more: Partial<Finding> = {}) =>
    finding(id, { layer: 'config', scanner: 'dwf', where: { file: 'a.yaml' }, severity: 'unknown', ...more })
  const entries = (one: Finding) => [
    { fingerprint: one.fingerprint, layer: one.layer, id: 'CVE-1', where: 'x', since: '2026-01-31' },
  ]
  const refuses = (one: Finding) =>
    became(one, { layer: one.layer, limit: 'low', baseline: { entries: entries(one) } }).refuses
  for (const one of [
    finding('MAL-2024-1'),
    finding(cve, { aliases: ['mal-2024-1'] }),
    ...['DWF-COMPOSE-000', 'DWF-BAKE-000', 'DWF-ACTIONS-000', 'DWF-HELM-000'].map((id) => config(id)),
    config('DWF-COMPOSE-000', { severity: 'low' }),
  ])
    assert.equal(refuses(one), true, one.id)
  for (const one of [
    finding(cve, { severity: 'unknown' }),
    config('DWF-COMPOSE-001'),
    config('other-000', { severity: 'high' }),
  ])
    assert.equal(refuses(one), false, one.id)
})

test('fix_only lets pass what no version fixes, if it is a vulnerability', () => {
  assert.deepEqual(became(finding(cve), { fixOnly: true }), {
    refuses: false,
    rule: { kind: 'no-fix' },
    says: 'high, and no version fixes it, which fix_only lets pass',
  })
  assert.equal(became(finding(cve, { fixedIn: ' ' }), { fixOnly: true }).refuses, false)
  assert.equal(became(finding(cve, { fixedIn: '4.17.21' }), { fixOnly: true }).refuses, true)
  assert.equal(became(finding('x', { where: { file: 'Dockerfile' } }), { fixOnly: true }).refuses, true)
  const license = finding('GPL-3.0-only', { layer: 'licenses' })
  assert.equal(became(license, { layer: 'licenses', fixOnly: true }).refuses, true)
})

test('a malicious package refuses whatever fix_only says, by any of its names', () => {
  for (const one of [finding('MAL-2024-1'), finding(cve, { aliases: ['mal-2024-1'] })])
    assert.deepEqual(became(one, { fixOnly: true }), {
      refuses: true,
      rule: { kind: 'limit' },
      says: 'high, at or above the limit high: a malicious package waits for no fix',
    })
})

test('of several rules the first decides: ignore, VEX, suppression, baseline, severity', () => {
  const one = finding(cve, { severity: 'unknown', suppressed: { by: 'inline' } })
  const { fingerprint, id, layer } = one
  const rules: Partial<Policy>[] = [
    { fixOnly: true },
    { baseline: { entries: [{ fingerprint, id, layer, where: 'x', since: '2026-01-01' }] } },
    { honorsSuppressed: { inline: true, suppressions: false } },
    { vex: [vex(cve)] },
    { ignores: [ignore(cve)] },
  ]
  assert.deepEqual(
    rules.map((_, index) => became(one, Object.assign({}, ...rules.slice(0, index + 1))).rule.kind),
    ['unknown-severity', 'baseline', 'suppressed', 'vex', 'ignore'],
  )
})

test('no order of findings changes anything, and each comes out once', () => {
  fc.assert(
    fc.property(shuffled(fc.array(anyFinding, { maxLength: 12 })), anyPolicy, ([given, other], any) => {
      const result = decide(given, any)
      assert.deepEqual(decide(other, any), result)
      const left = result.decisions.map((decision) => decision.finding)
      for (const one of given) {
        const at = left.indexOf(one)
        assert.ok(at >= 0)
        left.splice(at, 1)
      }
      assert.ok(left.every((one) => one.scanner === 'dwf' && one.id.startsWith('ignore-')))
    }),
  )
})

test('what passes at or above the limit names the rule that let it', () => {
  const ranks = ['low', 'medium', 'high', 'critical', 'unknown']
  fc.assert(
    fc.property(fc.array(anyFinding, { maxLength: 12 }), anyPolicy, (given, any) => {
      for (const { finding: one, refuses, rule } of decide(given, any).decisions) {
        const isSevere = ranks.indexOf(one.severity) >= ranks.indexOf(any.limit)
        if (!refuses && isSevere) assert.ok(!['limit', 'unknown-severity'].includes(rule.kind))
        if (refuses) assert.ok(isSevere && ['limit', 'unknown-severity'].includes(rule.kind))
      }
    }),
  )
})

test('an ignore, a statement and an entry about something else change no decision', () => {
  fc.assert(
    fc.property(fc.array(anyFinding, { maxLength: 12 }), anyPolicy, (given, any) => {
      const elsewhere: Policy = {
        ...any,
        ignores: [
          ...any.ignores,
          ...given.flatMap(({ id }) => [
            ignore(id, { layers: ['secrets'] }),
            ignore(id, { of: 'file', package: 'left-pad' }),
            ignore(id, { of: 'file', paths: ['nowhere/**'] }),
          ]),
        ],
        vex: [...any.vex, ...given.map(({ id }) => vex(id, { purl: 'pkg:npm/left-pad' }))],
      }
      assert.deepEqual(decide(given, elsewhere).decisions, decide(given, any).decisions)
    }),
  )
})

test('no text breaks a line or throws', () => {
  const broken = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/
  fc.assert(
    fc.property(
      hostile,
      hostile,
      hostile,
      hostile,
      fc.constantFrom('2026-01-01', '2027-01-01'),
      (id, name, path, reason, expires) => {
        const one = finding(id, {
          aliases: [name],
          where: { file: path, package: name },
          suppressed: { by: 'inline', says: reason },
        })
        const rules = [
          ignore(id, { package: name, paths: [path], reason, by: name, file: path, expires }),
          ignore(name, { of: 'file', file: path, expires }),
        ]
        const honorsSuppressed = { inline: true, suppressions: true }
        for (const ignores of [rules, []]) {
          const { decisions, lines } = decide([one], policy({ ignores, honorsSuppressed }))
          for (const { finding: found, says, rule } of decisions) {
            assert.doesNotMatch(says, broken)
            assert.ok(says.length <= 1000)
            if (rule.kind === 'ignore' || rule.kind === 'suppressed') assert.doesNotMatch(rule.reason ?? '', broken)
            if (found !== one) assert.doesNotMatch(found.title, broken)
          }
          for (const line of lines) assert.doesNotMatch(line, broken)
        }
      },
    ),
  )
})
