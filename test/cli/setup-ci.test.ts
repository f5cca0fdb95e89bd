import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const cli = join(import.meta.dirname, '../../src/cli.ts')

test('setup:ci changes nothing where CI is not set', () => {
  const { status, stderr } = spawnSync(process.execPath, [cli, 'setup:ci'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, CI: '' },
  })
  assert.equal(status, 4)
  assert.match(stderr, /setup:ci changes a runner, and only where CI is set/)
})
