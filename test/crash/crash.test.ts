import assert from 'node:assert/strict'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { verifyChain } from '../../src/store/chain.ts'
import { RunRig } from '../runs/rig.ts'
import { isLong, sampled } from '../seed.ts'

/** Output, a registered value, a retry, a lock, a condition, a handler: a write of each kind. */
const workflow = `
runtime = "host"
always = "tidy"
concurrency = "all"
[tasks.a]
cmd = "echo a >> ran; echo said by a; echo value of a"
register = "v"
[tasks.b]
cmd = "echo b:{{.v}} >> ran; printf 'k=1\\\\n' > $DWF_OUTPUT; test -e second || { touch second; exit 1; }"
depends_on = ["a"]
retries = 1
[tasks.c]
cmd = "echo c:{{.b.k}} >> ran"
depends_on = ["b"]
concurrency = "c"
[tasks.d]
cmd = "echo d >> ran"
depends_on = ["a"]
if = "v == 'no such value'"
[tasks.tidy]
type = "forensic"
cmd = "echo tidy >> ran"
`

let rig: RunRig
before(async () => {
  rig = new RunRig({ w: workflow })
  await rig.trust()
})
after(() => rig.done())

const begin = () => {
  rig.reset()
  rmSync(join(rig.root, 'second'), { force: true })
}

/** The names of all writes of a command. */
async function writesOf(words: readonly string[]): Promise<readonly string[]> {
  const file = join(rig.folder, 'writes')
  rmSync(file, { force: true })
  await rig.run(words, { noteTo: file })
  return readFileSync(file, 'utf8').split('\n').filter(Boolean)
}

const statesOf = () =>
  rig.hasDatabase
    ? rig.database((database) =>
        Object.fromEntries(
          (database.prepare('SELECT id, state FROM tasks').all() as { id: string; state: string }[]).map((row) => [
            row.id,
            row.state,
          ]),
        ),
      )
    : {}
const runs = () =>
  rig.hasDatabase ? rig.database((database) => database.prepare('SELECT id, state FROM runs').all()) : []

/** What must be true whenever dwf was killed and somebody goes on. */
async function goesOn(failpoint: string): Promise<void> {
  const done = Object.entries(statesOf()).flatMap(([id, state]) => (state === 'passed' && id !== 'tidy' ? [id] : []))
  const before = rig.ran
  const isThere = Object.keys(statesOf()).length > 0
  const was = runs()[0]?.state
  const { code, stdout, stderr } = await rig.run(was === 'passed' ? ['runs'] : isThere ? ['resume'] : ['run', 'w'])
  const context = `${failpoint}\n${stdout}\n${stderr}`
  assert.equal(code, 0, context)
  assert.deepEqual(statesOf(), { a: 'passed', b: 'passed', c: 'passed', d: 'skipped', tidy: 'passed' }, context)
  for (const task of done) {
    const count = (lines: readonly string[]) => lines.filter((line) => line.split(':')[0] === task).length
    assert.equal(count(rig.ran), count(before), `${task} was done and ran again: ${context}`)
  }
  assert.ok(rig.ran.includes('b:value of a') && rig.ran.includes('c:1'), context)
  rig.database((database) => {
    assert.equal(database.prepare('PRAGMA integrity_check').get()!.integrity_check, 'ok')
    assert.deepEqual(database.prepare('SELECT * FROM leases').all(), [], context)
    assert.deepEqual(database.prepare('SELECT * FROM locks').all(), [], context)
    const rows = database.prepare('SELECT * FROM events ORDER BY sequence').all()
    assert.equal(verifyChain(rows as never).ok, true)
  })
  assert.deepEqual(
    runs().map(({ state }) => state),
    ['passed'],
    context,
  )
}

const around = (names: readonly string[]) => names.flatMap((name) => [`before ${name}`, `after ${name}`])

test('killed before and after each write of a run: the next command goes on, and nothing that was done is done again', async (t) => {
  begin()
  const names = await writesOf(['run', 'w'])
  assert.ok(names.length > 20, names.join('\n'))
  for (const what of ['sql COMMIT', 'write logs/a.log', 'mkdir runs/RUN'])
    assert.ok(
      names.some((name) => name.startsWith(what)),
      what,
    )
  const points = sampled(around(names), isLong ? Number.POSITIVE_INFINITY : 24)
  t.diagnostic(`${points.length} of ${names.length * 2} failpoints`)
  for (const failpoint of points) {
    begin()
    const { signal, stdout, stderr } = await rig.run(['run', 'w'], { failpoint })
    // Which chunk of output comes when is chance: a point that was not reached is a run that passed.
    if (signal === 'SIGKILL') await goesOn(failpoint)
    else assert.match(stdout, /passed in/, `${failpoint}\n${stderr}`)
  }
})

test('killed before and after each write of a resume: the same', async (t) => {
  const half = 'before sql COMMIT#6'
  const interrupted = async () => {
    begin()
    assert.equal((await rig.run(['run', 'w'], { failpoint: half })).signal, 'SIGKILL')
  }
  await interrupted()
  const names = await writesOf(['resume'])
  assert.ok(names.length > 12, names.join('\n'))
  const points = sampled(around(names), isLong ? Number.POSITIVE_INFINITY : 12)
  t.diagnostic(`${points.length} of ${names.length * 2} failpoints`)
  for (const failpoint of points) {
    await interrupted()
    const { signal, stdout, stderr } = await rig.run(['resume'], { failpoint })
    if (signal === 'SIGKILL') await goesOn(failpoint)
    else assert.match(stdout, /passed in/, `${failpoint}\n${stderr}`)
  }
})
