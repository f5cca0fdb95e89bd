import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { junit } from '../../src/report/index.ts'
import { decision, document, finding, layer, shop } from './documents.ts'
import { decisionsOf, hostileDocument } from './hostile.ts'

interface Node {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Node[]
  text: string
}

/** Parses as strictly as XML 1.0 is; throws for what is not well-formed. */
function parse(text: string): Node {
  const root: Node = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    const node: Node = { name, attributes: attributes as Record<string, string>, children: [], text: '' }
    open.at(-1)!.children.push(node)
    open.push(node)
  })
  parser.on('text', (more) => {
    open.at(-1)!.text += more
  })
  parser.on('closetag', () => {
    open.pop()
  })
  for (const other of ['cdata', 'comment', 'doctype', 'processinginstruction'] as const)
    parser.on(other, () => assert.fail(`a ${other} in it`))
  parser.write(text).close()
  return root.children[0]!
}

const all = (node: Node): readonly Node[] => [node, ...node.children.flatMap(all)]
const named = (node: Node, name: string) => all(node).filter((one) => one.name === name)

test('a refusing finding, one below the limit, a clean gate and one that could not look', () => {
  const scan = document([
    layer({
      layer: 'deps',
      summary: '2 findings',
      decisions: [
        decision(
          finding({
            id: 'CVE-1',
            where: { file: 'a&b.lock', line: 7, package: 'x', version: '1' },
            title: 'a "title" <b>',
            fixedIn: '2',
            references: ['https://a.example/?x=1&y=2'],
            fingerprint: 'f1',
          }),
        ),
        decision(finding({ id: 'CVE-2', severity: 'low', where: { file: 'a.lock' }, fingerprint: 'f2' })),
      ],
    }),
    layer({ layer: 'config', summary: 'nothing', database: 'db' }),
    layer({ layer: 'secrets', verdict: 'broken', summary: 'no scanner', scanners: [], lines: ['one', 'two'] }),
  ])
  assert.equal(
    junit(scan),
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="dwf scan of shop" tests="4" failures="1" errors="1" skipped="1" time="3.720" timestamp="2026-11-22T07:31:00">
  <testsuite name="scan:deps" tests="2" failures="1" errors="0" skipped="1" time="1.240" timestamp="2026-11-22T07:30:56">
    <properties>
      <property name="verdict" value="refused"/>
      <property name="summary" value="2 findings"/>
      <property name="limit" value="high"/>
      <property name="scanners" value="trivy 0.76.0"/>
      <property name="subjects" value="repository"/>
      <property name="cached" value="false"/>
    </properties>
    <testcase classname="scan:deps" name="CVE-1 x, fixed in 2: a &quot;title&quot; &lt;b&gt; (a&amp;b.lock:7)" time="0.000" file="a&amp;b.lock" line="7">
      <failure message="high, at or above the limit high" type="high">a&amp;b.lock:7: high, at or above the limit high [f1]
https://a.example/?x=1&amp;y=2</failure>
    </testcase>
    <testcase classname="scan:deps" name="CVE-2: what CVE-2 is (a.lock)" time="0.000" file="a.lock">
      <skipped message="low, below the limit high"/>
      <system-out>a.lock: low, below the limit high [f2]</system-out>
    </testcase>
  </testsuite>
  <testsuite name="scan:config" tests="1" failures="0" errors="0" skipped="0" time="1.240" timestamp="2026-11-22T07:30:56">
    <properties>
      <property name="verdict" value="passed"/>
      <property name="summary" value="nothing"/>
      <property name="limit" value="high"/>
      <property name="scanners" value="trivy 0.76.0"/>
      <property name="subjects" value="repository"/>
      <property name="database" value="db"/>
      <property name="cached" value="false"/>
    </properties>
    <testcase classname="scan:config" name="no findings" time="1.240">
      <system-out>nothing</system-out>
    </testcase>
  </testsuite>
  <testsuite name="scan:secrets" tests="1" failures="0" errors="1" skipped="0" time="1.240" timestamp="2026-11-22T07:30:56">
    <properties>
      <property name="verdict" value="broken"/>
      <property name="summary" value="no scanner"/>
      <property name="limit" value="high"/>
      <property name="subjects" value="repository"/>
      <property name="cached" value="false"/>
    </properties>
    <testcase classname="scan:secrets" name="the gate could look" time="1.240">
      <error message="no scanner" type="gate-broken">one
two</error>
    </testcase>
  </testsuite>
</testsuites>
`,
  )
})

test('cases of one name are told apart; a file of an image is none to open', () => {
  const twice = [1, 2].map((nth) =>
    decision(
      finding({ id: 'key', layer: 'secrets', where: { file: 'a.env' }, fingerprint: `f${nth}`, title: `t${nth % 1}` }),
    ),
  )
  const [one, other] = twice.map((each, index) => ({
    ...each,
    finding: { ...each.finding, where: { file: 'a.env', column: index + 1 } },
  }))
  const scan = document([layer({ layer: 'secrets', decisions: [one!, other!] })])
  const cases = named(parse(junit(scan)), 'testcase')
  assert.equal(new Set(cases.map(({ attributes }) => attributes.name)).size, cases.length)
  const image = named(parse(junit(shop)), 'testcase').filter(({ attributes }) => attributes.classname === 'scan:image')
  assert.ok(image.length > 0 && image.every(({ attributes }) => attributes.file === undefined))
})

test('property: well-formed XML, in which every text is a text and every finding is', () => {
  fc.assert(
    fc.property(hostileDocument, (scan) => {
      const text = junit(scan)
      const root = parse(text)
      const names = new Set(all(root).map(({ name }) => name))
      for (const name of names)
        assert.match(name, /^(testsuites|testsuite|testcase|properties|property|failure|error|skipped|system-out)$/)
      for (const { finding: one } of decisionsOf(scan)) assert.ok(text.includes(`[${one.fingerprint}]`))
      assert.equal(named(root, 'testsuite').length, scan.layers.length)
      const sums = (key: string) =>
        named(root, 'testsuite').reduce((sum, { attributes }) => sum + Number(attributes[key]), 0)
      const counted = { tests: 'testcase', failures: 'failure', errors: 'error', skipped: 'skipped' }
      for (const [key, name] of Object.entries(counted)) {
        assert.equal(sums(key), named(root, name).length, key)
        assert.equal(Number(root.attributes[key]), named(root, name).length, key)
      }
      for (const suite of root.children) {
        const cases = suite.children.filter(({ name }) => name === 'testcase').map(({ attributes }) => attributes.name)
        assert.equal(new Set(cases).size, cases.length)
        assert.ok(cases.length > 0)
      }
    }),
    { numRuns: 200 },
  )
})
