import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuseRoot } from '../../src/cli/place.ts'
import { Failure } from '../../src/util/diagnostics.ts'

test('root is refused, unless it is said each time', (context) => {
  const getuid = context.mock.method(process as { getuid: () => number }, 'getuid', () => 0)
  assert.throws(
    () => refuseRoot(false),
    (error) => {
      assert.ok(error instanceof Failure)
      assert.equal(error.kind, 'refused')
      assert.deepEqual(error.diagnostics, [
        {
          severity: 'error',
          code: 'root',
          message: 'dwf does not run containers as root',
          hint: 'run it as a person (runuser -u NAME -- dwf …); --allow-root does it all the same, and every summary says so',
        },
      ])
      return true
    },
  )
  refuseRoot(true)
  getuid.mock.mockImplementation(() => 1001)
  refuseRoot(false)
})
