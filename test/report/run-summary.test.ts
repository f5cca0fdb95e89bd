import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lexer, type Token } from 'marked'
import { type RunForSummary, runSummary } from '../../src/report/index.ts'
import { hostileText } from './hostile.ts'

const run: RunForSummary = {
  run: '20261122-073100-4f2a',
  dwf: '0.1.0',
  ok: false,
  what: 'dwf check:pr',
  verdict: '1 of 3 failed in 12 s',
  plan: '1c5c5ba7b4da0000',
  head: '9d'.repeat(32),
  engine: 'podman 5.4.2, rootless',
  tasks: [
    { id: 'setup:deps@node', sign: '✔', outcome: 'up to date', attempts: 0, reason: 'nothing changed' },
    { id: 'test:unit@node', sign: '✖', outcome: 'failed (exit 1)', ms: 11_000, attempts: 2 },
    { id: 'package@node', sign: '–', outcome: 'not run', attempts: 0, reason: 'needs test:unit@node' },
  ],
  remarks: ['TEST DATABASE (17 entries)'],
  violations: ['a task changed package-lock.json'],
  again: ['dwf check:pr', 'dwf run test:unit@node'],
}

test('the tasks, what to know about the run, and how to run it again', () => {
  assert.equal(
    runSummary(run, 100_000),
    `## ✖ dwf check:pr: 1 of 3 failed in 12 s

run <code>20261122-073100-4f2a</code> · plan <code>1c5c5ba7b4da</code> · audit <code>${'9d'.repeat(32)}</code> · podman 5.4.2, rootless · dwf 0.1.0

| task | outcome | time | attempts | reason |
|---|---|---|---|---|
| <code>setup:deps&#64;&#8203;node</code> | ✔ up to date | – | – | nothing changed |
| <code>test:unit&#64;&#8203;node</code> | ✖ failed (exit 1) | 11 s | 2 | – |
| <code>package&#64;&#8203;node</code> | – not run | – | – | needs test:unit&#64;&#8203;node |

- &#10006; a task changed package-lock.json
- TEST DATABASE (17 entries)

The same on your machine:

\`\`\`text
dwf check:pr
dwf run test:unit@node
\`\`\`

`,
  )
})

test('of what does not fit, what failed stays', () => {
  const tasks = Array.from({ length: 1000 }, (_, index) => ({
    id: `${'x'.repeat(150)}${index}`,
    sign: index === 999 ? '✖' : '✔',
    outcome: 'ended',
    ms: 1,
    attempts: 1,
  }))
  const text = runSummary({ ...run, tasks }, 50_000)
  assert.ok(Buffer.byteLength(text) < 50_000)
  assert.match(text, /x999<\/code> \| ✖/)
  assert.match(text, /^… and \d+ more tasks$/m)
})

test('property: no text is structure', () => {
  const text = fc.array(hostileText, { maxLength: 3 })
  fc.assert(
    fc.property(text, text, text, hostileText, (ids, remarks, again, other) => {
      const summary = runSummary(
        {
          ...{ ...run, remarks, violations: [], what: other, verdict: other, plan: other, engine: other },
          tasks: ids.map((id) => ({ id, sign: '✖', outcome: other, attempts: 1, reason: other })),
          again: ['dwf', ...again],
        },
        1_000_000,
      )
      const tokens = (lexer(summary) as Token[]).filter(({ type }) => type !== 'space')
      const kinds = tokens.map(({ type }) => type)
      const list = remarks.length > 0 ? ['list'] : []
      assert.deepEqual(kinds, ['heading', 'paragraph', 'table', ...list, 'paragraph', 'code'])
      const table = tokens.find(({ type }) => type === 'table') as unknown as { rows: unknown[][] }
      assert.equal(table.rows.length, ids.length)
      assert.ok(table.rows.every((cells) => cells.length === 5))
      const items = tokens.find(({ type }) => type === 'list') as unknown as { items: unknown[] } | undefined
      assert.equal(items?.items.length ?? 0, remarks.length)
      assert.doesNotMatch(summary, /&#64;(?!&#8203;)\w|&#35;(?!&#8203;)\w/)
    }),
    { numRuns: 200 },
  )
})
