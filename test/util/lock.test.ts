import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isAlive, thisProcess, withLock } from '../../src/util/lock.ts'

const lockModule = new URL('../../src/util/lock.ts', import.meta.url).href

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'dwf-lock-'))
  return { path, lock: join(path, 'lock'), [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Twenty times: reads a counter, waits, writes it back. Any two at once would lose a count. */
const counting = `
import { readFileSync, writeFileSync } from 'node:fs'
const { withLock } = await import(process.argv[2])
for (let i = 0; i < 20; i++) await withLock(process.argv[1] + '/lock', { pollMs: 1 }, async () => {
  const count = Number(readFileSync(process.argv[1] + '/count', 'utf8'))
  await new Promise((resolve) => setTimeout(resolve, 2))
  writeFileSync(process.argv[1] + '/count', String(count + 1))
})`

test('only one process at a time has it, also where a dead one left it', async () => {
  using place = folder()
  writeFileSync(join(place.path, 'count'), '0')
  writeFileSync(place.lock, JSON.stringify({ pid: 2 ** 22 - 3, started: 'never', host: thisProcess().host }))
  const exits = Array.from({ length: 5 }, () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', counting, place.path, lockModule], {
      stdio: 'inherit',
    })
    return new Promise((resolve) => child.once('exit', resolve))
  })
  assert.deepEqual(await Promise.all(exits), [0, 0, 0, 0, 0])
  assert.equal(readFileSync(join(place.path, 'count'), 'utf8'), '100')
  assert.equal(existsSync(place.lock), false)
})

test('a pid that is somebody else’s by now, and a damaged file, hold nothing', async () => {
  using place = folder()
  for (const content of [
    JSON.stringify({ pid: process.pid, started: 'long ago', host: thisProcess().host }),
    'x',
    '',
  ]) {
    writeFileSync(place.lock, content)
    assert.equal(await withLock(place.lock, {}, async () => 'done'), 'done')
  }
})

test('an error of the action gives it back', async () => {
  using place = folder()
  await assert.rejects(
    withLock(place.lock, {}, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(existsSync(place.lock), false)
})

test('who waits is told once by whom, and an abort ends the wait', async () => {
  using place = folder()
  const holders: number[] = []
  await withLock(place.lock, {}, async () => {
    const waiting = withLock(
      place.lock,
      { pollMs: 5, signal: AbortSignal.timeout(100), onWait: ({ pid }) => holders.push(pid) },
      async () => {},
    )
    await assert.rejects(waiting)
  })
  assert.deepEqual(holders, [process.pid])
})

test('a process of another pid namespace is taken for alive: its id means nothing here', (t) => {
  const script = `import { thisProcess } from ${JSON.stringify(new URL('../../src/util/lock.ts', import.meta.url).href)}; console.log(JSON.stringify(thisProcess()))`
  const inside = spawnSync(
    'unshare',
    [
      '--user',
      '--map-root-user',
      '--pid',
      '--fork',
      '--mount-proc',
      process.execPath,
      '--input-type=module',
      '-e',
      script,
    ],
    { encoding: 'utf8' },
  )
  if (inside.status !== 0) return t.skip(`no pid namespace can be made here: ${inside.stderr.trim()}`)
  const holder = JSON.parse(inside.stdout)
  assert.notEqual(holder.host, thisProcess().host)
  assert.equal(isAlive(holder), true)
})
