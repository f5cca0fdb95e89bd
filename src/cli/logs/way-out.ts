import { once } from 'node:events'

/** Bytes that are gathered before they are written. */
const enough = 64 * 1024

/** Bytes and text into a stream, in order, as fast as it is read. */
export interface WayOut {
  /** False when nobody reads any more. */
  readonly isOpen: boolean
  /** Resolves when there is room for more. */
  write(data: string | Uint8Array): Promise<void> | undefined
  /** @throws what keeps it from being written, but not that nobody reads */
  flush(): Promise<void>
}

export function openWayOut(stream: NodeJS.WritableStream = process.stdout): WayOut {
  let gathered: Uint8Array[] = []
  let size = 0
  let isOpen = true
  let problem: Error | undefined
  // The reader may go away (`dwf logs | head`): what it wanted it has.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    isOpen = false
    if (error.code !== 'EPIPE') problem = error
  })
  const flush = async () => {
    if (problem) throw problem
    const bytes = Buffer.concat(gathered)
    gathered = []
    size = 0
    if (bytes.length === 0 || !isOpen) return
    const hasRoom = stream.write(bytes)
    // A pipe that nobody reads says so in a turn of its own.
    if (hasRoom) await new Promise((resolve) => setImmediate(resolve))
    else await once(stream, 'drain').catch(() => {})
  }
  return {
    get isOpen() {
      return isOpen
    },
    write(data) {
      const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data
      gathered.push(bytes)
      size += bytes.length
      return size < enough ? undefined : flush()
    },
    flush,
  }
}
