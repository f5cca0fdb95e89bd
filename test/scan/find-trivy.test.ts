import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { embeddedVersion } from '../../src/scan/trivy/embedded-version.ts'
import { findTrivy } from '../../src/scan/trivy/find.ts'
import { codeOf, failureOf, fakeTrivy, pin, plant, temporary } from './rig.ts'

/** What is known of programs is kept in the state folder. */
process.env.HOME = mkdtempSync(join(tmpdir(), 'dwf-find-'))
after(() => rmSync(process.env.HOME!, { recursive: true }))

test('Trivy is found on PATH, links resolved', async (t) => {
  const folder = temporary(t)
  const fake = fakeTrivy(join(folder, 'real'))
  plant(folder, { 'bin/keep': '', 'repository/keep': '' })
  symlinkSync(fake.path, join(folder, 'bin/trivy'))
  const found = await findTrivy({ PATH: join(folder, 'bin') }, { guarded: [join(folder, 'repository')], pin })
  assert.deepEqual([found.place, found.version], [fake.path, '0.76.0'])
  assert.match(found.identity, /^sha256:[0-9a-f]{64}$/)
})

test('DWF_TRIVY comes before PATH', async (t) => {
  const folder = temporary(t)
  const named = fakeTrivy(join(folder, 'named'), { version: '0.75.0' })
  fakeTrivy(join(folder, 'bin'))
  const env = { DWF_TRIVY: named.path, PATH: join(folder, 'bin') }
  assert.equal((await findTrivy(env, { guarded: [temporary(t)], pin })).version, '0.75.0')
})

test('without Trivy the failure says how to get one', async (t) => {
  const failure = await failureOf(findTrivy({ PATH: temporary(t) }, { guarded: [temporary(t)], pin }))
  assert.equal(failure.kind, 'machine-cannot')
  assert.equal(failure.message, 'no trivy on PATH')
  assert.equal(
    failure.diagnostics[0]?.hint,
    'install Trivy (https://trivy.dev), or name it with DWF_TRIVY=/path/of/trivy',
  )
})

test('a Trivy inside the repository is never run, however PATH leads to it', async (t) => {
  const outside = temporary(t)
  const root = temporary(t)
  const planted = fakeTrivy(join(root, 'bin'))
  plant(outside, { 'links/keep': '' })
  symlinkSync(planted.path, join(outside, 'links/trivy'))
  symlinkSync(join(root, 'bin'), join(outside, 'folder'))
  symlinkSync(fakeTrivy(join(outside, 'good')).path, join(root, 'trivy'))
  for (const PATH of [join(root, 'bin'), join(outside, 'links'), join(outside, 'folder'), root, '', ':', '.', 'bin']) {
    const before = process.cwd()
    process.chdir(root)
    try {
      assert.equal(await codeOf(findTrivy({ PATH }, { guarded: [root], pin })), 'machine-cannot scanner-missing', PATH)
    } finally {
      process.chdir(before)
    }
  }
  const found = await findTrivy({ PATH: `${join(root, 'bin')}:${join(outside, 'good')}` }, { guarded: [root], pin })
  assert.equal(found.place, join(outside, 'good/trivy'))
})

test('a relative entry of PATH is passed over, wherever it leads', async (t) => {
  const outside = temporary(t)
  fakeTrivy(join(outside, 'bin'))
  const before = process.cwd()
  process.chdir(outside)
  t.after(() => process.chdir(before))
  for (const PATH of ['bin', './bin', '']) {
    assert.equal(
      await codeOf(findTrivy({ PATH }, { guarded: [temporary(t)], pin })),
      'machine-cannot scanner-missing',
      PATH,
    )
  }
})

test('DWF_TRIVY must be an absolute path of a program outside of the repository', async (t) => {
  const root = temporary(t)
  const planted = fakeTrivy(root)
  const plain = join(plant(temporary(t), { trivy: 'no program' }), 'trivy')
  const codes = await Promise.all(
    ['trivy', './trivy', '/nowhere/trivy', plain, planted.path].map((DWF_TRIVY) =>
      codeOf(findTrivy({ DWF_TRIVY, PATH: '/usr/bin' }, { guarded: [root], pin })),
    ),
  )
  assert.deepEqual(codes, [
    'machine-cannot scanner-path',
    'machine-cannot scanner-path',
    'machine-cannot scanner-missing',
    'machine-cannot scanner-missing',
    'machine-cannot scanner-in-repository',
  ])
})

test('denied, old and odd versions are refused', async (t) => {
  const root = temporary(t)
  const codeFor = (version: string) =>
    codeOf(findTrivy({ DWF_TRIVY: fakeTrivy(temporary(t), { version }).path }, { guarded: [root], pin }))
  for (const version of pin.denied) assert.equal(await codeFor(version), 'machine-cannot scanner-denied')
  assert.equal(await codeFor('0.69.3'), 'machine-cannot scanner-too-old')
  assert.equal(await codeFor('0.70.0-rc.1'), 'machine-cannot scanner-too-old')
  assert.equal(await codeFor('dev'), 'machine-cannot scanner-does-not-run')
  const trivy = fakeTrivy(temporary(t), { version: 'v0.70.0' }).path
  assert.equal((await findTrivy({ DWF_TRIVY: trivy }, { guarded: [root], pin })).version, '0.70.0')
  // The deny-list counts above the minimum too.
  const denied = { ...pin, denied: ['0.76.0'] }
  assert.equal(
    await codeOf(findTrivy({ DWF_TRIVY: fakeTrivy(temporary(t)).path }, { guarded: [root], pin: denied })),
    'machine-cannot scanner-denied',
  )
})

test('a hijacked release is refused by what stands in its file, before it runs', async (t) => {
  const folder = temporary(t)
  const mark = join(folder, 'it-ran')
  const path = join(plant(folder, { trivy: `#!/bin/sh\n: >'${mark}'\necho Version: 0.76.0\nexit 0\n` }), 'trivy')
  chmodSync(path, 0o755)
  appendFileSync(path, '-X=github.com/aquasecurity/trivy/pkg/version/app.ver=0.69.5"\n')
  assert.equal(
    await codeOf(findTrivy({ DWF_TRIVY: path }, { guarded: [temporary(t)], pin })),
    'machine-cannot scanner-denied',
  )
  assert.equal(existsSync(mark), false)
})

test('the version in a file is found across the border of two reads', async (t) => {
  const border = 8 * 1024 * 1024
  for (const before of [0, 5, border - 40, border - 30, border - 10, border, border + 100]) {
    const folder = plant(temporary(t), { trivy: `${'x'.repeat(before)}trivy/pkg/version/app.ver=1.22.333 ` })
    assert.equal(await embeddedVersion(join(folder, 'trivy')), '1.22.333', String(before))
  }
  assert.equal(await embeddedVersion(join(plant(temporary(t), { trivy: 'x' }), 'trivy')), undefined)
})

test('a program that cannot be started is a failure with a way out', async (t) => {
  const path = join(plant(temporary(t), { trivy: '#!/nowhere/interpreter\n' }), 'trivy')
  chmodSync(path, 0o755)
  assert.equal(
    await codeOf(findTrivy({ DWF_TRIVY: path }, { guarded: [temporary(t)], pin })),
    'machine-cannot scanner-does-not-run',
  )
})
