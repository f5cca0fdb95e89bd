import assert from 'node:assert/strict'
import { test } from 'node:test'
import { looksRig } from './looks-rig.ts'

test('the name of a workflow file is shown on one line, and drives no terminal', (t) => {
  const text = 'name = "w"\n[tasks.a]\ncmd = "true"\n'
  const { dwf, root } = looksRig(t, { 'devflow.toml': '', 'workflows/e\u009b31m\u202ev.toml': text })
  const { status, stdout } = dwf(['validate'])
  assert.equal(status, 0)
  assert.equal(stdout, `${root}/devflow.toml: ok\nworkflows/e\\u009b31m\\u202ev.toml: ok, 1 task\n`)
})
