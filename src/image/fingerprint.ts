import { createHash } from 'node:crypto'

/**
 * One thing that an image depends on. `missing` is a kind of its own: a file that is not there is not an empty one.
 * The content of a file or an executable is its SHA-256.
 */
export interface Frame {
  readonly kind: 'value' | 'file' | 'executable' | 'link' | 'folder' | 'special' | 'missing'
  readonly name: string
  readonly content: string
}

/**
 * SHA-256 over the frames, in 64 hexadecimal digits. Each frame is written with the lengths of its parts, so that no
 * byte can move from one part to the next unseen; their order and repetitions do not matter.
 */
export function fingerprint(frames: readonly Frame[]): string {
  const encoded = new Map(
    frames.map((frame) => [JSON.stringify([frame.kind, frame.name, frame.content]), encode(frame)]),
  )
  const hash = createHash('sha256').update('dwf.image/1\n')
  for (const bytes of [...encoded.values()].sort(Buffer.compare)) hash.update(bytes)
  return hash.digest('hex')
}

function encode(frame: Frame): Buffer {
  const parts = [frame.kind, frame.name, frame.content].map((text) => Buffer.from(text, 'utf8'))
  return Buffer.concat(parts.flatMap((part) => [length(part), part]))
}

function length(part: Buffer): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(part.length))
  return bytes
}
