import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactText, redactValue, StreamRedactor } from '../../src/util/redact.ts'

/** Made up, and in two pieces so that no scanner takes this file for a leak: what is secret of each, and what is around it. */
const samples: readonly (readonly [before: string, secret: string, after: string])[] = [
  ['key ', `AKIA${'ABCDEFGH23456723'}`, ' x'],
  ['key ', `ASIA${'ABCDEFGH23456723'}`, '\n'],
  ['', `ghp_${'a1B2'.repeat(9)}`, ''],
  ['token: ', `ghs_${'a1B2'.repeat(9)}`, '.'],
  ['', `github_pat_${'a1B2_'.repeat(10)}`, ' '],
  ['', `glpat-${'a1B2-'.repeat(4)}`, ' '],
  ['', `glrt-${'a1B2-'.repeat(4)}`, ' '],
  ['', `xoxb-${'123-'.repeat(4)}abc`, ' '],
  ['https://hooks.slack.com/services/', `T0000/B0000/${'x'.repeat(20)}`, ' '],
  ['', `npm_${'a1B2'.repeat(9)}`, ' '],
  ['Bearer ', `eyJ${'hbGci'.repeat(4)}.eyJ${'zdWIi'.repeat(4)}.${'c2lnb'.repeat(4)}`, ' '],
  ['https://me:', 'hunter2', '@example.org/x'],
  ['postgres://:', 'hunter2', '@db'],
  ['password=', 'hunter2', ' next'],
  ['DB_PASSWORD: "', 'hunter2', '",'],
  ['{\\"client_secret\\":\\"', 'hunter2', '\\"}'],
  ['aws_secret_access_key = ', 'a/b+c', '\n'],
  ['api-key=', 'hunter2', '&x=1'],
  ['-----BEGIN RSA PRIVATE KEY-----', '\nMIIE\nabc=\n', '-----END RSA PRIVATE KEY-----'],
  ['-----BEGIN PRIVATE KEY-----', '\\nMIIE\\n', '-----END PRIVATE KEY-----'],
  ['-----BEGIN OPENSSH PRIVATE KEY-----', '\nb3BlbnNz\n', ''],
  ['-----BEGIN PGP PRIVATE KEY BLOCK-----', '\nlQ\n', '-----END PGP PRIVATE KEY BLOCK-----'],
]

test('each known shape goes, and what is around it stays', () => {
  for (const [before, secret, after] of samples)
    assert.deepEqual(redactText(before + secret + after), { text: `${before}[redacted]${after}`, places: 1 }, secret)
})

test('what only looks a little like a secret stays', () => {
  for (const text of [
    'AKIA is how it begins',
    'https://example.org:8080/a@b',
    'the password is asked for',
    'password: ',
    'ghp_short',
    'eyJub3Q.a.token',
    'token 3',
    'a sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    '-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----',
  ])
    assert.deepEqual(redactText(text), { text, places: 0 })
})

test('what is redacted once has nothing left, in texts and in streams', () => {
  const around = fc.array(fc.oneof(fc.constantFrom(...samples.map((parts) => parts.join(''))), fc.string()), {
    maxLength: 6,
  })
  fc.assert(
    fc.property(around, (parts) => {
      const text = parts.join(' \n')
      const once = redactText(text)
      assert.deepEqual(redactText(once.text), { text: once.text, places: 0 })
      const masked = stream(Buffer.from(text), 7)
      assert.deepEqual(stream(masked.bytes, 7), { bytes: masked.bytes, places: 0 })
    }),
  )
})

function stream(bytes: Buffer, size: number) {
  const redactor = new StreamRedactor()
  const out: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) out.push(redactor.add(bytes.subarray(at, at + size)))
  out.push(redactor.end())
  return { bytes: Buffer.concat(out), places: redactor.places }
}

test('in a stream each byte of a secret is a star, wherever it is cut and whatever is around it', () => {
  // Bytes of no ASCII text in lines, longer than what is read at once.
  const noise = fc
    .record({ size: fc.integer({ min: 250_000, max: 300_000 }), step: fc.integer({ min: 1, max: 97 }) })
    .map(({ size, step }) => Buffer.alloc(size, Buffer.from([10, ...Array(step).fill(0xc3)])))
  fc.assert(
    fc.property(
      noise,
      fc.constantFrom(...samples),
      fc.nat(),
      fc.integer({ min: 50_000, max: 300_000 }),
      (bytes, [before, secret, after], place, size) => {
        const at = place % bytes.length
        const rest = Buffer.concat([Buffer.from('\n'), bytes.subarray(at)])
        const join = (middle: string) =>
          Buffer.concat([bytes.subarray(0, at), Buffer.from(`\n${before}${middle}${after}`), rest])
        const found = stream(join(secret), size)
        const expected = join(secret.replace(/[^\n]/g, '*'))
        assert.equal(found.bytes.length, expected.length)
        assert.ok(found.bytes.equals(expected))
        assert.equal(found.places, 1)
      },
    ),
    { numRuns: 40 },
  )
})

test('bytes of no text pass as they are', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes.map((byte) => byte | 0x80))),
      (bytes) => {
        assert.deepEqual(stream(bytes, 64), { bytes, places: 0 })
      },
    ),
  )
})

test('in a value every text is looked at, and a member of a secret’s name goes whole', () => {
  const { value, places } = redactValue({
    env: { DB_PASSWORD: 'x', NPM_TOKEN: 'y', PLAIN: 'z', token: 3, secret: '' },
    list: ['password=hunter2', ['https://a:b@c']],
    secrets: ['NAME'],
    [`ghp_${'a1B2'.repeat(9)}`]: null,
  })
  assert.deepEqual(value, {
    env: { DB_PASSWORD: '[redacted]', NPM_TOKEN: '[redacted]', PLAIN: 'z', token: 3, secret: '' },
    list: ['password=[redacted]', ['https://a:[redacted]@c']],
    secrets: ['NAME'],
    '[redacted]': null,
  })
  assert.equal(places, 5)
})

test('a value without secrets is the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: fc.constantFrom('a', 'b', ':', '/', '\n') as never }), (value) => {
      assert.deepEqual(redactValue(value).value, value)
    }),
  )
})
