import assert from 'node:assert/strict'
import { test } from 'node:test'
import { platform } from '../../src/util/platform.ts'

test('a platform is named as Docker names it', (t) => {
  const { arch } = process
  t.after(() => Object.defineProperty(process, 'arch', { value: arch }))
  const named = (value: string, system?: string) => {
    Object.defineProperty(process, 'arch', { value })
    return platform(system)
  }
  assert.deepEqual(
    [named('x64'), named('arm64'), named('x64', 'darwin'), named('riscv64')],
    ['linux/amd64', 'linux/arm64', 'darwin/amd64', 'linux/riscv64'],
  )
})
