import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lexer, parser, type Token } from 'marked'
import { parseFragment } from 'parse5'
import { jobSummary } from '../../src/report/index.ts'
import { mergeFindings } from '../../src/scan/merge.ts'
import { decision, document, finding, layer } from './documents.ts'
import { decisionsOf, hostileDocument } from './hostile.ts'

test('the gates, and what refuses', () => {
  const scan = document([
    layer({
      layer: 'deps',
      database: 'database of today',
      decisions: [
        decision(
          finding({
            id: 'CVE-1',
            where: { file: 'a_b.lock', line: 7, package: '@x/y', version: '1' },
            title: 'a | title',
            fixedIn: '2',
            references: ['https://a.example/?x=1'],
          }),
        ),
        decision(finding({ id: 'CVE-2', severity: 'low', where: { file: 'a.lock' } })),
      ],
    }),
    layer({ layer: 'config', verdict: 'broken', summary: 'no scanner', scanners: [] }),
    layer({ layer: 'secrets' }),
  ])
  assert.equal(
    jobSummary(scan),
    `## ✖ scan of shop: not passed

run <code>20261122-073100-4f2a</code> · commit <code>9c1f0e7ab4d2</code> · 2026-11-22 07:31 UTC · dwf 0.1.0

| gate | verdict | findings | limit | looked at | scanner | database |
|---|---|---|---|---|---|---|
| scan:deps | ✖ refused | 1 high, 1 low | high | repository | trivy 0.76.0 | database of today |
| scan:config | ⚠ broken: no scanner | none | high | repository |  | – |
| scan:secrets | ✔ passed | none | high | repository | trivy 0.76.0 | – |

### 1 finding refuses

| severity | finding | package | fixed in | where | why |
|---|---|---|---|---|---|
| **high** | [CVE-1](<https://a.example/?x=1>) a &#124; title | &#64;&#8203;x/y 1 | 2 | <code>a&#95;b.lock:7</code> | high, at or above the limit high |
`,
  )
})

test('no more than fifty findings and a mebibyte, and the rest is counted', () => {
  const found = Array.from({ length: 73 }, (_, index) =>
    decision(
      finding({
        id: `r${index}`,
        layer: 'config',
        where: { file: `${'@'.repeat(5000)}${index}` },
        title: '|'.repeat(100_000),
      }),
    ),
  )
  const text = jobSummary(document([layer({ layer: 'config', decisions: found })]))
  assert.ok(Buffer.byteLength(text) < 1024 * 1024)
  const rows = text.split('\n').filter((line) => line.startsWith('| **')).length
  assert.ok(rows > 10 && rows <= 50, `${rows}`)
  assert.match(text, new RegExp(`^… and ${73 - rows} more: see the report\\.$`, 'm'))
})

const allowed = new Set(['h2', 'h3', 'p', 'table', 'thead', 'tbody', 'tr', 'th', 'td', 'code', 'strong', 'br', 'a'])

test('property: the texts of a document are no structure of Markdown or HTML', () => {
  fc.assert(
    fc.property(hostileDocument, (scan) => {
      const text = jobSummary(scan)
      const refusing = mergeFindings(decisionsOf(scan)).filter(({ refuses }) => refuses)
      const tokens = lexer(text)
      const kinds = (tokens as Token[]).filter(({ type }) => type !== 'space').map(({ type }) => type)
      assert.deepEqual(kinds, ['heading', 'paragraph', 'table', ...(refusing.length > 0 ? ['heading', 'table'] : [])])
      const tables = (tokens as Token[]).filter((token) => token.type === 'table') as { rows: unknown[][] }[]
      assert.equal(tables[0]!.rows.length, scan.layers.length)
      assert.ok(tables[0]!.rows.every((cells) => cells.length === 7))
      assert.equal(tables[1]?.rows.length ?? 0, refusing.length)
      visit(parseFragment(parser(tokens)) as unknown as HtmlNode)
      // What GitHub makes links of after Markdown: mentions, numbers of issues, addresses.
      assert.doesNotMatch(text.replace(/<https?:[^>]*>/g, ''), /&#64;(?!&#8203;)\w|&#35;(?!&#8203;)\w|:\/\/|www\./i)
    }),
    { numRuns: 200 },
  )
})

interface HtmlNode {
  readonly nodeName: string
  readonly attrs?: readonly { readonly name: string; readonly value: string }[]
  readonly childNodes?: readonly HtmlNode[]
}

function visit({ nodeName, attrs = [], childNodes = [] }: HtmlNode): void {
  if (nodeName !== '#document-fragment' && nodeName !== '#text') assert.ok(allowed.has(nodeName), nodeName)
  for (const { name, value } of attrs) {
    assert.ok(nodeName === 'a' && name === 'href', `${nodeName} ${name}`)
    assert.match(value, /^https?:\/\//)
  }
  for (const child of childNodes) visit(child)
}
