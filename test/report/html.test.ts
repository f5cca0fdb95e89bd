import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'parse5'
import { html } from '../../src/report/html.ts'
import { document, layer, noon, shop, shopHistory } from './documents.ts'
import { decisionsOf, hostileDocument, hostileText } from './hostile.ts'

interface Node {
  readonly nodeName: string
  readonly attrs?: readonly { readonly name: string; readonly value: string }[]
  readonly childNodes?: readonly Node[]
  readonly value?: string
}

const nodesOf = (node: Node): readonly Node[] => [node, ...(node.childNodes ?? []).flatMap(nodesOf)]
const pageOf = (text: string) => nodesOf(parse(text) as unknown as Node)
const textOf = (node: Node): string => (node.value ?? '') + (node.childNodes ?? []).map(textOf).join('')
const attribute = (node: Node, name: string) => node.attrs?.find((one) => one.name === name)?.value
const named = (nodes: readonly Node[], name: string) => nodes.filter(({ nodeName }) => nodeName === name)
const withClass = (nodes: readonly Node[], name: string) =>
  nodes.filter((node) => attribute(node, 'class')?.split(' ').includes(name))

test('its policy allows nothing but its own style and script', () => {
  const nodes = pageOf(html(shop, shopHistory))
  const hash = (name: string) => {
    const found = named(nodes, name)
    assert.equal(found.length, 1, name)
    return `'sha256-${createHash('sha256').update(textOf(found[0]!)).digest('base64')}'`
  }
  const policy = nodes.find((node) => attribute(node, 'http-equiv') === 'Content-Security-Policy')!
  assert.equal(
    attribute(policy, 'content'),
    `default-src 'none'; style-src ${hash('style')}; script-src ${hash('script')}; base-uri 'none'; form-action 'none'`,
  )
  assert.doesNotMatch(textOf(named(nodes, 'style')[0]!), /url\(|@import|https?:/)
})

test('every finding, why it was let pass or refused, and every component can be read', () => {
  const nodes = pageOf(html(shop, shopHistory))
  const text = textOf(named(nodes, 'main')[0]!)
  for (const { finding, says } of decisionsOf(shop)) {
    for (const word of [finding.id, finding.title, says, finding.where.file, finding.fixedIn ?? ''])
      assert.ok(text.includes(word), word)
    assert.ok(nodes.some((node) => attribute(node, 'id') === `finding-${finding.fingerprint}`))
  }
  for (const { components } of shop.layers)
    for (const { name, version, licenses } of components)
      for (const word of [name, version, ...licenses]) assert.ok(text.includes(word), word)
  assert.equal(withClass(nodes, 'finding').length, 8)
  assert.match(text, /Of 4 gates 3 refused and 1 passed/)
  assert.match(text, /an earlier scan of the same contents/)
  assert.equal(named(nodes, 'rect').length, 33)
  // Filters are for scripts: they show them.
  assert.notEqual(attribute(nodes.find((node) => attribute(node, 'id') === 'filters')!, 'hidden'), undefined)
})

test('links lead to http and https only, and tell nobody where they are from', () => {
  const [one] = shop.layers
  const first = one!.decisions[0]!
  const references = [
    'https://a.example/x',
    'http://b.example',
    'javascript:alert(1)',
    'JaVaScRiPt://x',
    '//c.example',
    'https://u:p@d.example/',
    'data:text/html,x',
  ]
  const scan = document([
    layer({ layer: 'deps', decisions: [{ ...first, finding: { ...first.finding, references } }] }),
  ])
  const nodes = pageOf(html(scan))
  const links = named(nodes, 'a').filter((node) => !attribute(node, 'href')!.startsWith('#'))
  assert.deepEqual(
    links.map((node) => [attribute(node, 'href'), attribute(node, 'rel')]),
    [
      ['https://a.example/x', 'noreferrer noopener'],
      ['http://b.example/', 'noreferrer noopener'],
    ],
  )
  const text = textOf(named(nodes, 'main')[0]!)
  for (const reference of references) assert.ok(text.includes(reference), reference)
})

test('a run without findings, without history, and with a gate that could not look', () => {
  const clean = pageOf(html(document([layer({ layer: 'deps' })])))
  const text = textOf(named(clean, 'main')[0]!)
  assert.match(text, /The gate passed/)
  assert.match(text, /No findings\./)
  assert.equal(named(clean, 'svg').length, 0)
  const broken = document([
    layer({ layer: 'deps', verdict: 'broken', summary: 'no database' }),
    layer({ layer: 'config' }),
  ])
  const alarm = withClass(pageOf(html(broken)), 'alarm')
  assert.deepEqual(alarm.map(textOf), ['scan:deps could not look. no database Nothing was passed.'])
  assert.match(textOf(named(pageOf(html(document([], { ok: false }))), 'main')[0]!), /No gate ran/)
})

test('the history has the last thirty runs, this one among them once', () => {
  const many = Array.from({ length: 40 }, (_, index) => ({
    ...shopHistory[0]!,
    run: `r${index}`,
    at: noon - (40 - index) * 1000,
  }))
  const nodes = pageOf(html(shop, [...many, { ...many[0]!, run: shop.run, at: 0 }]))
  const runs = named(nodes, 'svg')
    .flatMap(nodesOf)
    .filter(({ nodeName }) => nodeName === 'g')
  assert.equal(runs.length, 30)
  assert.match(textOf(runs.at(-1)!), /2026-11-22 07:31 UTC, not passed: 2 critical, 1 high, 3 medium, 2 low/)
})

/** What the template says, whatever the document: elements and names of attributes. */
const known = new Map<string, ReadonlySet<string>>()
for (const node of [
  ...pageOf(html(shop, shopHistory)),
  ...pageOf(html(document([layer({ layer: 'deps', verdict: 'broken' })]))),
])
  known.set(
    node.nodeName,
    new Set([...(known.get(node.nodeName) ?? []), ...(node.attrs ?? []).map(({ name }) => name)]),
  )

test('property: no text of a document is more than text', () => {
  const script = textOf(named(pageOf(html(shop)), 'script')[0]!)
  const style = textOf(named(pageOf(html(shop)), 'style')[0]!)
  fc.assert(
    fc.property(hostileDocument, hostileText, (scan, run) => {
      const text = html(scan, [{ ...shopHistory[0]!, run, commit: run }])
      const nodes = pageOf(text)
      for (const { nodeName, attrs = [] } of nodes) {
        assert.ok(known.has(nodeName), nodeName)
        for (const { name, value } of attrs) {
          assert.ok(known.get(nodeName)!.has(name) || name === 'hidden', `${nodeName} ${name}`)
          if (name === 'href') assert.match(value, /^(#findings$|https?:\/\/[^/])/)
        }
      }
      assert.deepEqual(named(nodes, 'script').map(textOf), [script])
      assert.deepEqual(named(nodes, 'style').map(textOf), [style])
      assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u061c]/)
      const anchors = nodes.map((node) => attribute(node, 'id')).filter((id) => id !== undefined)
      assert.equal(new Set(anchors).size, anchors.length)
      for (const { finding } of decisionsOf(scan)) assert.ok(anchors.includes(`finding-${finding.fingerprint}`))
    }),
    { numRuns: 100 },
  )
})

test('the template has no mustache in its style and its script', () => {
  const source = readFileSync(join(import.meta.dirname, '../../templates/report.html.hbs'), 'utf8')
  for (const [, inner] of source.matchAll(/<(?:style|script)>([\s\S]*?)<\/(?:style|script)>/g))
    assert.doesNotMatch(inner!, /\{\{/)
})
