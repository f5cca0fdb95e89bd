import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { startTimer } from '../../src/util/timer.ts'

test('a time that is longer than timers of Node know is waited for, and can be stopped', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  const hours = (count: number) => {
    for (let hour = 0; hour < count; hour++) mock.timers.tick(3_600_000)
  }
  const called: string[] = []
  startTimer(60 * 86_400_000, () => void called.push('long'))
  const stop = startTimer(60 * 86_400_000, () => void called.push('stopped'))
  hours(30 * 24)
  stop()
  hours(30 * 24 - 1)
  assert.deepEqual(called, [])
  // The clock of the test moves by hours: each piece of the wait may begin up to one late.
  hours(4)
  assert.deepEqual(called, ['long'])
})
