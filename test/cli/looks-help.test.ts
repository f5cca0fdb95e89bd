import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { looksRig } from './looks-rig.ts'

test('the help of the commands that look at runs', (t) => {
  const { dwf } = looksRig(t)
  for (const name of ['runs', 'status', 'logs', 'inspect', 'diff', 'graph', 'health'])
    assert.equal(
      dwf([name, '--help']).stdout,
      readFileSync(join(import.meta.dirname, `../fixtures/help/${name}.txt`), 'utf8'),
    )
})
