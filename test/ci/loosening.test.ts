import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loosenings, type PolicyState } from '../../src/ci/index.ts'
import { parseConfig } from '../../src/config/parse.ts'

const tool = { name: 'trivy', minimum: '0.60.0', denied: ['0.61.1'] }
const whole = `[targets]
pr = ["test:unit", "lint:static", "scan:deps", "scan:config", "scan:secrets"]
main = ["check:pr", "build:release"]
[scan]
severity = "medium"
vex = ["vex.json"]
honor = [".trivyignore"]
[scan.deps]
severity = "low"
[scan.licenses]
allow = ["MIT", "Apache-2.0"]
deny = ["AGPL-3.0-only"]
unknown = "refuse"
[scan.code.scanners.semgrep]
rules = "rules"
[[scan.ignore]]
layer = ["deps", "image"]
id = "CVE-2026-1"
package = "lodash"
reason = "not reachable"
expires = "2026-12-31"
[[scan.ignore]]
layer = "config"
rule = "DS-0002"
path = "docker/**"
reason = "needs root"
expires = "2026-12-31"
`

async function stateOf(text: string, more: Partial<PolicyState> = {}): Promise<PolicyState> {
  const { config } = await parseConfig('/repo/devflow.toml', text)
  return {
    config,
    lock: { packages: [], dwf: '1.0.0', tools: [tool] },
    baseline: ['deps a', 'deps b'],
    files: { 'vex.json': '{}', '.trivyignore': 'CVE-2026-2\n' },
    ...more,
  }
}

const base = await stateOf(whole)
const says = (change: PolicyState, from = base) => loosenings(from, change).map((one) => one.says)
const without = (...texts: readonly (string | RegExp)[]) => {
  const text = texts.reduce((all: string, one) => all.replace(one, ''), whole)
  assert.notEqual(text, whole)
  return text
}
const instead = (from: string | RegExp, to: string) => {
  const text = whole.replace(from, to)
  assert.notEqual(text, whole)
  return text
}

const loose: readonly (readonly [name: string, text: string, said: readonly string[]])[] = [
  ['a command out of a target', without('"lint:static", '), ['takes lint:static out of the target pr']],
  [
    'a target that goes',
    without(/^main.*\n/m),
    ['takes check:pr out of the target main', 'takes build:release out of the target main'],
  ],
  [
    'a higher severity for all',
    instead('severity = "medium"', 'severity = "high"'),
    ['image', 'config', 'secrets', 'code'].map(
      (layer) => `lets scan:${layer} pass below high, before it was below medium`,
    ),
  ],
  [
    'a higher severity for one layer',
    instead('severity = "low"', 'severity = "critical"'),
    ['lets scan:deps pass below critical, before it was below low'],
  ],
  [
    'a severity of its own that goes',
    without(/^\[scan\.deps\]\n.*\n/m),
    ['lets scan:deps pass below medium, before it was below low'],
  ],
  [
    'only what has a fix',
    instead('severity = "low"', 'severity = "low"\nfix_only = true'),
    ['lets scan:deps pass what has no fix'],
  ],
  [
    'another ignore',
    `${whole}[[scan.ignore]]\nlayer = "deps"\nid = "CVE-2026-3"\npackage = "x"\nreason = "why not"\nexpires = "2027-01-01"\n`,
    ['accepts CVE-2026-3 until 2027-01-01: why not'],
  ],
  [
    'an ignore that holds longer',
    instead('reachable"\nexpires = "2026-12-31"', 'reachable"\nexpires = "2027-12-31"'),
    ['accepts CVE-2026-1 until 2027-12-31: not reachable'],
  ],
  [
    'an ignore for another layer',
    instead('"deps", "image"', '"deps", "image", "code"'),
    ['accepts CVE-2026-1 until 2026-12-31: not reachable'],
  ],
  [
    'an ignore for another package',
    instead('package = "lodash"', 'package = "left-pad"'),
    ['accepts CVE-2026-1 until 2026-12-31: not reachable'],
  ],
  ['an ignore for more places', instead('docker/**', '**'), ['accepts DS-0002 until 2026-12-31: needs root']],
  ['another VEX document', instead('"vex.json"', '"vex.json", "more.json"'), ['lets more.json accept findings']],
  [
    'comments in configuration',
    instead('honor = [', 'honor = ["inline", '),
    ['lets comments in configuration accept findings'],
  ],
  ['suppressions', instead('honor = [', 'honor = ["suppressions", '), ['lets suppressions in SARIF accept findings']],
  [
    'another ignore file',
    instead('honor = [', 'honor = ["web/.trivyignore", '),
    ['lets web/.trivyignore accept findings'],
  ],
  [
    'an ignore file of semgrep',
    instead('honor = [', 'honor = [".semgrepignore", '),
    ['lets .semgrepignore accept findings'],
  ],
  ['a scanner that goes', without(/^\[scan\.code\..*\n.*\n/m), ['takes out the scanner semgrep']],
  ['a scanner with other rules', instead('rules = "rules"', 'rules = "none"'), ['changes the scanner semgrep']],
  [
    'a licence that is denied no more',
    instead('deny = ["AGPL-3.0-only"]', 'deny = []'),
    ['no longer denies the licence AGPL-3.0-only'],
  ],
  ['another accepted licence', instead('"MIT", ', '"MIT", "GPL-3.0-only", '), ['accepts GPL-3.0-only']],
  ['no list of accepted licences', instead('allow = ["MIT", "Apache-2.0"]', 'allow = []'), ['accepts every licence']],
  [
    'licences that nobody tells',
    instead('unknown = "refuse"', 'unknown = "report"'),
    ['lets packages pass whose licence nobody tells'],
  ],
]

for (const [name, text, said] of loose)
  test(`told: ${name}`, async () => {
    assert.deepEqual(says(await stateOf(text)), said)
  })

test('told: what is beside devflow.toml, with its file', async () => {
  const change = await stateOf(whole, {
    baseline: ['deps b', 'deps c', 'deps d', 'image a'],
    files: { 'vex.json': '{"more":1}', '.trivyignore': 'CVE-2026-2\n' },
    lock: { packages: [], dwf: '0.9.0', tools: [{ ...tool, denied: [] }] },
  })
  assert.deepEqual(loosenings(base, change), [
    { says: 'adds 3 findings to the baseline', file: 'devflow.baseline.json' },
    { says: 'changes vex.json, which accepts findings', file: 'vex.json' },
    { says: 'changes the pin of trivy', file: 'devflow.lock' },
    { says: 'moves dwf from 1.0.0 to 0.9.0: judged by 1.0.0 here', file: 'devflow.lock' },
  ])
  assert.deepEqual(says(await stateOf(whole, { baseline: [...base.baseline, 'x'] })), [
    'adds 1 finding to the baseline',
  ])
  const { lock, ...withoutLock } = base
  assert.deepEqual(says(withoutLock), [
    'changes the pin of trivy',
    'moves dwf from 1.0.0 to none: judged by 1.0.0 here',
  ])
})

test('told: a target for pull requests that leaves out the gates which were there without saying so', async () => {
  const silent = await stateOf('')
  assert.deepEqual(says(await stateOf('[targets]\npr = ["fmt:check", "scan:deps"]\n'), silent), [
    'takes scan:config out of the target pr',
    'takes scan:secrets out of the target pr',
  ])
  assert.deepEqual(says(silent, await stateOf('[targets]\npr = ["scan:deps", "scan:image"]\n')), [
    'takes scan:image out of the target pr',
  ])
})

test('each has its place, so that a reviewer sees it there', async () => {
  const pathsOf = async (text: string) => loosenings(base, await stateOf(text)).map(({ path }) => path)
  assert.deepEqual(await pathsOf(without('"lint:static", ')), [['targets', 'pr']])
  assert.deepEqual(await pathsOf(instead('severity = "low"', 'severity = "critical"')), [['scan', 'deps', 'severity']])
  assert.deepEqual((await pathsOf(instead('severity = "medium"', 'severity = "high"')))[0], ['scan', 'severity'])
  assert.deepEqual(await pathsOf(instead('docker/**', '**')), [['scan', 'ignore', 1]])
  for (const [, text] of loose) for (const path of await pathsOf(text)) assert.ok(path && path.length > 1)
})

const tight: readonly (readonly [name: string, text: string])[] = [
  [
    'more commands',
    instead('"test:unit", ', '"test:unit", "test:integration", ').replace('"check:pr", ', '"check:pr", "scan:all", '),
  ],
  ['another target', `${whole.replace('[scan]', 'nightly = ["scan:all"]\n[scan]')}`],
  ['a lower severity', instead('severity = "medium"', 'severity = "low"')],
  ['fewer ignores', whole.slice(0, whole.indexOf('[[scan.ignore]]'))],
  [
    'an ignore that ends earlier, with another reason',
    instead('not reachable"\nexpires = "2026-12-31"', 'still not reachable"\nby = "me"\nexpires = "2026-12-30"'),
  ],
  ['an ignore for fewer layers', instead('["deps", "image"]', '"deps"')],
  ['an ignore for fewer places', instead('package = "lodash"\n', 'package = "lodash"\npath = "web/**"\n')],
  ['no VEX document and nothing honoured', without('vex = ["vex.json"]\n', 'honor = [".trivyignore"]\n')],
  ['another scanner', `${whole}[scan.code.scanners.own]\nrun = "scan"\n`],
  ['fewer accepted licences', instead('"MIT", ', '')],
  ['more denied licences', instead('deny = [', 'deny = ["GPL-3.0-only", ')],
  [
    'another order',
    instead('"test:unit", "lint:static", "scan:deps"', '"scan:deps", "lint:static", "test:unit"').replace(
      '"MIT", "Apache-2.0"',
      '"Apache-2.0", "MIT"',
    ),
  ],
  [
    'ignores in another order',
    `${whole.slice(0, whole.indexOf('[[scan.ignore]]'))}${whole.slice(whole.lastIndexOf('[[scan.ignore]]'))}${whole.slice(whole.indexOf('[[scan.ignore]]'), whole.lastIndexOf('[[scan.ignore]]'))}`,
  ],
  ['layers of an ignore in another order', instead('["deps", "image"]', '["image", "deps"]')],
]

for (const [name, text] of tight)
  test(`nothing to tell: ${name}`, async () => {
    assert.deepEqual(says(await stateOf(text)), [])
  })

test('nothing to tell: a smaller baseline, files that accept nothing any more, a first list of licences', async () => {
  assert.deepEqual(says(await stateOf(whole, { baseline: ['deps b'] })), [])
  assert.deepEqual(says(await stateOf(whole, { files: { 'vex.json': '', '.trivyignore': '' } })), [])
  assert.deepEqual(says(await stateOf(whole, { files: {} })), [])
  const silent = await stateOf('')
  assert.deepEqual(says(await stateOf('[scan.licenses]\nallow = ["MIT"]\n'), silent), [])
})

test('nothing is looser than itself, and two steps tell what one step would', () => {
  const states = fc.constantFrom(...loose.map(([, text]) => text), ...tight.map(([, text]) => text), whole)
  return fc.assert(
    fc.asyncProperty(states, states, fc.array(fc.constantFrom('a', 'b', 'c')), async (one, other, baseline) => {
      const [a, b] = [await stateOf(one, { baseline }), await stateOf(other)]
      assert.deepEqual(loosenings(a, a), [])
      assert.deepEqual(loosenings(b, await stateOf(other)), [])
      // But for sentences that name both ends.
      const whole = new Set([...says(b, a), ...says(base, b)])
      for (const sentence of says(base, a))
        if (!/below|pin of|scanner|until/.test(sentence)) assert.ok(whole.has(sentence), sentence)
    }),
    { numRuns: 60 },
  )
})
