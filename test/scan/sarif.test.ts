import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSarif, type SarifReport } from '../../src/scan/sarif.ts'
import type { Finding } from '../../src/scan/types.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { growsLinearly } from '../growth.ts'

const options = {
  layer: 'code',
  scanner: 'semgrep',
  root: '/workspace',
  files: new Set(['src/a.js', 'src/b c.js', 'x%20y.js']),
} as const

const log = (run: object) => ({
  version: '2.1.0',
  runs: [{ tool: { driver: { name: 'Semgrep', version: '1.2.3' } }, results: [], ...run }],
})
const read = (run: object) => readSarif(JSON.stringify(log(run)), options)
const at = (uri: string, region: object = { startLine: 3, startColumn: 5, endLine: 4 }, more: object = {}) => ({
  physicalLocation: { artifactLocation: { uri, ...more }, region },
})
const result = (more: object = {}) => ({ ruleId: 'r', message: { text: 'm' }, locations: [at('src/a.js')], ...more })
const one = (more: object, run: object = {}): Finding => read({ results: [result(more)], ...run }).findings[0]!
const driver = (...rules: readonly object[]) => ({ tool: { driver: { name: 'Semgrep', rules } } })

function refused(value: unknown): readonly [string, string] {
  try {
    readSarif(typeof value === 'string' ? value : JSON.stringify(value), options)
  } catch (error) {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'machine-cannot')
    return [error.diagnostics[0]!.code, error.message]
  }
  return ['', '']
}

test('a result says rule, place, severity and where to read more', () => {
  const report = read({
    tool: {
      driver: {
        name: 'Semgrep',
        version: '1.2.3',
        rules: [{ id: 'r', helpUri: 'https://x/r', defaultConfiguration: { level: 'error' } }],
      },
    },
    results: [result({ message: { text: 'eval of\ninput' } })],
    artifacts: [{ location: { uri: 'src/b%20c.js' } }, { location: { uri: 'gone.js' } }],
  })
  const [{ fingerprint, ...rest }] = report.findings as [Finding]
  assert.match(fingerprint, /^[0-9a-f]{64}$/)
  assert.deepEqual(rest, {
    id: 'r',
    severity: 'high',
    layer: 'code',
    scanner: 'semgrep',
    where: { file: 'src/a.js', line: 3, column: 5, endLine: 4 },
    title: 'eval of input',
    references: ['https://x/r'],
  })
  assert.deepEqual(report.tool, { name: 'Semgrep', version: '1.2.3' })
  assert.deepEqual(
    report.targets.map(({ file }) => file),
    ['src/a.js', 'src/b c.js'],
  )
})

test('a report that does not tell all is refused', () => {
  const hint = 'the report of semgrep '
  const cases: readonly (readonly [unknown, string, string])[] = [
    ['', 'report-empty', 'is empty'],
    ['{"version":"2.1.0","runs":[{', 'report-not-json', 'is cut off or is no JSON'],
    ['['.repeat(200_000), 'report-not-json', 'is cut off or is no JSON'],
    [[], 'report-schema', 'is not of the shape that SARIF has, at the top'],
    [{ runs: [] }, 'report-schema', 'is SARIF without a version; dwf reads 2.1.0'],
    [{ version: '2.0.0', runs: [] }, 'report-schema', 'is SARIF "2.0.0"; dwf reads 2.1.0'],
    [{ version: '2.1.0' }, 'report-schema', 'is not of the shape that SARIF has, at runs'],
    [{ version: '2.1.0', runs: [] }, 'report-schema', 'holds no run: nothing was looked at'],
    [{ version: '2.1.0', runs: [null] }, 'report-schema', 'is not of the shape that SARIF has, at runs'],
    [log({ tool: {} }), 'report-schema', 'is not of the shape that SARIF has, at tool.driver'],
    [log({ tool: { driver: {} } }), 'report-schema', 'is not of the shape that SARIF has, at tool.driver.name'],
    [log({ results: null }), 'scanner-failed', 'holds no results, not even none: the scan did not take place'],
    [log({ results: undefined }), 'scanner-failed', 'holds no results, not even none: the scan did not take place'],
    [log({ results: {} }), 'report-schema', 'is not of the shape that SARIF has, at results'],
    [log({ results: [1] }), 'report-schema', 'is not of the shape that SARIF has, at results'],
    [log({ invocations: [{ executionSuccessful: false }] }), 'scanner-failed', 'says that the scan failed'],
    [
      log({ invocations: [{ executionSuccessful: false, exitCodeDescription: 'no rules' }] }),
      'scanner-failed',
      'says that the scan failed: no rules',
    ],
    [log({ invocations: [{ executionSuccessful: 'true' }] }), 'scanner-failed', 'says that the scan failed'],
    [
      log({
        invocations: [
          {
            executionSuccessful: true,
            toolExecutionNotifications: [{ level: 'error', message: { text: 'cannot parse a.js\n' } }],
          },
        ],
      }),
      'scanner-failed',
      'says that a part failed: cannot parse a.js',
    ],
    [
      log({ invocations: [{ toolConfigurationNotifications: [{ level: 'error' }] }] }),
      'scanner-failed',
      'says that a part failed: it does not say why',
    ],
    [
      log({ externalPropertyFileReferences: { results: [{}] } }),
      'report-in-pieces',
      'is only a part: the rest is in other files',
    ],
  ]
  for (const [value, code, message] of cases) assert.deepEqual(refused(value), [code, hint + message])
  assert.deepEqual(
    refused(
      log({
        invocations: [
          { executionSuccessful: true, toolExecutionNotifications: [{}, { level: 'warning' }, { level: 'note' }] },
        ],
      }),
    ),
    ['', ''],
  )
})

test('severity is the CVSS score of the rule, else the level', () => {
  const scored = (score: unknown) => one({}, driver({ id: 'r', properties: { 'security-severity': score } })).severity
  const cases: readonly (readonly [unknown, string])[] = [
    ['9.0', 'critical'],
    [9.8, 'critical'],
    ['8.9', 'high'],
    ['7', 'high'],
    ['6.9', 'medium'],
    ['4.0', 'medium'],
    ['3.9', 'low'],
    ['0.1', 'low'],
    ['0.0', 'medium'],
    ['high', 'unknown'],
    ['11', 'unknown'],
    [-1, 'unknown'],
    [{}, 'unknown'],
    ['1e1', 'unknown'],
  ]
  for (const [score, expected] of cases) assert.equal(scored(score), expected, String(score))
  const levels: readonly (readonly [unknown, string])[] = [
    ['error', 'high'],
    ['warning', 'medium'],
    ['note', 'low'],
    ['none', 'low'],
    [undefined, 'medium'],
    ['fatal', 'unknown'],
    [7, 'unknown'],
    ['constructor', 'unknown'],
  ]
  for (const [level, expected] of levels) {
    assert.equal(one({ level }).severity, expected, String(level))
    assert.equal(one({}, driver({ id: 'r', defaultConfiguration: { level } })).severity, expected, String(level))
  }
  const overridden = {
    ...driver({ id: 'r', defaultConfiguration: { level: 'note' } }),
    invocations: [
      {
        executionSuccessful: true,
        ruleConfigurationOverrides: [{ descriptor: { id: 'r' }, configuration: { level: 'error' } }],
      },
    ],
  }
  assert.equal(one({}, overridden).severity, 'high')
  assert.equal(one({ level: 'warning' }, overridden).severity, 'medium')
})

test('a rule is found by index, by name, in an extension, and as a kind of another one', () => {
  const rules = [
    { id: 'a', helpUri: 'https://x/a' },
    { id: 'b', helpUri: 'https://x/b' },
  ]
  const tool = {
    tool: {
      driver: { name: 'X', rules },
      extensions: [{ name: 'e', guid: 'g', rules: [{ id: 'c', helpUri: 'https://x/c' }] }],
    },
  }
  const cases: readonly (readonly [object, string, string])[] = [
    [{ ruleId: undefined, ruleIndex: 1 }, 'b', 'https://x/b'],
    [{ ruleId: 'b', ruleIndex: 0 }, 'b', 'https://x/b'],
    [{ ruleId: 'b', ruleIndex: -1 }, 'b', 'https://x/b'],
    [{ ruleId: 'a/1' }, 'a/1', 'https://x/a'],
    [{ ruleId: 'a/1', ruleIndex: 0 }, 'a/1', 'https://x/a'],
    [{ ruleId: 'c' }, 'c', 'https://x/c'],
    [{ ruleId: undefined, rule: { index: 0, toolComponent: { index: 0 } } }, 'c', 'https://x/c'],
    [{ ruleId: undefined, rule: { index: 0, toolComponent: { name: 'e' } } }, 'c', 'https://x/c'],
    [{ ruleId: undefined, rule: { index: 0, toolComponent: { guid: 'g' } } }, 'c', 'https://x/c'],
    [{ ruleId: undefined, rule: { id: 'a' } }, 'a', 'https://x/a'],
    [{ ruleId: undefined, ruleIndex: 9 }, 'no-rule', ''],
    [{ ruleId: '__proto__' }, '__proto__', ''],
  ]
  for (const [more, id, help] of cases) {
    const found = one(more, tool)
    assert.deepEqual([found.id, found.references[0] ?? ''], [id, help], JSON.stringify(more))
  }
})

test('a place is a file of the tree, or is kept in the title', () => {
  const file = (location: object, run: object = {}) => {
    const found = one({ locations: [location] }, run)
    return found.where.file === '.' ? found.title : `${found.where.file}:${found.where.line}`
  }
  const base = (uri: string, id = 'ROOT') => ({ originalUriBaseIds: { [id]: { uri } } })
  const within = (uri: string, id = 'ROOT') => at(uri, { startLine: 3 }, { uriBaseId: id })
  const cases: readonly (readonly [string, string])[] = [
    [file(at('src/a.js')), 'src/a.js:3'],
    [file(at('./src/../src/a.js')), 'src/a.js:3'],
    [file(at('file:///workspace/src/a.js')), 'src/a.js:3'],
    [file(at('file://localhost/workspace/src/a.js')), 'src/a.js:3'],
    [file(at('/workspace/src/a.js')), 'src/a.js:3'],
    [file(at('src/b%20c.js')), 'src/b c.js:3'],
    [file(at('src/b c.js')), 'src/b c.js:3'],
    [file(at('x%20y.js')), 'x%20y.js:3'],
    [file(at('x%2520y.js')), 'x%20y.js:3'],
    [file(within('src/a.js', '%SRCROOT%')), 'src/a.js:3'],
    [file(within('src/a.js', '%SRCROOT%'), base('file:///home/runner/work/', '%SRCROOT%')), 'src/a.js:3'],
    [file(within('a.js'), base('file:///workspace/src/')), 'src/a.js:3'],
    [
      file(within('a.js'), {
        originalUriBaseIds: { ROOT: { uri: 'src/', uriBaseId: 'UP' }, UP: { uri: 'file:///workspace/' } },
      }),
      'src/a.js:3',
    ],
    [file(within('src/a.js'), { originalUriBaseIds: { ROOT: { uriBaseId: 'ROOT' } } }), 'src/a.js:3'],
    [file(within('src/a.js'), base('file:///elsewhere/')), 'src/a.js:3: m'],
    [file(within('src/a.js'), base('https://x/')), 'src/a.js:3: m'],
    [
      file(
        { physicalLocation: { artifactLocation: { index: 0 }, region: { startLine: 2 } } },
        { artifacts: [{ location: { uri: 'src/a.js' } }] },
      ),
      'src/a.js:2',
    ],
    [file(at('../etc/passwd')), '../etc/passwd:3: m'],
    [file(at('src/%2e%2e/%2e%2e/src/a.js')), 'src/%2e%2e/%2e%2e/src/a.js:3: m'],
    [file(at('gone.js')), 'gone.js:3: m'],
    [file(at('https://x/src/a.js')), 'https://x/src/a.js:3: m'],
    [file(at('file:///workspacex/src/a.js')), 'file:///workspacex/src/a.js:3: m'],
    [file(at('%zz\n')), '%zz\\u000a:3: m'],
    [file({}), 'm'],
  ]
  for (const [seen, expected] of cases) assert.equal(seen, expected)
  assert.equal(one({ locations: undefined }).where.file, '.')
  assert.deepEqual(one({ locations: [at('src/a.js', { startLine: 0, startColumn: 'x' })] }).where, { file: 'src/a.js' })
  assert.ok(one({ locations: [at('gone.js')], message: { text: 'x'.repeat(5000) } }).title.startsWith('gone.js:3: xxx'))
})

test('only an accepted suppression counts', () => {
  const suppressed = (...suppressions: readonly unknown[]) => one({ suppressions }).suppressed
  assert.equal(suppressed(), undefined)
  assert.deepEqual(suppressed({ kind: 'inSource' }), { by: 'suppressions' })
  assert.deepEqual(suppressed({ kind: 'external', status: 'accepted', justification: 'a\nb' }), {
    by: 'suppressions',
    says: 'a b',
  })
  for (const status of ['rejected', 'underReview', 'Accepted', 7, null])
    assert.equal(suppressed({ kind: 'inSource' }, { status }), undefined, String(status))
  assert.equal(suppressed('x'), undefined)
})

test('kinds that say that nothing is wrong are no findings; every other is one', () => {
  const kinds = ['pass', 'notApplicable', 'informational', 'open', 'review', 'fail', undefined, 'new', 7]
  assert.equal(read({ results: kinds.map((kind) => result({ kind })) }).findings.length, 6)
  assert.equal(one({ kind: 'open' }).severity, 'medium')
})

test('fingerprints stay when lines move, by what the producer keeps or by the message', () => {
  const mark = (more: object) => one(more).fingerprint
  const moved = { locations: [at('src/a.js', { startLine: 30 })] }
  assert.equal(mark({}), mark(moved))
  assert.notEqual(mark({}), mark({ message: { text: 'n' } }))
  const kept = { partialFingerprints: { 'primaryLocationLineHash/v1': 'x:1' } }
  assert.equal(mark(kept), mark({ ...kept, ...moved, message: { text: 'n' } }))
  assert.notEqual(mark(kept), mark({ partialFingerprints: { 'primaryLocationLineHash/v1': 'y:1' } }))
  assert.equal(mark({ fingerprints: { 'matchBasedId/v1': 'requires login' } }), mark({}))
  assert.notEqual(mark({ locations: [at('x.js')] }), mark({ locations: [at('y.js')] }))
  const twins = read({ results: [result(), result()] }).findings.map(({ fingerprint }) => fingerprint)
  assert.equal(new Set(twins).size, 2)
})

test('other names of a vulnerability are kept', () => {
  const aliases = (ruleId: string, rule: object) => one({ ruleId }, driver({ id: ruleId, ...rule })).aliases
  assert.deepEqual(aliases('CVE-2021-44228', { deprecatedIds: ['CVE-2021-44228', 'GHSA-jfh8-c2jp-5v3q'] }), [
    'GHSA-jfh8-c2jp-5v3q',
  ])
  assert.deepEqual(aliases('GHSA-jfh8-c2jp-5v3q-log4j-core', { properties: { aliases: ['CVE-2021-44228', 7] } }), [
    'CVE-2021-44228',
    'GHSA-jfh8-c2jp-5v3q',
  ])
  assert.equal(aliases('eval', { name: 'eval' }), undefined)
})

test('a message comes from the rule where the result gives an id', () => {
  const rule = {
    id: 'r',
    shortDescription: { text: 'short' },
    messageStrings: { default: { text: 'uses {0} of {1}{2}' } },
  }
  assert.equal(one({ message: { id: 'default', arguments: ['eval', 'x'] } }, driver(rule)).title, 'uses eval of x{2}')
  assert.equal(one({ message: { id: 'constructor' } }, driver(rule)).title, 'short')
  assert.equal(one({ message: undefined }).title, 'r')
})

test('text of a report drives no terminal and adds no line', () => {
  const evil = 'a\u001b[2J\r\n  0 findings\u2028\u0085\u202e\u0007b'
  const found = one(
    { ruleId: evil, message: { text: evil }, locations: [at(evil)], suppressions: [{ justification: evil }] },
    driver({ id: evil, helpUri: `https://x/${evil}`, deprecatedIds: [evil] }),
  )
  for (const text of [found.id, found.title, found.suppressed?.says ?? '', ...found.references])
    assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/)
  assert.deepEqual(found.references, [])
  assert.deepEqual(read({ tool: { driver: { name: evil } } }).tool.name.includes('\u001b'), false)
  assert.match(
    refused(log({ invocations: [{ executionSuccessful: false, exitCodeDescription: evil }] }))[1],
    /^[^\u0000-\u001f]+$/,
  )
})

test('no result disappears', () => {
  const kind = fc.constantFrom('pass', 'notApplicable', 'informational', 'open', 'review', 'fail', undefined, 'x')
  const anything = fc.object({
    key: fc.oneof(
      fc.constantFrom(
        'text',
        'uri',
        'index',
        'id',
        'uriBaseId',
        'startLine',
        'level',
        'physicalLocation',
        'artifactLocation',
        '__proto__',
      ),
      fc.string(),
    ),
    maxDepth: 4,
  })
  const value = fc.oneof(anything, fc.string(), fc.integer(), fc.constant(null), fc.array(anything, { maxLength: 3 }))
  const results = fc.array(
    fc.record(
      {
        kind,
        ruleId: value,
        ruleIndex: value,
        rule: value,
        message: value,
        locations: value,
        suppressions: value,
        partialFingerprints: value,
        properties: value,
        level: value,
      },
      { requiredKeys: [] },
    ),
  )
  fc.assert(
    fc.property(results, value, value, value, (list, rules, artifacts, originalUriBaseIds) => {
      const { findings } = read({
        results: list,
        artifacts,
        originalUriBaseIds,
        tool: { driver: { name: 'x', rules }, extensions: rules },
      })
      assert.equal(
        findings.length,
        list.filter((item) => !['pass', 'notApplicable', 'informational'].includes(item.kind!)).length,
      )
      for (const { where, title, severity } of findings) {
        assert.ok(where.file === '.' || options.files.has(where.file))
        assert.ok(title.length <= 240 && severity)
      }
    }),
  )
})

test('any text is a report or a Failure', () => {
  const check = (text: string) => {
    try {
      readSarif(text, options)
    } catch (error) {
      assert.ok(error instanceof Failure, String(error))
    }
  }
  const keys =
    'version runs tool driver name results invocations rules id executionSuccessful externalPropertyFileReferences toolExecutionNotifications extensions'.split(
      ' ',
    )
  const shape = fc.object({
    key: fc.oneof(fc.constantFrom(...keys), fc.string()),
    maxDepth: 6,
    values: [fc.string(), fc.integer(), fc.constant(null), fc.constant('2.1.0'), fc.boolean()],
  })
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        shape.map((value) => JSON.stringify({ version: '2.1.0', ...value })),
        shape.map((value) => JSON.stringify(log(value))),
      ),
      check,
    ),
  )
})

test('long texts in a report cost no time', async () => {
  for (const piece of ['/', '../', '%2f', '{0}', ' ', 'a/', '%', 'file:', '\\', 'CVE-1', '0'])
    for (const end of ['', 'x'])
      await growsLinearly(
        JSON.stringify([piece, end]),
        (size) => {
          const long = piece.repeat(size / piece.length) + end
          const more = {
            ruleId: long,
            message: { text: long, arguments: [long.slice(0, 1000)] },
            locations: [at(long)],
          }
          return JSON.stringify(
            log({
              results: [result(more)],
              originalUriBaseIds: { a: { uri: long } },
              invocations: [{ toolExecutionNotifications: [{ message: { text: long }, descriptor: { id: long } }] }],
            }),
          )
        },
        (text) => readSarif(text, options),
        { limit: 4 << 20 },
      )
})

const resultsOf = (size: number, one: object) => Array.from({ length: size / JSON.stringify(one).length }, () => one)

/** Many results, and what each of them could be compared with or told by. */
const crowds: Readonly<Record<string, (size: number) => object>> = {
  'one rule with many names': (size) => ({
    ...driver({ id: 'r', properties: { aliases: Array.from({ length: size / 15 }, (_, n) => `CVE-2024-${n + 1e5}`) } }),
    results: resultsOf(size, { ruleIndex: 0, message: { text: 'm' } }),
  }),
  'one rule of a long name': (size) => ({
    ...driver({ id: 'r'.repeat(size), name: ' '.repeat(size), helpUri: `https://${'x'.repeat(size)}` }),
    results: resultsOf(size, { ruleIndex: 0 }),
  }),
  'one artifact of a long name': (size) => ({
    artifacts: [{ location: { uri: 'a/'.repeat(size / 2) } }],
    results: resultsOf(size, { locations: [{ physicalLocation: { artifactLocation: { index: 0 } } }] }),
  }),
  'one folder of a long name': (size) => ({
    originalUriBaseIds: { b: { uri: `/${'a/'.repeat(size / 2)}` } },
    results: resultsOf(size, { locations: [{ physicalLocation: { artifactLocation: { uri: 'x', uriBaseId: 'b' } } }] }),
  }),
  'many extensions': (size) => ({
    tool: {
      driver: { name: 'x' },
      extensions: Array.from({ length: size / 20 }, (_, n) => ({ name: `e${n}` })),
    },
    results: resultsOf(size, { rule: { index: 0, toolComponent: { name: 'none' } }, message: { text: 'm' } }),
  }),
}
for (const [name, make] of Object.entries(crowds))
  test(`crowds in a report cost no time: ${name}`, () =>
    growsLinearly(
      name,
      (size) => JSON.stringify(log(make(size))),
      (text) => readSarif(text, options),
      { limit: 2 << 20, from: 65_536 },
    ))

test('a message with arguments is not longer than one without', () => {
  const long = 'w'.repeat(5000)
  const message = { id: 'm', arguments: [long] }
  const rule = { id: 'r', messageStrings: { m: { text: '{0}'.repeat(600) } } }
  assert.equal(one({ ruleIndex: 0, message }, driver(rule)).title, `${'w'.repeat(239)}…`)
})

test('the rules are counted, those of extensions too', () => {
  const extension = { name: 'e', rules: [{ id: 'c' }] }
  const tool = { tool: { driver: { name: 'x', rules: [{ id: 'a' }, { id: 'b' }] }, extensions: [extension] } }
  assert.equal(read(tool).rules, 3)
  assert.equal(read({}).rules, 0)
})

test('a report says what was looked at by rules, by files or by results', () => {
  const says = (run: object) => read(run).saysWhat
  assert.deepEqual(
    [{}, { artifacts: [] }, driver({ id: 'a' }), { artifacts: [{ location: { uri: 'gone.js' } }] }].map(says),
    [false, false, true, true],
  )
  assert.ok(says({ results: [result({ kind: 'pass' })] }))
})

test('files that a scanner could not look at are notes', () => {
  const told = (...notifications: readonly object[]): SarifReport['notes'] =>
    read({ invocations: [{ executionSuccessful: true, toolExecutionNotifications: notifications }] }).notes
  // As Semgrep 1.182 writes it.
  const syntax = {
    descriptor: { id: 'Syntax error' },
    level: 'warning',
    message: { text: 'Syntax error at line src/a.js:1:\n `function ( {` was unexpected' },
  }
  const text = 'Syntax error at line src/a.js:1: `function ( {` was unexpected'
  assert.deepEqual(told(syntax), [{ file: 'src/a.js', text }])
  const { level: _, ...bare } = syntax
  assert.deepEqual(told(bare), [{ file: 'src/a.js', text }], 'a notification without a level is a warning')
  assert.deepEqual(
    told({ descriptor: { id: 'Timeout' }, level: 'note', message: { text: 'gave up on\u001b[2J x.js' } }),
    [{ text: 'gave up on\\u001b[2J x.js' }],
  )
  assert.deepEqual(told({ message: { text: 'slow' }, locations: [at('src/b%20c.js')] }), [
    { file: 'src/b c.js', text: 'slow' },
  ])
  assert.deepEqual(told({ level: 'note', descriptor: { id: 'stats' }, message: { text: 'src/a.js' } }), [])
  assert.deepEqual(told({}), [{ text: 'it does not say what' }])
})
