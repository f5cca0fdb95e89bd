import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ActionPin,
  formatLock,
  parseLock,
  type RemoteTag,
  type RemoteTags,
  refreshActions,
  shippedLock,
  shippedPins,
  updateLock,
} from '../../src/pins/index.ts'
import { failure } from '../../src/util/diagnostics.ts'
import { lockWith } from './locks.ts'
import { recipeOf, request } from './recipes.ts'

const now = Date.UTC(2026, 11, 20)
const day = 86_400_000
const sha = (digit: string) => digit.repeat(40)
const shipped = (name: string) => shippedPins.actions.find((pin) => pin.name === name)!

/** A stand-in for github.com; a repository that it does not have cannot be reached. */
const standIn = (repositories: Readonly<Record<string, readonly RemoteTag[]>>): RemoteTags => ({
  tags: async (repository) => {
    const tags = repositories[repository]
    if (!tags) throw failure('machine-cannot', 'no-tags', `git cannot list the tags of ${repository}: gone fishing`)
    return tags
  },
})

const tag = (name: string, digit: string, daysAgo?: number, more: Partial<RemoteTag> = {}): RemoteTag => ({
  name,
  sha: sha(digit),
  ...(daysAgo === undefined ? {} : { publishedAt: now - daysAgo * day }),
  ...more,
})

const mine: ActionPin = { name: 'my/action', version: 'v1.0.0', sha: sha('1') }

/** Refreshes, and tells as text what came of it. */
async function refresh(
  actions: readonly ActionPin[],
  repositories: Readonly<Record<string, readonly RemoteTag[]>> | undefined,
  more: { readonly names?: readonly string[]; readonly cooldownMs?: number } = {},
) {
  const {
    actions: after,
    changes,
    notRefreshed,
    missing,
    diagnostics,
  } = await refreshActions({
    actions,
    ...(repositories ? { remote: standIn(repositories) } : {}),
    now,
    cooldownMs: 7 * day,
    ...more,
  })
  return {
    pins: after.map((pin) => `${pin.name} ${pin.version} ${pin.sha}`),
    changes: changes.map(({ tool, from, to }) => `${tool} ${from ?? 'new'} → ${to}`),
    notRefreshed: notRefreshed.map(({ name, why }) => `${name}: ${why}`),
    missing,
    said: diagnostics.map(({ severity, code, message }) => `${severity} ${code}: ${message}`),
  }
}

const first = tag('v1.0.0', '1', 400)

test('the newest exact version that is old enough is taken, with its commit and where it was read', async () => {
  const list = [
    first,
    tag('v1.1.0', '2', 30),
    tag('v1.2.0', '3', 8),
    tag('v1', '3'),
    tag('v2', '9', 90),
    tag('nightly', '9', 90),
  ]
  assert.deepEqual(await refresh([mine], { 'my/action': list }), {
    pins: [`my/action v1.2.0 ${sha('3')}`],
    changes: ['my/action v1.0.0 → v1.2.0'],
    notRefreshed: [],
    missing: [],
    said: [],
  })
  const { actions } = await refreshActions({
    actions: [mine],
    remote: standIn({ 'my/action': list }),
    now,
    cooldownMs: 7 * day,
  })
  assert.equal(actions[0]!.source, 'tags of github.com/my/action, 2026-12-20')
})

test('what is too new, or of no known age, waits, and is named', async () => {
  const young = [first, tag('v1.1.0', '2', 8), tag('v1.2.0', '3', 6)]
  const result = await refresh([mine], { 'my/action': young })
  assert.deepEqual(result.changes, ['my/action v1.0.0 → v1.1.0'])
  assert.deepEqual(result.said, ['note tag-held: my/action v1.2.0 is there since 6 days: it is taken after 7 days'])
  assert.deepEqual((await refresh([mine], { 'my/action': young }, { cooldownMs: 5 * day })).changes, [
    'my/action v1.0.0 → v1.2.0',
  ])
  const ageless = await refresh([mine], { 'my/action': [first, tag('v1.2.0', '3')] }, { cooldownMs: 0 })
  assert.deepEqual(ageless.changes, [])
  assert.deepEqual(ageless.said, [
    'note tag-held: my/action v1.2.0 is there, but nobody says since when: it is not taken',
  ])
  const future = await refresh([mine], { 'my/action': [first, tag('v1.2.0', '3', -1)] })
  assert.deepEqual(future.changes, [])
})

test('a tag of no known age is taken when the same commit stands in the data of dwf', async () => {
  const old: ActionPin = { name: 'pnpm/action-setup', version: 'v2.0.0', sha: sha('1') }
  const { actions } = await refreshActions({ actions: [old], now, cooldownMs: 7 * day })
  const known = actions[0]!
  const trivy = { name: 'aquasecurity/setup-trivy', version: 'v0.2.6', sha: shipped('aquasecurity/setup-trivy').sha }
  const newer = { name: 'v0.3.1', sha: '81e514348e19b6112ce2a7e3ecbafe19c1e1f567' }
  const tags = [{ name: 'v0.2.6', sha: trivy.sha }, newer]
  assert.deepEqual((await refresh([trivy], { 'aquasecurity/setup-trivy': tags })).changes, [
    'aquasecurity/setup-trivy v0.2.6 → v0.3.1',
  ])
  assert.equal(known.version, 'v4.0.0')
})

test('prereleases are not taken, by their name or by their release', async () => {
  const list = [first, tag('v2.0.0-rc.1', '2', 90), tag('v1.9.0', '3', 90, { isPrerelease: true })]
  const { changes, said } = await refresh([mine], { 'my/action': list })
  assert.deepEqual([changes, said], [[], []])
})

test('nothing older is taken, and what is newest stays', async () => {
  const current = { ...mine, version: 'v3.0.0' }
  const result = await refresh([current], { 'my/action': [tag('v3.0.0', '1', 90), tag('v2.0.0', '2', 90)] })
  assert.deepEqual(result, {
    pins: [`my/action v3.0.0 ${sha('1')}`],
    changes: [],
    notRefreshed: [],
    missing: [],
    said: [],
  })
})

test('a tag that was moved is never taken, and neither is anything else of that repository', async () => {
  const own = await refresh([mine], { 'my/action': [tag('v1.0.0', '9', 400), tag('v1.1.0', '2', 30)] })
  assert.deepEqual(own.pins, [`my/action v1.0.0 ${sha('1')}`])
  assert.deepEqual(own.said, [`warning tag-moved: my/action v1.0.0 names the commit ${sha('9')} in its repository now`])

  const known = shipped('actions/checkout')
  const old = { name: 'actions/checkout', version: 'v7.0.0', sha: '9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0' }
  const table = await refresh([known], {
    'actions/checkout': [{ ...known, name: 'v7.0.1' }, tag('v4.2.2', '9'), tag('v99.0.0', '2', 30)],
  })
  assert.deepEqual(table.changes, [])
  assert.deepEqual(table.said, [
    'warning tag-moved: in the repository of actions/checkout, v4.2.2 no longer name the commits that dwf knows',
  ])
  const both = await refresh([old], { 'actions/checkout': [tag('v7.0.0', '9', 30), tag('v7.0.2', '2', 30)] })
  assert.deepEqual(both.changes, ['actions/checkout v7.0.0 → v7.0.1'], 'what came with dwf counts always')
})

test('a lock that names another commit than dwf knows is a moved tag, asked or not', async () => {
  const odd = { ...shipped('actions/checkout'), sha: sha('1') }
  const result = await refresh([odd], undefined)
  assert.deepEqual(result.pins, [`actions/checkout v7.0.1 ${sha('1')}`])
  assert.deepEqual(result.said, [
    `warning tag-moved: actions/checkout v7.0.1 is the commit ${shipped('actions/checkout').sha} as dwf knows it`,
  ])
})

test('a pin of the tag itself is no moved tag', async () => {
  const { said } = await refresh([mine], { 'my/action': [tag('v1.0.0', '9', 400, { object: sha('1') })] })
  assert.deepEqual(said, ['warning tag-object: my/action v1.0.0 is pinned to the tag itself, not to its commit'])
})

test('a tag that is gone is said', async () => {
  const { said } = await refresh([mine], { 'my/action': [tag('v0.9.0', '2', 400)] })
  assert.deepEqual(said, ['warning tag-gone: the repository of my/action has no tag v1.0.0 any more'])
})

test('a denied version is passed over for an older one, also when it is the lock’s own', async () => {
  const good = shipped('aquasecurity/setup-trivy')
  const evil = '8afa9b9f9183b4e00c46e2b82d34047e3c177bd0'
  const list: readonly RemoteTag[] = [
    { name: 'v0.2.6', sha: good.sha, publishedAt: now - 90 * day },
    { name: 'v0.9.0', sha: evil, publishedAt: now - 90 * day },
    tag('v0.2.4', '2', 90),
  ]
  const newest = await refresh([good], { 'aquasecurity/setup-trivy': list })
  assert.deepEqual(newest.changes, [])
  const own = await refresh([{ ...good, version: 'v0.9.0', sha: evil }], { 'aquasecurity/setup-trivy': list })
  assert.deepEqual(own.changes, ['aquasecurity/setup-trivy v0.9.0 → v0.2.6'])
  assert.match(own.said.join(), /^warning denied-action: aquasecurity\/setup-trivy v0\.9\.0 \(8afa9b9/)
  const stuck = await refresh([{ ...mine, sha: evil }], { 'my/action': [{ name: 'v1.0.0', sha: evil }] })
  assert.deepEqual(stuck.changes, [])
  assert.match(stuck.said.join(), /^error denied-action: my\/action/)
})

test('offline takes what came with dwf, and names what could not be refreshed', async () => {
  const old = { name: 'actions/checkout', version: 'v7.0.0', sha: '9c091bb21b7c1c1d1991bb908d89e4e9dddfe3e0' }
  const result = await refresh([old, mine], undefined)
  assert.deepEqual(result.changes, ['actions/checkout v7.0.0 → v7.0.1'])
  assert.deepEqual(result.notRefreshed, [
    'actions/checkout: nobody was asked (--offline)',
    'my/action: nobody was asked (--offline)',
  ])
})

test('one repository that does not answer stops none of the others', async () => {
  const other = { ...mine, name: 'other/action' }
  const result = await refresh([mine, other], { 'other/action': [first, tag('v1.1.0', '2', 90)] })
  assert.deepEqual(result.changes, ['other/action v1.0.0 → v1.1.0'])
  assert.deepEqual(result.notRefreshed, ['my/action: git cannot list the tags of my/action: gone fishing'])
})

test('names choose what is moved, and bring in what the lock does not have', async () => {
  const other = { ...mine, name: 'other/action' }
  const list = [first, tag('v1.1.0', '2', 90)]
  const repositories = { 'my/action': list, 'other/action': list, 'new/action': list }
  const result = await refresh([mine, other], repositories, { names: ['Other/Action', 'new/action', 'no/action'] })
  assert.deepEqual(result.changes, ['other/action v1.0.0 → v1.1.0', 'new/action new → v1.1.0'])
  assert.equal(result.pins[0], `my/action v1.0.0 ${sha('1')}`)
  assert.deepEqual(result.missing, ['no/action'])
})

test('an update of the lock keeps the bundle and the generated files, and takes the actions that it is given', () => {
  const wanted = { requests: [request('node', '24')], recipeOf, toolchains: 'official', version: '0.2.0' } as const
  const lock = lockWith({
    ...shippedLock(wanted).lock,
    dwf: '0.1.0',
    actions: [mine],
    bundle: { path: '.github/dwf/dwf.mjs', version: '0.1.0', sha256: 'c'.repeat(64) },
    generated: [{ path: '.github/workflows/a.yml', sha256: 'd'.repeat(64) }],
  })
  const actions = [{ ...mine, version: 'v2.0.0' }]
  const next = updateLock(lock, { ...wanted, today: '2026-12-20', actions }).lock
  assert.deepEqual(next, { ...lock, dwf: '0.2.0', epoch: '2026-12-20', actions })
  assert.deepEqual(parseLock(formatLock(next), 'devflow.lock'), next)
  assert.deepEqual(updateLock(lock, { ...wanted, today: '2026-12-20' }).lock.actions, [mine])
})

test('with names only those tools move, and the epoch stays', () => {
  const wanted = {
    requests: [request('node', '24'), request('python', '3.13')],
    recipeOf,
    toolchains: 'official',
    version: '0.2.0',
  } as const
  const { lock } = shippedLock(wanted)
  const old = {
    ...lock,
    images: lock.images.map((pin) =>
      pin.tool === 'node' ? { ...pin, version: '24.1.0' } : pin.tool === 'python' ? { ...pin, version: '3.13.1' } : pin,
    ),
  }
  const { lock: next, changes } = updateLock(old, { ...wanted, today: '2027-01-01', only: ['node'] })
  assert.deepEqual(changes, [{ tool: 'node', from: '24.1.0', to: '24.21.0' }])
  assert.equal(next.epoch, lock.epoch)
  assert.equal(next.images.find((pin) => pin.tool === 'python')?.version, '3.13.1')
})
