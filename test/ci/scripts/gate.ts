import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { allPassed } from '../../../src/ci/workflows/scripts.ts'
import { isLong, seed } from '../../seed.ts'
import { commandsIn } from '../hostile.ts'
import { type Runner, runner, skip } from './rig.ts'

const results = ['success', 'failure', 'cancelled', 'skipped']
const names = ['node', 'scan', 'scan-image', 'task-test_3ae2e']

interface Case {
  readonly needs: Readonly<Record<string, { readonly result: string }>>
  readonly may: readonly string[]
}

/** Every way in which so many jobs can end, with every choice of those that may be left out. */
function casesOf(count: number): readonly Case[] {
  const jobs = names.slice(0, count)
  const cases: Case[] = []
  for (let end = 0; end < results.length ** count; end++)
    for (let choice = 0; choice < 2 ** count; choice++)
      cases.push({
        needs: Object.fromEntries(jobs.map((job, at) => [job, { result: results[Math.floor(end / 4 ** at) % 4]! }])),
        may: jobs.filter((_, at) => Math.floor(choice / 2 ** at) % 2 === 1),
      })
  return cases
}

/** As a reader of the sentence would decide, with nothing of the script. */
const isGreen = ({ needs, may }: Case): boolean =>
  Object.entries(needs).every(([job, { result }]) => {
    if (result === 'success') return true
    return result === 'skipped' && may.includes(job)
  })

/** The ends of the script for many cases, in one process of bash that starts another for each. */
function endsOf(on: Runner, cases: readonly Case[], part: number): Promise<readonly boolean[]> {
  const [script, driver, list] = ['all-passed.sh', 'driver.sh', `cases-${part}`].map((name) => join(on.temp, name))
  writeFileSync(script!, allPassed)
  writeFileSync(
    driver!,
    `while IFS=$'\\t' read -r needs may; do
  NEEDS=$needs MAY_SKIP=$may bash --noprofile --norc -eo pipefail "$1" > /dev/null 2>&1
  echo $?
done < "$2"
`,
  )
  writeFileSync(list!, cases.map(({ needs, may }) => `${JSON.stringify(needs)}\t${may.join(' ')}\n`).join(''))
  return new Promise((resolve, reject) => {
    let text = ''
    const child = spawn('bash', [driver!, script!, list!], { env: on.env, stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.on('data', (more) => {
      text += more
    })
    child.once('error', reject)
    child.once('close', () =>
      resolve(
        text
          .trim()
          .split('\n')
          .map((code) => code === '0'),
      ),
    )
  })
}

test('every job passed, or was one that may be left out: all ways in which jobs can end', { skip }, async (t) => {
  const on = runner(t)
  const whole = casesOf(4)
  assert.equal(whole.length, 4 ** 4 * 2 ** 4)
  const near = whole.filter(
    ({ needs }) => Object.values(needs).filter(({ result }) => result !== 'success').length === 1,
  )
  // All of them with DWF_TEST_LONG=1; a sample, with those where the verdict is in one job, in an ordinary run.
  const some = (of: readonly Case[]) => (isLong ? of : fc.sample(fc.constantFrom(...of), { numRuns: 40, seed }))
  const cases = [...casesOf(1), ...casesOf(2), ...some(casesOf(3)), ...some(near), ...some(whole)]
  const half = Math.ceil(cases.length / 2)
  const ends = await Promise.all([endsOf(on, cases.slice(0, half), 0), endsOf(on, cases.slice(half), 1)])
  for (const [at, isPass] of ends.flat().entries()) assert.equal(isPass, isGreen(cases[at]!), JSON.stringify(cases[at]))
  assert.equal(ends.flat().length, cases.length)
})

const needsOf = (value: unknown) => ({ NEEDS: JSON.stringify(value) })

test('it says which jobs did not pass', { skip }, async (t) => {
  const on = runner(t)
  const needs = {
    node: { result: 'failure' },
    go: { result: 'success' },
    scan: { result: 'skipped' },
    image: { result: 'cancelled' },
  }
  const { code, stderr } = await on.run('allPassed', { ...needsOf(needs), MAY_SKIP: 'go node' })
  assert.equal(code, 1)
  assert.equal(stderr, 'node: failure\nscan: skipped\nimage: cancelled\n')
  const passed = await on.run('allPassed', { ...needsOf({ node: { result: 'success' } }), MAY_SKIP: '' })
  assert.deepEqual([passed.code, passed.stdout, passed.stderr], [0, 'true\n', ''])
})

test('what is no account of jobs is no pass', { skip }, async (t) => {
  const on = runner(t)
  for (const NEEDS of [
    '',
    ' ',
    '{',
    'null',
    '[]x',
    '{"a":null}',
    '{"a":{}}',
    '{"a":{"result":null}}',
    '{"a":{"result":"Success"}}',
    '{"a":{"result":"neutral"}}',
    '{"a":{"result":"success"}}{"b":{"result":"failure"}}',
    '{"skipped":{"result":"skipped"}}',
  ])
    assert.notEqual((await on.run('allPassed', { NEEDS, MAY_SKIP: 'a b' })).code, 0, NEEDS)
  for (const text of commandsIn(on.marker)) {
    await on.run('allPassed', { NEEDS: text, MAY_SKIP: text })
    const { code } = await on.run('allPassed', { ...needsOf({ [text]: { result: text } }), MAY_SKIP: text })
    assert.equal(code, 1)
  }
})
