import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fakeTrivy, gatesOf, type LayerOptions, plant, temporary } from './rig.ts'

/** Two scans of one repository, each by gates of its own, as two runs are. */
async function twice(
  t: TestContext,
  options: { root: string; scan: string; state?: string; between?: () => void } & Partial<LayerOptions>,
) {
  const { root, scan, state = temporary(t), between, ...more } = options
  const fake = fakeTrivy(temporary(t), { scan })
  const look = async () => {
    const gates = await gatesOf({ root, env: { DWF_TRIVY: fake.path, XDG_STATE_HOME: state }, ...more })
    await gates.run({ layer: 'config', subjects: [] }, new AbortController().signal)
    return gates.results()[0]!
  }
  const first = await look()
  between?.()
  return { first, second: await look(), calls: fake.calls().length }
}

const old = { 'app.conf': 'x' }
const found = `report([{ Target: 'app.conf', Class: 'config', Misconfigurations: [{ ID: 'X', Severity: 'HIGH', Status: 'FAIL' }] }])`

test('what was found in the same contents is found again without the scanner, and says from when it is', async (t) => {
  const { first, second, calls } = await twice(t, { root: plant(temporary(t), old), scan: found })
  assert.deepEqual([first.isCached, second.isCached, calls], [false, true, 1])
  assert.equal(second.scannedAt, first.scannedAt)
  assert.match(second.summary, /; as found at \d{4}-\d\d-\d\d \d\d:\d\d UTC in the same contents$/)
  assert.deepEqual(
    second.decisions.map(({ refuses, finding }) => [refuses, finding.id]),
    [[true, 'X']],
  )
})

test('another content, file, folder, scanner or dwf is another scan', async (t) => {
  const changes: Readonly<Record<string, (root: string) => void>> = {
    content: (root) => writeFileSync(join(root, 'app.conf'), 'y'),
    'a file more': (root) => writeFileSync(join(root, 'more'), ''),
    'a folder of its own': (root) => mkdirSync(join(root, 'node_modules')),
  }
  for (const [name, change] of Object.entries(changes)) {
    const root = plant(temporary(t), old)
    const { second } = await twice(t, { root, scan: found, between: () => change(root) })
    assert.equal(second.isCached, false, name)
  }
  const state = temporary(t)
  const root = plant(temporary(t), old)
  await twice(t, { root, scan: found, state })
  assert.equal((await twice(t, { root, scan: found, state, dwf: 'next' })).first.isCached, false, 'another dwf')
  assert.equal((await twice(t, { root, scan: `${found};`, state })).first.isCached, false, 'another program')
})

test('a tree that was written while the scanner looked leaves nothing behind, also when it was put back', async (t) => {
  const root = plant(temporary(t), { 'app.conf': 'token' })
  const file = JSON.stringify(join(root, 'app.conf'))
  // Hides what it would find, lets the scanner look, and puts it back.
  const scan = `fs.writeFileSync(${file}, ''); report([]); fs.writeFileSync(${file}, 'token')`
  const { first, second } = await twice(t, { root, scan })
  assert.deepEqual([first.isCached, second.isCached], [false, false])
  assert.ok(
    first.lines.includes('something was written while the scanner looked: what it found is not kept for the next scan'),
  )
})

test('a state folder inside of what is judged is not believed', async (t) => {
  const root = plant(temporary(t), old)
  const { second, calls } = await twice(t, { root, scan: found, state: join(root, 'state') })
  assert.deepEqual([second.isCached, calls], [false, 2])
})

test('a report that broke its gate is not kept', async (t) => {
  const root = plant(temporary(t), { 'Dockerfile.devflow': 'FROM x\n' })
  const { first, second, calls } = await twice(t, { root, scan: 'report([])' })
  assert.deepEqual([first.verdict, second.verdict, calls], ['broken', 'broken', 2])
})
