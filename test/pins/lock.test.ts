import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatLock, type Lock, parseLock, shippedPins } from '../../src/pins/index.ts'
import { sortLock } from '../../src/pins/order.ts'
import { Failure } from '../../src/util/diagnostics.ts'

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`))
const tool = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/)
const version = fc
  .tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.option(fc.nat(999)))
  .map(([a, b, c, build]) => `${a}.${b}.${c}${build === null ? '' : `+${build}`}`)
const source = fc.option(
  fc
    .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
    .filter((text) => !/[\u0000-\u001f\u007f]/.test(text) && text.isWellFormed()),
  { nil: undefined },
)
const without = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T
const once = <T extends { tool: string; version: string }>(pins: T[]): T[] => [
  ...new Map(pins.map((pin) => [`${pin.tool} ${pin.version}`, pin])).values(),
]

const locks: fc.Arbitrary<Lock> = fc
  .record({
    schema: fc.constant('dwf.lock/1' as const),
    dwf: version,
    epoch: fc
      .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
    images: fc
      .array(
        fc
          .record({
            tool,
            ref: tool.map((name) => `docker.io/library/x${name.replaceAll('-', '')}:1-slim`),
            digest: hex(64).map((digits) => `sha256:${digits}`),
            version,
            source,
          })
          .map(without),
      )
      .map(once),
    packages: fc
      .array(
        fc
          .record({
            tool,
            registry: fc.constantFrom('npm' as const, 'pypi' as const),
            name: tool.map((name) => `x${name}x`),
            version,
            integrity: fc.option(
              fc
                .uint8Array({ minLength: 64, maxLength: 64 })
                .map((bytes) => `sha512-${Buffer.from(bytes).toString('base64')}`),
              { nil: undefined },
            ),
            source,
          })
          .map(without),
      )
      .map(once),
    tools: fc.uniqueArray(fc.record({ name: tool, minimum: version, denied: fc.array(version) }), {
      selector: (one) => one.name,
    }),
  })
  .map((lock) => sortLock(lock as unknown as Lock))

test('what is formatted parses to the same lock, and formats to the same bytes', () => {
  fc.assert(
    fc.property(locks, (lock) => {
      const text = formatLock(lock)
      assert.deepEqual(parseLock(text, 'devflow.lock'), lock)
      assert.equal(formatLock(parseLock(text, 'devflow.lock')), text)
      assert.ok(text.endsWith('}\n'))
    }),
  )
})

test('a lock has one line for each pin', () => {
  const lock: Lock = {
    schema: 'dwf.lock/1',
    dwf: '0.1.0',
    epoch: '2026-11-22',
    images: shippedPins.images.slice(0, 2),
    packages: [],
    tools: shippedPins.tools,
  }
  const lines = formatLock(lock).split('\n')
  assert.equal(lines.length, 14)
  assert.match(
    lines[5]!,
    /^ {4}\{ "tool": "base", "ref": "docker.io\/library\/debian:13-slim", "digest": "sha256:[0-9a-f]{64}", "version"/,
  )
  assert.equal(lines[7], '  ],')
  assert.equal(lines[8], '  "packages": [],')
})

test('the order of the pins in a lock does not change its bytes', () => {
  const lock: Lock = { schema: 'dwf.lock/1', dwf: '0.1.0', epoch: '2026-11-22', ...shippedPins }
  assert.equal(
    formatLock({ ...lock, images: [...lock.images].reverse(), packages: [...lock.packages].reverse() }),
    formatLock(lock),
  )
})

test('every shipped pin has the form that a lock demands', () => {
  const { date, ...pins } = shippedPins
  parseLock(formatLock({ schema: 'dwf.lock/1', dwf: '0.1.0', epoch: date, ...pins }), 'devflow.lock')
})

const good = formatLock({
  schema: 'dwf.lock/1',
  dwf: '0.1.0',
  epoch: '2026-11-22',
  images: shippedPins.images.slice(0, 1),
  packages: [],
  tools: [],
})

/** The first diagnostic of a text that is refused, as `line:column message (hint)`. */
function refusal(text: string): string {
  try {
    parseLock(text, 'devflow.lock')
  } catch (error) {
    assert.ok(error instanceof Failure, String(error))
    assert.equal(error.kind, 'wrong-input')
    const [first] = error.diagnostics
    return `${first!.where?.line}:${first!.where?.column} ${first!.message}${first!.hint ? ` (${first!.hint})` : ''}`
  }
  assert.fail('it was taken')
}

test('bad locks are refused with the place and the way out', () => {
  assert.match(
    refusal(''),
    /^1:1 devflow.lock is not JSON: expected a value, but the file ends \(take the last good version from git/,
  )
  assert.match(
    refusal(`<<<<<<< HEAD\n${good}`),
    /^1:1 devflow.lock is not JSON: .* \(solve the merge conflict in it\)$/,
  )
  assert.equal(
    refusal(good.replace('sha256:a99c', 'sha256:A99C').replace(/"digest": "([^"]*)"/, '"digest": "$1"')).split(',')[0],
    '6:66 digest must be sha256: and 64 hexadecimal digits',
  )
  assert.match(
    refusal(good.replace('"epoch": "2026-11-22"', '"epoch": "2026-02-30"')),
    /^4:3 epoch must be a day as YYYY-MM-DD, not "2026-02-30"$/,
  )
  assert.match(refusal(good.replace('"epoch"', '"epoc"')), /^4:3 unknown key "epoc" \(did you mean "epoch"\?\)$/)
  assert.match(
    refusal(good.replace('dwf.lock/1', 'dwf.lock/2')),
    /^2:3 devflow.lock has the schema "dwf.lock\/2"; this dwf reads "dwf.lock\/1" \(use the version/,
  )
  assert.match(refusal(good.replace(/( {4}\{.*\})\n/, '$1,\n$1\n')), /^7:5 base 13\.7\.0\+20260918 is pinned twice/)
  assert.match(
    refusal(good.replace('"version": "13.7.0+20260918"', '"version": 13')),
    /version must be a version such as 24.21.0, not 13$/,
  )
  assert.match(
    refusal(good.replace('docker.io/library/debian:13-slim', 'debian:13-slim')),
    /ref must be an image with its registry and tag/,
  )
  assert.match(
    refusal(good.replace('docker.io/library/debian:13-slim', 'docker.io/library/debian:13-slim\\nRUN evil')),
    /ref must be an image/,
  )
  assert.match(refusal('[]'), /devflow.lock must be a JSON object/)
  assert.match(refusal('{"schema": "dwf.lock/1", "images": 3}'), /dwf is missing/)
  assert.match(refusal(`${'['.repeat(100000)}`), /nested/)
})

test('no text at all makes the parser throw anything but a Failure', () => {
  const mutated = fc
    .tuple(fc.nat(good.length), fc.nat(20), fc.string())
    .map(([at, length, text]) => good.slice(0, at) + text + good.slice(at + length))
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), mutated), (text) => {
      try {
        parseLock(text, 'devflow.lock')
      } catch (error) {
        assert.ok(error instanceof Failure, String((error as Error).stack))
      }
    }),
    { numRuns: 500 },
  )
})
