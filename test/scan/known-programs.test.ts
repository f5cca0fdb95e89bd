import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { knownProgram, rememberVersion } from '../../src/scan/trivy/known-programs.ts'
import { stateFolder } from '../../src/util/paths.ts'
import { plant, temporary } from './rig.ts'

test('what is known of programs is read anew where the file of it is damaged', async (t) => {
  const path = join(plant(temporary(t), { trivy: 'a program' }), 'trivy')
  const env = { XDG_STATE_HOME: temporary(t) }
  const known = await knownProgram(path, env)
  const file = join(stateFolder(env), 'scanners.json')
  rememberVersion(path, env, known, '0.76.0')
  const whole = JSON.parse(readFileSync(file, 'utf8'))
  assert.equal((await knownProgram(path, env)).version, '0.76.0')
  const entry = whole.programs[path]
  for (const programs of [
    ...[undefined, null, 7, [], { [path]: null }, { [path]: 7 }, { [path]: {} }, { other: 7 }],
    { [path]: { stat: entry.stat } },
    { [path]: { ...entry, sha256: 7 } },
    { [path]: { ...entry, version: { a: 1 } } },
    { [path]: { ...entry, embedded: 7 } },
  ]) {
    writeFileSync(file, JSON.stringify({ ...whole, programs }))
    const { sha256, version } = await knownProgram(path, env)
    assert.deepEqual([sha256, version], [known.sha256, undefined], JSON.stringify(programs))
    rememberVersion(path, env, known, '0.76.0')
    assert.equal((await knownProgram(path, env)).version, '0.76.0', JSON.stringify(programs))
  }
})
