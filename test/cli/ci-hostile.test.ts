import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { type Files, prepared, type Rig, rig, shop } from './ci-rig.ts'

const evil = [
  '${{ secrets.TOKEN }}',
  '$(touch pwned) `id` ; id',
  "'; id #",
  '"; id #',
  '- x: &a [*a]',
  '{{.Secret}} #{x} %0a::add-mask::x',
  '\u202e\u2028run: id\u0085x',
  '../../etc',
  '!!js/function id',
]

interface Parsed {
  readonly scripts: ReadonlySet<string>
  /** Everything that GitHub would evaluate. */
  readonly expressions: ReadonlySet<string>
  readonly text: string
}

/** The generated files as GitHub reads them: each has to be one document without a warning. */
function parsed(repo: Rig): Parsed {
  const scripts = new Set<string>()
  const expressions = new Set<string>()
  const all = Object.entries(repo.tree()).filter(([path]) => /^\.github\/(workflows\/)?[^/]+\.ya?ml$/.test(path))
  assert.ok(all.length > 4)
  const visit = (value: unknown, key?: string): void => {
    if (typeof value === 'string') {
      if (key === 'run') scripts.add(value)
      for (const [, expression] of value.matchAll(/\$\{\{([\s\S]*?)\}\}/g)) expressions.add(expression!.trim())
      if (key === 'if') expressions.add(value)
    } else if (value && typeof value === 'object') for (const [name, of] of Object.entries(value)) visit(of, name)
  }
  for (const [path] of all) {
    const documents = parseAllDocuments(repo.read(path))
    assert.equal(documents.length, 1, path)
    for (const { errors, warnings } of documents as ReturnType<typeof parseAllDocuments> & [])
      assert.deepEqual([errors, warnings], [[], []], path)
    visit((documents as { toJS(): unknown }[])[0]!.toJS())
  }
  return { scripts, expressions, text: all.map(([path]) => repo.read(path)).join('') }
}

async function generated(t: TestContext, files: Files): Promise<Parsed> {
  const repo = rig(t, files)
  await repo.ok('init')
  return parsed(repo)
}

test('a name of a project is data, or an error at its place', async (t) => {
  const plain = parsed(await prepared(t))
  // What begins a text decides how it is quoted.
  const names = [evil, evil.toReversed(), evil.slice(4)].map((list) => list.join(' '))
  for (const name of names) {
    assert.ok(name.length <= 200)
    const toml = `[project]\nname = ${JSON.stringify(name)}\n`
    assert.deepEqual(await generated(t, { ...shop, 'devflow.toml': toml }), plain, name)
  }
  const named = (name: string) => JSON.stringify({ ...JSON.parse(String(shop['package.json'])), name })
  for (const name of names) assert.deepEqual(await generated(t, { ...shop, 'package.json': named(name) }), plain, name)
  // No name of a project: devflow.toml could not hold it.
  const repo = rig(t, { ...shop, 'package.json': named(evil.join('\n')) })
  const { status, stderr } = await repo.run('init')
  assert.equal(status, 2)
  assert.match(stderr, /error: project\.name cannot be/)
  assert.deepEqual(Object.keys(repo.tree()), Object.keys(shop).sort())
})

test('folders of a repository are data', async (t) => {
  const plain = parsed(await prepared(t))
  const names = ['a b', "it's", '${{ x }}', '$(id)', '- x', '"quoted"', '# x', '*']
  const files = names.flatMap((name) => Object.entries(shop).map(([path, text]) => [`${name}/${path}`, text] as const))
  const { scripts, expressions, text } = await generated(t, Object.fromEntries(files))
  assert.deepEqual(scripts, plain.scripts)
  // Dependabot evaluates nothing.
  assert.deepEqual(new Set([...expressions].filter((one) => one !== 'x')), plain.expressions)
  const [document] = parseAllDocuments(/version: 2\n[\s\S]*?(?=\n#|$)/.exec(text)![0]) as { toJS(): unknown }[]
  const { updates } = document!.toJS() as { updates: { 'package-ecosystem': string; directories: string[] }[] }
  const npm = updates.find((one) => one['package-ecosystem'] === 'npm')!
  assert.deepEqual([...npm.directories].sort(), names.map((name) => `/${name}`).sort())
})

test('the longest and oddest names that devflow.toml may have are words of GitHub, and data', async (t) => {
  const plain = parsed(await prepared(t))
  const long = `e${'2.e-_E'.repeat(40)}`
  const toml = `
[targets]
pr = ["test:unit", "test:e2e.x_y-z", "test:${long}", "scan:deps"]
"9.target_-" = ["check:pr"]
main = ["check:9.target_-"]
[tasks."test:e2e.x_y-z"]
run = ${JSON.stringify(evil.join('\n'))}
secrets = ["_A", "toString"]
env = { A = ${JSON.stringify(evil.join('\n'))} }
[tasks."test:${long}"]
run = "true"
secrets = ["B"]
[ci]
default_branch = "release/1.x_y-z"
hosts = ["*.example.org:1"]
owners = ["@a-b/c.d_e", "x+y@example.org"]
`
  const { scripts, expressions, text } = await generated(t, { ...shop, 'devflow.toml': toml })
  assert.deepEqual(
    [...scripts].filter((one) => !plain.scripts.has(one) && !one.includes('dwf.mjs" trust --ci --from ')),
    [],
  )
  const secrets = [...expressions].filter((one) => one.startsWith('secrets.')).sort()
  assert.deepEqual(secrets, ['secrets.B', 'secrets._A', 'secrets.toString'])
  for (const word of ['touch pwned', 'add-mask', 'secrets.TOKEN']) assert.ok(!text.includes(word), word)
  for (const [, id] of text.matchAll(/^ {2}([^\s#:]+):$/gm)) assert.match(id!, /^[A-Za-z_][A-Za-z0-9_-]*$/)
})

test('what could be more than data is an error at its place', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ...evil.map((text) => ['ci', `default_branch = ${JSON.stringify(text)}`] as const),
    ...['main*', '-x', 'a..b', 'a b', '!main', 'a/', '@{x'].map(
      (text) => ['ci', `default_branch = "${text}"`] as const,
    ),
    ...[...evil, 'example.org', 'https://example.org:1', 'a.b:1\\nrun: id'].map(
      (text) => ['ci', `hosts = [${text.includes('\\n') ? `"${text}"` : JSON.stringify(text)}]`] as const,
    ),
    ...[...evil, '@a b', '@a\\n* @b', '# x'].map(
      (text) => ['ci', `owners = [${text.includes('\\n') ? `"${text}"` : JSON.stringify(text)}]`] as const,
    ),
    ...['../x-', 'A', 'x/', '${{', 'x'.repeat(31)].map((text) => ['ci', `prefix = "${text}"`] as const),
    ['ci', 'install = "curl"'],
    ['ci', 'egress = "none"'],
    ['targets', `${JSON.stringify('a b')} = ["test:unit"]`],
    ['targets', '"${{ x }}" = ["test:unit"]'],
    ['targets', '"-x" = ["test:unit"]'],
    ['tasks', '"test:${{ x }}" = { run = "true" }'],
    ['tasks', '"test:x" = { run = "true", secrets = ["A }} ${{ B"] }'],
    ['tasks', '"test:x" = { run = "true", secrets = ["A-B"] }'],
  ]
  const repo = await prepared(t)
  const before = repo.tree()
  for (const [table, line] of cases) {
    repo.write({ 'devflow.toml': `[${table}]\n${line}\n` })
    const { status, stderr } = await repo.run('ci:generate')
    assert.equal(status, 2, `${line}\n${stderr}`)
    assert.match(stderr, /^devflow\.toml:2:\d+ error: /, line)
    assert.doesNotMatch(stderr, /bug of dwf/)
  }
  repo.write({ 'devflow.toml': before['devflow.toml'] })
  assert.deepEqual(repo.tree(), before)
})
