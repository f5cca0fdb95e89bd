import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { podmanEgress, probePodman } from '../../src/engine/podman.ts'
import { Failure } from '../../src/util/diagnostics.ts'

/** A program named podman, first in PATH, that says what the real one says; `$calls` is a file of its own. */
function fakePodman(context: TestContext, script: string): { readonly calls: () => string } {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-fake-podman-'))
  const path = process.env.PATH
  context.after(() => {
    process.env.PATH = path
    rmSync(folder, { recursive: true, force: true })
  })
  const calls = join(folder, 'calls')
  const info = {
    version: { Version: '4.3.1' },
    host: { arch: 'amd64', cgroupVersion: 'v1', security: { rootless: true } },
  }
  writeFileSync(
    join(folder, 'podman'),
    `#!/bin/sh\ncalls=${calls}\necho "$1" >> $calls\n[ "$1" = info ] && { echo '${JSON.stringify(info)}'; exit; }\n${script}\n`,
  )
  chmodSync(join(folder, 'podman'), 0o755)
  writeFileSync(calls, '')
  process.env.PATH = `${folder}:${path}`
  return { calls: () => readFileSync(calls, 'utf8') }
}

const gone = 'Error: reading image "2f9b3e80": locating image with ID "2f9b3e80": image not known'

test('an image that another process removes while they are listed is no failure', async (context) => {
  const { calls } = fakePodman(
    context,
    `[ $(grep -c images $calls) -lt 3 ] && { echo '${gone}' >&2; exit 125; }; echo '[{"Id":"1","Created":0,"Size":2,"Labels":{"a":"b"}}]'`,
  )
  const engine = (await probePodman())!
  assert.deepEqual(await engine.images('a'), [
    { id: '1', tags: [], created: '1970-01-01T00:00:00.000Z', size: 2, labels: { a: 'b' } },
  ])
  assert.equal(calls(), 'info\nimages\nimages\nimages\n')
})

test('any other failure is one at once', async (context) => {
  const { calls } = fakePodman(context, `echo 'Error: never seen' >&2; exit 125`)
  const engine = (await probePodman())!
  await assert.rejects(engine.images('a'), (error) => error instanceof Failure && /never seen/.test(error.message))
  assert.equal(calls(), 'info\nimages\n')
})

test('the network: slirp4netns, and pasta where only that is installed', () => {
  const [slirp4netns, pasta] = [{ executable: '/usr/bin/slirp4netns' }, { executable: '/usr/bin/pasta' }]
  const slirp = '--network=slirp4netns:allow_host_loopback=false'
  assert.equal(podmanEgress({ slirp4netns, pasta }), slirp)
  assert.equal(podmanEgress({ slirp4netns: { executable: '' } }), slirp)
  assert.equal(podmanEgress({ slirp4netns: { executable: '' }, pasta }), '--network=pasta')
})
