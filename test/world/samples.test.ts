import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { repository, sample } from './rig.ts'

const passing = {
  'node-passing': ['setup:fetch@node', 'setup:deps@node', 'lint:static@node', 'build:debug@node', 'test:unit@node'],
  'python-passing': ['setup:fetch@python', 'setup:deps@python', 'test:unit@python'],
  'rust-passing': [
    'setup:fetch@rust',
    'setup:deps@rust',
    'fmt:check@rust',
    'lint:static@rust',
    'build:debug@rust',
    'test:unit@rust',
  ],
  'go-passing': ['setup:fetch@go', 'setup:deps@go', 'fmt:check@go', 'lint:static@go', 'build:debug@go', 'test:unit@go'],
  'node-and-rust-passing': ['setup:deps@node', 'setup:deps@rust', 'test:unit@node', 'test:unit@rust'],
} as const

for (const [name, tasks] of Object.entries(passing)) {
  test(`${name}: init, then check:pr is green, and the second time has nothing to set up`, async (context) => {
    const repo = sample(context, name)
    const init = await repo.dwf(['init'])
    assert.equal(init.code, 0, init.all)
    for (const file of ['devflow.toml', 'devflow.lock', 'Dockerfile.devflow', 'docker-bake.hcl', '.dockerignore'])
      assert.ok(repo.has(file), file)
    const check = await repo.dwf(['check:pr'])
    assert.equal(check.code, 0, check.all)
    for (const task of [...tasks, 'scan:deps@project', 'scan:secrets@project', 'scan:config@project']) {
      assert.match(check.stdout, new RegExp(`✔ ${task} +passed`), check.stdout)
    }
    assert.match(check.stdout, /TEST DATABASE \(17 entries\)/)
    assert.match(check.stdout, /stand-in image: localhost\/dwf-stand-in\/debian:13-slim/)
    assert.match(check.stdout, /passed in /)
    const again = await repo.dwf(['check:pr'])
    assert.equal(again.code, 0, again.all)
    for (const task of tasks.filter((id) => id.startsWith('setup:')))
      assert.match(again.stdout, new RegExp(`${task} +up to date`), again.stdout)
    assert.doesNotMatch(again.all, /STEP/, 'the image was built again')
  })
}

const failing = {
  'node-failing-test': 'two and two make five',
  'python-failing-test': 'test_two_and_two_make_five',
  'rust-failing-test': 'two_and_two_make_five',
  'go-failing-test': 'TestTwoAndTwoMakeFive',
}

for (const [name, failed] of Object.entries(failing)) {
  test(`${name}: check:pr exits 1 and names the test`, async (context) => {
    const repo = sample(context, name)
    await repo.dwf(['init'])
    const { code, stdout, all } = await repo.dwf(['check:pr'])
    assert.equal(code, 1, all)
    assert.match(stdout, new RegExp(failed))
    const log = /the whole log: (\S+)/.exec(stdout)?.[1]
    assert.ok(log && existsSync(log), stdout)
  })
}

/** Not a file of this repository, whose own gate would refuse it. */
const vulnerable = {
  'package.json': JSON.stringify({
    name: 'vulnerable',
    version: '1.0.0',
    private: true,
    engines: { node: '24' },
    scripts: { test: 'node --test' },
    dependencies: { lodash: '4.17.20' },
  }),
  'package-lock.json': JSON.stringify({
    name: 'vulnerable',
    version: '1.0.0',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'vulnerable', version: '1.0.0', dependencies: { lodash: '4.17.20' } },
      'node_modules/lodash': { version: '4.17.20' },
    },
  }),
}

test('a vulnerable lock file is refused by the gate before any task runs', async (context) => {
  const repo = repository(context, vulnerable)
  await repo.dwf(['init'])
  const { code, stdout, all } = await repo.dwf(['check:pr'])
  assert.equal(code, 1, all)
  assert.match(stdout, /✖ scan:deps@project +refused/)
  assert.match(stdout, /CVE-2021-23337/)
  assert.match(stdout, /4\.17\.21/)
  assert.match(stdout, /✔ scan:config@project +passed/)
  assert.match(stdout, /– test:unit@node +not run/)
  assert.ok(!existsSync(join(repo.root, 'node_modules')))
})

test('a gate that cannot look is exit 3, never a pass', async (context) => {
  const repo = repository(context, { 'devflow.toml': '[targets]\npr = ["scan:deps", "scan:config"]\n' })
  const without = { DWF_TRIVY: join(repo.root, '../no-trivy') }
  const missing = await repo.dwf(['check:pr'], { env: without })
  assert.equal(missing.code, 3, missing.all)
  const database = await repo.dwf(['check:pr', '--offline'], { env: { DWF_TRIVY_CACHE: join(repo.root, '../empty') } })
  assert.equal(database.code, 3, database.all)
  assert.match(database.all, /database/)
})

test('what a repository says to the scanner changes nothing', async (context) => {
  const repo = repository(context, {
    ...vulnerable,
    '.trivyignore': 'CVE-2021-23337\nCVE-2020-28500\n',
    'trivy.yaml': 'severity: [UNKNOWN]\nscan:\n  skip-files: [package-lock.json]\nexit-code: 0\n',
    'bin/trivy': '#!/bin/sh\nexit 0\n',
  })
  const { code, all } = await repo.dwf(['scan:deps'], {
    env: {
      PATH: `${repo.root}/bin:.:${repo.env.PATH}`,
      TRIVY_SEVERITY: 'UNKNOWN',
      TRIVY_IGNOREFILE: '.trivyignore',
      TRIVY_EXIT_CODE: '0',
    },
  })
  assert.equal(code, 1, all)
  assert.match(all, /CVE-2021-23337/)
})
