import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { generatedFiles } from '../../src/ci/index.ts'
import { variants } from './inputs.ts'

const biome = join(import.meta.dirname, '../../node_modules/.bin/biome')

test('a formatter that a repository runs over its workflows has nothing to change', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'dwf-format-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const all = await variants()
  for (const [index, { input }] of all.entries())
    for (const { path, content } of generatedFiles(input)) {
      const file = join(folder, String(index), path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    }
  writeFileSync(join(folder, 'biome.json'), '{ "formatter": { "indentStyle": "space", "lineWidth": 80 } }')
  const { status, stdout, stderr } = spawnSync(
    biome,
    ['format', '--max-diagnostics=5', ...all.map((_, index) => String(index))],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env.PATH, NO_COLOR: '1' },
    },
  )
  assert.equal(status, 0, `${stdout}${stderr}`)
})
