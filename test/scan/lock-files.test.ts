import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lockFileRule, manifestRule, unpinnedRequirements } from '../../src/scan/lock-files.ts'
import { growsLinearly } from '../growth.ts'

const holds = (path: string, text: string) => lockFileRule(path)?.holdsPackages(text)

/** [file, a text that holds packages, one that holds none] */
const table: readonly (readonly [string, string, string])[] = [
  [
    'package-lock.json',
    '{"packages":{"":{},"node_modules/a":{"version":"1"}}}',
    '{"packages":{"":{},"packages/w":{},"node_modules/w":{"link":true}}}',
  ],
  ['a/package-lock.json', '{"lockfileVersion":1,"dependencies":{"a":{"version":"1"}}}', '{"lockfileVersion":1}'],
  ['npm-shrinkwrap.json', '{"packages":{"a/node_modules/b":{}}}', '{"packages":{}}'],
  ['yarn.lock', '# yarn lockfile v1\n\n\nlodash@4:\n  version "4"\n', '# yarn lockfile v1\n'],
  [
    'yarn.lock',
    '__metadata:\n  version: 8\n\n"a@npm:1":\n  version: 1\n',
    '__metadata:\n  version: 8\n\n"x@workspace:.":\n  version: 0\n',
  ],
  ['pnpm-lock.yaml', "lockfileVersion: '9.0'\npackages:\n  a@1:\n", "lockfileVersion: '9.0'\nimporters:\n  .: {}\n"],
  ['bun.lock', '{"packages": {\n "a": []}}', '{"packages": {}}'],
  ['Cargo.lock', 'version = 4\n\n[[package]]\nname = "a"\n', 'version = 4\n'],
  ['poetry.lock', '[[package]]\n', 'package = []\n'],
  ['uv.lock', '[[package]]\n', 'version = 1\n'],
  ['Pipfile.lock', '{"default":{"a":{}}}', '{"default":{},"develop":{"a":{}}}'],
  ['requirements.txt', '-r x\n a[b]==1.0 # c\n', '# a==1\na>=1\n-e .\na==*\n'],
  ['requirements-dev.txt', 'a == 1', ''],
  ['go.mod', 'module x\nrequire a v1\n', 'module x\n'],
  ['gradle.lockfile', '# x\na:b:1=c,d\nempty=\n', '# a:b:1=c\nempty=x\n'],
]
for (const [path, full, empty] of table) {
  test(`${path}: ${JSON.stringify(full.slice(0, 40))} holds packages`, () => {
    assert.deepEqual([holds(path, full), holds(path, empty)], [true, false])
  })
}

test('a lock file that cannot be parsed is taken to hold packages', () => {
  assert.deepEqual(
    [holds('package-lock.json', '{"packages":{'), holds('Pipfile.lock', ''), holds('package-lock.json', '7')],
    [true, true, true],
  )
})

test('other files are no lock files', () => {
  assert.deepEqual(
    ['package.json', 'yarn.lock.bak', 'requirements.in', 'x-package-lock.json'].map(lockFileRule),
    Array(4).fill(undefined),
  )
})

test('a manifest is told from one without dependencies', () => {
  const has = (path: string, text: string) => manifestRule(path)?.hasDependencies(text)
  const cases: readonly (readonly [string, string, string])[] = [
    ['package.json', '{"devDependencies":{"a":"1"}}', '{"dependencies":{}}'],
    ['pyproject.toml', '[project]\ndependencies = [\n  "a",\n]\n', '[project]\ndependencies = []\n'],
    ['pyproject.toml', '[tool.poetry.group.dev.dependencies]\na = "*"\n', '[tool.poetry.dependencies]\npython = "3"\n'],
    ['Cargo.toml', '[dev-dependencies]\na = "1"\n', '[package]\n'],
    ['pom.xml', '<dependency>', '<project/>'],
    ['build.gradle.kts', 'dependencies { implementation("a:b:1") }', 'plugins {}'],
    ['Pipfile', '[packages]\na = "*"\n', '[packages]\n\n[requires]\n'],
    ['Pipfile', '[dev-packages]\r\n\r\na = "*"\r\n', '[packages]'],
    ['Cargo.toml', "[target.'cfg(unix)'.dependencies.a]\nversion = '1'\n", '[package.metadata.depend]\n'],
    ['pyproject.toml', '[dependency-groups]\n\n\ndev = []\n', '[dependency-groups]\n\n\n[tool.x]\n'],
    ['pyproject.toml', '[project]\n\tdependencies = ["a"]\n', '[project]\nx.dependencies\n'],
    ['requirements.txt', '\n\n \ta>=1\n', '\n\n# a\n-r b\n'],
    ['go.mod', 'module x\n\n\trequire a v1\n', 'module x\n// require\n'],
  ]
  for (const [path, yes, no] of cases) assert.deepEqual([has(path, yes), has(path, no)], [true, false], path)
})

test('lines of requirements without an exact version are counted', () => {
  assert.equal(unpinnedRequirements('a==1\nb>=2\nc\n# d\n-r e\nf===1\ng @ https://x\nh==*\n'), 4)
})

const files =
  'package-lock.json yarn.lock pnpm-lock.yaml bun.lock Cargo.lock poetry.lock Pipfile.lock requirements.txt go.mod gradle.lockfile package.json pyproject.toml Pipfile Cargo.toml pom.xml build.gradle'.split(
    ' ',
  )
const pieces = [
  ...[
    '\n',
    '\r',
    '\u2028',
    ' ',
    '\t',
    '\r\n',
    ' \n',
    '[',
    ']',
    'a',
    ':',
    '=',
    '{',
    'a\r',
    'a:\n',
    'a:b:',
    'a:b\n',
    'a==',
  ],
  ...['[dependency-groups]\n', '[packages]\n', '[dependencies.', '[\r', 'a==\n', 'a\n', '"packages":', 'packages:\n'],
  ...['dependencies=[\n', 'api ', '#', '@workspace:', '[tool.poetry.', 'a.', 'require '],
]
const leads: Readonly<Record<string, readonly string[]>> = {
  'requirements.txt': ['a=='],
  'pyproject.toml': ['[dependency-groups]', '[tool.poetry.', 'dependencies = ['],
  Pipfile: ['[packages]'],
  'bun.lock': ['"packages":'],
}
for (const file of files)
  test(`no text costs more time than it is long: ${file}`, async () => {
    const look = (text: string) => {
      lockFileRule(file)?.holdsPackages(text)
      manifestRule(file)?.hasDependencies(text)
      unpinnedRequirements(text)
    }
    for (const piece of pieces)
      for (const lead of ['', ...(leads[file] ?? [])])
        await growsLinearly(
          JSON.stringify([lead, piece]),
          (size) => `${lead}${piece.repeat(size / piece.length)}\u0001`,
          look,
          { limit: 1 << 17 },
        )
  })
