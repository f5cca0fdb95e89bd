import { StringDecoder } from 'node:string_decoder'
import type { DwfEvent } from '../../run/types.ts'
import type { Output } from '../output.ts'

/** Events → one JSON document a line, each with its schema. Bytes that are not UTF-8 are replaced; the log has them. */
export function jsonRun(output: Output): (event: DwfEvent) => void {
  let sequence = 0
  const decoders = new Map<string, StringDecoder>()
  /** A character may be cut in two by the end of a chunk: its first half waits for the second. */
  const decode = (task: string, stream: string, chunk: Buffer) => {
    const key = `${stream} ${task}`
    if (!decoders.has(key)) decoders.set(key, new StringDecoder('utf8'))
    return decoders.get(key)!.write(chunk)
  }
  return (event) => {
    const { chunk, ...rest } = event as DwfEvent & { chunk?: Buffer }
    output.json({
      schema: 'dwf.event/1',
      sequence: sequence++,
      ...rest,
      ...(chunk && event.type === 'output' ? { text: decode(event.task, event.stream, chunk) } : {}),
    })
  }
}
