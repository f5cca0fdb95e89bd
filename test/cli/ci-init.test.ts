import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { prepared, project, rig, shop } from './ci-rig.ts'

const generated = [
  '.github/CODEOWNERS',
  '.github/SECURITY.md',
  '.github/dependabot.yml',
  '.github/workflows/ci.yml',
  '.github/workflows/codeql.yml',
  '.github/workflows/nightly.yml',
  '.github/workflows/publish.yml',
  '.github/workflows/release.yml',
]
const own = ['.dockerignore', 'Dockerfile.devflow', 'devflow.lock', 'devflow.toml', 'docker-bake.hcl']
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')
const filesOf = (tree: Readonly<Record<string, string>>) =>
  Object.keys(tree).filter((path) => tree[path] !== 'folder' && !(path in shop))

test('a fresh repository gets every file, and a lock that names all that CI takes from elsewhere', async (t) => {
  const { tree, lock, read } = await prepared(t)
  const bases = generated.map((path) => `.github/dwf/base/${path}`)
  assert.deepEqual(filesOf(tree()), [...own, ...generated, ...bases, '.github/dwf/dwf.bundle'].sort())
  const { actions, bundle, generated: recorded, dwf } = lock()
  const bytes = readFileSync(join(project, 'standalone/dwf.mjs.gz'))
  assert.deepEqual(bundle, { path: '.github/dwf/dwf.bundle', version: dwf, sha256: sha256(bytes) })
  assert.deepEqual(
    recorded.map(({ path, sha256: of }) => [path, of]),
    generated.map((path) => [path, sha256(read(path))]),
  )
  const used = generated.flatMap((path) => [
    ...read(path).matchAll(/uses: ([^./][^@/]*\/[^@/\s]+)[^@\s]*@(\S+) # (\S+)/g),
  ])
  const pins = new Set(used.map(([, name, sha, version]) => `${name} ${sha} ${version}`))
  assert.deepEqual([...pins].sort(), actions.map(({ name, sha, version }) => `${name} ${sha} ${version}`).sort())
  assert.ok(pins.size > 5)
})

test('init is the same bytes the second time and in another folder, and ci:check is content', async (t) => {
  const { ok, tree } = await prepared(t)
  const before = tree()
  const again = await ok('init')
  assert.match(again.stderr, /^the workflows: dwf ci:generate$/m)
  assert.deepEqual(tree(), before)
  const other = rig(t, shop)
  await other.ok('init')
  assert.deepEqual(other.tree(), before)
  for (const words of ['ci:check', 'ci', 'ci:generate --check', 'ci:generate']) {
    const { stdout } = await ok(words)
    assert.doesNotMatch(stdout, /would|created|updated/)
    assert.deepEqual(tree(), before, words)
  }
})

test('--dry-run writes nothing and names everything; --no-ci is without workflows, which ci:generate brings', async (t) => {
  const { ok, tree } = rig(t, shop)
  const { stdout } = await ok('init --dry-run')
  for (const path of [...own, ...generated, '.github/dwf/dwf.bundle'])
    assert.ok(stdout.includes(`would create  ${path}\n`), path)
  assert.doesNotMatch(stdout, /dwf\/base/)
  assert.deepEqual(Object.keys(tree()), Object.keys(shop).sort())
  await ok('init --no-ci')
  assert.deepEqual(filesOf(tree()), own)
  await ok('ci:generate')
  assert.deepEqual(tree(), (await prepared(t)).tree())
})

test('init --json is one document with everything that it wrote', async (t) => {
  const { ok, tree } = rig(t, shop)
  const { stdout } = await ok('init --json')
  const document = JSON.parse(stdout)
  assert.equal(document.schema, 'dwf.init/1')
  assert.deepEqual(document.files.map(({ path }: { path: string }) => path).sort(), filesOf(tree()).sort())
  assert.deepEqual(document.diagnostics, [])
})

test("init leaves a person's own files alone, and says so", async (t) => {
  const mine = 'on: push\njobs: {}\n'
  const files = { '.github/workflows/ci.yml': mine, 'SECURITY.md': 'mine\n', 'docs/CODEOWNERS': '/src/ @me\n' }
  const { ok, read, tree, lock } = rig(t, { ...shop, ...files, 'devflow.toml': '[ci]\nprefix = ""\n' })
  const { stderr, stdout } = await ok('init')
  assert.match(stderr, /^warning: \.github\/workflows\/ci\.yml is not dwf's, and is left as it is$/m)
  assert.match(stderr, /^docs\/CODEOWNERS is yours, and leaves to nobody: \/\.github\/ \/devflow/m)
  assert.match(stdout, /created {2}\.github\/workflows\/nightly\.yml/)
  for (const [path, text] of Object.entries(files)) assert.equal(read(path), text)
  assert.deepEqual(
    Object.keys(tree()).filter((path) => /SECURITY|CODEOWNERS/.test(path)),
    ['SECURITY.md', 'docs/CODEOWNERS'],
  )
  assert.ok(lock().generated.every(({ path }) => !path.endsWith('/ci.yml')))
  assert.equal((await ok('ci:check')).status, 0)
})
