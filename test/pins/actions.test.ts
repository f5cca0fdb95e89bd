import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readActionData } from '../../src/pins/action-data.ts'
import { withLock } from '../../src/pins/actions.ts'
import {
  type ActionPin,
  deniedInLock,
  formatLock,
  knownActions,
  type Lock,
  parseLock,
  shippedPins,
} from '../../src/pins/index.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { lockWith } from './locks.ts'

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, '../../src/pins', name), 'utf8'))
const table = read('action-tags.json') as Readonly<Record<string, Readonly<Record<string, string>>>>
const denied = read('denied.json') as {
  readonly commits: readonly { readonly action: string; readonly why: string; readonly shas: readonly string[] }[]
  readonly tags: readonly { readonly action: string; readonly before: string; readonly why: string }[]
}
const deniedShas = denied.commits.flatMap(({ action, shas }) => shas.map((sha) => [action, sha] as const))
const clean = 'a'.repeat(40)

function refusal(work: () => unknown) {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof Failure, String(error))
    const [first] = error.diagnostics
    return { kind: error.kind, code: first!.code, message: first!.message, hint: first!.hint, line: first!.where?.line }
  }
  assert.fail('it was taken')
}

test('the data has commits and nothing else, and every shipped pin is in none of the warnings', async () => {
  const known = await knownActions()
  assert.equal(Object.keys(table).length, 68)
  assert.equal(Object.values(table).flatMap((tags) => Object.keys(tags)).length, 2372)
  assert.equal(deniedShas.length, 108)
  for (const [name, tags] of Object.entries(table))
    for (const [tag, sha] of Object.entries(tags)) assert.match(sha, /^[0-9a-f]{40}$/, `${name} ${tag}`)
  for (const [, sha] of deniedShas) assert.match(sha, /^[0-9a-f]{40}$/)
  for (const { name, version, sha } of shippedPins.actions) {
    assert.equal(known.denied(name, version) ?? known.denied(name, sha), undefined, name)
    assert.equal(table[name]?.[version], sha, `${name} ${version}: the pin is the commit of the tag`)
  }
})

test('what is pinned without a lock is the pin that came with dwf, else the newest exact tag', async () => {
  const known = await knownActions()
  for (const pin of shippedPins.actions) assert.deepEqual(known.pin(pin.name), pin)
  assert.deepEqual(known.pin('pnpm/action-setup'), {
    name: 'pnpm/action-setup',
    version: 'v4.0.0',
    sha: table['pnpm/action-setup']!['v4.0.0'],
    source: `tags of its repository, known on ${shippedPins.date}`,
  })
  assert.equal(known.pin('aquasecurity/setup-trivy').version, 'v0.2.6', 'one source of a newer tag is not agreement')
  assert.equal(known.pin('aquasecurity/trivy-action').version, 'v0.36.0')
})

test('names compare without case and folder, and come back as their owners write them', async () => {
  const known = await knownActions(
    lockWith({
      actions: [{ name: 'ACTIONS/checkout', version: 'v6.0.0', sha: table['actions/checkout']!['v6.0.0']! }],
    }),
  )
  assert.equal(known.pin('Actions/Checkout').name, 'actions/checkout')
  assert.equal(known.pin('actions/CHECKOUT').version, 'v6.0.0')
  assert.equal(known.pin('pyo3/maturin-action').name, 'PyO3/maturin-action')
  assert.equal(known.pin('github/codeql-action/init').name, 'github/codeql-action')
})

test('the lock counts first, older or newer', async () => {
  for (const version of ['v1.0.0', 'v99.0.0']) {
    const known = await knownActions(lockWith({ actions: [{ name: 'actions/checkout', version, sha: clean }] }))
    assert.deepEqual(known.pin('actions/checkout'), { name: 'actions/checkout', version, sha: clean })
    assert.equal(known.commitOf('actions/checkout', version), clean)
    assert.equal(known.versionOf('actions/checkout', clean), version)
  }
  const own = await knownActions(lockWith({ actions: [{ name: 'my/action', version: '1.2.3', sha: clean }] }))
  assert.equal(own.pin('My/Action').sha, clean)
})

test('an action that nobody knows is an error with a way out', async () => {
  const known = await knownActions()
  assert.deepEqual(
    refusal(() => known.pin('nobody/knows')),
    {
      kind: 'wrong-input',
      code: 'unknown-action',
      message: 'no exact version of the action nobody/knows is known',
      hint: 'run "dwf pin update nobody/knows" where github.com can be reached, or write its version and commit into "actions" of devflow.lock',
      line: undefined,
    },
  )
  assert.equal(refusal(() => known.pin('dtolnay/rust-toolchain')).code, 'unknown-action', 'it has a moving tag only')
  for (const name of ['constructor', '__proto__', 'a/__proto__'])
    assert.equal(refusal(() => known.pin(name)).code, 'unknown-action')
})

test('tags and commits are found in both directions', async () => {
  const known = await knownActions()
  const at = (tag: string) => table['actions/checkout']![tag]!
  assert.equal(known.commitOf('actions/checkout', 'v4'), at('v4'))
  assert.equal(known.commitOf('actions/checkout', 'v7.0.1'), at('v7.0.1'))
  assert.equal(known.commitOf('actions/checkout', 'v1234'), undefined)
  assert.equal(known.versionOf('actions/checkout', at('v7')), 'v7.0.1')
  assert.equal(known.versionOf('actions/checkout', at('v7').toUpperCase()), 'v7.0.1')
  assert.equal(known.versionOf('actions/checkout', clean), undefined)
  assert.equal(known.versionOf('dtolnay/rust-toolchain', table['dtolnay/rust-toolchain']!.v1!), 'v1')
  assert.equal(
    known.versionOf('github/codeql-action', table['github/codeql-action']!['codeql-bundle-20200427']!),
    undefined,
  )
})

test('a moving tag becomes the exact version that the repository pins, else the newest of its range', async () => {
  const known = await knownActions()
  const exact = (name: string, tag: string) => known.exact(name, tag)?.version
  assert.equal(exact('actions/checkout', 'v7'), 'v7.0.1')
  assert.equal(exact('actions/upload-artifact', 'v7'), 'v7.0.1', 'the table has an older commit for v7')
  assert.equal(exact('actions/setup-java', 'v1.0'), 'v1.0.1')
  assert.equal(exact('actions/checkout', 'v4.2.2'), 'v4.2.2')
  assert.equal(exact('aquasecurity/trivy-action', 'v0'), 'v0.36.0')
  assert.equal(exact('aquasecurity/trivy-action', 'v0.28'), undefined, 'all of it is denied')
  assert.equal(exact('actions/checkout', 'main'), undefined)
  assert.equal(exact('dtolnay/rust-toolchain', 'v1'), undefined)
  const lock = lockWith({
    actions: [{ name: 'actions/checkout', version: 'v7.0.0', sha: table['actions/checkout']!['v7.0.0']! }],
  })
  assert.equal((await knownActions(lock)).exact('actions/checkout', 'v7')?.version, 'v7.0.0')
})

test('no commit of the warnings may run, whoever names it', async () => {
  const known = await knownActions()
  for (const [action, sha] of deniedShas) {
    assert.ok(known.denied(action, sha), sha)
    assert.ok(known.denied('somebody/fork', sha.toUpperCase()), `${sha} under another name`)
    const lock = lockWith({ actions: [{ name: action, version: 'v99.0.0', sha }] })
    const own = await knownActions(lock)
    assert.equal(refusal(() => own.pin(action)).kind, 'refused', sha)
    assert.equal(own.commitOf(action, 'v99.0.0'), undefined)
    assert.equal(own.exact(action, 'v99')?.sha === sha, false)
    assert.equal((await deniedInLock(lock)).length, 1, sha)
  }
})

test('no tag of the denied ranges is offered, in any spelling', async () => {
  const known = await knownActions()
  for (const { action, before } of denied.tags) {
    for (const tag of ['v0.0.1', '0.0.1', 'v0.1', 'v0.2.0', '0.2.5', 'v0.2.5', 'refs/tags/v0.2.5', 'v0.2.6-rc.1']) {
      assert.match(known.denied(action, tag) ?? '', /GHSA-69fq-xp46-6x23/, `${action} ${tag}`)
      assert.match(known.denied(action.toUpperCase(), tag) ?? '', /GHSA-69fq-xp46-6x23/)
      assert.equal(known.commitOf(action, tag), undefined)
    }
    assert.equal(known.denied(action, `v${before}`), undefined)
    assert.equal(known.denied(action, before), undefined)
  }
  assert.ok(known.denied('aquasecurity/trivy-action', '0.34.2'))
  assert.equal(known.denied('aquasecurity/setup-trivy', 'v0.3.1'), undefined)
  for (const [name, tags] of Object.entries(table)) {
    assert.equal(known.denied(name, known.exact(name, 'v0')?.version ?? 'none'), undefined, name)
    for (const tag of Object.keys(tags)) {
      const sha = known.commitOf(name, tag)
      if (sha) assert.equal(known.denied(name, tag) ?? known.denied(name, sha), undefined, `${name} ${tag}`)
    }
  }
})

test('what the lock names and must not run is said at its place, with the advisory and the way out', async () => {
  const good: ActionPin = { name: 'actions/checkout', version: 'v7.0.1', sha: table['actions/checkout']!['v7.0.1']! }
  const moved = '8afa9b9f9183b4e00c46e2b82d34047e3c177bd0'
  const text = formatLock(
    lockWith({
      actions: [
        good,
        { name: 'aquasecurity/setup-trivy', version: 'v0.2.6', sha: moved },
        { name: 'aquasecurity/trivy-action', version: '0.28.0', sha: clean },
      ],
      tools: [
        {
          name: 'trivy',
          minimum: '0.60.0',
          denied: [],
          image: `docker.io/aquasec/trivy:0.69.4@sha256:${'0'.repeat(64)}`,
        },
      ],
    }),
  )
  const lock: Lock = parseLock(text, 'devflow.lock')
  const lines = text.split('\n')
  const said = (await deniedInLock(lock)).map(({ severity, code, message, hint, where }) => ({
    severity,
    code,
    message,
    hint,
    marked:
      where &&
      `${lines.indexOf(where.text) + 1 === where.line} ${where.text.slice(where.column - 1, where.endColumn - 1)}`,
  }))
  assert.deepEqual(said, [
    {
      severity: 'error',
      code: 'denied-action',
      message: `aquasecurity/setup-trivy v0.2.6 (${moved}) must not run: GHSA-69fq-xp46-6x23 / CVE-2026-33634: malicious retag of v0.2.0 to v0.2.6, March 2026`,
      hint: 'run "dwf pin update aquasecurity/setup-trivy", or write a version into devflow.lock that is not denied',
      marked: 'true "sha"',
    },
    {
      severity: 'error',
      code: 'denied-action',
      message: `aquasecurity/trivy-action 0.28.0 (${clean}) must not run: GHSA-69fq-xp46-6x23 / CVE-2026-33634: every tag before v0.35.0 was moved to a malicious commit, March 2026`,
      hint: 'run "dwf pin update aquasecurity/trivy-action", or write a version into devflow.lock that is not denied',
      marked: 'true "version"',
    },
    {
      severity: 'error',
      code: 'denied-tool',
      message: 'trivy 0.69.4 must not run: it is known to be hijacked or broken',
      hint: 'write an image of trivy 0.70.0 or newer',
      marked: 'true "image"',
    },
  ])
  const known = await knownActions(lock)
  assert.deepEqual(
    refusal(() => known.pin('aquasecurity/setup-trivy')).line,
    lines.findIndex((line) => line.includes(moved)) + 1,
  )
  assert.deepEqual(known.pin('actions/checkout'), good)
})

test('a shipped pin that is denied later is not offered, and where all is denied nothing is', () => {
  const sha = (digit: string) => digit.repeat(40)
  const pins = [{ name: 'My/action', version: 'v2.0.0', sha: sha('2') }]
  const tags = { 'My/action': { 'v1.0.0': sha('1'), 'v1.1.0': sha('3'), v2: sha('2') } }
  const withDenied = (...shas: readonly string[]) =>
    withLock(readActionData(tags, { commits: [{ action: 'My/action', why: 'CVE-1', shas }], tags: [] }, pins), [])
  assert.equal(withDenied().pin('my/action').version, 'v2.0.0')
  assert.equal(withDenied(sha('2')).pin('my/action').version, 'v1.1.0')
  assert.equal(withDenied(sha('2'), sha('3')).pin('my/action').version, 'v1.0.0')
  assert.equal(withDenied(sha('2')).commitOf('my/action', 'v2'), undefined)
  assert.equal(withDenied(sha('2')).denied('my/action', 'v2'), 'CVE-1', 'a tag that names a denied commit is denied')
  const none = refusal(() => withDenied(sha('1'), sha('2'), sha('3')).pin('my/action'))
  assert.deepEqual(
    [none.kind, none.code, none.message],
    ['refused', 'denied-action', 'no known version of My/action may run: CVE-1'],
  )
})
