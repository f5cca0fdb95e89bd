/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts as other languages read them */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { managers } from '../../src/stacks/node-managers.ts'
import { scriptTasks } from '../../src/stacks/node-scripts.ts'
import { asked, commands, json, said, unit, units } from './rig.ts'

const lock = { 'package-lock.json': '{}' }

test('scripts become commands', (t) => {
  const scripts = {
    'format:check': 'prettier --check .',
    format: 'prettier --write .',
    lint: 'eslint .',
    build: 'tsc',
    test: 'vitest run',
    'test:e2e': 'playwright test',
    'test:watch': 'vitest',
    'lint:styles': 'stylelint .',
    'check:pr': 'echo no',
    'ci:generate': 'echo no',
    start: 'node .',
    typecheck: 'tsc --noEmit',
  }
  const found = unit(t, { 'package.json': json({ name: 'shop', version: '1.0.0', scripts }) })
  assert.deepEqual(commands(found), {
    'fmt:check': 'npm run format:check',
    'fmt:fix': 'npm run format',
    'lint:static': 'npm run lint',
    'lint:types': 'npm run typecheck',
    'build:debug': 'npm run build',
    'build:release': 'npm run build',
    'test:unit': 'npm run test',
    'test:e2e': 'npm run test:e2e',
    'lint:styles': 'npm run lint:styles',
    'package:artifact': 'npm pack',
  })
  assert.deepEqual(found.missing, [
    { command: 'test:integration', hint: 'add a script "test:integration" to package.json' },
  ])
  assert.equal(found.name, 'shop')
  assert.equal(found.setup, undefined, 'nothing to install')
})

test('names of the vocabulary win over others', (t) => {
  const scripts = {
    test: 'a',
    'test:unit': 'b',
    build: 'c',
    'build:release': 'd',
    fmt: 'e',
    'fmt:check': 'f',
    'fmt:fix': 'g',
  }
  const found = commands(unit(t, { 'package.json': json({ private: true, scripts }) }))
  assert.deepEqual(found, {
    'fmt:check': 'npm run fmt:check',
    'fmt:fix': 'npm run fmt:fix',
    'build:debug': 'npm run build',
    'build:release': 'npm run build:release',
    'test:unit': 'npm run test:unit',
  })
})

test('a script named format that checks is the check', (t) => {
  const found = unit(t, { 'package.json': json({ scripts: { format: 'prettier . --check' } }) })
  assert.deepEqual(commands(found), { 'fmt:check': 'npm run format' })
})

test('the test of npm init is no test, nor is an empty one', (t) => {
  const scripts = { test: 'echo "Error: no test specified" && exit 1', lint: ' ' }
  const found = unit(t, { 'package.json': json({ scripts }) })
  assert.deepEqual(commands(found), {})
  assert.ok(found.missing.some((one) => one.hint === 'add a script "test" to package.json'))
})

const setups = [
  {
    title: 'npm',
    files: { 'package-lock.json': '{}' },
    more: {},
    fetch: ['npm', 'ci', '--ignore-scripts'],
    install: ['npm', 'rebuild'],
    online: ['npm', 'ci'],
    outputs: ['node_modules'],
    caches: [{ name: 'npm', env: { npm_config_cache: '/cache/npm' } }],
  },
  {
    title: 'npm with a prepare script',
    files: { 'npm-shrinkwrap.json': '{}' },
    more: { scripts: { prepare: 'husky' } },
    fetch: ['npm', 'ci', '--ignore-scripts'],
    install: ['sh', '-c', 'npm rebuild && npm run prepare'],
    online: ['npm', 'ci'],
    outputs: ['node_modules'],
    caches: [{ name: 'npm', env: { npm_config_cache: '/cache/npm' } }],
  },
  {
    title: 'pnpm',
    files: { 'pnpm-lock.yaml': '' },
    more: {},
    fetch: ['pnpm', 'install', '--frozen-lockfile', '--ignore-scripts'],
    install: ['pnpm', 'rebuild'],
    online: ['pnpm', 'install', '--frozen-lockfile'],
    outputs: ['node_modules'],
    caches: [{ name: 'pnpm', env: { npm_config_store_dir: '/cache/pnpm', pnpm_config_store_dir: '/cache/pnpm' } }],
  },
  {
    title: 'pnpm with a guard that would need the network',
    files: {
      'pnpm-lock.yaml': '',
      'pnpm-workspace.yaml': "onlyBuiltDependencies:\n  - esbuild\n  - '@scope/pkg'\n  - '$(id)'\n",
    },
    more: {
      scripts: { preinstall: 'npx only-allow pnpm', prepare: 'node x.js' },
      pnpm: { onlyBuiltDependencies: ['sharp', '--x'] },
    },
    fetch: ['pnpm', 'install', '--frozen-lockfile', '--ignore-scripts'],
    install: ['sh', '-c', 'pnpm rebuild -- sharp esbuild @scope/pkg && pnpm run prepare'],
    online: ['pnpm', 'install', '--frozen-lockfile'],
    outputs: ['node_modules'],
    caches: [{ name: 'pnpm', env: { npm_config_store_dir: '/cache/pnpm', pnpm_config_store_dir: '/cache/pnpm' } }],
  },
  {
    title: 'yarn',
    files: { 'yarn.lock': '# yarn lockfile v1\n' },
    more: {},
    fetch: ['yarn', 'install', '--frozen-lockfile', '--ignore-scripts', '--non-interactive'],
    install: ['npm', 'rebuild'],
    online: ['yarn', 'install', '--frozen-lockfile', '--non-interactive'],
    outputs: ['node_modules'],
    caches: [
      { name: 'yarn', env: { YARN_CACHE_FOLDER: '/cache/yarn' } },
      { name: 'npm', env: { npm_config_cache: '/cache/npm' } },
    ],
  },
  {
    title: 'yarn-berry',
    files: { 'yarn.lock': '__metadata:\n  version: 8\n' },
    more: {},
    fetch: ['yarn', 'install', '--immutable', '--mode=skip-build'],
    install: ['yarn', 'rebuild'],
    online: ['yarn', 'install', '--immutable'],
    outputs: ['.pnp.cjs'],
    caches: [{ name: 'yarn-berry', env: { YARN_GLOBAL_FOLDER: '/cache/yarn-berry' } }],
  },
  {
    title: 'bun',
    files: { 'bun.lock': '{}' },
    more: { scripts: { postinstall: 'x' } },
    fetch: ['bun', 'install', '--frozen-lockfile', '--ignore-scripts'],
    install: ['bun', 'run', 'postinstall'],
    online: ['bun', 'install', '--frozen-lockfile'],
    outputs: ['node_modules'],
    caches: [{ name: 'bun', env: { BUN_INSTALL_CACHE_DIR: '/cache/bun' } }],
  },
] as const

for (const { title, files, more, fetch, install, online, outputs, caches } of setups) {
  test(`setup: ${title}`, (t) => {
    const found = unit(t, { 'package.json': json({ devDependencies: { a: '1' }, ...more }), ...files })
    assert.equal(found.manager, title.split(' ')[0])
    const { setup } = found
    assert.deepEqual(setup?.fetch, fetch)
    assert.deepEqual(setup?.install, install)
    assert.deepEqual(setup?.online, online)
    assert.deepEqual(setup?.outputs, outputs)
    assert.equal(setup?.split, true)
    assert.equal(setup?.missingLock, undefined)
    assert.deepEqual(setup?.lockFiles.slice(0, 2), [Object.keys(files)[0], 'package.json'])
    assert.deepEqual(found.caches, caches)
  })
}

test('dependencies without a lock file', (t) => {
  const found = unit(t, { 'package.json': '{\n  "dependencies": {"a": "1"}\n}\n' })
  assert.deepEqual(found.setup?.missingLock, {
    severity: 'error',
    code: 'missing-lock',
    message: 'package.json has dependencies but no lock file says which versions',
    where: { file: 'package.json', line: 2, column: 3, endColumn: 17, text: '  "dependencies": {"a": "1"}' },
    hint: 'run "npm install --package-lock-only" and commit the lock file',
  })
})

test('programs that write git hooks are told to leave it', (t) => {
  const found = unit(t, {
    'package.json': json({ scripts: { prepare: 'husky install', postinstall: 'simple-git-hooks' } }),
  })
  assert.equal(found.env.HUSKY, '0')
  assert.equal(found.env.SKIP_INSTALL_SIMPLE_GIT_HOOKS, '1')
  assert.equal(found.env.CI, 'true')
})

test('packageManager names the manager, its version and its hash', (t) => {
  const found = unit(t, {
    'package.json': '{\n  "packageManager": "pnpm@10.4.1+sha512.abc",\n  "scripts": {"build": "x"}\n}',
    'pnpm-lock.yaml': '',
  })
  assert.deepEqual(found.toolchains[1], {
    tool: 'pnpm',
    range: '10.4.1',
    asked: '10.4.1',
    where: {
      file: 'package.json',
      line: 2,
      column: 3,
      endColumn: 19,
      text: '  "packageManager": "pnpm@10.4.1+sha512.abc",',
    },
    integrity: 'sha512.abc',
  })
})

test('packageManager and lock file disagree: the lock file is taken, with a warning', (t) => {
  const found = unit(t, { 'package.json': json({ packageManager: 'pnpm@9.0.0', dependencies: { a: '1' } }), ...lock })
  assert.equal(found.manager, 'npm')
  assert.deepEqual(said(found), [
    'warning manager-disagreement package.json:2:3: packageManager says pnpm, but the lock file is package-lock.json; npm is taken',
  ])
})

test('lock files of two managers: a warning; packageManager settles it', (t) => {
  const files = { 'yarn.lock': '', ...lock }
  assert.deepEqual(said(unit(t, { 'package.json': json({}), ...files })), [
    'warning manager-disagreement package.json:1:1: lock files of several package managers lie here: yarn.lock and package-lock.json; yarn is taken',
  ])
  const settled = unit(t, { 'package.json': json({ packageManager: 'npm@11.0.0' }), ...files })
  assert.equal(settled.manager, 'npm')
  assert.deepEqual(said(settled), [])
})

test('Yarn 2 and later is a tool of its own', (t) => {
  const found = unit(t, { 'package.json': json({ packageManager: 'yarn@4.5.0', dependencies: { a: '1' } }) })
  assert.deepEqual(asked(found), ['node *', 'yarn-berry 4.5.0 package.json:2:3-19'])
  const classic = unit(t, { 'package.json': json({}), 'yarn.lock': '' })
  assert.deepEqual(asked(classic), ['node *', 'yarn 1'])
})

test('npm workspaces: one unit; what the root has no script for runs in its packages', (t) => {
  const found = units(t, {
    'package.json': json({ private: true, workspaces: ['packages/*', '!packages/odd'], scripts: { lint: 'x' } }),
    'packages/a/package.json': json({ name: 'a', scripts: { test: 'x', lint: 'x' } }),
    'packages/odd/package.json': json({ name: 'odd', scripts: { test: 'x' } }),
    'apps/own/package.json': json({ name: 'own', scripts: { test: 'x' } }),
    'apps/own/package-lock.json': '{}',
    ...lock,
  })
  assert.deepEqual(
    found.map((one) => one.dir),
    ['', 'apps/own'],
  )
  assert.deepEqual(commands(found[0]!), {
    'lint:static': 'npm run lint',
    'test:unit': 'npm run test --workspaces --if-present',
  })
})

test('pnpm workspaces', (t) => {
  const yaml = "packages: # ours\n  - 'packages/*'\n  - \"apps/**\"\n  - '!**/odd'\ncatalog:\n  x: 1\n"
  const found = units(t, {
    'package.json': json({ private: true }),
    'pnpm-workspace.yaml': yaml,
    'pnpm-lock.yaml': '',
    'packages/a/package.json': json({ scripts: { test: 'x' } }),
    'apps/b/c/package.json': json({ scripts: { build: 'x' } }),
    'apps/odd/package.json': json({ scripts: { build: 'x' } }),
  })
  assert.deepEqual(
    found.map((one) => one.dir),
    [''],
  )
  assert.deepEqual(commands(found[0]!), {
    'build:debug': 'pnpm --recursive --if-present run build',
    'build:release': 'pnpm --recursive --if-present run build',
    'test:unit': 'pnpm --recursive --if-present run test',
  })
  assert.deepEqual(found[0]!.setup?.install, ['pnpm', 'rebuild', '--recursive'])
})

test('a workspace list that is not understood is said to be', (t) => {
  const found = units(t, { 'package.json': json({}), 'pnpm-workspace.yaml': 'packages: *anchor\n' })
  assert.deepEqual(
    said(found[0]!).map((one) => one.slice(0, 49)),
    ['warning workspace-pattern pnpm-workspace.yaml:1:1'],
  )
})

test('markers, samples and packages of tests are no units', (t) => {
  const found = units(t, {
    'package.json': json({ scripts: { test: 'x' } }),
    'dist-esm/package.json': json({ type: 'module' }),
    'examples/a/package.json': json({ scripts: { test: 'x' } }),
    'test/case-1/package.json': json({ scripts: { test: 'x' } }),
    'web/package.json': json({ scripts: { test: 'x' } }),
  })
  assert.deepEqual(
    found.map((one) => one.dir),
    ['', 'web'],
  )
})

test('versions: the nearest file wins, engines are checked against it', (t) => {
  const found = unit(t, {
    'package.json': '{\n  "engines": { "node": ">=22" }\n}',
    '.nvmrc': '# ours\nv20.1\n',
  })
  assert.deepEqual(asked(found), ['node 20.1 .nvmrc:2:1-6'])
  assert.deepEqual(said(found), [
    'warning toolchain-disagreement .nvmrc:2:1: no version of node is both v20.1 (.nvmrc) and >=22 (package.json); the first is taken',
  ])
})

test('versions: .nvmrc words, .node-version, .tool-versions, volta, a file of a parent', (t) => {
  const range = (files: Record<string, string>): string => asked(unit(t, { 'package.json': '{}', ...files }))[0]!
  assert.equal(range({ '.nvmrc': 'lts/*\n' }), 'node 22 || 24 || 26 .nvmrc:1:1-6')
  assert.equal(range({ '.nvmrc': 'lts/Jod' }), 'node 22 .nvmrc:1:1-8')
  assert.equal(range({ '.nvmrc': 'node' }), 'node * .nvmrc:1:1-5')
  assert.equal(range({ '.node-version': '24.1.0\n' }), 'node 24.1.0 .node-version:1:1-7')
  assert.equal(range({ '.tool-versions': 'python 3.12\nnodejs 24.2.0 22.0.0\n' }), 'node 24.2.0 .tool-versions:2:8-14')
  assert.equal(range({ 'package.json': '{"volta": {"node": "22.3.0"}}' }), 'node 22.3.0 package.json:1:12-18')
  assert.equal(
    range({ 'package.json': '{"engines": {"node": "^22 || >=24"}}' }),
    'node ^22 || >=24 package.json:1:14-20',
  )
  const [, nested] = units(t, {
    'package.json': '{}',
    '.nvmrc': '24',
    'web/package.json': json({ scripts: { test: 'x' } }),
  })
  assert.deepEqual(asked(nested!), ['node 24 .nvmrc:1:1-3'])
})

test('a version that is none is a warning, and any is taken', (t) => {
  const found = unit(t, { 'package.json': '{}', '.nvmrc': 'lts/nonsense' })
  assert.deepEqual(asked(found), ['node *'])
  assert.deepEqual(said(found), [
    'warning unknown-version .nvmrc:1:1: "lts/nonsense" is no version of node that dwf understands; any is taken',
  ])
})

test('manifests that cannot be read make a unit that says so', (t) => {
  assert.deepEqual(said(unit(t, { 'package.json': '{\n  "name": \n}' })), [
    'error manifest-syntax package.json:3:1: expected a value, but found "}"',
  ])
  const typed = unit(t, { 'package.json': '{"scripts": 5, "name": ["x"], "engines": "24", "workspaces": 1}' })
  assert.deepEqual(said(typed).toSorted(), [
    'error manifest-type package.json:1:16: name must be text, not a list',
    'error manifest-type package.json:1:2: scripts must be a table, not a number',
    'error manifest-type package.json:1:48: workspaces must be a list, not a number',
  ])
  assert.deepEqual(commands(typed), {})
  const one = unit(t, { 'package.json': '{"scripts": {"test": 5, "lint": "x"}}' })
  assert.deepEqual(commands(one), { 'lint:static': 'npm run lint' })
  assert.deepEqual(said(one), ['error manifest-type package.json:1:14: scripts.test must be text, not a number'])
})

test('hostile script names are not offered; each is noted', (t) => {
  const names = [
    'test:$(id)',
    'test:a b',
    "lint:'x",
    'build:\n',
    'fmt:${{ secrets.X }}',
    'test:-x',
    'test:x@node',
    'test:a/b',
  ]
  const found = unit(t, { 'package.json': json({ scripts: Object.fromEntries(names.map((name) => [name, 'x'])) }) })
  assert.deepEqual(commands(found), {})
  assert.deepEqual(
    found.diagnostics.map((one) => [one.severity, one.code]),
    names.map(() => ['note', 'script-not-offered']),
  )
  assert.ok(found.diagnostics.every((one) => !/[\n\u001b]/.test(one.message)))
})

test('property: whatever the scripts are called, commands are plain and the argv holds the name as it is', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.tuple(fc.constantFrom('test', 'lint', 'fmt', 'build', 'package'), fc.string()).map((parts) => parts.join(':')),
  )
  fc.assert(
    fc.property(fc.dictionary(name, fc.string()), (scripts) => {
      for (const { command, argv } of scriptTasks(scripts, managers.npm)) {
        assert.match(command, /^[a-z]+:[A-Za-z0-9][A-Za-z0-9._:-]*$/)
        assert.deepEqual(argv.slice(0, 2), ['npm', 'run'])
        assert.ok(Object.hasOwn(scripts, argv[2]!))
        assert.ok(!argv[2]!.includes('\0'))
      }
    }),
  )
})

test('packages that compile bring a compiler', (t) => {
  const of = (text: string) => unit(t, { 'package.json': '{}', 'package-lock.json': text }).packages
  assert.deepEqual(of('{"packages": {"node_modules/node-addon-api": {}}}'), ['g++', 'make', 'python3'])
  assert.deepEqual(of('{"packages": {"node_modules/nan-lib": {}}}'), [])
})
