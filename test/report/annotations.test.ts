import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { annotations } from '../../src/report/index.ts'
import { mergeFindings } from '../../src/scan/merge.ts'
import { decision, document, finding, layer, shop } from './documents.ts'
import { decisionsOf, hostileDocument } from './hostile.ts'

test('worst first, on the line of the repository; what is in an image has no file', () => {
  const image = 'localhost/shop-ci:3f2a91c'
  assert.deepEqual(annotations(shop), [
    '::error title=critical%3A CVE-2026-10234::CVE-2026-10234 libexpat1, fixed in 2.7.1-2+deb13u1: Integer overflow in ' +
      `storeRawNames allows code execution by a crafted document%0Acritical, at or above the limit high%0Ain opt/toolchain/lib/libexpat.so.1 in ${image}, var/lib/dpkg/status in ${image}`,
    '::error file=deploy/legacy.env,line=4,endLine=4,title=critical%3A aws-access-key-id::aws-access-key-id: AWS access key' +
      '%0Acritical, at or above the limit high%0Arevoke the key, then remove it from the history',
    '::error file=package-lock.json,line=1182,title=high%3A CVE-2021-23337::CVE-2021-23337 lodash, fixed in 4.17.21: Command ' +
      `injection via the template function%0Ahigh, at or above the limit high%0Aalso in usr/lib/node_modules/npm/node_modules/lodash/package.json:1 in ${image}`,
  ])
})

test('what is beyond the limit is counted in one notice; a gate that could not look comes first', () => {
  const found = Array.from({ length: 13 }, (_, index) =>
    decision(finding({ id: `r${index}`, layer: 'config', where: { file: 'a.tf', line: index + 1 } })),
  )
  const scan = document([
    layer({ layer: 'config', decisions: found }),
    layer({ layer: 'deps', verdict: 'broken', summary: 'no database' }),
  ])
  const lines = annotations(scan)
  assert.equal(lines.length, 11)
  assert.equal(lines[0], '::error title=scan%3Adeps is broken::no database')
  assert.equal(lines[10], '::notice title=dwf scan::4 more that refuse: see the report')
  assert.deepEqual(annotations(document([layer({ layer: 'deps' })])), [])
})

test('percent signs, colons and commas are data', () => {
  const scan = document([
    layer({
      layer: 'config',
      decisions: [
        decision(
          finding({ id: 'a:b,c', layer: 'config', where: { file: 'x,line=1:%0A.tf', line: 3 }, title: '100% a,b: c' }),
        ),
      ],
    }),
  ])
  assert.deepEqual(annotations(scan), [
    '::error file=x%2Cline=1%3A%250A.tf,line=3,title=high%3A a%3Ab%2Cc::a:b,c: 100%25 a,b: c%0Ahigh, at or above the limit high',
  ])
})

/** As the runner reads a line (actions/runner, ActionCommand.TryParseV2): undefined where it is no command. */
function read(line: string) {
  const match = /^::([\w-]+)(?: (.*?))?::(.*)$/s.exec(line)
  if (!match) return undefined
  const data = (text: string) => text.replace(/%0D/g, '\r').replace(/%0A/g, '\n').replace(/%25/g, '%')
  const properties = (match[2] ?? '').split(',').map((pair) => {
    const at = pair.indexOf('=')
    return [
      pair.slice(0, at),
      data(
        pair
          .slice(at + 1)
          .replace(/%3A/g, ':')
          .replace(/%2C/g, ','),
      ),
    ]
  })
  return { name: match[1], properties: Object.fromEntries(properties), message: data(match[3]!) }
}

test('property: each line is one command with our properties; everything that refuses is shown or counted', () => {
  fc.assert(
    fc.property(hostileDocument, fc.integer({ min: 0, max: 12 }), (scan, limit) => {
      const lines = annotations(scan, limit)
      const commands = lines.map((line) => {
        assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e\u2028\u2029]/)
        const command = read(line)
        assert.ok(command, line)
        assert.match(command.name!, /^(error|notice)$/)
        for (const key of Object.keys(command.properties)) assert.match(key, /^(file|line|endLine|title)$/, line)
        return command
      })
      const errors = commands.filter(({ name }) => name === 'error')
      assert.ok(errors.length <= limit)
      const refusing =
        mergeFindings(decisionsOf(scan)).filter(({ refuses }) => refuses).length +
        scan.layers.filter(({ verdict }) => verdict === 'broken').length
      const counted = commands
        .filter(({ name }) => name === 'notice')
        .map(({ message }) => Number.parseInt(message, 10))
      assert.equal(errors.length + (counted[0] ?? 0), refusing)
    }),
    { numRuns: 200 },
  )
})
