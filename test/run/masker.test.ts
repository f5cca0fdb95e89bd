import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { Masker, needlesOf } from '../../src/run/masker.ts'
import { Needles } from '../../src/run/needles.ts'
import { formsOf } from '../../src/run/secret-forms.ts'
import { growsLinearly } from '../growth.ts'

const dots = '••••••••'
const secret = 'p@ss wörd/"1+2"<&>~!*\\'

/** What a masker makes of a stream that comes in these chunks. */
function masked(masker: Masker, chunks: readonly Buffer[]): Buffer {
  return Buffer.concat([...chunks.map((chunk) => masker.add(chunk)), masker.end()])
}

const said = (secrets: readonly string[], text: string) => masked(new Masker(secrets), [Buffer.from(text)]).toString()

/** A stream in pieces, cut where the numbers say. */
function cut(data: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const places = [...cuts.map((place) => place % (data.length + 1)), data.length].sort((a, b) => a - b)
  return places.map((place, index) => data.subarray(index === 0 ? 0 : places[index - 1], place))
}

const unicode = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
const strict = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
const inJson = (text: string) => JSON.stringify(text).slice(1, -1)
const inAscii = (text: string) => inJson(text).replace(/[^ -~]/g, unicode)

const encoders: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  encodeURIComponent,
  'percent-encoded as RFC 3986 says': strict,
  'percent-encoded with slashes': (text) => strict(text).replaceAll('%2F', '/'),
  'percent-encoded with plus signs': (text) => strict(text).replaceAll('%20', '+'),
  'a form': (text) => new URLSearchParams({ a: text }).toString().slice(2),
  JSON: inJson,
  'JSON in ASCII': inAscii,
  'JSON in ASCII with escaped slashes': (text) => inAscii(text).replaceAll('/', '\\/'),
  'JSON for HTML': (text) => inJson(text).replace(/[<>&]/g, unicode),
  'hexadecimal digits': (text) => Buffer.from(text).toString('hex'),
  HTML: (text) => text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char]!),
  'in double quotes of a shell': (text) => text.replace(/["$`\\]/g, '\\$&'),
}

for (const [name, encode] of Object.entries(encoders)) {
  test(`masked: ${name}`, () => {
    assert.equal(said([secret], `a=${encode(secret)}&b`), `a=${dots}&b`)
  })
  if (/percent|form|URI/.test(name))
    test(`masked: ${name}, hexadecimal digits in lower case`, () => {
      const text = encode(secret).replace(/%../g, (code) => code.toLowerCase())
      assert.equal(said([secret], `a=${text}&b`), `a=${dots}&b`)
    })
  if (/JSON/.test(name))
    test(`masked: ${name}, in JSON again`, () => {
      assert.equal(said([secret], `{"a":"${encode(encode(secret))}"}`), `{"a":"${dots}"}`)
    })
}

test('masked as bash and dash print it: traces, declarations, %q, without quotes', () => {
  const value = `it's a "b  c" $d \\ e`
  const print = `set -x; : "$V"; set +x; export -p | grep ' V='; printf '%q\\n' "$V"; echo $V`
  for (const shell of ['bash', 'dash']) {
    const { stdout, stderr, error } = spawnSync(shell, ['-c', print], {
      env: { PATH: process.env.PATH, V: value },
      encoding: 'utf8',
    })
    if (error) continue
    const text = said([value], `${stdout}${stderr}`)
    assert.ok(!/it.{0,4}s/.test(text), `${shell}: ${text}`)
    assert.ok(text.includes(dots))
  }
})

test('masked in base64, whatever surrounds it: what could be read from it does not hold the secret', () => {
  const plain = 'correct horse ÿ?~>battery'
  for (const encoding of ['base64', 'base64url'] as const)
    for (const before of ['', 'a', 'ab', 'user:', 'x'.repeat(40)])
      for (const after of ['', '\n', 'ab', ' end of it']) {
        const text = Buffer.from(before + plain + after).toString(encoding)
        const shown = said([plain], text)
        const at = shown.indexOf(dots)
        assert.ok(at >= 0, `${encoding} ${before}|${after}`)
        // A group of base64 is four characters: at most one before the mask and one behind it are partly the secret's.
        const [head, tail] = [shown.slice(0, at), shown.slice(at + dots.length)]
        assert.ok(text.startsWith(head) && text.endsWith(tail))
        assert.ok(head.length <= Math.ceil((before.length * 8) / 6), head)
        assert.ok(tail.replaceAll('=', '').length <= Math.ceil((Buffer.byteLength(after) * 8) / 6) + 1, tail)
      }
})

test('masked in base64 that is broken into lines', () => {
  const long = Array.from({ length: 30 }, (_, index) => `part${index * 7919}`).join('-')
  for (const width of [64, 76]) {
    const text = Buffer.from(long)
      .toString('base64')
      .replace(new RegExp(`.{${width}}`, 'g'), '$&\n')
    for (const line of said([long], text).split('\n').slice(0, -1)) assert.equal(line, dots)
  }
})

test('the lines of a secret are masked each, but for short ones', () => {
  const key = '-----BEGIN-----\r\n  c2VjcmV0LWtleQ\nshort\n'
  assert.equal(said([key], 'a c2VjcmV0LWtleQ b short'), `a ${dots} b short`)
  assert.equal(said([key], 'BEGIN -----BEGIN-----'), `BEGIN ${dots}`)
  assert.equal(said([key], key), dots)
  assert.equal(said(['a-value-with-an-end\n'], 'is a-value-with-an-end.'), `is ${dots}.`)
})

test('secrets that overlap or hold each other are one mask, those that touch are two', () => {
  assert.equal(said(['abcdefgh', 'efghijkl'], '<abcdefghijkl>'), `<${dots}>`)
  assert.equal(said(['cdefghij', 'abcdefghijkl'], '<abcdefghijkl>'), `<${dots}>`)
  assert.equal(said(['abababab'], '<abababababab>'), `<${dots}>`)
  assert.equal(said(['abcdefgh'], '<abcdefghabcdefgh>'), `<${dots}${dots}>`)
  // The longer one only begins: the shorter one in it is masked all the same.
  assert.equal(said(['cdefghij', 'abcdefghijkl'], 'abcdefghij'), `ab${dots}`)
})

test('what cannot become a secret is shown at once, and what could is held back', () => {
  const masker = new Masker(['abcdefgh'])
  assert.equal(masker.add(Buffer.from('continue? [y/n] ')).toString(), 'continue? [y/n] ')
  assert.equal(masker.add(Buffer.from('xabc')).toString(), 'x')
  assert.equal(masker.add(Buffer.from('abcdefg')).toString(), 'abc')
  assert.equal(masker.end().toString(), 'abcdefg')
  // The next stream knows nothing of this one.
  assert.equal(masker.add(Buffer.from('h!')).toString(), 'h!')
})

test('without secrets nothing is held, copied or changed', () => {
  const masker = new Masker([])
  const chunk = Buffer.from('text')
  assert.equal(masker.add(chunk), chunk)
  assert.equal(masker.maskText('text'), 'text')
  assert.equal(new Masker(['']).maskText('text'), 'text')
})

test('a text is masked or only looked through, apart from the stream', () => {
  const masker = new Masker(needlesOf(['abcdefgh']))
  assert.equal(masker.add(Buffer.from('abcd')).toString(), '')
  assert.equal(masker.maskText('the task said abcdefgh'), `the task said ${dots}`)
  assert.equal(masker.maskText('lone \ud800 stays'), 'lone \ud800 stays')
  assert.equal(masker.finds('the task said abcdefgh'), true)
  assert.equal(masker.finds('the task said abcdefg'), false)
  assert.equal(masker.finds(Buffer.from('user:abcdefgh').toString('base64')), true)
  assert.equal(masker.add(Buffer.from('efgh')).toString(), dots)
})

/** The same, in the simplest way: every place of every form, those that overlap taken together. */
function simply(forms: readonly string[], data: Buffer): Buffer {
  const depth = new Uint8Array(data.length)
  const joins = new Uint8Array(data.length)
  for (const form of forms.map((text) => Buffer.from(text)))
    for (let at = data.indexOf(form); at >= 0; at = data.indexOf(form, at + 1)) {
      depth.fill(1, at, at + form.length)
      joins.fill(1, at + 1, at + form.length)
    }
  const parts: Buffer[] = []
  for (let at = 0; at < data.length; at++) {
    if (depth[at] === 0) parts.push(data.subarray(at, at + 1))
    else if (joins[at] === 0) parts.push(Buffer.from(dots))
  }
  return Buffer.concat(parts)
}

/** Few letters, so that values overlap, repeat and begin like each other. */
const letters = (min: number, max: number) =>
  fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: min, maxLength: max }).map((all) => all.join(''))
const value = fc.oneof(letters(8, 14), letters(1, 9), fc.string({ unit: 'binary', minLength: 8, maxLength: 30 }))

test('for every cut of a stream: no form of a secret is left, all else is there byte for byte', () => {
  const stream = fc.array(value, { minLength: 1, maxLength: 4 }).chain((secrets) => {
    const forms = secrets.flatMap(formsOf)
    const piece = fc.oneof(
      letters(0, 12),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom(...forms),
      fc.tuple(fc.constantFrom(...forms), fc.nat(40)).map(([form, end]) => form.slice(0, end)),
    )
    return fc.record({
      secrets: fc.constant(secrets),
      data: fc.array(piece, { maxLength: 12 }).map((pieces) => Buffer.from(pieces.join(''))),
      cuts: fc.array(fc.nat(), { maxLength: 12 }),
    })
  })
  fc.assert(
    fc.property(stream, ({ secrets, data, cuts }) => {
      const forms = secrets.flatMap(formsOf)
      const result = masked(new Masker(secrets), cut(data, cuts))
      assert.deepEqual(result, simply(forms, data))
      if (!data.includes('•') && !secrets.join('').includes('•'))
        for (const form of forms) assert.ok(!result.includes(form), form)
    }),
    { numRuns: 300 },
  )
})

test('jumps lead over nothing: bytes around needles of every length, a byte at a time and all at once', () => {
  const bytes = fc.uint8Array({ maxLength: 60 })
  fc.assert(
    fc.property(
      fc.array(letters(1, 40), { minLength: 1, maxLength: 6 }),
      bytes,
      bytes,
      fc.nat(5),
      (all, a, b, which) => {
        const needles = new Needles(all)
        const data = Buffer.concat([a, Buffer.from(all[which % all.length]!), b])
        const singly = Array.from(data, (byte) => Buffer.of(byte))
        const expected = simply(all, data)
        assert.deepEqual(masked(new Masker(needles), [data]), expected)
        assert.deepEqual(masked(new Masker(needles), singly), expected)
      },
    ),
    { numRuns: 300 },
  )
})

test('what is held back is never longer than the longest form', () => {
  const long = `${'ab'.repeat(500)}c`
  const longest = Math.max(...formsOf(long).map((form) => form.length))
  const masker = new Masker([long])
  let held = 0
  for (let round = 0; round < 100; round++) {
    held += 300 - masker.add(Buffer.from('ab'.repeat(150))).length
    assert.ok(held <= longest, String(held))
  }
  assert.equal(masker.end().length, held)
  assert.ok(held > 0)
})

test('the time grows with the stream, also with one made to be slow', async () => {
  const worst: readonly (readonly [string, string, (size: number) => string])[] = [
    ['a secret of one letter', `${'a'.repeat(4000)}b`, (size) => 'a'.repeat(size)],
    ['beginnings of a secret', 'abcdefghijklmnop', (size) => 'abcdefghijklmno'.repeat(size / 15)],
    ['a secret again and again', 'abababab', (size) => 'ab'.repeat(size / 2)],
  ]
  for (const [about, value, make] of worst) {
    const needles = needlesOf([value])
    const make64 = (size: number) =>
      cut(
        Buffer.from(make(size)),
        Array.from({ length: size >> 16 }, (_, at) => at << 16),
      )
    await growsLinearly(about, make64, (chunks) => masked(new Masker(needles), chunks), {
      from: 1 << 16,
      limit: 1 << 23,
    })
  }
})

test('a long secret is made ready in a time that grows with it', async () => {
  const lines = (size: number) =>
    Array.from({ length: size / 32 }, (_, at) => `${at * 7919} is a line of a key`).join('\n')
  await growsLinearly('a secret of many lines', lines, (text) => needlesOf([text]), { from: 1 << 10, limit: 1 << 16 })
})
