import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { junit, sarif } from '../../src/report/index.ts'
import { mergeFindings } from '../../src/scan/merge.ts'
import type { ScanDocument } from '../../src/scan/types.ts'
import { document, layer, shop } from '../report/documents.ts'
import { decisionsOf, hostileDocument } from '../report/hostile.ts'

/** Python packages that scripts/tools has fetched: other people's programs have to be able to read what dwf writes. */
const readers = join(process.env.DWF_WORLD ?? '/var/tmp/dwf-world', 'lib/readers')
const wheels = existsSync(readers) ? readdirSync(readers).filter((name) => name.endsWith('.whl')) : []
const python = ['python3', '/usr/bin/python3'].find((name) => spawnSync(name, ['-c', '']).status === 0)
const missing = !python ? 'no python3' : wheels.length < 3 ? `no readers in ${readers}: scripts/tools readers` : false

const folder = mkdtempSync(join(tmpdir(), 'dwf-reports-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Read {
  readonly tools: readonly string[]
  readonly records: readonly {
    readonly code: string
    readonly severity: string
    readonly file: string
    readonly line: string
  }[]
  readonly summary: string
  readonly junit: {
    readonly totals: readonly number[]
    readonly cases: readonly { readonly suite: string; readonly name: string; readonly result: readonly string[] }[]
  }
}

function read(scan: ScanDocument): Read {
  const files = [join(folder, 'report.sarif'), join(folder, 'junit.xml')] as const
  writeFileSync(files[0], sarif(scan).text)
  writeFileSync(files[1], junit(scan))
  const { status, stdout, stderr } = spawnSync(python!, [join(import.meta.dirname, 'report-readers.py'), ...files], {
    encoding: 'utf8',
    env: {
      ...process.env,
      PYTHONPATH: wheels.map((name) => join(readers, name)).join(':'),
      PYTHONDONTWRITEBYTECODE: '1',
    },
  })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

test('sarif-tools reads the SARIF file, junitparser the JUnit file', { skip: missing }, () => {
  const { tools, records, summary, junit: suites } = read(shop)
  assert.deepEqual(tools, ['dwf', 'trivy'])
  assert.equal(records.length, decisionsOf(shop).length)
  assert.deepEqual(
    records
      .filter(({ code }) => code === 'CVE-2021-23337')
      .map(({ severity, file, line }) => [severity, file, String(line)]),
    [
      ['error', 'package-lock.json', '1182'],
      ['error', 'shop-ci/usr/lib/node_modules/npm/node_modules/lodash/package.json', '1'],
    ],
  )
  assert.match(summary, /^error: 5$/m)
  assert.match(summary, /^warning: 3$/m)
  assert.match(summary, /^note: 2$/m)
  assert.deepEqual(suites.totals, [9, 4, 0, 5])
  assert.deepEqual(
    suites.cases.filter(({ suite }) => suite === 'scan:secrets'),
    [{ suite: 'scan:secrets', name: 'aws-access-key-id: AWS access key (deploy/legacy.env:4)', result: ['Failure'] }],
  )
})

test('a gate that could not look is an error to both', { skip: missing }, () => {
  const { records, junit: suites } = read(
    document([layer({ layer: 'deps', verdict: 'broken', summary: 'no database' })]),
  )
  assert.deepEqual(
    records.map(({ code, severity }) => [code, severity]),
    [['dwf-gate-broken', 'error']],
  )
  assert.deepEqual(suites.cases, [{ suite: 'scan:deps', name: 'the gate could look', result: ['Error'] }])
})

test('hostile texts change nothing of what they count', { skip: missing }, () => {
  for (const scan of fc.sample(hostileDocument, 10)) {
    const { records, junit: suites } = read(scan)
    const broken = scan.layers.filter(({ verdict }) => verdict === 'broken').length
    assert.equal(records.length, decisionsOf(scan).length + broken)
    const findings = scan.layers.reduce((sum, { decisions }) => sum + mergeFindings(decisions).length, 0)
    const clean = scan.layers.filter(({ decisions, verdict }) => decisions.length === 0 && verdict !== 'broken').length
    assert.equal(suites.cases.length, findings + broken + clean)
  }
})
