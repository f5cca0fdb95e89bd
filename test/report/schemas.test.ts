import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemsOf } from './schemas.ts'

const component = { type: 'library', name: 'lodash', version: '4.17.20', licenses: [{ license: { id: 'MIT' } }] }
const spdx = {
  spdxVersion: 'SPDX-2.3',
  dataLicense: 'CC0-1.0',
  SPDXID: 'SPDXRef-DOCUMENT',
  name: 'shop',
  documentNamespace: 'https://example.org/shop',
  creationInfo: { creators: ['Tool: dwf'], created: '2026-11-22T07:31:00Z' },
  packages: [{ name: 'lodash', SPDXID: 'SPDXRef-Package', downloadLocation: 'NOASSERTION' }],
}

test('the schemas of CycloneDX and SPDX say yes and no', () => {
  for (const version of ['1.6', '1.7'] as const) {
    const bom = (more: object) => ({
      bomFormat: 'CycloneDX',
      specVersion: version,
      version: 1,
      components: [{ ...component, ...more }],
    })
    assert.deepEqual(problemsOf(`cyclonedx-${version}`, bom({})), [])
    for (const bad of [{ type: 'x' }, { licenses: [{ license: { id: 'my own' } }] }, { more: 1 }])
      assert.notDeepEqual(problemsOf(`cyclonedx-${version}`, bom(bad)), [], JSON.stringify(bad))
  }
  assert.deepEqual(problemsOf('spdx-2.3', spdx), [])
  const { creationInfo: _, ...rest } = spdx
  assert.notDeepEqual(problemsOf('spdx-2.3', rest), [])
  assert.notDeepEqual(problemsOf('spdx-2.3', { ...spdx, packages: [{ name: 'x' }] }), [])
})
