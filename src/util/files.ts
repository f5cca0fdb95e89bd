import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a whole file or nothing: a temporary name in the same folder, fsync, rename.
 * The temporary file is made new (never through a link) and is gone when it could not be finished.
 */
export function writeAtomic(path: string, text: string, mode = 0o644): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${Math.random().toString(36).slice(2, 8)}`)
  const file = openSync(temporary, 'wx', mode)
  try {
    try {
      const bytes = Buffer.from(text, 'utf8')
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** SHA-256, hex. */
export const sha256Of = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/**
 * SHA-256 of a regular file, hex, read in pieces: files of a repository may be of any size. Undefined where this
 * account may not read it, or it is no regular file any more; a link is not followed, a pipe does not block.
 */
export function hashFile(file: string): string | undefined {
  const hash = createHash('sha256')
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (
      ['EACCES', 'EPERM', 'ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
    )
      return undefined
    throw error
  }
  try {
    if (!fstatSync(descriptor).isFile()) return undefined
    const buffer = Buffer.allocUnsafe(1 << 20)
    for (let size = readSync(descriptor, buffer); size > 0; size = readSync(descriptor, buffer))
      hash.update(buffer.subarray(0, size))
  } finally {
    closeSync(descriptor)
  }
  return hash.digest('hex')
}
