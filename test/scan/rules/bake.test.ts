import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holds, look, marks } from './rig.ts'

const digest = `sha256:${'a'.repeat(64)}`
const target = (lines: string) => `target "ci" {\n${lines}\n}\n`

const table: readonly (readonly [string, string, string])[] = [
  ['001', target('  entitlements = [‹"security.insecure"]'), target('  entitlements = []')],
  [
    '001',
    `variable "E" { default = ["security.insecure"] }\n${target('  entitlements = ‹E')}`,
    target('  entitlements = E'),
  ],
  ['002', target('  network = ‹"host"'), target('  network = "none"')],
  ['002', target('  network = DEBUG ? ‹"host" : "none"'), target('  network = DEBUG ? "default" : "none"')],
  ['002', target('  entitlements = [‹"network.host"]'), target('  entitlements = ["device"]')],
  ['003', target('  args = { ‹NPM_TOKEN = NPM_TOKEN }'), target('  args = { VERSION = "1" }')],
  ['003', target('  args = merge({ ‹NPM_TOKEN = "x" }, A)'), target('  args = { NPM_TOKEN = null }')],
  ['004', 'variable "DB_PASSWORD" {\n  default = ‹"hunter2"\n}\n', 'variable "DB_PASSWORD" {\n  default = ""\n}\n'],
  ['004', 'DB_URL = ‹"https://a:b@c"\n', 'DB_URL = "https://a@c"\n'],
  ['005', target('  contexts = { base = ‹"docker-image://debian" }'), target('  contexts = { base = "target:base" }')],
  [
    '005',
    `variable "B" { default = "debian:latest" }\n${target('  contexts = { b = ‹"docker-image://${B}" }')}`,
    target('  contexts = { b = "docker-image://${B}" }'),
  ],
  [
    '006',
    target('  contexts = { base = ‹"docker-image://debian:12" }'),
    target(`  contexts = { base = "docker-image://debian:12@${digest}" }`),
  ],
  ['007', target('  cache-to = [‹"type=registry,ref=r.example/c"]'), target('  cache-to = ["type=gha,mode=max"]')],
  ['007', target('  cache-to = [‹"r.example/a/c:main"]'), target('  cache-to = CACHE_TO == "" ? [] : [CACHE_TO]')],
  ['008', target('  output = [‹"type=image,push=true"]'), target('  output = ["type=cacheonly"]')],
  ['009', target('  ssh = [‹"default"]'), target('  ssh = ["deploy=/k"]')],
  [
    '010',
    target('  context = ‹"https://github.com/a/b.git#main"'),
    target(`  context = "https://github.com/a/b.git#${'0'.repeat(40)}:sub"`),
  ],
  ['010', target('  contexts = { x = ‹"https://example.com/a.tar.gz" }'), target('  context = "."')],
]
for (const [number, bad, good] of table) {
  const id = `DWF-BAKE-${number}`
  test(`${id}: ${JSON.stringify(bad.slice(-70))}`, () => holds('docker-bake.hcl', id, bad, good))
}

test('JSON says the same', async () => {
  const text =
    '{\n\t"variable": {"N": {"default": "host"}},\n\t"target": {\n\t\t"ci": {"network": "${N}", "args": {"A_TOKEN": "x"}}\n\t}\n}\n'
  const findings = await look('docker-bake.json', text)
  assert.deepEqual(
    findings.map(({ id, where, title }) => `${id} ${where.line}:${where.column} ${title}`),
    [
      "DWF-BAKE-002 4:21 target.ci.network host: a build in the builder's network: every port of its loopback is open to the Dockerfile",
      'DWF-BAKE-003 4:38 target.ci.args.A_TOKEN: a secret as an argument of a build stays in the history of the image',
    ],
  )
})

test('what cannot be read refuses', async () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    ['docker-bake.hcl', 'target "a" {\n  x = [\n', '3:1', 'the end where a value was expected'],
    ['a/my.bake.hcl', 'target', '1:7', 'the end where "=" or "{" was expected'],
    ['docker-bake.json', '{"target": ', '1:1', 'it is no JSON'],
    ['docker-bake.json', '[]', '1:1', 'a bake file is an object'],
    ['docker-bake.override.json', '{"target": {}, "target": {}}', '1:16', 'the key "target" is given twice'],
  ]
  for (const [path, text, place, why] of cases) {
    const [finding] = await look(path, text)
    assert.deepEqual(
      [finding?.id, finding?.severity, `${finding?.where.line}:${finding?.where.column}`, finding?.title],
      ['DWF-BAKE-000', 'unknown', place, `cannot be read, so nobody knows what is in it: ${why}`],
      text,
    )
  }
})

test('variables that contain each other, or stand for very much, end', async () => {
  assert.deepEqual(
    await look(
      'docker-bake.hcl',
      'variable "A" { default = B }\nvariable "B" { default = [A, "${A}"] }\ntarget "t" { network = A }\n',
    ),
    [],
  )
  const doubling = Array.from(
    { length: 40 },
    (_, index) => `variable "V${index + 1}" { default = ["a", V${index}, V${index}] }\n`,
  ).join('')
  const findings = await look(
    'docker-bake.hcl',
    `variable "V0" { default = ["host", "x"] }\n${doubling}target "t" { network = V40 }\n`,
  )
  assert.match(findings[0]!.title, /its variables stand for too much text$/)
  const chain = Array.from({ length: 20_000 }, (_, index) => `variable "V${index}" { default = V${index + 1} }\n`).join(
    '',
  )
  assert.deepEqual(marks(await look('docker-bake.hcl', `${chain}target "t" { network = V0 }\n`)), ['DWF-BAKE-000 1:1'])
})
