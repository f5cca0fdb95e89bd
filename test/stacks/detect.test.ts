/* biome-ignore-all lint/suspicious/noTemplateCurlyInString: texts as other languages read them */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { stackNames } from '../../src/project/types.ts'
import { detectProject } from '../../src/stacks/detect.ts'
import { stacks } from '../../src/stacks/index.ts'
import { toolchains } from '../../src/stacks/toolchains.ts'
import { json, repository, units } from './rig.ts'

test('an empty folder', (t) => {
  const root = repository(t, {})
  assert.deepEqual(detectProject(root), { root, name: basename(root), units: [], diagnostics: [] })
})

test('the name: manifest of the root, else remote, else folder', (t) => {
  const git = (url: string) => ({ '.git/config': `[remote "origin"]\nurl = ${url}\n` })
  const name = (files: Record<string, string>) => detectProject(repository(t, files)).name
  assert.equal(name({ 'package.json': json({ name: '@team/shop' }), ...git('https://x.example/other') }), '@team/shop')
  assert.equal(
    name({ 'web/package.json': json({ name: 'web', scripts: { test: 'x' } }), ...git('git@x.example:team/shop.git') }),
    'shop',
  )
  assert.equal(name({ 'package.json': json({ name: ' ' }), ...git('https://x.example/team/shop/') }), 'shop')
  assert.equal(name({ ...git('ssh://git@x.example/shop') }), 'shop')
  const root = repository(t, { ...git('/') })
  assert.equal(detectProject(root).name, basename(root))
  assert.notEqual(detectProject('/', { stacks: [] }).name, '')
})

test('several stacks, in the order of the list', (t) => {
  const found = units(t, {
    'package.json': json({ scripts: { test: 'x' } }),
    'api/go.mod': 'module a\n',
    'core/Cargo.toml': '[package]\nname = "core"\n',
    'tools/pyproject.toml': '[project]\nname = "tools"\n',
    'service/pom.xml': '<project/>',
    'app/build.gradle.kts': 'plugins { kotlin("jvm") }',
    'native/Makefile': 'test:\n',
  })
  assert.deepEqual(
    found.map((one) => `${one.stack}:${one.dir}`),
    ['node:', 'python:tools', 'rust:core', 'go:api', 'java:service', 'kotlin:app'],
  )
})

test('folders whose names are odd stay data', (t) => {
  const names = ['-rf', 'a b', "q'uote", 'new\nline', '$(id)', 'ünï', '${{ x }}']
  const files = Object.fromEntries(names.map((name) => [`${name}/go.mod`, 'module a\n']))
  const found = units(t, files)
  assert.deepEqual(
    found.map((one) => one.dir),
    [...names].sort(),
  )
  for (const one of found) {
    for (const { argv } of one.tasks) assert.ok(argv.every((word) => !names.some((name) => word.includes(name))))
  }
})

test('manifests that are folders, links out, or links in', (t) => {
  const root = repository(t, {
    'in/package.json/': '',
    'outside/Cargo.toml': '[package]\nname = "secret"\n',
    'in/real/go.mod': 'module a\n',
  })
  symlinkSync('../outside/Cargo.toml', join(root, 'in/Cargo.toml'))
  symlinkSync('../outside', join(root, 'in/crate'))
  symlinkSync('real/go.mod', join(root, 'in/go.mod'))
  assert.deepEqual(
    detectProject(join(root, 'in')).units.map((one) => `${one.stack}:${one.dir}`),
    ['go:', 'go:real'],
  )
})

test('every stack is in the list once, every toolchain that is asked for has a recipe', (t) => {
  assert.deepEqual(
    stacks.map((stack) => stack.name),
    [...stackNames],
  )
  const lock = { 'package.json': json({}) }
  const all = [
    ...units(t, { ...lock, 'pnpm-lock.yaml': '' }),
    ...units(t, { ...lock, 'yarn.lock': '' }),
    ...units(t, { ...lock, 'yarn.lock': '__metadata:\n' }),
    ...units(t, { ...lock, 'bun.lock': '' }),
    ...units(t, { 'pyproject.toml': '[project]\nname = "a"', 'uv.lock': '' }),
    ...units(t, {
      'pyproject.toml': '[tool.poetry]\nname = "a"',
      'Cargo.toml': '[package]\nname = "a"',
      'go.mod': 'module a',
    }),
    ...units(t, { 'pom.xml': '<project/>', 'build.gradle': '' }),
    ...units(t, { justfile: 'test:\n' }),
    ...units(t, { Makefile: 'test:\n' }),
  ]
  const tools = new Set(all.flatMap((one) => one.toolchains.map((toolchain) => toolchain.tool)))
  assert.deepEqual([...tools].sort(), Object.keys(toolchains).sort())
  for (const recipe of Object.values(toolchains)) {
    for (const need of recipe.needs ?? []) assert.ok(toolchains[need], need)
    assert.ok(recipe.image ?? recipe.npm ?? recipe.pypi ?? recipe.debian, recipe.tool)
  }
})

test('what comes out can be written as JSON, and is the same each time', (t) => {
  const root = repository(t, {
    'package.json': json({ name: 'a', scripts: { test: 'x' }, dependencies: { b: '1' } }),
    'Cargo.toml': '[package]\n',
  })
  const once = detectProject(root)
  assert.deepEqual(JSON.parse(JSON.stringify(once)), once)
  assert.deepEqual(detectProject(root), once)
})

test('every needed command, cache and lock file of a unit makes sense', (t) => {
  const root = repository(t, {
    'package.json': json({ dependencies: { a: '1' } }),
    'requirements.txt': 'a==1\n',
    'go.mod': 'module a\nrequire b v1\n',
  })
  mkdirSync(join(root, 'x'))
  for (const one of detectProject(root).units) {
    for (const cache of one.caches) {
      assert.match(cache.name, /^[a-z0-9-]+$/)
      for (const value of Object.values(cache.env)) assert.ok(value.includes(`/cache/${cache.name}`), value)
    }
    for (const path of one.setup?.outputs ?? []) {
      if (path.startsWith('/'))
        assert.ok(
          one.caches.some((cache) => path.startsWith(`/cache/${cache.name}/`)),
          path,
        )
    }
    if (one.setup) assert.ok(one.setup.split ? one.setup.fetch : one.setup.online)
  }
})
