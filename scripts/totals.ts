import type { TestEvent } from 'node:test/reporters'

/**
 * A reporter beside the readable one, for scripts/test: one line `passed N`, `failed N`, `skipped N`, and one line
 * `left-out NAME: REASON` for each skipped test. Counts tests, not suites and not files; a file that died is a failure.
 */
export default async function* totals(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let counts = { tests: 0, passed: 0, skipped: 0, todo: 0 }
  for await (const event of events) {
    // Without a file: of the whole run.
    if (event.type === 'test:summary' && event.data.file === undefined) counts = event.data.counts
    if (event.type === 'test:pass' && typeof event.data.skip === 'string')
      yield `left-out ${event.data.name}: ${event.data.skip}\n`
  }
  const { tests, passed, skipped, todo } = counts
  yield `passed ${passed}\nfailed ${tests - passed - skipped - todo}\nskipped ${skipped + todo}\n`
}
