import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, type TestContext, test } from 'node:test'
import type { ScanLayer } from '../../src/config/commands.ts'
import type { Severity } from '../../src/config/types.ts'
import { layerGate, pin, plant, temporary, text } from '../scan/rig.ts'

/** The real Trivy of the test world, with the small database. */
const trivy = join(process.env.DWF_WORLD ?? '/var/tmp/dwf-world', 'bin/trivy')
const testDatabase = join(import.meta.dirname, '../../scripts/test-database')

before(() => assert.ok(existsSync(trivy), `${trivy} is missing: run scripts/tools trivy`))

interface Asked {
  readonly severity?: Severity
  readonly env?: NodeJS.ProcessEnv
}

function judge(t: TestContext, root: string, layer: ScanLayer, { severity = 'high', env = {} }: Asked = {}) {
  const cache = temporary(t)
  if (layer === 'deps') execFileSync(testDatabase, [cache])
  return layerGate({ root, layer, severity, pin, env: { DWF_TRIVY: trivy, DWF_TRIVY_CACHE: cache, ...env } })
}

const packageLock = JSON.stringify({
  name: 'shop',
  lockfileVersion: 3,
  packages: {
    '': { name: 'shop', dependencies: { lodash: '4.17.20' }, devDependencies: { minimist: '1.2.5' } },
    'node_modules/lodash': { version: '4.17.20' },
    'node_modules/minimist': { version: '1.2.5', dev: true },
  },
})
const manifest = '{"name":"shop","dependencies":{"lodash":"4.17.20"}}'
/** In two parts, so that this file is not itself a finding. */
const token = `${'gh'}p_${'qR7sT2uV9wX4yZ1aB6cD3eF8gH5jK0mN7pQ2'}`
const rootUser = 'FROM debian:13\nUSER root\n'

test('three known vulnerabilities are found, with what to upgrade to', async (t) => {
  const root = plant(temporary(t), { 'package-lock.json': packageLock, 'package.json': manifest })
  const verdict = await judge(t, root, 'deps')
  assert.equal(verdict.kind, 'refused')
  assert.match(
    verdict.summary,
    /^3 findings, 1 critical, 1 high, 1 medium; limit high; 2 packages in 1 lock file; TEST DATABASE \(17 entries\)$/,
  )
  assert.deepEqual(verdict.lines, [
    'refused',
    '  minimist 1.2.5 → 1.2.6  package-lock.json:1',
    '    critical  CVE-2021-44906  prototype pollution',
    '  lodash 4.17.20 → 4.17.21  package-lock.json:1',
    '    high  CVE-2021-23337  command injection via template',
    'below the limit high',
    '  lodash 4.17.20 → 4.17.21  package-lock.json:1',
    '    medium  CVE-2020-28500  ReDoS via the toNumber, trim and trimEnd functions',
  ])
})

test('without them it passes; with a lock file that Trivy passes over in silence it is broken', async (t) => {
  const root = plant(temporary(t), {
    'package-lock.json': packageLock.replaceAll('4.17.20', '4.17.21').replaceAll('1.2.5', '1.2.8'),
  })
  const passed = await judge(t, root, 'deps')
  assert.match(text(passed), /^passed\n0 findings; limit high; 2 packages in 1 lock file/)
  for (const [path, content] of [
    ['api/package-lock.json', packageLock.slice(0, -9)],
    ['go.mod', 'module x\nrequire (\n'],
    ['Cargo.lock', '[[package]]\nname='],
  ] as const) {
    const broken = await judge(t, plant(temporary(t), { [path]: content }), 'deps')
    assert.match(text(broken), new RegExp(`^broken\\n1 file not judged, the first: ${path}`))
  }
})

test('lock files of every stack are read, under all their names, and empty ones need no mention', async (t) => {
  const root = plant(temporary(t), {
    'npm/npm-shrinkwrap.json': packageLock,
    'yarn/yarn.lock':
      '# yarn lockfile v1\n\n\nlodash@4.17.20:\n  version "4.17.20"\n  resolved "https://x/lodash-4.17.20.tgz#a"\n',
    'pnpm/pnpm-lock.yaml':
      "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      lodash:\n        specifier: 4.17.20\n        version: 4.17.20\npackages:\n  lodash@4.17.20:\n    resolution: {integrity: sha512-x}\nsnapshots:\n  lodash@4.17.20: {}\n",
    'bun/bun.lock':
      '{"lockfileVersion":1,"workspaces":{"":{"name":"x","dependencies":{"lodash":"4.17.20"}}},"packages":{"lodash":["lodash@4.17.20","",{},"sha512-x"]}}',
    'pip/requirements-dev.txt': 'requests==2.30.0\n',
    'poetry/poetry.lock': '[[package]]\nname = "requests"\nversion = "2.30.0"\n',
    'uv/uv.lock':
      'version = 1\n\n[[package]]\nname = "requests"\nversion = "2.30.0"\nsource = { registry = "https://pypi.org/simple" }\n',
    'cargo/Cargo.lock': 'version = 4\n\n[[package]]\nname = "x"\nversion = "0.1.0"\n',
    'go/go.mod': 'module x\n\ngo 1.22\n\nrequire golang.org/x/text v0.3.0\n',
    'gradle/gradle.lockfile': '# x\ncom.example:lib:1.0=compileClasspath\nempty=\n',
    'empty/package-lock.json': '{"name":"y","lockfileVersion":3,"packages":{"":{"name":"y"}}}',
    'empty/yarn.lock': '# yarn lockfile v1\n',
    'empty/pnpm-lock.yaml': "lockfileVersion: '9.0'\nimporters:\n  .: {}\n",
    'empty/Cargo.lock': 'version = 4\n',
    'empty/gradle.lockfile': '# x\nempty=a\n',
    'empty/requirements.txt': '# nothing\n',
    'empty/go.mod': 'module y\n',
  })
  const verdict = await judge(t, root, 'deps')
  assert.equal(verdict.kind, 'refused', verdict.summary)
  const files = new Set(verdict.found.map((one) => / (.*?)(:\d+)?$/.exec(one)?.[1]))
  for (const file of [
    'npm/npm-shrinkwrap.json',
    'yarn/yarn.lock',
    'pnpm/pnpm-lock.yaml',
    'bun/bun.lock',
    'pip/requirements-dev.txt',
    'poetry/poetry.lock',
    'uv/uv.lock',
  ]) {
    assert.ok(files.has(file), file)
  }
})

test('planted secrets are found, also below dev and in paths of images, and never shown', async (t) => {
  const line = `token = "${token}"\n`
  const root = plant(temporary(t), {
    'app.conf': line,
    'dev/app.conf': line,
    'usr/lib/app.conf': line,
    'trivy-secret.yaml': line,
    'secret.yaml': line,
    'test/app.conf': line,
  })
  const verdict = await judge(t, root, 'secrets')
  assert.match(verdict.summary, /^5 findings, 5 critical; limit high; a tree of 6 files$/)
  assert.deepEqual(
    verdict.found,
    ['app.conf:1', 'dev/app.conf:1', 'secret.yaml:1', 'trivy-secret.yaml:1', 'usr/lib/app.conf:1'].map(
      (place) => `github-pat ${place}`,
    ),
  )
  assert.equal(JSON.stringify(verdict).includes(token.slice(4, 12)), false)
})

test('a repository without secrets passes', async (t) => {
  const verdict = await judge(t, plant(temporary(t), { 'app.conf': 'token = "none"\n' }), 'secrets')
  assert.equal(text(verdict), 'passed\n0 findings; limit high; a tree of 1 file')
})

test('a root user is found in every kind of Dockerfile, and Kubernetes, Terraform and Helm are looked at', async (t) => {
  const pod =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: x, securityContext: {privileged: true}}]}\n'
  const root = plant(temporary(t), {
    'Dockerfile.devflow': rootUser,
    'app/Dockerfile': rootUser,
    'dev/Containerfile': rootUser,
    'k8s/pod.yaml': pod,
    'tf/main.tf':
      'resource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\nmodule "m" {\n  source = "https://example.invalid/m.zip"\n}\n',
    'chart/Chart.yaml': 'apiVersion: v2\nname: x\nversion: 0.1.0\n',
    'chart/.helmignore': 'templates/pod.yaml\n',
    'chart/templates/pod.yaml': pod,
  })
  const { kind, found: all } = await judge(t, root, 'config')
  assert.equal(kind, 'refused')
  const found = (id: string, place: string) => all.some((one) => one.startsWith(id) && one.endsWith(` ${place}`))
  for (const file of ['Dockerfile.devflow:2', 'app/Dockerfile:2', 'dev/Containerfile:2'])
    assert.ok(found('DS-0002', file), file)
  for (const file of ['k8s/pod.yaml:4', 'chart/templates/pod.yaml:4']) assert.ok(found('KSV-0017', file), file)
  assert.ok(found('AWS-', 'tf/main.tf:1'))
})

test('comments of a repository cannot take a finding away', async (t) => {
  const ignored = 'FROM debian:13\n#trivy:ignore:DS-0002\nUSER root\n'
  const root = plant(temporary(t), {
    'Dockerfile.devflow': ignored,
    'main.tf': '#trivy:ignore:AWS-0086\nresource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\n',
  })
  const bare = plant(temporary(t), {
    'Dockerfile.devflow': ignored.replace('trivy', 'x'),
    'main.tf': '#x\nresource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\n',
  })
  const [with_, without] = await Promise.all([judge(t, root, 'config'), judge(t, bare, 'config')])
  assert.equal(with_.summary, without.summary)
  assert.deepEqual(with_.lines.slice(-3), [
    '2 comments with trivy:ignore or tfsec:ignore had no effect',
    '  Dockerfile.devflow:2',
    '  main.tf:1',
  ])
  assert.deepEqual(with_.lines.slice(0, -3), without.lines)
})

test('files and variables of a repository and a person change nothing', async (t) => {
  const honest = {
    'package-lock.json': packageLock,
    'app.conf': `token = "${token}"\n`,
    'Dockerfile.devflow': rootUser,
  }
  const config =
    'severity: [LOW]\nexit-code: 7\nignorefile: .trivyignore\nformat: table\nscan:\n  skip-dirs: ["**"]\n  skip-files: ["**"]\nvulnerability:\n  ignore-unfixed: true\n'
  const ids = ['CVE-2021-44906', 'CVE-2021-23337', 'CVE-2020-28500', 'DS-0002', 'DS-0026', 'github-pat']
  const ignores = `misconfigurations: [{id: DS-0002}]\nsecrets: [{id: github-pat}]\nvulnerabilities: [{id: CVE-2021-44906}]\n`
  const hostile = {
    ...honest,
    'trivy.yaml': config,
    '.trivy.yaml': config,
    'trivy-secret.yaml': 'disable-rules: [github-pat]\nallow-rules: [{id: all, regex: ".*"}]\n',
    '.trivyignore': `${ids.join('\n')}\n`,
    '.trivyignore.yaml': ignores,
    'bin/trivy': '#!/bin/sh\nexit 0\n',
  }
  const clean = plant(temporary(t), honest)
  const root = plant(temporary(t), hostile)
  chmodSync(join(root, 'bin/trivy'), 0o755)
  const variables = {
    TRIVY_SEVERITY: 'LOW',
    TRIVY_SKIP_DIRS: '**',
    TRIVY_IGNOREFILE: join(root, '.trivyignore'),
    TRIVY_CONFIG: join(root, 'trivy.yaml'),
    TRIVY_EXIT_CODE: '0',
    TRIVY_OFFLINE_SCAN: 'false',
  }
  const before = { ...process.env }
  const cwd = process.cwd()
  process.chdir(root)
  Object.assign(process.env, variables)
  t.after(() => {
    process.chdir(cwd)
    for (const name of Object.keys(variables)) delete process.env[name]
    Object.assign(process.env, before)
  })
  // Found on PATH, behind the one that the repository planted.
  const PATH = `${join(root, 'bin')}:${join(trivy, '..')}`
  for (const layer of ['deps', 'secrets', 'config'] as const) {
    const asked = { env: { ...variables, DWF_TRIVY: '', PATH } }
    const [attacked, expected] = await Promise.all([judge(t, root, layer, asked), judge(t, clean, layer)])
    const findings = (lines: readonly string[]) => lines.filter((line) => line.startsWith('  '))
    assert.equal(attacked.kind, 'refused', layer)
    assert.deepEqual(findings(attacked.lines), findings(expected.lines), layer)
  }
})

test('links are not followed out of the repository', async (t) => {
  const outside = plant(temporary(t), {
    'package-lock.json': packageLock,
    'app.conf': `token = "${token}"\n`,
    Dockerfile: rootUser,
  })
  const root = plant(temporary(t), { keep: '' })
  symlinkSync(outside, join(root, 'folder'))
  for (const name of ['app.conf', 'Dockerfile']) symlinkSync(join(outside, name), join(root, name))
  const [secrets, config] = await Promise.all([judge(t, root, 'secrets'), judge(t, root, 'config')])
  assert.match(text(secrets), /^passed\n0 findings/)
  assert.match(text(config), /^passed\n0 findings/)
  symlinkSync(join(outside, 'package-lock.json'), join(root, 'package-lock.json'))
  assert.equal((await judge(t, root, 'deps')).kind, 'broken')
})
