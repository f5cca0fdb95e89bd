import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { commandsIn } from '../hostile.ts'
import { type Runner, runner, sha256, skip } from './rig.ts'

/** A stand-in for node: the folder that dwf writes to has a file afterwards. */
const makesPlan = `case "$2" in
  ci:start)
    while [ $# -gt 0 ]; do if [ "$1" = --out ]; then out=$2; fi; shift; done
    mkdir -p "$out/policy"
    printf plan > "$out/start.json"
    ;;
esac`

test('the plan is made by the dwf that was taken, and passed on by its hash', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('node', makesPlan)
  on.passOn({ 'dwf/dwf.mjs': 'dwf' })
  const { code, stderr, outputs } = await on.run('makePlan', { TARGET: 'pr', BASE: 'abc', BEFORE: '' })
  assert.equal(code, 0, stderr)
  assert.deepEqual(on.dwfCalls(), [
    ['validate', '--strict'],
    ['ci:start', '--target', 'pr', '--base', 'abc', '--before', '', '--out', join(on.temp, 'dwf')],
  ])
  assert.equal(outputs.sha256, sha256(readFileSync(join(on.temp, 'dwf.tar'))))

  const next = runner(t)
  next.passOn({ 'dwf.tar': readFileSync(join(on.temp, 'dwf.tar')) })
  const opened = await next.run('openDwf', { SHA256: outputs.sha256! })
  assert.equal(opened.code, 0, opened.stderr)
  assert.equal(next.read('dwf/start.json'), 'plan')
  assert.equal(next.read('dwf/dwf.mjs'), 'dwf')
})

test('a wrong configuration ends the first job before there is a plan', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('node', 'if [ "$2" = validate ]; then exit 2; fi')
  const { code, outputs } = await on.run('makePlan', { TARGET: 'pr', BASE: 'abc', BEFORE: '' })
  assert.equal(code, 2)
  assert.deepEqual([outputs, on.dwfCalls().length, on.has('dwf.tar')], [{}, 1, false])
})

test('texts from outside reach dwf as they are', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('node', makesPlan)
  on.passOn({ 'dwf/dwf.mjs': 'dwf' })
  for (const text of commandsIn(on.marker)) {
    await on.run('makePlan', { TARGET: text, BASE: text, BEFORE: text })
    assert.deepEqual(on.dwfCalls().at(-1), [
      'ci:start',
      '--target',
      text,
      '--base',
      text,
      '--before',
      text,
      '--out',
      join(on.temp, 'dwf'),
    ])
    await on.run('runPart', { DWF_PART: text })
    assert.deepEqual(on.dwfCalls().at(-1), ['ci:run', text, '--from', join(on.temp, 'dwf')])
    await on.run('loadImage', { SHA256: text })
    assert.deepEqual(on.dwfCalls().at(-1), ['image', 'load', join(on.temp, 'image.tar'), '--sha256', text])
  }
})

const archive = (on: Runner, name: string, files: Readonly<Record<string, string>>): Buffer => {
  on.passOn(Object.fromEntries(Object.entries(files).map(([path, text]) => [`${name}-made/${path}`, text])))
  const file = join(on.temp, `${name}.tar`)
  spawnSync('tar', ['--create', '--file', file, '--directory', join(on.temp, `${name}-made`), '.'])
  return readFileSync(file)
}

test('what a job passes on is opened only with the hash that came another way', { skip }, async (t) => {
  for (const [script, name] of [
    ['openDwf', 'dwf'],
    ['openDatabase', 'database'],
  ] as const) {
    const on = runner(t)
    const bytes = archive(on, name, { 'x.txt': 'x' })
    const env = { DWF_TRIVY_CACHE: join(on.temp, 'database') }
    const changed = Buffer.from(bytes)
    changed[600] = changed[600]! ^ 1
    const wrong: readonly (readonly [string, Buffer])[] = [
      [sha256(bytes), changed],
      [sha256(bytes), bytes.subarray(0, -1)],
      [sha256(bytes), Buffer.alloc(0)],
      [sha256(changed), bytes],
      ['', bytes],
      ...commandsIn(on.marker).map((text) => [text, bytes] as const),
    ]
    for (const [SHA256, content] of wrong) {
      on.passOn({ [`${name}.tar`]: content })
      assert.notEqual((await on.run(script, { ...env, SHA256 })).code, 0, SHA256)
      assert.ok(!on.has(`${name}/x.txt`), `${script}: ${SHA256}`)
    }
    on.passOn({ [`${name}.tar`]: bytes })
    const { code, stderr } = await on.run(script, { ...env, SHA256: sha256(bytes) })
    assert.equal(code, 0, stderr)
    assert.equal(on.read(`${name}/x.txt`), 'x')
    if (name === 'database') assert.equal(statSync(join(on.temp, name)).mode & 0o777, 0o700)
  }
})

test('the database is fetched once for all gates, with that of Java where there is some', { skip }, async (t) => {
  for (const [JAVA, calls] of [
    ['false', [['scan', 'db', 'update']]],
    [
      'true',
      [
        ['scan', 'db', 'update'],
        ['scan', 'db', 'update', '--java'],
      ],
    ],
  ] as const) {
    const on = runner(t)
    on.standIn('node', 'mkdir -p "$DWF_TRIVY_CACHE/db"; printf db > "$DWF_TRIVY_CACHE/db/trivy.db"')
    const { code, stderr, outputs } = await on.run('fetchDatabase', { JAVA, DWF_TRIVY_CACHE: join(on.temp, 'fetched') })
    assert.equal(code, 0, stderr)
    assert.deepEqual(on.dwfCalls(), calls)
    assert.equal(outputs.sha256, sha256(readFileSync(join(on.temp, 'database.tar'))))
    const opened = await on.run('openDatabase', { SHA256: outputs.sha256!, DWF_TRIVY_CACHE: join(on.temp, 'opened') })
    assert.equal(opened.code, 0)
    assert.equal(on.read('opened/db/trivy.db'), 'db')
  }
})

test('a database that cannot be fetched ends the job', { skip }, async (t) => {
  const on = runner(t)
  on.standIn('node', 'exit 3')
  const { code, outputs } = await on.run('fetchDatabase', { JAVA: 'true', DWF_TRIVY_CACHE: join(on.temp, 'x') })
  assert.deepEqual([code, outputs, on.dwfCalls().length], [3, {}, 1])
})

test('a part is run by its name, and its end is the end of the job', { skip }, async (t) => {
  for (const exit of [0, 1, 3, 124]) {
    const on = runner(t)
    on.standIn('node', `exit ${exit}`)
    const from = ['--from', join(on.temp, 'dwf')]
    const report = (kind: string, ending: string) => ['--report', `${kind}=${join(on.temp, `reports/scan.${ending}`)}`]
    const expected = {
      runPart: ['ci:run', 'scan', ...from],
      runGates: [
        'ci:run',
        'scan',
        ...from,
        ...report('github', 'sarif'),
        ...report('json', 'json'),
        ...report('html', 'html'),
      ],
      judge: ['ci:gate', ...from],
      setUp: ['setup:ci'],
      approve: ['trust', '--ci', ...from],
    } as const
    for (const [name, call] of Object.entries(expected)) {
      assert.equal((await on.run(name as keyof typeof expected, { DWF_PART: 'scan' })).code, exit, name)
      assert.deepEqual(on.dwfCalls().at(-1), call)
    }
    assert.ok(existsSync(join(on.temp, 'reports')))
  }
})
