import assert from 'node:assert/strict'
import { test } from 'node:test'
import { run } from '../../src/util/process.ts'

test('a program that leaves a process with its streams open has ended all the same', async (t) => {
  const { code, stdout } = await run(['sh', '-c', 'sleep 30 & echo $!; exit 3'])
  t.after(() => process.kill(Number(stdout)))
  assert.equal(code, 3)
  assert.match(stdout, /^\d+\n$/)
})

test('what a program says last, in one piece larger than a pipe, is all there', async () => {
  const { stdout } = await run(['sh', '-c', 'yes | head -c 3000000'])
  assert.equal(stdout.length, 3_000_000)
})
