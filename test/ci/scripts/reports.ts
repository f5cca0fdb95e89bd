import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandsIn } from '../hostile.ts'
import { ghAnswers, runner, skip } from './rig.ts'

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')
const nightly = { BRANCH: 'main', NIGHTLY: 'dwf-nightly.yml', GH_TOKEN: 'token' }

test('a nightly that has stopped, or never passed, is told', { skip }, async (t) => {
  const on = runner(t)
  const said = async (runs: readonly string[]) => {
    on.standIn('gh', ghAnswers(runs.map((createdAt) => ({ createdAt }))))
    const { code, stdout, stderr } = await on.run('nightlyAge', nightly)
    assert.equal(code, 0, stderr)
    return stdout
  }
  assert.equal(await said([hoursAgo(1)]), '')
  assert.equal(await said([hoursAgo(47)]), '')
  assert.equal(await said([]), '::notice title=nightly::dwf-nightly.yml has not passed on main yet.\n')
  for (const runs of [[hoursAgo(49.5)], [hoursAgo(24 * 60)]])
    assert.match(
      await said(runs),
      /^::warning title=nightly::The last green nightly of main is older than 48 hours \(\d{4}-.*Z\): is dwf-nightly\.yml still enabled, and what did it find\?\n$/,
    )
  assert.deepEqual(on.calls()[0]!.slice(0, 13), [
    ...['gh', 'run', 'list', '--repo', 'Octo/Shop', '--workflow', 'dwf-nightly.yml', '--branch', 'main'],
    ...['--status', 'success', '--limit', '1'],
  ])
})

test('where GitHub does not say how old the nightly is, that is told', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('gh', 'exit 1')
  const { code, stdout } = await on.run('nightlyAge', nightly)
  assert.equal(code, 0)
  assert.equal(stdout, '::warning title=nightly::GitHub does not say when dwf-nightly.yml last passed.\n')
  on.standIn('gh', 'echo "rubbish 99"')
  assert.notEqual((await on.run('nightlyAge', nightly)).code, 0)
  on.standIn('gh', ghAnswers([]))
  for (const text of commandsIn(on.marker)) await on.run('nightlyAge', { ...nightly, BRANCH: text, NIGHTLY: text })
})

const report = {
  GH_TOKEN: 'token',
  TITLE: 'The nightly check does not pass',
  RUN: 'https://github.com/Octo/Shop/actions/runs/1',
  NEEDS: JSON.stringify({ gate: { result: 'failure' }, published: { result: 'skipped' } }),
}

test('a nightly that does not pass opens one issue, and adds to it after that', { skip }, async (t) => {
  const on = runner(t)
  const body = `The nightly of ${'c'.repeat(40)} did not pass: ${report.RUN}\n\n- gate: failure\n- published: skipped\n`
  const at = ['--repo', 'Octo/Shop']
  const file = ['--body-file', `${on.temp}/body.md`]
  on.standIn('gh', ghAnswers([{ number: 3, title: 'another' }]))
  assert.equal((await on.run('reportNightly', report)).code, 0)
  assert.deepEqual(on.calls(), [
    [
      'gh',
      'issue',
      'list',
      ...at,
      '--state',
      'open',
      '--author',
      'app/github-actions',
      '--limit',
      '200',
      '--json',
      'number,title',
    ],
    ['gh', 'issue', 'create', ...at, '--title', report.TITLE, ...file],
  ])
  assert.equal(on.read('body.md'), body)

  on.standIn(
    'gh',
    ghAnswers([
      { number: 3, title: 'another' },
      { number: 7, title: report.TITLE },
      { number: 9, title: report.TITLE },
    ]),
  )
  assert.equal((await on.run('reportNightly', report)).code, 0)
  assert.deepEqual(on.calls().at(-1), ['gh', 'issue', 'comment', '7', ...at, ...file])
})

test('titles and names of jobs are data, in issues too', { skip }, async (t) => {
  const on = runner(t)
  for (const text of [...commandsIn(on.marker), '" or true or "', '\\', '") | 1 #']) {
    on.standIn('gh', ghAnswers([{ number: 1, title: `not ${text}` }]))
    const { code, stderr } = await on.run('reportNightly', {
      ...report,
      TITLE: text,
      RUN: text,
      NEEDS: JSON.stringify({ [text]: { result: text } }),
    })
    assert.equal(code, 0, stderr)
    assert.deepEqual(on.calls().at(-1)!.slice(1, 7), ['issue', 'create', '--repo', 'Octo/Shop', '--title', text])
    assert.ok(on.read('body.md').includes(text))
    on.standIn('gh', ghAnswers([{ number: 5, title: text }]))
    await on.run('reportNightly', { ...report, TITLE: text })
    assert.deepEqual(on.calls().at(-1)!.slice(1, 4), ['issue', 'comment', '5'])
  }
})

test('an issue that cannot be looked for or opened fails the job', { skip }, async (t) => {
  for (const body of ['exit 1', 'if [ "$2" = list ]; then echo "[]"; else exit 1; fi', 'echo "no JSON"']) {
    const on = runner(t)
    on.standIn('gh', body)
    assert.notEqual((await on.run('reportNightly', report)).code, 0, body)
  }
})

test('a fork is told why its findings are not shown', { skip }, async (t) => {
  const { code, stdout } = await runner(t).run('noUpload')
  assert.equal(code, 0)
  assert.match(stdout, /^::notice title=dwf::A pull request from a fork may not write to code scanning: [^\n]*\n$/)
})

test('a release says how its image is verified, for the tag that started it', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('gh')
  const env = { GH_TOKEN: 'token', NAME: 'ghcr.io/octo/shop/devflow', DIGEST: 'sha256:abc', PUBLISH: 'publish.yml' }
  assert.equal((await on.run('writeRelease', env)).code, 0)
  assert.equal(
    on.read('notes.md'),
    `The build image of this release is ghcr.io/octo/shop/devflow@sha256:abc. Verify it with

    gh attestation verify oci://ghcr.io/octo/shop/devflow@sha256:abc --repo Octo/Shop --signer-workflow Octo/Shop/.github/workflows/publish.yml
`,
  )
  const create = ['gh', 'release', 'create', 'v1.2.3', '--repo', 'Octo/Shop', '--verify-tag', '--generate-notes']
  assert.deepEqual(on.calls(), [[...create, '--notes-file', `${on.temp}/notes.md`]])
  for (const text of commandsIn(on.marker)) {
    await on.run('writeRelease', { ...env, GITHUB_REF_NAME: `v${text}`, NAME: text, DIGEST: text, PUBLISH: text })
    assert.equal(on.calls().at(-1)![3], `v${text}`)
  }
})
