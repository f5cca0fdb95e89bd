import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatLock, type Lock, parseLock, placeOf, shippedPins } from '../../src/pins/index.ts'
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
    actions: fc.uniqueArray(
      fc
        .record({
          name: fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,9}\/[A-Za-z0-9_][A-Za-z0-9._-]{0,9}$/),
          version: version.map((text) => `v${text.replace(/\+.*/, '')}`),
          sha: hex(40),
          source,
        })
        .map(without),
      { selector: (one) => one.name.toLowerCase() },
    ),
    bundle: fc.option(
      fc.record({ path: tool.map((name) => `.github/dwf/${name}.mjs`), version, sha256: hex(64) }).map(without),
      {
        nil: undefined,
      },
    ),
    generated: fc.uniqueArray(
      fc.record({ path: tool.map((name) => `.github/workflows/${name}.yml`), sha256: hex(64) }).map(without),
      { selector: (one) => one.path },
    ),
  })
  .map((lock) => sortLock(without(lock) as unknown as Lock))

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
    actions: [],
    generated: [],
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
  const lock: Lock = { schema: 'dwf.lock/1', dwf: '0.1.0', epoch: '2026-11-22', ...shippedPins, generated: [] }
  assert.equal(
    formatLock({
      ...lock,
      images: [...lock.images].reverse(),
      packages: [...lock.packages].reverse(),
      actions: [...lock.actions].reverse(),
    }),
    formatLock(lock),
  )
})

test('every shipped pin has the form that a lock demands', () => {
  const { date, ...pins } = shippedPins
  parseLock(formatLock({ schema: 'dwf.lock/1', dwf: '0.1.0', epoch: date, ...pins, generated: [] }), 'devflow.lock')
})

const good = formatLock({
  schema: 'dwf.lock/1',
  dwf: '0.1.0',
  epoch: '2026-11-22',
  images: shippedPins.images.slice(0, 1),
  packages: [],
  tools: [],
  actions: [],
  generated: [],
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

const workflows = formatLock({
  ...parseLock(good, 'devflow.lock'),
  actions: [
    { name: 'docker/login-action', version: 'v4.6.0', sha: 'b'.repeat(40) },
    { name: 'Actions/checkout', version: '7.0.1', sha: 'a'.repeat(40), source: 'read from its repository' },
  ],
  bundle: { path: '.github/dwf/dwf.mjs', version: '0.1.0', sha256: 'c'.repeat(64) },
  generated: [
    { path: '.github/workflows/z.yml', sha256: 'd'.repeat(64) },
    { path: '.github/workflows/a.yml', sha256: 'e'.repeat(64) },
  ],
})

test('what a repository with workflows has comes last, one pin a line, in one order', () => {
  assert.equal(
    workflows.slice(workflows.indexOf('  "tools"')),
    `  "tools": [],
  "actions": [
    { "name": "Actions/checkout", "version": "7.0.1", "sha": "${'a'.repeat(40)}", "source": "read from its repository" },
    { "name": "docker/login-action", "version": "v4.6.0", "sha": "${'b'.repeat(40)}" }
  ],
  "bundle": { "path": ".github/dwf/dwf.mjs", "version": "0.1.0", "sha256": "${'c'.repeat(64)}" },
  "generated": [
    { "path": ".github/workflows/a.yml", "sha256": "${'e'.repeat(64)}" },
    { "path": ".github/workflows/z.yml", "sha256": "${'d'.repeat(64)}" }
  ]
}
`,
  )
})

test('a lock from before there were workflows keeps its bytes', () => {
  const old = `{\n  "schema": "dwf.lock/1",\n  "dwf": "0.1.0",\n  "epoch": "2026-11-22",\n  "images": [],\n  "packages": [],\n  "tools": []\n}\n`
  const lock = parseLock(old, 'devflow.lock')
  assert.deepEqual([lock.actions, lock.generated, lock.bundle], [[], [], undefined])
  assert.equal(formatLock(lock), old)
})

test('bad pins of actions, of the bundle and of generated files are refused with the place', () => {
  const at = (from: string | RegExp, to: string) => refusal(workflows.replace(from, to))
  const cases: readonly (readonly [string | RegExp, string, RegExp])[] = [
    ['Actions/checkout', 'checkout', /^11:7 name must be an action as owner\/name, without a folder, not "checkout"$/],
    ['Actions/checkout', 'github/codeql-action/init', /^11:7 name must be an action as owner\/name, without a folder/],
    ['Actions/checkout', '-x/y', /^11:7 name must be/],
    ['Actions/checkout', 'x/..', /^11:7 name must be/],
    ['Actions/checkout', 'x/y --upload-pack=z', /^11:7 name must be/],
    ['"7.0.1"', '"v7"', /^11:35 version must be an exact tag such as v7\.0\.1, not "v7"$/],
    ['"7.0.1"', '"main"', /version must be an exact tag/],
    ['a'.repeat(40), 'a'.repeat(39), /^11:55 sha must be a commit of 40 hexadecimal digits/],
    ['a'.repeat(40), 'A'.repeat(40), /sha must be a commit/],
    ['docker/login-action', 'actions/CHECKOUT', /^12:5 actions\/checkout is pinned twice \(remove one of the two\)$/],
    ['"sha": "b', '"shа": "b', /^12:\d+ unknown key "shа" \(did you mean "sha"\?\)$/],
    ['"sha": "b', '"digest": "b', /unknown key "digest" \(known are name, version, sha, source\)/],
    ['.github/dwf/dwf.mjs', '.github/workflows/dwf.mjs', /^14:15 path must be a path under \.github\/dwf\//],
    ['.github/dwf/dwf.mjs', '.github/dwf/../x', /path must be a path under/],
    ['.github/dwf/dwf.mjs', '.github/dwf/', /path must be a path under/],
    ['c'.repeat(64), 'c'.repeat(63), /^14:66 sha256 must be 64 hexadecimal digits/],
    ['"version": "0.1.0", "sha', '"version": "latest", "sha', /^14:46 version must be a version such as/],
    [/"bundle": \{.*\}/, '"bundle": []', /^14:3 bundle must be an object/],
    [/"bundle": \{ /, '"bundle": { "url": "x", ', /^14:15 unknown key "url" \(known are path, version, sha256\)/],
    ['workflows/z.yml', 'workflows/a.yml', /^17:5 \.github\/workflows\/a\.yml is pinned twice/],
    ['.github/workflows/z.yml', '/etc/passwd', /^17:7 path must be a path from the root of the repository/],
    ['.github/workflows/z.yml', '../z.yml', /^17:7 path must be/],
    ['.github/workflows/z.yml', '.GIT/hooks/pre-commit', /^17:7 path must be/],
    ['"actions"', '"action"', /^10:3 unknown key "action" \(did you mean "actions"\?\)/],
    [/"generated": \[[^\]]*\]/, '"generated": "x"', /^15:3 generated must be a list/],
    [/"generated": \[[^\]]*\]/, '"generated": [1]', /^15:17 generated must hold objects/],
  ]
  for (const [from, to, said] of cases) assert.match(at(from, to), said, `${from} → ${to}`)
})

test('pins know where they are written', () => {
  const lock = parseLock(workflows, 'devflow.lock')
  const place = placeOf(lock.actions[1]!, 'sha')
  assert.deepEqual([place?.file, place?.line, place?.column], ['devflow.lock', 12, 59])
  assert.equal(placeOf(lock.images[0]!)?.line, 6)
  assert.equal(placeOf({ ...lock.actions[1]! }, 'sha'), undefined)
})

test('no text at all makes the parser throw anything but a Failure', () => {
  const mutated = fc
    .tuple(fc.nat(workflows.length), fc.nat(20), fc.string())
    .map(([at, length, text]) => workflows.slice(0, at) + text + workflows.slice(at + length))
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
