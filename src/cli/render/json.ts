import type { DwfEvent } from '../../run/types.ts'
import type { Output } from '../output.ts'

/** Events → one JSON document a line, each with its schema. Bytes that are not UTF-8 are replaced; the log has them. */
export function jsonRun(output: Output): (event: DwfEvent) => void {
  let sequence = 0
  return (event) => {
    const { chunk, ...rest } = event as DwfEvent & { chunk?: Buffer }
    output.json({
      schema: 'dwf.event/1',
      sequence: sequence++,
      ...rest,
      ...(chunk ? { text: chunk.toString('utf8') } : {}),
    })
  }
}
