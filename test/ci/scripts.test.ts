import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as scripts from '../../src/ci/workflows/scripts.ts'
import { findTool } from '../scaffold/tools.ts'
import { ran, skip } from './scripts/rig.ts'
import './scripts/base.ts'
import './scripts/dwf.ts'
import './scripts/npm.ts'
import './scripts/image.ts'
import './scripts/gate.ts'
import './scripts/reports.ts'

test('shellcheck has nothing to say about any script', {
  skip: findTool('shellcheck') ? false : 'no shellcheck',
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-shellcheck-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const files = Object.entries(scripts).map(([name, text]) => {
    const file = join(folder, `${name}.sh`)
    writeFileSync(file, text)
    return file
  })
  // SC2154: variables of the job.
  const { status, stdout, stderr } = spawnSync(
    findTool('shellcheck')!,
    ['--norc', '--shell=bash', '--severity=style', '--exclude=SC2154', ...files],
    { encoding: 'utf8' },
  )
  assert.equal(`${stdout}${stderr}`, '')
  assert.equal(status, 0)
})

test('every script is text of dwf alone, and none was left out of these tests', { skip }, () => {
  for (const [name, text] of Object.entries(scripts)) {
    assert.ok(!text.includes('${{'), name)
    assert.ok(text.endsWith('\n') && !text.startsWith('\n'), name)
  }
  assert.deepEqual(
    Object.keys(scripts).filter((name) => !ran.has(name as keyof typeof scripts)),
    [],
  )
})
