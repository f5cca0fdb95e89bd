import fs from 'node:fs'

/** Larger files are treated as unreadable: no manifest is that large, and a repository may be hostile. */
export const sizeLimit = 4 * 1024 * 1024

/**
 * The bytes of a regular file at an absolute path; undefined for anything else. The last part is never followed when
 * it is a link, and opening does not block: a FIFO in place of a manifest must not hang dwf.
 */
export function readRegular(path: string, limit = sizeLimit): Buffer | undefined {
  let descriptor: number
  try {
    descriptor = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW)
  } catch {
    return undefined
  }
  try {
    const stat = fs.fstatSync(descriptor)
    if (!stat.isFile() || stat.size > limit) return undefined
    // One byte more than allowed shows a file that grew, or one of /proc that says it has size 0.
    const buffer = Buffer.alloc(Math.min(limit, stat.size) + 1)
    let length = 0
    while (length < buffer.length) {
      const count = fs.readSync(descriptor, buffer, length, buffer.length - length, null)
      if (count === 0) return buffer.subarray(0, length)
      length += count
    }
    return undefined
  } catch {
    return undefined
  } finally {
    fs.closeSync(descriptor)
  }
}
