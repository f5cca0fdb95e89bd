import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type EventRow, genesis, hashAfter, verifyChain } from '../../src/store/chain.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 })
const rowArbitrary = fc.record({
  run: text,
  at: fc.integer(),
  type: text,
  task: fc.option(text),
  data: text,
})

function chained(rows: readonly Omit<EventRow, 'hash' | 'sequence'>[]): readonly EventRow[] {
  let head = genesis
  return rows.map((row, index) => {
    const whole = { ...row, sequence: index + 1 }
    head = hashAfter(head, whole)
    return { ...whole, hash: head }
  })
}

const chainArbitrary = fc.array(rowArbitrary, { minLength: 1, maxLength: 8 }).map(chained)

test('a chain fits, and ends in the hash of its last row', () => {
  fc.assert(
    fc.property(chainArbitrary, (rows) => {
      assert.deepEqual(verifyChain(rows), {
        ok: true,
        head: rows.at(-1)!.hash,
        hashes: rows.map(({ hash }) => hash),
        excused: [],
      })
    }),
  )
})

test('a row that says anything else is the one that is named, whatever stands in its texts', () => {
  const change = fc.record({
    index: fc.nat(),
    column: fc.constantFrom('run', 'type', 'task', 'data', 'at'),
    value: text,
  })
  fc.assert(
    fc.property(chainArbitrary, change, (rows, { index, column, value }) => {
      const at = index % rows.length
      const row = rows[at]!
      const changed = { ...row, [column]: column === 'at' ? row.at + 1 : `${row[column as 'run'] ?? ''}${value}x` }
      assert.deepEqual(verifyChain(rows.with(at, changed)), {
        ok: false,
        head: rows[at - 1]?.hash ?? genesis,
        hashes: rows.slice(0, at).map(({ hash }) => hash),
        excused: [],
        broken: { sequence: at + 1, why: 'its hash does not fit what it says and what came before' },
      })
    }),
  )
})

test('what moves from one text to the next gives another hash', () => {
  fc.assert(
    fc.property(rowArbitrary, text, (row, moved) => {
      const here = { ...row, sequence: 1, type: row.type + moved, data: row.data }
      const there = { ...row, sequence: 1, type: row.type, data: moved + row.data }
      fc.pre(moved !== '')
      assert.notEqual(hashAfter(genesis, here), hashAfter(genesis, there))
    }),
  )
})

test('a row that is gone, and two in each other’s place, are named; the end alone does not tell that more came', () => {
  const row = { run: 'r', at: 1, type: 't', task: null, data: '{}' }
  const rows = chained([row, row, row, row])
  assert.deepEqual(verifyChain(rows.toSpliced(1, 1)).broken, { sequence: 2, why: 'it is missing' })
  const swapped = [rows[0]!, { ...rows[2]!, sequence: 2 }, { ...rows[1]!, sequence: 3 }, rows[3]!]
  assert.equal(verifyChain(swapped).broken?.sequence, 2)
  assert.equal(verifyChain(rows.slice(0, 2)).ok, true)
})

test('a row that is excused is named, and its own hash goes on', () => {
  const row = { run: 'r', at: 1, type: 't', task: null, data: '{}' }
  const rows = chained([row, row, row]).with(1, { ...chained([row, row])[1]!, data: 'x' })
  const { ok, excused, hashes } = verifyChain(rows, ({ data }) => data === 'x')
  assert.deepEqual({ ok, excused }, { ok: true, excused: [2] })
  assert.deepEqual(
    hashes,
    rows.map(({ hash }) => hash),
  )
  assert.equal(verifyChain(rows).broken?.sequence, 2)
})
