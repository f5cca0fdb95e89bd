import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { type DefaultTreeAdapterTypes, parse } from 'parse5'
import { drawnEdges, edgesOf, levelsOf } from '../../src/report/graph/edges.ts'
import { drawGraph, type Graph, type GraphTask } from '../../src/report/graph/index.ts'
import { visible } from '../../src/report/text.ts'

const task = (id: string, needs: readonly string[] = [], more: Partial<GraphTask> = {}): GraphTask => ({
  id,
  needs,
  kind: 'task',
  ...more,
})

const shop: Graph = {
  title: 'check:pr',
  tasks: [
    task('scan:deps@project', [], { kind: 'gate', state: 'passed' }),
    task('setup:fetch@node', [], { kind: 'fetch', state: 'current', after: ['scan:deps@project'] }),
    task('setup:deps@node', ['setup:fetch@node'], { kind: 'setup', state: 'passed', after: ['scan:deps@project'] }),
    task('build@node', ['setup:deps@node'], { state: 'failed', onFailure: 'tell' }),
    task('build@rust', [], { state: 'running' }),
    task('lint@node', ['setup:deps@node'], { state: 'passed' }),
    task('test@node', ['build@node', 'build@rust', 'setup:deps@node'], { state: 'not-run' }),
    task('tell', [], { kind: 'handler', state: 'waiting' }),
  ],
}

const withoutStates: Graph = { ...shop, tasks: shop.tasks.map(({ state: _, ...rest }) => rest) }

test('ascii: one row a task, and a line from what it needs', () => {
  assert.equal(
    drawGraph(withoutStates, 'ascii'),
    `check:pr

◆ scan:deps@project  gate
│
○ setup:fetch@node
│
○ setup:deps@node
├─○ build@node  on failure: tell
│ │ ○ build@rust
└─│─│─○ lint@node
  └─┴─○ test@node
◇ tell  handler`,
  )
  const painted: string[] = []
  const text = drawGraph(shop, 'ascii', {
    width: 16,
    paint: (tone, sign) => {
      painted.push(`${sign} ${tone}`)
      return sign
    },
  })
  assert.deepEqual(painted, ['✔ good', '✔ good', '✔ good', '✖ bad', '● busy', '✔ good', '– quiet', '· quiet'])
  assert.equal(text.split('\n')[2], '✔ scan:deps@pro…')
})

test('mermaid, with the states as classes', () => {
  assert.equal(
    drawGraph({ title: 'a "b"', tasks: shop.tasks.slice(2, 5) }, 'mermaid'),
    `---
title: "a \\u0022b\\u0022"
---
flowchart LR
  n0["setup:deps@node #10004; passed"]
  n1["build@node #10006; failed"]
  n2["build@rust #9679; running"]
  n0 --> n1
  class n0 good
  class n1 bad
  class n2 busy
  classDef good fill:#e6f5ec,stroke:#17693b,color:#17693b
  classDef bad fill:#fdebef,stroke:#9d1437,color:#9d1437
  classDef busy fill:#e9f2fb,stroke:#24588f,color:#24588f`,
  )
})

test('dot, with dashed and dotted arrows for what is no need', () => {
  assert.equal(
    drawGraph(withoutStates, 'dot'),
    `digraph {
  label="check:pr"
  labelloc="t"
  rankdir="LR"
  node [shape="box", style="rounded,filled", fillcolor="#ffffff", fontname="monospace"]
  n0 [label="scan:deps@project", shape="hexagon"]
  n1 [label="setup:fetch@node"]
  n2 [label="setup:deps@node"]
  n3 [label="build@node"]
  n4 [label="build@rust"]
  n5 [label="lint@node"]
  n6 [label="test@node"]
  n7 [label="tell", shape="ellipse"]
  n0 -> n1 [style="dashed"]
  n1 -> n2
  n2 -> n3
  n3 -> n7 [style="dotted", label="on failure"]
  n2 -> n5
  n3 -> n6
  n4 -> n6
}`,
  )
})

test('json has every edge, and how deep a task lies', () => {
  const { schema, tasks } = JSON.parse(drawGraph(shop, 'json'))
  assert.equal(schema, 'dwf.graph/1')
  assert.deepEqual(tasks[6], { ...shop.tasks[6], level: 4 })
})

/** Ids that want to be something else in each of the languages. */
const evil = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\n', '&', '#', ';', ']', '`', '<', 'N', '%', "'", '\u0000', '\ud800'),
  }),
  fc.constantFrom(
    '"] --> n9[x',
    '\\"]; evil [label="',
    '</title><script>alert(1)</script>',
    '" onload="alert(1)',
    '---\n',
    '%%{init: {}}%%',
    '&quot;&#34;#quot;',
    'end',
    '{{x}}',
    '\\N\\G',
    '"`**x**`"',
  ),
)

const hostile: fc.Arbitrary<Graph> = fc
  .record({
    title: evil,
    ids: fc.uniqueArray(evil, { maxLength: 8 }),
    links: fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 16 }),
    states: fc.array(fc.option(fc.oneof(fc.constantFrom('passed', 'failed'), evil), { nil: undefined }), {
      minLength: 8,
      maxLength: 8,
    }),
  })
  .map(({ title, ids, links, states }) => ({
    title,
    tasks: ids.map((id, index): GraphTask => {
      const own = links.filter(([from, to]) => to === index && from < index).map(([from]) => ids[from]!)
      const state = states[index]
      return task(id, own, state === undefined ? {} : { state })
    }),
  }))

const labelOf = ({ id, state }: GraphTask, lines: readonly string[], index: number, read: (text: string) => string) => {
  const label = read(lines[index]!)
  assert.ok(label === visible(id) || (state !== undefined && label.startsWith(`${visible(id)} `)), label)
}

test('mermaid: a hostile id is a label and nothing else', () => {
  const read = (line: string) =>
    /^ {2}n\d+\["((?:[A-Za-z0-9 .:@/=,_-]|#\d+;)*)"\]$/
      .exec(line)![1]!
      .replace(/#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
  fc.assert(
    fc.property(hostile, (graph) => {
      const lines = drawGraph(graph, 'mermaid').split('\n')
      assert.equal(JSON.parse(lines[1]!.slice('title: '.length)), visible(graph.title))
      assert.match(lines[1]!, /^title: "(?:[A-Za-z0-9 .:@/=,_-]|\\u[0-9a-f]{4})*"$/)
      assert.deepEqual([lines[0], lines[2], lines[3]], ['---', '---', 'flowchart LR'])
      for (const [index, one] of graph.tasks.entries()) labelOf(one, lines.slice(4), index, read)
      for (const line of lines.slice(4 + graph.tasks.length))
        assert.match(line, /^ {2}(n\d+ --> n\d+|class n\d+ \w+|classDef \w+ [a-z0-9:#,]+)$/)
    }),
  )
})

test('dot: a hostile id is a label and nothing else', () => {
  const read = (line: string) =>
    /^ {2}n\d+ \[label="((?:[^"\\\n]|\\"|\\\\)*)"(?:, (?:fill|font)?color="#[0-9a-f]{6}")*\]$/
      .exec(line)![1]!
      .replace(/\\(["\\])/g, '$1')
      .replaceAll('&amp;', '&')
  fc.assert(
    fc.property(hostile, (graph) => {
      const lines = drawGraph(graph, 'dot').split('\n')
      for (const [index, one] of graph.tasks.entries()) labelOf(one, lines.slice(5), index, read)
      for (const line of lines.slice(5 + graph.tasks.length, -1)) assert.match(line, /^ {2}n\d+ -> n\d+$/)
      assert.equal(lines.at(-1), '}')
    }),
  )
})

const hasDot = spawnSync('dot', ['-V']).status === 0

test('dot: Graphviz reads it', { skip: hasDot ? false : 'there is no dot here' }, () => {
  fc.assert(
    fc.property(hostile, (graph) => {
      const { status, stdout, stderr } = spawnSync('dot', ['-Tjson'], {
        input: drawGraph(graph, 'dot'),
        encoding: 'utf8',
      })
      assert.equal(status, 0, stderr)
      assert.equal((JSON.parse(stdout).objects ?? []).length, graph.tasks.length)
    }),
    { numRuns: 20 },
  )
})

type Node = DefaultTreeAdapterTypes.Node

function elements(node: Node): readonly DefaultTreeAdapterTypes.Element[] {
  const children = 'childNodes' in node ? node.childNodes.flatMap(elements) : []
  return 'tagName' in node ? [node, ...children] : children
}

const known = new Set(
  'html head meta title style body h1 p div svg defs marker path g rect text table thead tr th tbody td code'.split(
    ' ',
  ),
)

test('html: a hostile id is text; no script, no handler, no address', () => {
  fc.assert(
    fc.property(hostile, (graph) => {
      const page = parse(drawGraph(graph, 'html'))
      const all = elements(page)
      assert.deepEqual(
        all.filter(({ tagName }) => !known.has(tagName)).map(({ tagName }) => tagName),
        [],
      )
      for (const { tagName, attrs } of all)
        for (const { name } of attrs) assert.doesNotMatch(name, /^(on|href|src|style$|xlink)/, `${name} of ${tagName}`)
      const ids = all.filter(({ tagName }) => tagName === 'code').map((element) => textOf(element))
      const shown = graph.tasks.map(({ id }) => visible(id).replaceAll('\u061c', '\\u061c'))
      assert.deepEqual(
        ids.filter((_, index) => index % 2 === 0),
        shown,
      )
      assert.equal(all.filter(({ tagName }) => tagName === 'rect').length, graph.tasks.length)
    }),
  )
})

const textOf = (node: Node): string =>
  'value' in node && node.nodeName === '#text'
    ? (node as DefaultTreeAdapterTypes.TextNode).value
    : 'childNodes' in node
      ? node.childNodes.map(textOf).join('')
      : ''

test('html: only the style of the page is allowed, by its hash', async () => {
  const { createHash } = await import('node:crypto')
  const page = drawGraph(shop, 'html')
  const style = /<style>([\s\S]*?)<\/style>/.exec(page)![1]!
  const hash = createHash('sha256').update(style).digest('base64')
  assert.ok(page.includes(`content="default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;;`))
})

test('what a picture leaves out, it still says: the same comes before the same', () => {
  const random = fc.array(fc.array(fc.tuple(fc.nat(9), fc.boolean()), { maxLength: 5 }), { maxLength: 10 }).map(
    (links): Graph => ({
      title: '',
      tasks: links.map((own, index) => {
        const before = (isNeed: boolean) =>
          own.filter(([from, need]) => need === isNeed && from < index).map(([from]) => String(from))
        return task(String(index), before(true), { after: before(false) })
      }),
    }),
  )
  const reach = (graph: Graph, edges: ReturnType<typeof edgesOf>): string => {
    const before = graph.tasks.map(() => new Set<number>())
    for (const index of graph.tasks.keys())
      for (const { from } of edges.filter(({ to }) => to === index))
        for (const one of [from, ...before[from]!]) before[index]!.add(one)
    return before.map((set) => [...set].sort().join(',')).join(';')
  }
  const needs = (edges: ReturnType<typeof edgesOf>) => edges.filter(({ kind }) => kind === 'needs')
  fc.assert(
    fc.property(random, (graph) => {
      const [all, drawn] = [edgesOf(graph), drawnEdges(graph)]
      assert.equal(reach(graph, drawn), reach(graph, all))
      assert.equal(reach(graph, needs(drawn)), reach(graph, needs(all)))
      assert.deepEqual(levelsOf(graph, drawn), levelsOf(graph, all))
      for (const one of drawn)
        assert.notEqual(
          reach(
            graph,
            drawn.filter((other) => other !== one),
          ) + reach(graph, needs(drawn.filter((other) => other !== one))),
          reach(graph, drawn) + reach(graph, needs(drawn)),
        )
    }),
  )
})

test('ascii: every line leads to what it should', () => {
  const random = fc.array(fc.array(fc.nat(9), { maxLength: 4 }), { maxLength: 10 }).map(
    (links): Graph => ({
      title: 't',
      tasks: links.map((own, index) =>
        task(
          `T${index}`,
          own.filter((from) => from < index).map((from) => `T${from}`),
        ),
      ),
    }),
  )
  fc.assert(
    fc.property(random, (graph) => {
      const found = readAscii(drawGraph(graph, 'ascii').split('\n').slice(2))
      const drawn = drawnEdges(graph).map(({ from, to }) => `T${from} T${to}`)
      assert.deepEqual([...found].sort(), [...drawn].sort())
    }),
  )
})

/** Reads a drawing by its lines alone: which task each column leads down from. */
function readAscii(rows: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>()
  let columns = new Map<number, string>()
  let isBelowLines = false
  for (const row of rows) {
    const id = /T\d+$/.exec(row)?.[0]
    const grid = id === undefined ? row : row.slice(0, -id.length - 1)
    const next = new Map<number, string>()
    for (let column = 0; column < grid.length; column += 2) {
      const sign = grid[column]!
      const from = columns.get(column)
      if (['├', '┼', '└', '┴'].includes(sign)) found.add(`${from} ${id}`)
      if (['├', '┼', '│'].includes(sign)) next.set(column, from!)
      if (sign !== '○') continue
      // Straight below: a row of lines alone is between.
      if (isBelowLines && from !== undefined) found.add(`${from} ${id}`)
      next.set(column, id!)
    }
    columns = next
    isBelowLines = id === undefined
  }
  return found
}
