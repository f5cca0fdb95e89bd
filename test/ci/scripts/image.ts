import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { commandsIn } from '../hostile.ts'
import { ghAnswers, type Runner, runner, sha256, skip } from './rig.ts'

const digest = `sha256:${'d'.repeat(64)}`
const name = 'ghcr.io/octo/shop/devflow'

/** A job with the history of a repository, a registry that says this, and an attestation of a commit. */
function fetching(t: TestContext, published: string, attested: (main: string) => string): Runner {
  const on = runner(t)
  on.git('init', '--quiet', '--initial-branch=main')
  on.git('commit', '--quiet', '--allow-empty', '--message=x')
  on.git('update-ref', 'refs/remotes/origin/main', 'HEAD')
  on.standIn('node', 'if [ "$3" = fingerprint ]; then echo abc123; fi')
  on.standIn('skopeo', published)
  on.standIn('gh', attested(on.git('rev-parse', 'HEAD')))
  on.standIn('podman', `cat > '${on.temp}/password'; printf '{}' > "$REGISTRY_AUTH_FILE"`)
  return on
}

const there = `echo ${digest}`
const madeFrom = (commit: unknown) =>
  ghAnswers([{ verificationResult: { signature: { certificate: { sourceRepositoryDigest: commit } } } }])

const fetchEnv = { PUBLISH: 'dwf-publish.yml', GH_TOKEN: 'token', DEFAULT: 'main' }

test('a published image is taken by its digest when the workflow of releases attested it', { skip }, async (t) => {
  const on = fetching(t, there, madeFrom)
  const { code, stderr } = await on.run('fetchImage', fetchEnv)
  assert.equal(code, 0, stderr)
  assert.deepEqual(on.dwfCalls(), [
    ['image', 'fingerprint'],
    ['image', 'fetch', `${name}@${digest}`],
  ])
  assert.deepEqual(on.calls().slice(1, 4), [
    ['podman', 'login', 'ghcr.io', '--username', 'octocat', '--password-stdin'],
    ['skopeo', 'inspect', '--format', '{{.Digest}}', `docker://${name}:abc123`],
    [
      ...['gh', 'attestation', 'verify', `oci://${name}@${digest}`, '--repo', 'Octo/Shop', '--format', 'json'],
      ...['--deny-self-hosted-runners', '--signer-workflow', 'Octo/Shop/.github/workflows/dwf-publish.yml'],
    ],
  ])
})

test('the token for looking is in no argument, and is gone after it', { skip }, async (t) => {
  const on = fetching(t, `test -s "$REGISTRY_AUTH_FILE" && ${there}`, madeFrom)
  await on.run('fetchImage', fetchEnv)
  assert.equal(on.dwfCalls().length, 2)
  assert.equal(on.read('password'), 'token')
  assert.ok(!on.calls().flat().includes('token'))
  assert.ok(!on.has('registry.json'))
})

test('an image that is not there, or that nobody may look for, is built', { skip }, async (t) => {
  const absent = fetching(t, 'exit 1', madeFrom)
  const ended = await absent.run('fetchImage', fetchEnv)
  assert.deepEqual([ended.code, ended.stdout], [0, 'No published image has these contents: it is built.\n'])
  assert.deepEqual(absent.dwfCalls(), [['image', 'fingerprint']])

  const closed = fetching(t, there, madeFrom)
  closed.standIn('podman', 'cat > /dev/null; exit 125')
  const { code, stdout } = await closed.run('fetchImage', fetchEnv)
  assert.deepEqual([code, stdout], [0, 'ghcr.io lets nobody look for a published image: it is built.\n'])
  assert.deepEqual(closed.dwfCalls(), [['image', 'fingerprint']])
})

test('an image that nobody attested, or that was made of what was not merged, is built with a warning', {
  skip,
}, async (t) => {
  const forged = fetching(t, there, (main) => `${madeFrom(main)}\nexit 1`)
  const { code, stdout } = await forged.run('fetchImage', fetchEnv)
  assert.equal(code, 0)
  assert.equal(stdout, `::warning title=dwf::${name}@${digest} has no attestation that holds: the image is built.\n`)
  assert.deepEqual(forged.dwfCalls(), [['image', 'fingerprint']])
  const others = [madeFrom('0'.repeat(40)), madeFrom(null), madeFrom('--help'), ghAnswers([]), 'echo "no JSON"', 'true']
  for (const attested of others) {
    const on = fetching(t, there, () => attested)
    const ended = await on.run('fetchImage', fetchEnv)
    assert.equal(ended.code, 0)
    assert.match(
      ended.stdout,
      /^::warning title=dwf::.* was made from a commit that is not on main: the image is built\.$/m,
    )
    assert.deepEqual(on.dwfCalls(), [['image', 'fingerprint']], attested)
  }
  const on = fetching(t, there, madeFrom)
  on.git('commit', '--quiet', '--allow-empty', '--message=not merged')
  on.standIn('gh', madeFrom(on.git('rev-parse', 'HEAD')))
  await on.run('fetchImage', fetchEnv)
  assert.deepEqual(on.dwfCalls(), [['image', 'fingerprint']])
})

test('without a fingerprint no image is looked for', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('node', 'exit 2')
  on.standIn('skopeo')
  assert.equal((await on.run('fetchImage', fetchEnv)).code, 2)
  assert.equal(on.calls().length, 1)
})

test('the image is built, and passed on by the hash of its archive and the fingerprint of its contents', {
  skip,
}, async (t) => {
  const on = runner(t)
  on.standIn('node', 'case "$3" in save) printf image > "$4" ;; fingerprint) echo abc123 ;; esac')
  const { code, stderr, outputs } = await on.run('buildImage')
  assert.equal(code, 0, stderr)
  assert.deepEqual(on.dwfCalls(), [
    ['image', 'build'],
    ['image', 'save', join(on.temp, 'image.tar')],
    ['image', 'fingerprint'],
  ])
  assert.deepEqual(outputs, { sha256: sha256('image'), fingerprint: 'abc123' })
})

test('an image that cannot be built, saved or told is passed on to nobody', { skip }, async (t) => {
  for (const fails of ['build', 'save', 'fingerprint']) {
    const on = runner(t)
    on.standIn('node', `if [ "$3" = ${fails} ]; then exit 3; fi; if [ "$3" = save ]; then printf image > "$4"; fi`)
    const { code, outputs } = await on.run('buildImage')
    assert.deepEqual([code, outputs], [3, {}], fails)
  }
})

test('the image is loaded with the hash of the job that built it', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('node', 'exit 4')
  assert.equal((await on.run('loadImage', { SHA256: 'abc' })).code, 4)
  assert.deepEqual(on.dwfCalls(), [['image', 'load', join(on.temp, 'image.tar'), '--sha256', 'abc']])
})

test('what is in the image is listed, and the list has a hash', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('node', 'printf sbom')
  const { outputs } = await on.run('makeSbom')
  assert.deepEqual(on.dwfCalls(), [['scan', 'sbom', 'image', '--format', 'cyclonedx']])
  assert.deepEqual([on.read('sbom.cdx.json'), outputs.sha256], ['sbom', sha256('sbom')])
  on.standIn('node', 'printf half; exit 1')
  const failed = await on.run('makeSbom')
  assert.deepEqual([failed.code, failed.outputs], [1, {}])
})

/** A registry in a folder: what is copied there has a configuration, and its digest is told. */
function pushing(t: TestContext, pushed = 'config'): Runner {
  const on = runner(t)
  on.passOn({ 'image.tar': 'image', 'sbom.cdx.json': 'sbom' })
  on.standIn('podman', `cat > '${on.temp}/password'`)
  on.standIn(
    'skopeo',
    `case "$1 $4" in
  "copy docker-archive:"*) printf '%s' '${digest}' > "$3" ;;
  "inspect docker-archive:"*) printf config ;;
  "inspect docker://"*) printf '%s' '${pushed}' ;;
esac`,
  )
  return on
}

const pushEnv = {
  IMAGE_SHA256: sha256('image'),
  SBOM_SHA256: sha256('sbom'),
  FINGERPRINT: 'abc123',
  GH_TOKEN: 'token',
}

test('what is pushed is what was judged, by the digest that the registry gave', { skip }, async (t) => {
  const on = pushing(t)
  const { code, stderr, outputs } = await on.run('pushImage', pushEnv)
  assert.equal(code, 0, stderr)
  assert.deepEqual(outputs, { name, digest })
  const archive = `docker-archive:${join(on.temp, 'image.tar')}`
  assert.deepEqual(on.calls().slice(1), [
    ['skopeo', 'inspect', '--config', '--raw', archive],
    ['skopeo', 'copy', '--digestfile', join(on.temp, 'digest'), archive, `docker://${name}:v1.2.3`],
    ['skopeo', 'inspect', '--config', '--raw', `docker://${name}@${digest}`],
    ['skopeo', 'copy', `docker://${name}@${digest}`, `docker://${name}:abc123`],
    ['skopeo', 'copy', `docker://${name}@${digest}`, `docker://${name}:latest`],
  ])
})

test('the token is in no argument, and lies where the action that attests looks for it', { skip }, async (t) => {
  const on = pushing(t)
  await on.run('pushImage', pushEnv)
  const [login] = on.calls()
  assert.deepEqual(login, [
    ...['podman', 'login', 'ghcr.io', '--authfile', join(on.env.HOME!, '.docker/config.json')],
    ...['--username', 'octocat', '--password-stdin'],
  ])
  assert.ok(existsSync(join(on.env.HOME!, '.docker')))
  assert.equal(readFileSync(join(on.temp, 'password'), 'utf8'), 'token')
  assert.ok(
    !on
      .calls()
      .flat()
      .some((word) => word.includes('token')),
  )
})

test('an image or a list with other bytes is not pushed', { skip }, async (t) => {
  for (const wrong of [{ 'image.tar': 'other' }, { 'sbom.cdx.json': 'other' }]) {
    const on = pushing(t)
    on.passOn(wrong as Readonly<Record<string, string>>)
    const { code, outputs } = await on.run('pushImage', pushEnv)
    assert.notEqual(code, 0)
    assert.deepEqual([outputs, on.calls()], [{}, []])
  }
  const on = pushing(t)
  for (const text of ['', ...commandsIn(on.marker)]) {
    assert.notEqual((await on.run('pushImage', { ...pushEnv, IMAGE_SHA256: text })).code, 0)
    assert.deepEqual(on.calls(), [])
  }
})

test('another image under the digest that was pushed gets no tag and no attestation', { skip }, async (t) => {
  const on = pushing(t, 'other')
  const { code, outputs } = await on.run('pushImage', pushEnv)
  assert.equal(code, 1)
  assert.deepEqual(outputs, {})
  assert.ok(!on.calls().some((call) => call.at(-1)!.endsWith(':latest')))
})

test('a tag with a name that a shell would run is a name, without what an image cannot have in it', {
  skip,
}, async (t) => {
  const on = pushing(t)
  for (const [tag, expected] of [
    ['v1.2.3', 'v1.2.3'],
    ['v1.0.0+build/5', 'v1.0.0-build-5'],
    ['v1@sha256:abc', 'v1-sha256-abc'],
    ['v$(id)', 'v--id-'],
  ] as const) {
    const { code } = await on.run('pushImage', { ...pushEnv, GITHUB_REF_NAME: tag })
    assert.equal(code, 0)
    assert.ok(
      on.calls().some((call) => call.at(-1) === `docker://${name}:${expected}`),
      tag,
    )
  }
  for (const text of commandsIn(on.marker)) {
    await on.run('pushImage', { ...pushEnv, GITHUB_REF_NAME: `v${text}` })
    for (const call of on.calls()) if (call.includes('--digestfile')) assert.match(call.at(-1)!, /:v[\w.-]+$/)
  }
})

function publishedThere(t: TestContext, releases: string, skopeo: string): Runner {
  const on = runner(t)
  on.standIn('gh', releases)
  on.standIn('podman', 'if [ "$1" = login ]; then cat > /dev/null; printf x > "$REGISTRY_AUTH_FILE"; fi')
  on.standIn('skopeo', skopeo)
  return on
}

test('the published image is fetched by its digest, and the token goes no further', { skip }, async (t) => {
  const on = publishedThere(t, ghAnswers([{ tagName: 'v1' }]), there)
  const { code, outputs, stderr } = await on.run('fetchPublished', { GH_TOKEN: 'token' })
  assert.equal(code, 0, stderr)
  assert.deepEqual(outputs, { image: `${name}@${digest}` })
  assert.deepEqual(on.calls().slice(2), [
    ['skopeo', 'inspect', '--format', '{{.Digest}}', `docker://${name}:latest`],
    ['podman', 'pull', '--quiet', `${name}@${digest}`],
  ])
  assert.ok(!on.calls().flat().includes('token'))
  assert.ok(!on.has('registry.json'))
})

test('nothing published is no finding, but a registry that does not answer is no pass', { skip }, async (t) => {
  const none = publishedThere(t, ghAnswers([]), 'exit 1')
  const ended = await none.run('fetchPublished', { GH_TOKEN: 'token' })
  assert.deepEqual(
    [ended.code, ended.stdout, ended.outputs],
    [0, '::notice title=dwf::No image is published yet.\n', {}],
  )
  for (const [releases, skopeo] of [
    [ghAnswers([{ tagName: 'v1' }]), 'echo "manifest unknown" >&2; exit 1'],
    [ghAnswers([{ tagName: 'v1' }]), 'exit 1'],
    ['exit 1', 'exit 1'],
    ['echo', 'exit 1'],
  ] as const) {
    const { code, outputs } = await publishedThere(t, releases, skopeo).run('fetchPublished', { GH_TOKEN: 'token' })
    assert.notEqual(code, 0)
    assert.deepEqual(outputs, {})
  }
})

test('the published image is judged, and its verdict is the end of the job', { skip }, async (t) => {
  for (const exit of [0, 1, 3]) {
    const on = runner(t)
    on.standIn('node', `exit ${exit}`)
    assert.equal((await on.run('scanPublished', { IMAGE: `${name}@${digest}` })).code, exit)
    assert.deepEqual(on.dwfCalls(), [['scan:image', `${name}@${digest}`]])
  }
})
