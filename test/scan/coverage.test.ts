import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coverConfig, coverDeps, unread } from '../../src/scan/coverage.ts'
import type { ScanTree } from '../../src/scan/tree.ts'
import type { ScanReport } from '../../src/scan/types.ts'
import { plant, temporary } from './rig.ts'

const tree = (more: Partial<ScanTree>): ScanTree => ({
  files: [],
  links: [],
  unreadable: { files: [], folders: [] },
  skipped: [],
  ...more,
})
const report: ScanReport = {
  layer: 'deps',
  scanner: { name: 'x', version: '1.0.0' },
  targets: [],
  findings: [],
  components: [],
}

test('a lock file that cannot be read is missing from the report', () => {
  const { missing } = coverDeps('/', tree({ unreadable: { files: ['a/yarn.lock', 'b.txt'], folders: [] } }), report)
  assert.deepEqual(missing, ['a/yarn.lock: a lock file that cannot be read'])
})

test('a lock file that went away while it was judged is missing', () => {
  assert.deepEqual(coverDeps('/nowhere', tree({ files: ['go.mod'] }), report).missing, [
    'go.mod: it cannot be read, or is too large',
  ])
})

test('Dockerfile.devflow that cannot be read is missing', () => {
  const { missing } = coverConfig(tree({ unreadable: { files: ['Dockerfile.devflow'], folders: [] } }), report)
  assert.equal(missing.length, 1)
})

test('a folder that cannot be read counts for every layer, a file where its name does not tell', () => {
  const unreadable = { files: ['a'], folders: ['b'] }
  const lines = (['deps', 'secrets', 'config'] as const).map((layer) => unread(layer, tree({ unreadable })))
  const folder = 'b: a folder that cannot be read'
  assert.deepEqual(lines, [[folder], [folder, 'a: it cannot be read'], [folder, 'a: it cannot be read']])
})

test('a manifest that is locked in part says which part is not', (t) => {
  const root = plant(temporary(t), { 'requirements.txt': 'a==1\nb>=2\nc\n' })
  const targets = [{ file: 'requirements.txt', kind: 'packages', type: 'pip', packages: 1 }] as const
  assert.deepEqual(coverDeps(root, tree({ files: ['requirements.txt'] }), { ...report, targets }), {
    missing: [],
    lines: ['requirements.txt: 2 lines without an exact version; what they bring is not judged'],
  })
})
