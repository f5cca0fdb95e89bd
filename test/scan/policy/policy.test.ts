import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultConfig } from '../../../src/config/parse.ts'
import { nextBaseline, readPolicyFiles } from '../../../src/scan/policy/policy.ts'
import { failureOf, plant, temporary } from '../rig.ts'
import { today } from './rig.ts'

const baseline = 'devflow.baseline.json'
const empty = '{"schema": "dwf.baseline/1", "entries": []}'
const { scan } = await defaultConfig('/nowhere')

test('a baseline that is there and cannot be read is wrong input, never an absent one', async (t) => {
  const root = plant(temporary(t), { 'elsewhere.json': empty })
  const file = join(root, baseline)
  const read = () => readPolicyFiles(root, { policy: scan })
  assert.equal((await read()).baseline, undefined)
  writeFileSync(file, empty)
  assert.deepEqual((await read()).baseline, { entries: [] })
  for (const plantOne of [
    () => symlinkSync('elsewhere.json', file),
    () => symlinkSync('gone', file),
    () => mkdirSync(file),
    // A hole: it takes no room.
    () => {
      writeFileSync(file, '')
      truncateSync(file, 65 * 1024 * 1024)
    },
  ]) {
    rmSync(file, { recursive: true, force: true })
    plantOne()
    for (const work of [read, async () => nextBaseline(root, [], today, false)]) {
      const { kind, diagnostics } = await failureOf(work())
      assert.deepEqual(
        [kind, diagnostics.map(({ code, message }) => `${code}: ${message}`)],
        ['wrong-input', [`baseline-unreadable: ${baseline} is there and cannot be read`]],
      )
    }
  }
})

test('the next baseline is made of the one that is there, also where the root is named by a link', (t) => {
  const root = plant(temporary(t), { 'repo/x': '' })
  symlinkSync('repo', join(root, 'link'))
  const entry = { fingerprint: 'f', layer: 'image', id: 'CVE-1', where: 'x', since: '2026-01-01' }
  writeFileSync(join(root, 'repo', baseline), JSON.stringify({ schema: 'dwf.baseline/1', entries: [entry] }))
  const { text, says } = nextBaseline(join(root, 'link'), [], today, false)
  assert.deepEqual(JSON.parse(text).entries, [entry])
  assert.equal(says, '1 entry, 0 new, 0 taken out')
  assert.equal(nextBaseline(temporary(t), [], today, false).says, '0 entries, 0 new, 0 taken out')
})

test('what the configuration names has to be there: VEX documents and ignore files of both kinds', async (t) => {
  const root = plant(temporary(t), { 'web/.semgrepignore': 'x\n', real: '' })
  symlinkSync('real', join(root, '.semgrepignore'))
  assert.ok(existsSync(join(root, '.semgrepignore')))
  const honor = { inline: false, suppressions: false, files: [], semgrep: [] }
  const message = async (more: Partial<typeof scan>) => {
    const { kind, diagnostics } = await failureOf(readPolicyFiles(root, { policy: { ...scan, ...more } }))
    return `${kind} ${diagnostics[0]!.message}`
  }
  assert.equal(
    await message({ honor: { ...honor, semgrep: ['web/.semgrepignore', 'api/.semgrepignore'] } }),
    'wrong-input [scan] honor names api/.semgrepignore, which cannot be read',
  )
  assert.match(
    await message({ honor: { ...honor, semgrep: ['.semgrepignore'] } }),
    /names \.semgrepignore, which cannot/,
  )
  assert.match(
    await message({ honor: { ...honor, files: ['.trivyignore'] } }),
    /honor names \.trivyignore, which cannot/,
  )
  assert.match(await message({ vex: ['vex.json'] }), /vex names vex\.json, which cannot/)
  await readPolicyFiles(root, { policy: { ...scan, honor: { ...honor, semgrep: ['web/.semgrepignore'] } } })
})
