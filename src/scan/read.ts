import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { isInside } from '../util/paths.ts'

/** Larger files are none that a person wrote. */
export const sizeLimit = 64 * 1024 * 1024

/**
 * The text of a file of the repository; undefined where there is none, where it is a link or leads out of the repository,
 * or where it cannot be read.
 */
export function readInside(root: string, path: string, encoding: 'utf8' | 'latin1' = 'utf8'): string | undefined {
  return withInside(root, path, (file) => {
    try {
      return fstatSync(file).size > sizeLimit ? undefined : readFileSync(file, encoding)
    } catch {
      return undefined
    }
  })
}

/**
 * Copies a regular file of the repository to an absolute path at which there is nothing yet; its folder is made. False
 * where the file has gone, is a link or leads out of the repository by now, or cannot be read.
 */
export function copyInside(root: string, path: string, target: string): boolean {
  const isCopied = withInside(root, path, (file) => {
    mkdirSync(dirname(target), { recursive: true })
    const copy = openSync(target, 'wx')
    try {
      for (const piece of piecesOf(file)) for (let done = 0; done < piece.length; ) done += writeSync(copy, piece, done)
    } finally {
      closeSync(copy)
    }
    return true
  })
  return isCopied ?? false
}

/** What a file holds from its start, in pieces that are only good until the next one. */
export function* piecesOf(file: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(1 << 20)
  let at = 0
  for (let size = readSync(file, buffer, 0, buffer.length, at); size > 0; ) {
    yield buffer.subarray(0, size)
    at += size
    size = readSync(file, buffer, 0, buffer.length, at)
  }
}

/** Calls `use` with the descriptor of a regular file that lies in the repository; undefined where there is none. */
export function withInside<T>(root: string, path: string, use: (file: number) => T): T | undefined {
  let file: number
  try {
    // It may have become a link or a FIFO since it was listed.
    file = openSync(join(root, path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
  try {
    const place = fstatSync(file).isFile() ? placeOf(file, join(root, path)) : undefined
    return place !== undefined && isInside(root, place) ? use(file) : undefined
  } finally {
    closeSync(file)
  }
}

/** Where an open file lies. Linux knows it of the descriptor, whatever the folders above it have become since. */
function placeOf(file: number, path: string): string | undefined {
  for (const look of [() => readlinkSync(`/proc/self/fd/${file}`), () => realpathSync.native(path)]) {
    try {
      return look()
    } catch {
      // No Linux; or it is not there any more.
    }
  }
  return undefined
}
