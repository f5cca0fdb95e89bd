import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

for (const command of ['ci:check', 'ci:lint'])
  test(`the workflows of this project are what dwf writes: ${command}`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/cli.ts'), command, '-C', root], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: process.env.HOME },
    })
    assert.equal(status, 0, `${stdout}${stderr}`)
  })
