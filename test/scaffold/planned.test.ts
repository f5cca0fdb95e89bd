import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import toml from '@iarna/toml'
import { parseConfig } from '../../src/config/parse.ts'
import { parseDockerfile } from '../../src/image/dockerfile.ts'
import { parseLock, shippedLock } from '../../src/pins/index.ts'
import type { StackUnit } from '../../src/project/types.ts'
import { type PlannedFile, plannedFiles } from '../../src/scaffold/index.ts'
import { Failure } from '../../src/util/diagnostics.ts'
import { mixes, modelOf } from '../image/models.ts'
import { recipeOf, request } from '../pins/recipes.ts'
import { findTool } from './tools.ts'

function unit(more: Partial<StackUnit> = {}): StackUnit {
  return {
    stack: 'node',
    dir: '',
    manifest: 'package.json',
    toolchains: [],
    packages: [],
    caches: [],
    env: {},
    tasks: [],
    missing: [],
    diagnostics: [],
    ...more,
  }
}
const offers = (...commands: string[]): StackUnit['tasks'] => commands.map((command) => ({ command, argv: ['true'] }))

function planned(
  name: string,
  options: { tools?: readonly string[]; units?: readonly StackUnit[]; source?: string } = {},
): readonly PlannedFile[] {
  const tools = options.tools ?? []
  const requests = tools.map((tool) => request(...(tool.split('@') as [string, string?])))
  const { lock } = shippedLock({ requests, recipeOf, toolchains: 'official', version: '0.1.0' })
  const model = modelOf(tools, { title: name, ...(options.source === undefined ? {} : { source: options.source }) })
  return plannedFiles({ project: { name, units: options.units ?? [] }, lock, model })
}
const content = (files: readonly PlannedFile[], path: string): string =>
  files.find((file) => file.path === path)!.content

test('the files, in their order, the same bytes twice', () => {
  const files = planned('shop', { tools: ['node'], units: [unit()] })
  assert.deepEqual(
    files.map((file) => file.path),
    ['devflow.toml', 'devflow.lock', 'Dockerfile.devflow', 'docker-bake.hcl', '.dockerignore'],
  )
  assert.deepEqual(planned('shop', { tools: ['node'], units: [unit()] }), files)
  for (const file of files) {
    assert.ok(file.content.endsWith('\n') && !file.content.endsWith('\n\n'), file.path)
    assert.doesNotMatch(file.content, /[ \t]$|\r|\n\n\n/m, file.path)
    assert.equal(file.mode, 0o644)
  }
})

test('targets hold what the repository really offers, in the order in which it runs', async () => {
  const units = [
    unit({ tasks: offers('test:unit', 'fmt:check', 'build:release') }),
    unit({ stack: 'go', dir: 'b', tasks: offers('lint:static', 'test:integration', 'package:artifact') }),
  ]
  const { config, warnings } = await parseConfig('/x/devflow.toml', content(planned('shop', { units }), 'devflow.toml'))
  assert.deepEqual(warnings, [])
  assert.deepEqual(
    Object.fromEntries(Object.entries(config.targets).map(([name, list]) => [name, list.map((one) => one.text)])),
    {
      pr: ['fmt:check', 'lint:static', 'test:unit', 'scan:deps', 'scan:config', 'scan:secrets'],
      main: ['check:pr', 'build:release', 'test:integration', 'package:artifact'],
      nightly: ['scan:all'],
    },
  )
  assert.deepEqual(config.project, { name: 'shop', stack: ['go', 'node'] })
})

test('an empty repository gets the gates, an example, and an image with just the base', async () => {
  const files = planned('empty')
  const text = content(files, 'devflow.toml')
  const { config } = await parseConfig('/x/devflow.toml', text)
  assert.deepEqual(
    config.targets.pr!.map((one) => one.text),
    ['scan:deps', 'scan:config', 'scan:secrets'],
  )
  assert.match(text, /^# \[tasks\."test:e2e"\]$/m)
  assert.equal(parseDockerfile(content(files, 'Dockerfile.devflow')).filter((one) => one.name === 'FROM').length, 3)
})

test('the commented examples of devflow.toml are right when they are uncommented', async () => {
  const text = content(planned('shop', { units: [unit()] }), 'devflow.toml').replace(/^# (?=\[|[a-z_]+ = )/gm, '')
  const { config } = await parseConfig('/x/devflow.toml', text.replace(/^stack = \["node"\]\n(?=[\s\S]*stack = )/m, ''))
  assert.deepEqual(config.tasks['test:e2e']!.secrets, ['E2E_TOKEN'])
  assert.deepEqual(config.container.packages, ['libpq-dev'])
})

test('a devflow.toml that is there stays as it is', async () => {
  const text = '# mine\n[targets]\npr = ["scan:deps"]\n[container]\nimage = "example.org/team/x"\n'
  const { config } = await parseConfig('/x/devflow.toml', text)
  const { lock } = shippedLock({ requests: [], recipeOf, toolchains: 'official', version: '0.1.0' })
  const files = plannedFiles({ project: { name: 'x', units: [] }, config, lock, model: modelOf([]) })
  assert.equal(content(files, 'devflow.toml'), text)
  assert.match(content(files, 'docker-bake.hcl'), /default = "example\.org\/team\/x"/)
})

const hostile = [
  '"',
  "'",
  '\\',
  '"""',
  "'''",
  '${{ github.token }}',
  '$(id)',
  '`id`',
  '${HOME}',
  '%{ if true }x%{ endif }',
  '$${x}',
  '{{name}}',
  '{{{name}}}',
  '# x',
  '" } variable "X" {',
  'a" \\',
  '\\"',
  '<script>',
  '--privileged',
  '<<EOF',
  '[x]',
  "'; rm -rf /",
  'naïve 日本 𝄞',
  ' lead',
  'x'.repeat(200),
]

test('a hostile name is data in every file', async () => {
  const plain = planned('plain', { tools: ['node'], source: 'https://example.org/plain' })
  const shape = (files: readonly PlannedFile[]) =>
    parseDockerfile(content(files, 'Dockerfile.devflow')).map((one) => one.name)
  for (const name of hostile) {
    const files = planned(name, {
      tools: ['node'],
      source: `https://example.org/${name}`,
      units: [unit({ name, manifest: `${name}/package.json` })],
    })
    const { project } = toml.parse(content(files, 'devflow.toml')) as { project: { name: string } }
    assert.equal(project.name, name)
    assert.equal((await parseConfig('/x/devflow.toml', content(files, 'devflow.toml'))).config.project.name, name)
    parseLock(content(files, 'devflow.lock'), 'devflow.lock')
    assert.deepEqual(shape(files), shape(plain), name)
    assert.equal(
      content(files, 'Dockerfile.devflow').split('\n').length,
      content(plain, 'Dockerfile.devflow').split('\n').length,
      name,
    )
    assert.equal(
      content(files, 'docker-bake.hcl').split('\n').length,
      content(plain, 'docker-bake.hcl').split('\n').length,
      name,
    )
  }
})

test('a name that no file can hold is refused, with the manifest that gives it', () => {
  for (const name of ['a\nRUN evil', 'a\rb', 'a\0b', 'a\ud800b', '\u001b[31m', 'a\u007f']) {
    assert.throws(
      () => planned(name, { units: [unit({ name, manifest: 'web/package.json' })] }),
      (error) =>
        error instanceof Failure &&
        error.kind === 'wrong-input' &&
        error.diagnostics[0]!.hint ===
          'change the name in web/package.json, or write another as name under [project] in devflow.toml',
    )
  }
})

/** Files in a folder of their own, for programs that read them. */
function inFolder(files: readonly PlannedFile[], action: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-planned-'))
  try {
    for (const file of files) writeFileSync(join(folder, file.path), file.content)
    action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

test('buildx reads docker-bake.hcl as it was meant', { skip: findTool('buildx') ? false : 'no buildx' }, () => {
  for (const name of ['shop', ...hostile.filter((one) => one === one.normalize('NFC'))]) {
    inFolder(planned(name, { tools: ['node'] }), (folder) => {
      const env = { ...process.env, TAG: '1.2.0', CACHE_FROM: 'type=gha' }
      const printed = execFileSync(
        findTool('buildx')!,
        ['bake', '--print', '-f', 'docker-bake.hcl', 'base', 'toolchain', 'ci'],
        { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
      )
      const { target } = JSON.parse(printed)
      assert.deepEqual(Object.keys(target).sort(), ['base', 'ci', 'toolchain'])
      assert.equal(target.ci.labels['org.opencontainers.image.title'], name)
      assert.equal(target.ci.target, 'ci')
      assert.deepEqual(target.ci.platforms, ['linux/amd64', 'linux/arm64'])
      assert.match(JSON.stringify(target.ci.attest), /sbom.*provenance.*max/)
      assert.deepEqual(target.ci['cache-from'], ['type=gha'])
      assert.equal(target.ci['cache-to'], undefined)
      assert.match(target.ci.tags[0], /^localhost\/dwf\/[a-z0-9-]+:1\.2\.0$/)
    })
  }
})

test('hadolint finds nothing in the Dockerfile of any stack or mix', {
  skip: findTool('hadolint') ? false : 'no hadolint',
}, () => {
  for (const tools of mixes) {
    for (const toolchains of ['official', 'debian'] as const) {
      if (toolchains === 'debian' && tools.some((tool) => /gradle|@/.test(tool))) continue
      inFolder(planned('shop', { tools }), (folder) => {
        execFileSync(findTool('hadolint')!, ['Dockerfile.devflow'], {
          cwd: folder,
          env: { HOME: folder },
          encoding: 'utf8',
        })
      })
    }
  }
})

test('Trivy finds no misconfiguration', { skip: findTool('trivy') ? false : 'no trivy' }, () => {
  for (const tools of [[], ['node', 'pnpm', 'rust', 'python', 'poetry']]) {
    inFolder(planned('shop', { tools }), (folder) => {
      const env = { ...process.env, TRIVY_CACHE_DIR: join(folder, '.trivy') }
      execFileSync(
        findTool('trivy')!,
        ['config', '--quiet', '--skip-version-check', '--skip-check-update', '--exit-code', '1', '.'],
        { cwd: folder, env, encoding: 'utf8' },
      )
    })
  }
})
