import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import { Failure } from '../../src/util/diagnostics.ts'

const ciOf = async (text: string) => (await parseConfig('/repo/devflow.toml', text)).config.ci

async function refusal(text: string): Promise<string> {
  const error = await parseConfig('/repo/devflow.toml', text).then(
    () => assert.fail('it is accepted'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof Failure)
  const [first] = error.diagnostics
  return `${first!.where?.line}:${first!.where?.column} ${first!.message}`
}

test('[ci] has defaults for all of it', async () => {
  assert.deepEqual(await ciOf(''), {
    codeScanning: true,
    defaultBranch: 'main',
    egress: 'block',
    hosts: [],
    install: 'vendored',
    owners: [],
    prefix: '',
    publish: true,
  })
})

test('what [ci] says counts', async () => {
  const text = `[ci]
code_scanning = false
default_branch = "release/2.x"
egress = "audit"
hosts = ["*.example.org:443", "mirror.example.org:8443"]
install = "npm"
owners = ["@shop/security", "ana@example.org"]
prefix = "dwf-"
publish = false
`
  assert.deepEqual(await ciOf(text), {
    codeScanning: false,
    defaultBranch: 'release/2.x',
    egress: 'audit',
    hosts: ['*.example.org:443', 'mirror.example.org:8443'],
    install: 'npm',
    owners: ['@shop/security', 'ana@example.org'],
    prefix: 'dwf-',
    publish: false,
  })
})

test('a value that could be more than it says is refused, at its place', async () => {
  const wrong: Readonly<Record<string, readonly string[]>> = {
    default_branch: ['main, other', '**', 'a b', '-x', 'a..b', 'x.lock', 'a\\nb', '${{ x }}', ''],
    hosts: [
      'example.org',
      'http://example.org:443',
      'a.example.org:443 b.example.org:443',
      '*:443',
      'x.example.org:port',
    ],
    owners: ['shop', '@', '@a b', '@a # x', 'ana@example', '@a\\n* @mallory'],
    prefix: ['../', 'DWF-', 'a b', 'x/'],
  }
  for (const [key, values] of Object.entries(wrong))
    for (const value of values) {
      const isList = key === 'hosts' || key === 'owners'
      const said = await refusal(`[ci]\n${key} = ${isList ? `["${value}"]` : `"${value}"`}\n`)
      assert.match(said, new RegExp(`^2:\\d+ ci\\.${key}`), `${key} ${JSON.stringify(value)}: ${said}`)
    }
})

test("setup:ci is dwf's own and cannot be a task", async () => {
  assert.match(await refusal('[tasks."setup:ci"]\nrun = "true"\n'), /^1:\d+ "setup:ci" is dwf's own/)
})
