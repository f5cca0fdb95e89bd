/** A file of an archive, as its header says it. */
export interface TarEntry {
  /** ASCII, at most 100 bytes. */
  readonly path: string
  readonly bytes: number
}

const block = 512
/** The largest size that fits as octal digits; a larger one is written in base 256, which GNU tar and bsdtar read. */
const largestOctal = 0o77777777777

/** The header of a plain file of mode 0600 that belongs to nobody, in the format ustar of POSIX. @param mtime seconds */
export function tarHeader({ path, bytes }: TarEntry, mtime: number): Buffer {
  if (!/^[\x21-\x7e]{1,100}$/.test(path)) throw new RangeError(`${JSON.stringify(path)} does not fit into a header`)
  const header = Buffer.alloc(block)
  const octal = (value: number, at: number, digits: number) =>
    header.write(value.toString(8).padStart(digits, '0'), at, 'latin1')
  header.write(path, 0, 'latin1')
  octal(0o600, 100, 7)
  octal(0, 108, 7)
  octal(0, 116, 7)
  if (bytes <= largestOctal) octal(bytes, 124, 11)
  else {
    header.writeUInt8(0x80, 124)
    header.writeBigUInt64BE(BigInt(bytes), 128)
  }
  octal(mtime, 136, 11)
  header.write('        0', 148, 'latin1')
  header.write('ustar\x0000', 257, 'latin1')
  octal(checksumOf(header), 148, 6)
  header.write('\0 ', 154, 'latin1')
  return header
}

export const tarPadding = (bytes: number): Buffer => Buffer.alloc((block - (bytes % block)) % block)
/** Two empty blocks, filled up to a record. */
export const tarEnd = (written: number): Buffer => {
  const least = written + 2 * block
  return Buffer.alloc(least + ((20 * block - (least % (20 * block))) % (20 * block)) - written)
}

const checksumOf = (header: Buffer): number => header.reduce((sum, byte) => sum + byte, 0)

/** What is read is not what `tarHeader` writes. */
export class TarError extends Error {}

export interface TarFile extends TarEntry {
  /** To be read to its end before the next file is asked for. */
  readonly content: AsyncGenerator<Buffer, void>
}

/**
 * The files of an archive that was written here, as they come. No more than that is read: links, folders, devices,
 * extended headers and long names are refused, so that nothing has two readings.
 * @throws TarError
 */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarFile, void> {
  const source = new Source(chunks)
  for (let number = 1; ; number++) {
    const header = await source.exactly(block, `the header of file ${number}`)
    if (header.every((byte) => byte === 0)) break
    const entry = readHeader(header, number)
    yield { ...entry, content: source.some(entry.bytes, entry.path) }
    const padding = await source.exactly(tarPadding(entry.bytes).length, `the end of ${entry.path}`)
    if (padding.some((byte) => byte !== 0))
      throw new TarError(`${entry.path} is followed by bytes that belong to no file`)
  }
  await source.zeros()
}

function readHeader(header: Buffer, number: number): TarEntry {
  const name = header.subarray(0, 100).toString('latin1').replace(/\0+$/, '')
  if (!/^[\x21-\x7e]{1,100}$/.test(name)) throw new TarError(`file ${number} has a name that dwf does not write`)
  const digits = /^([0-7]{11})[\0 ]$/.exec(header.subarray(124, 136).toString('latin1'))
  const large = header[124] === 0x80 ? header.readBigUInt64BE(128) : undefined
  if (!digits && (large === undefined || header.readUIntBE(125, 3) !== 0 || large > Number.MAX_SAFE_INTEGER))
    throw new TarError(`${name} (file ${number}) has no readable size`)
  const entry = { path: name, bytes: digits ? Number.parseInt(digits[1]!, 8) : Number(large) }
  const mtime = /^([0-7]{11})/.exec(header.subarray(136, 148).toString('latin1'))?.[1] ?? '0'
  if (header[156] !== 0x30) throw new TarError(`${name} (file ${number}) is no plain file`)
  if (!tarHeader(entry, Number.parseInt(mtime, 8)).equals(header))
    throw new TarError(`${name} (file ${number}) has a header that dwf does not write`)
  return entry
}

/** Bytes of a stream in the pieces that are asked for. */
class Source {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]()
  }

  /** At most `most` bytes, none at the end. */
  async #next(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#chunks.next()
      if (done) return this.#rest
      this.#rest = value
    }
    const part = this.#rest.subarray(0, most)
    this.#rest = this.#rest.subarray(part.length)
    return part
  }

  async exactly(bytes: number, what: string): Promise<Buffer> {
    const parts: Buffer[] = []
    for await (const part of this.some(bytes, what)) parts.push(part)
    return Buffer.concat(parts)
  }

  async *some(bytes: number, what: string): AsyncGenerator<Buffer, void> {
    for (let left = bytes; left > 0; ) {
      const part = await this.#next(left)
      if (part.length === 0) throw new TarError(`the archive ends in ${what}`)
      left -= part.length
      yield part
    }
  }

  /** The end of the archive: a record of zeros and no more. */
  async zeros(): Promise<void> {
    for (let read = 0; ; ) {
      const part = await this.#next(64 * 1024)
      if (part.length === 0) return
      read += part.length
      if (read > 20 * block || part.some((byte) => byte !== 0))
        throw new TarError('bytes follow the end of the archive')
    }
  }
}
