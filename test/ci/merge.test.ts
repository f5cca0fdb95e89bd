import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { diff3Merge } from 'node-diff3'
import { type Merged, type MergeInput, mergeFile } from '../../src/ci/merge/index.ts'
import { regions } from '../../src/ci/merge/regions.ts'
import { joinLines, splitLines } from '../../src/ci/merge/text.ts'
import { anyText, checkoutOf, dwfText, pin, shaOf, text, uses, workflow } from './merge-texts.ts'

type Clean = Extract<Merged, { readonly text: string }>

function merge(base: string, current: string, next: string, more: Partial<MergeInput> = {}): Merged {
  return mergeFile({ path: 'x.yml', isRecorded: true, base, baseIsWhole: true, current, next, ...more })
}
function clean(merged: Merged): Clean {
  assert.ok('text' in merged, JSON.stringify(merged))
  return merged
}
const codes = (merged: Merged): readonly string[] => merged.diagnostics.map((one) => one.code)

const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'] as const

test('a file that is missing is written', () => {
  const input = { path: 'x.yml', isRecorded: false, baseIsWhole: false, next: text(a) }
  assert.deepEqual(mergeFile(input), {
    kind: 'created',
    path: 'x.yml',
    text: text(a),
    isEdited: false,
    nextBase: text(a),
    pins: [],
    diagnostics: [],
  })
  assert.equal(mergeFile({ ...input, isRecorded: true }).kind, 'created', 'the base is gone too: it is wanted again')
})

test('a file that a person removed stays removed', () => {
  const merged = mergeFile({ path: 'x.yml', isRecorded: true, base: text(a), baseIsWhole: true, next: text(b) })
  assert.equal(merged.kind, 'kept-deleted')
  assert.equal(merged.diagnostics[0]!.message, 'x.yml was removed by hand, and stays removed')
  assert.match(merged.diagnostics[0]!.hint!, /remove \.github\/dwf\/base\/x\.yml too/)
})

test('a file that nobody edited follows dwf', () => {
  const merged = clean(merge(text(a, b), text(a, b), text(a, c)))
  assert.deepEqual(
    [merged.kind, merged.text, merged.isEdited, merged.nextBase],
    ['updated', text(a, c), false, text(a, c)],
  )
})

test('edits and changes of dwf at different places both survive', () => {
  const merged = clean(merge(text(a, b, c, d, e), text('mine', a, b, c, d, e), text(a, b, c, 'dwf', e)))
  assert.deepEqual([merged.kind, merged.text], ['merged', text('mine', a, b, c, 'dwf', e)])
  assert.equal(merged.isEdited, true)
  assert.equal(merged.nextBase, text(a, b, c, 'dwf', e))
})

test('the same change on both sides is no conflict', () => {
  const merged = clean(merge(text(a, b, c), text(a, 'x', c), text(a, 'x', c)))
  assert.deepEqual([merged.kind, merged.isEdited], ['unchanged', false])
})

test('changes of the same lines are a conflict with its place', () => {
  const merged = merge(text(a, b, c, d, e), text('new', a, 'mine', 'too', c, d, e), text(a, 'dwf', c, d, e))
  assert.equal(merged.kind, 'conflict')
  assert.deepEqual(merged.kind === 'conflict' && merged.conflicts, [
    { line: 3, mine: ['mine', 'too'], base: [b], dwf: ['dwf'] },
  ])
  const [said] = merged.diagnostics
  assert.equal(said!.message, 'lines 3 to 4 were changed by hand, and dwf writes something else there now')
  assert.deepEqual([said!.where!.line, said!.where!.text], [3, 'mine'])
  const removed = merge(text(a, b), text(a), text(a, c))
  assert.match(removed.diagnostics[0]!.message, /^what stood before line 2 was removed by hand/)
})

test('a conflict is solved by the side that is preferred, and only it', () => {
  const [base, current, next] = [text(a, b, c, d, e), text(a, 'mine', c, d, e), text(a, 'dwf', c, d, 'new')]
  assert.equal(clean(merge(base, current, next, { prefer: 'mine' })).text, text(a, 'mine', c, d, 'new'))
  assert.equal(clean(merge(base, current, next, { prefer: 'dwf' })).text, text(a, 'dwf', c, d, 'new'))
})

test("a person's own file is not touched, and one that is what dwf would write is dwf's", () => {
  const own = { isRecorded: false, baseIsWhole: false }
  assert.equal(merge(text(a), text(b), text(a), own).kind, 'foreign')
  assert.equal(merge(text(a), text(b), text(a), { ...own, prefer: 'dwf' }).kind, 'foreign')
  assert.equal(merge(text(b), text(a), text(a), own).kind, 'unchanged')
  assert.equal(merge(text(b), 'a\r\n', text(a), own).kind, 'unchanged')
  const [old, now] = [pin('a/b', 'v1.0.0'), pin('a/b', 'v2.0.0')]
  assert.equal(merge('', text(uses(old)), text(uses(now)), own).kind, 'foreign')
  const newer = clean(merge('', text(uses(now)), text(uses(old)), own))
  assert.deepEqual([newer.kind, newer.pins], ['unchanged', [now]])
})

test('without its base a file that was edited is left alone, with the reason and the way out', () => {
  const gone = { base: undefined, baseIsWhole: false }
  const missing = merge('', text(a, 'mine'), text(a, b), gone)
  assert.equal(missing.kind, 'base-lost')
  assert.equal(
    missing.diagnostics[0]!.message,
    '.github/dwf/base/x.yml is missing: which lines of x.yml are yours cannot be told',
  )
  assert.match(
    merge(text(a), text(c), text(b), { baseIsWhole: false }).diagnostics[0]!.message,
    /is not the text that devflow\.lock/,
  )
  assert.equal(merge('', text(a), text(a), gone).kind, 'unchanged')
  const [old, now] = [pin('a/b', 'v1.0.0'), pin('a/b', 'v2.0.0')]
  assert.equal(clean(merge('', text(uses(old)), text(uses(now)), gone)).text, text(uses(now)))
  assert.equal(clean(merge('', text(a, 'mine'), text(a, b), { ...gone, prefer: 'mine' })).text, text(a, 'mine'))
  assert.equal(clean(merge('', text(a, 'mine'), text(a, b), { ...gone, prefer: 'dwf' })).text, text(a, b))
})

test('pins that both sides moved are no conflict: the newer stands, and a newer one of the file is given back', () => {
  const at = (version: string, ...more: readonly string[]): string => text(a, uses(checkoutOf(version)), b, ...more)
  const dwfNewer = clean(merge(at('v4.1.0'), at('v4.2.0'), at('v5.0.0')))
  assert.deepEqual([dwfNewer.text, dwfNewer.pins, dwfNewer.kind], [at('v5.0.0'), [], 'updated'])
  const fileNewer = clean(merge(at('v4.1.0'), at('v4.10.0'), at('v4.9.0', 'new')))
  assert.deepEqual([fileNewer.text, fileNewer.pins], [at('v4.10.0', 'new'), [checkoutOf('v4.10.0')]])
  assert.equal(fileNewer.nextBase, at('v4.10.0', 'new'))
  const onlyFile = clean(merge(at('v4.1.0'), at('v4.2.0'), at('v4.1.0')))
  assert.deepEqual([onlyFile.kind, onlyFile.isEdited, onlyFile.pins], ['unchanged', false, [checkoutOf('v4.2.0')]])
})

test('a newer pin of the file is the pin of all lines of dwf, not of those that a person added', () => {
  const own = uses(checkoutOf('v3.0.0'))
  const merged = clean(
    merge(
      text(uses(checkoutOf('v4.1.0')), a, b),
      text(uses(checkoutOf('v4.2.0')), a, own, b),
      text(uses(checkoutOf('v4.1.0')), a, b, uses(checkoutOf('v4.1.0'))),
    ),
  )
  assert.equal(merged.text, text(uses(checkoutOf('v4.2.0')), a, own, b, uses(checkoutOf('v4.2.0'))))
})

test('a line of dwf that a person copied moves with its pin, and so does one that was edited', () => {
  const [old, now] = [checkoutOf('v4.1.0'), checkoutOf('v5.0.0')]
  const merged = clean(
    merge(
      text('job:', uses(old), a),
      text('copy:', uses(old), 'job:', `${uses(old)} because`, a),
      text('job:', uses(now), a),
    ),
  )
  assert.equal(merged.text, text('copy:', uses(now), 'job:', `${uses(now)} because`, a))
  const bumped = clean(merge(text(a, uses(old), b), text(a, `${uses(now)} because`, b), text(a, uses(old), b)))
  assert.deepEqual([bumped.kind, bumped.pins], ['unchanged', [now]])
})

test('folders of an action, quotes and other spaces are a part of the line', () => {
  const line = (version: string): string =>
    `  uses:  "a/b/.github/workflows/c.yml@${shaOf(version)}"  #  ${version} kept`
  const merged = clean(merge(text(line('1.0.0')), text(line('1.2.0')), text(line('1.1.0'))))
  assert.deepEqual([merged.text, merged.pins], [text(line('1.2.0')), [pin('a/b', '1.2.0', shaOf('1.2.0'))]])
})

test('another commit for the same version is never taken silently', () => {
  const [good, evil] = [checkoutOf('v4.1.0'), pin('actions/checkout', 'v4.1.0', 'e'.repeat(40))]
  const merged = clean(merge(text(a, uses(good)), text(a, uses(evil)), text(a, uses(good))))
  assert.deepEqual([merged.kind, merged.text, merged.pins], ['updated', text(a, uses(good)), []])
  assert.equal(
    merged.diagnostics[0]!.message,
    `actions/checkout v4.1.0 is commit ${good.sha}, and this line names ${evil.sha} for it: dwf writes actions/checkout v4.1.0 instead`,
  )
  assert.equal(merged.diagnostics[0]!.where!.line, 2)
  const moved = clean(merge(text(uses(good)), text(uses(evil)), text(uses(checkoutOf('v5.0.0')))))
  assert.deepEqual([moved.text, codes(moved)], [text(uses(checkoutOf('v5.0.0'))), ['suspicious-pin']])
  const own = clean(merge(text(a, uses(good)), text(uses(evil), a, uses(good)), text(a, uses(good))))
  assert.deepEqual([own.kind, codes(own)], ['unchanged', ['suspicious-pin']], 'in a line of a person it is only said')
})

test('what is known of actions counts: the commit of a newer version, and what must not run', () => {
  const newer = checkoutOf('v6.0.0')
  const files = [text(uses(checkoutOf('v4.1.0'))), text(uses(newer)), text(uses(checkoutOf('v5.0.0')))] as const
  const suspicious = clean(
    merge(...files, { pins: { commitOf: (_, tag) => (tag === 'v6.0.0' ? 'f'.repeat(40) : undefined) } }),
  )
  assert.deepEqual([suspicious.text, codes(suspicious)], [files[2], ['suspicious-pin']])
  for (const bad of [newer.version, newer.sha]) {
    const denied = clean(
      merge(...files, { pins: { denied: (_, ref) => (ref === bad ? 'it was hijacked' : undefined) } }),
    )
    assert.deepEqual([denied.text, codes(denied)], [files[2], ['denied-pin']])
    assert.match(
      denied.diagnostics[0]!.message,
      /must not run: it was hijacked; dwf writes actions\/checkout v5\.0\.0 instead/,
    )
  }
})

test('a commit that dwf itself corrects is not suspicious', () => {
  const [wrong, right] = [pin('a/b', 'v1.0.0', '1'.repeat(40)), pin('a/b', 'v1.0.0', '2'.repeat(40))]
  const merged = clean(merge(text(uses(wrong)), text(uses(wrong), uses(wrong)), text(uses(right))))
  assert.deepEqual([merged.text, merged.diagnostics], [text(uses(right), uses(right)), []])
})

test('two commits for one new version are both refused', () => {
  const [one, two] = [pin('a/b', 'v2.0.0', '1'.repeat(40)), pin('a/b', 'v2.0.0', '2'.repeat(40))]
  const old = uses(pin('a/b', 'v1.0.0'))
  const merged = clean(merge(text(old, a, old), text(uses(one), a, uses(two)), text(old, a, old)))
  assert.deepEqual(
    [merged.text, merged.pins, codes(merged)],
    [text(old, a, old), [], ['suspicious-pin', 'suspicious-pin']],
  )
})

test('a pin that somebody lowered is raised again, and that is said', () => {
  const merged = clean(
    merge(text(uses(checkoutOf('v5.0.0'))), text(uses(checkoutOf('v4.0.0'))), text(uses(checkoutOf('v5.0.0')))),
  )
  assert.deepEqual([merged.text, codes(merged)], [text(uses(checkoutOf('v5.0.0'))), ['lowered-pin']])
})

test('a tag in place of a commit, and a version that is not exact, are edits', () => {
  for (const line of [
    '      - uses: actions/checkout@v4',
    uses(pin('actions/checkout', 'v4')),
    `uses: a/b@${shaOf('x')}`,
  ]) {
    const merged = clean(merge(text(a, uses(checkoutOf('v4.0.0'))), text(a, line), text(a, uses(checkoutOf('v5.0.0')))))
    assert.deepEqual([merged.kind, merged.text, merged.pins], ['unchanged', text(a, line), []])
  }
})

test('CRLF, a byte order mark and a missing last line end stay', () => {
  const base = text(a, b, c)
  assert.equal(clean(merge(base, 'a\r\nb\r\nc\r\n', text(a, b, 'x'))).text, 'a\r\nb\r\nx\r\n')
  assert.equal(clean(merge(base, 'mine\r\na\r\nb\r\nc', text(a, b, 'x'))).text, 'mine\r\na\r\nb\r\nx')
  assert.equal(clean(merge(base, '\ufeffa\nb\nc\n', text(a, b, 'x'))).text, '\ufeffa\nb\nx\n')
  assert.equal(clean(merge(base, 'a\nb\nc', text(a, b, c, d))).text, 'a\nb\nc\nd')
  const crlf = clean(merge(base, 'a\r\nb\r\nc\r\n', base))
  assert.deepEqual([crlf.kind, crlf.isEdited], ['unchanged', false])
})

test('5,000 lines, most of them equal to others, are merged in a moment', () => {
  const [old, now] = [
    workflow(500, [checkoutOf('v4.0.0')]),
    workflow(500, [checkoutOf('v5.0.0')], { run: (job) => (job % 9 ? `make ${job}` : 'true') }),
  ]
  const mine = old
    .replace('name: x', 'name: mine')
    .replaceAll('contents: read\n', 'contents: read\n      actions: read\n')
  const same = 'x\n'.repeat(5000)
  const start = performance.now()
  assert.equal(clean(merge(old, mine, now)).text.split('\n').length, mine.split('\n').length)
  merge(same, `${same}y\n`, `z\n${same}`)
  merge(same, `y\n${same.slice(20)}y\n`, `z\n${same.slice(10)}z\n`)
  assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms`)
})

test('a text is its lines and their format, byte for byte', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.string({ unit: fc.constantFrom('\r', '\n', 'x', '\ufeff') })), (value) => {
      const { lines, format } = splitLines(value)
      assert.equal(joinLines(lines, format), value)
    }),
  )
})

test('nobody edited the file: it becomes what dwf writes', () => {
  fc.assert(
    fc.property(dwfText, dwfText, (base, next) => {
      const merged = clean(merge(base, base, next, { prefer: 'mine' }))
      if (merged.pins.length > 0) return
      assert.equal(splitLines(merged.text).lines.length, splitLines(next).lines.length)
      assert.equal(merged.text, next)
      assert.equal(merged.nextBase, next)
    }),
  )
})

test('dwf writes the same: the file stays, byte for byte', () => {
  const plain = anyText.map((value) => value.replaceAll(' # v1.', ' # v'))
  fc.assert(
    fc.property(
      dwfText.map((value) => value.replaceAll(' # v1.', ' # v')),
      plain,
      (base, current) => {
        const merged = clean(merge(base, current, base))
        assert.deepEqual([merged.kind, merged.text], ['unchanged', current])
      },
    ),
  )
})

test('what was merged once is not changed again', () => {
  fc.assert(
    fc.property(
      dwfText,
      anyText,
      dwfText,
      fc.constantFrom('mine' as const, 'dwf' as const, undefined),
      (base, current, next, prefer) => {
        const merged = merge(base, current, next, { prefer })
        if (!('text' in merged)) return
        const again = clean(merge(merged.nextBase, merged.text, next))
        assert.deepEqual([again.kind, again.text, again.nextBase], ['unchanged', merged.text, merged.nextBase])
        const raised = clean(merge(merged.nextBase, merged.text, merged.nextBase))
        assert.deepEqual([raised.kind, raised.text], ['unchanged', merged.text])
      },
    ),
  )
})

interface Edit {
  readonly who: 'nobody' | 'mine' | 'dwf'
  readonly how: 'change' | 'remove' | 'before' | 'after'
}

/** For lines that are all different: who edits them, and how. */
const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.record({
    who: fc.constantFrom('nobody', 'mine', 'dwf'),
    how: fc.constantFrom('change', 'remove', 'before', 'after'),
  }),
  { maxLength: 30 },
)

/** The lines with the edits of these people. */
function edited(all: readonly Edit[], ...people: readonly string[]): readonly string[] {
  return all.flatMap(({ who, how }, index) => {
    const [line, more] = [`line ${index}`, `${who} ${index}`]
    if (!people.includes(who)) return [line]
    return { change: [more], remove: [], before: [more, line], after: [line, more] }[how]
  })
}

test('edits of different lines survive, from both sides', () => {
  const apart = edits.map((all) => all.flatMap((edit): readonly Edit[] => [edit, { who: 'nobody', how: 'change' }]))
  fc.assert(
    fc.property(apart, (all) => {
      const merged = clean(merge(text(...edited(all)), text(...edited(all, 'mine')), text(...edited(all, 'dwf'))))
      assert.equal(merged.text, text(...edited(all, 'mine', 'dwf')))
    }),
  )
})

test('regions are those of diff3, where every line is different', () => {
  fc.assert(
    fc.property(edits, edits, (one, other) => {
      const all = one.length > other.length ? one : other
      const base = edited(all)
      const side = (list: readonly Edit[], who: 'mine' | 'dwf') => {
        const own = list.map((edit): Edit => ({ ...edit, who: edit.who === 'nobody' ? 'nobody' : who }))
        return edited([...own, ...all.slice(own.length).map((): Edit => ({ who: 'nobody', how: 'change' }))], who)
      }
      const [mine, dwf] = [side(one, 'mine'), side(other, 'dwf')] as const
      const expected = diff3Merge<string>([...mine], [...base], [...dwf]).flatMap(({ ok, conflict }) =>
        conflict ? [`${conflict.aIndex}: ${conflict.a} | ${conflict.o} | ${conflict.b}`] : (ok ?? []),
      )
      const found = regions(base, mine, dwf).flatMap((region) => {
        const part = (list: readonly string[], name: 'mine' | 'base' | 'dwf') =>
          list.slice(region[name].from, region[name].to)
        if (region.kind === 'conflict')
          return [`${region.mine.from}: ${part(mine, 'mine')} | ${part(base, 'base')} | ${part(dwf, 'dwf')}`]
        return region.kind === 'dwf' ? part(dwf, 'dwf') : part(mine, 'mine')
      })
      assert.deepEqual(found, expected)
    }),
  )
})
