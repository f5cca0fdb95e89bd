import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readIgnoreFile } from '../../../src/scan/policy/ignore-file.ts'
import { Failure } from '../../../src/util/diagnostics.ts'
import { hostile } from './rig.ts'

/** `line:column message (hint)` of each problem. */
function refused(file: string, text: string): readonly string[] {
  try {
    readIgnoreFile(file, text)
  } catch (error) {
    assert.ok(error instanceof Failure, String(error))
    assert.equal(error.kind, 'wrong-input')
    return error.diagnostics.map(({ message, hint, where }) => {
      assert.equal(where?.file, file)
      return `${where.line}:${where.column} ${message}${hint ? ` (${hint})` : ''}`
    })
  }
  return []
}

test('a plain file has ids, days and comments', () => {
  const text =
    '\uFEFF# header\r\nCVE-2021-23337\r\n\n  DS-0002 exp:2026-12-31 # until we move\nGHSA-35jh-r3h4-6jhm #x\n'
  const any = ['deps', 'image', 'config', 'secrets', 'licenses']
  assert.deepEqual(readIgnoreFile('.trivyignore', text), [
    { of: 'file', file: '.trivyignore', line: 2, layers: ['deps', 'image'], id: 'CVE-2021-23337' },
    { of: 'file', file: '.trivyignore', line: 4, layers: any, id: 'DS-0002', expires: '2026-12-31' },
    { of: 'file', file: '.trivyignore', line: 5, layers: ['deps', 'image'], id: 'GHSA-35jh-r3h4-6jhm' },
  ])
  assert.deepEqual(readIgnoreFile('.trivyignore', '# nothing\n'), [])
})

test('what a plain file says otherwise is refused where it stands, all of it', () => {
  const how = '(a line is ID, or ID exp:YYYY-MM-DD)'
  assert.deepEqual(
    refused(
      '.trivyignore',
      'CVE-1 exp:2026-02-30\nCVE-2 CVE-3\n\n CVE-4 until:2026-01-01\nCVE-5 exp:2026-01-01 exp:2030-01-01',
    ),
    [
      `1:7 "exp:2026-02-30" is not understood here ${how}`,
      `2:7 "CVE-3" is not understood here ${how}`,
      `4:8 "until:2026-01-01" is not understood here ${how}`,
      `5:22 "exp:2030-01-01" is not understood here ${how}`,
    ],
  )
})

test('a YAML file has its four sections', () => {
  const text = `vulnerabilities:
  - id: CVE-2021-23337
    paths: ["web/package-lock.json", 'api/**']
    purls:
      - pkg:npm/lodash@4.17.20
    expired_at: 2026-12-31
    statement: no user input
  - id: CVE-2022-1
    expired_at: 2026-12-31T00:00:00Z
misconfigurations:
  - id: DS-0002
secrets:
  - {id: aws-access-key-id, paths: [test/keys.txt]}
licenses: []
`
  const file = '.trivyignore.yaml'
  assert.deepEqual(readIgnoreFile(file, text), [
    {
      of: 'file',
      file,
      line: 2,
      layers: ['deps', 'image'],
      id: 'CVE-2021-23337',
      paths: ['web/package-lock.json', 'api/**'],
      purls: ['pkg:npm/lodash@4.17.20'],
      reason: 'no user input',
      expires: '2026-12-31',
    },
    { of: 'file', file, line: 8, layers: ['deps', 'image'], id: 'CVE-2022-1', expires: '2026-12-31' },
    { of: 'file', file, line: 11, layers: ['config'], id: 'DS-0002' },
    { of: 'file', file, line: 13, layers: ['secrets', 'image'], id: 'aws-access-key-id', paths: ['test/keys.txt'] },
  ])
  for (const empty of ['', '# nothing\n', '---\n', 'null\n']) assert.deepEqual(readIgnoreFile(file, empty), [])
})

test('what a YAML file says otherwise is refused where it stands', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['vulnerabilites:\n  - id: CVE-1', '1:1 unknown key "vulnerabilites" (did you mean "vulnerabilities"?)'],
    ['vulnerabilities:\n  - id: CVE-1\n    expires: 2026-01-01', '3:5 unknown key "expires"'],
    ['vulnerabilities:\n  - paths: [a]', '2:5 an entry needs an id'],
    ['vulnerabilities:\n  - id: 7', '2:9 expected a text that is not empty'],
    ['vulnerabilities:\n  - id: ""', '2:9 expected a text that is not empty'],
    ['vulnerabilities:\n  - CVE-1', '2:5 expected a mapping with id, paths, purls, expired_at or statement'],
    ['vulnerabilities: CVE-1', '1:18 expected a list'],
    ['- id: CVE-1', '1:1 expected a mapping with vulnerabilities, misconfigurations, secrets or licenses'],
    [
      'secrets:\n  - id: a\n    paths: []',
      '3:12 an empty list would match nothing (leave the key out to match everything)',
    ],
    ['secrets:\n  - id: a\n    paths: a', '3:12 expected a list'],
    ['secrets:\n  - id: a\n    expired_at: soon', '3:17 expired_at is not a day such as 2027-03-31'],
    ['secrets:\n  - id: a\n    expired_at: 2026-02-30', '3:17 expired_at is not a day such as 2027-03-31'],
    ['secrets:\n  - id: a\n    purls: [lodash]', '3:12 "lodash" is not a package URL'],
    ['secrets:\n  - id: !x a', '.trivyignore.yaml is not YAML that is read here: Unresolved tag: !x'],
    ['secrets:\n  - id: a\n    id: b', '.trivyignore.yaml is not YAML that is read here: Map keys must be unique'],
    ['secrets: [', '.trivyignore.yaml is not YAML that is read here: Flow sequence in block collection'],
    ['a: &a {id: b}\nsecrets:\n  - <<: *a', 'unknown key "<<"'],
    ['secrets: []\n---\nsecrets: []', '.trivyignore.yaml is not YAML that is read here: Source contains multiple'],
  ]
  for (const [text, expected] of cases) {
    const found = refused('.trivyignore.yaml', text).join('\n')
    assert.ok(found.includes(expected), `${JSON.stringify(text)}: ${found}`)
  }
})

test('an alias stands for what it names, a hundred times at most', () => {
  const head = 'vulnerabilities:\n  - id: CVE-0\n    paths: &p [a]\n'
  const more = (amount: number) =>
    Array.from({ length: amount }, (_, index) => `  - id: CVE-${index + 1}\n    paths: *p\n`).join('')
  const rules = readIgnoreFile('x.yaml', head + more(100))
  assert.equal(rules.length, 101)
  assert.deepEqual(rules[100]?.paths, ['a'])
  assert.match(refused('x.yaml', head + more(101)).join('\n'), /more than 100 aliases/)
})

test('whatever is in a file, it is read or refused', () => {
  fc.assert(
    fc.property(fc.array(hostile), fc.constantFrom('.trivyignore', '.trivyignore.yaml'), (words, file) => {
      const text = file === '.trivyignore' ? words.join(' ') : `secrets:\n  - id: ${words.join('\n    ')}`
      try {
        for (const rule of readIgnoreFile(file, text)) assert.notEqual(rule.id.trim(), '')
      } catch (error) {
        assert.ok(error instanceof Failure, String(error))
        for (const { message } of error.diagnostics) assert.doesNotMatch(message, /[\u0000-\u001f\u2028]/)
      }
    }),
  )
})
