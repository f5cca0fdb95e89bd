import { closeSync, existsSync, fsyncSync, linkSync, lstatSync, openSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { failure } from './diagnostics.ts'

/**
 * Makes a file that was not there, whole or not at all: `write` fills an empty one of mode 0600 beside it, which gets
 * its name when it is on the disk.
 * @throws Failure('refused') when there is one of that name, before or after
 */
export async function newFile<T>(path: string, write: (temporary: string) => T | Promise<T>): Promise<T> {
  const folder = dirname(path)
  requireNew(path)
  const temporary = join(folder, `.${basename(path)}.${process.pid}.${Math.random().toString(36).slice(2, 8)}`)
  closeSync(openSync(temporary, 'wx', 0o600))
  try {
    const result = await write(temporary)
    sync(temporary)
    place(temporary, path)
    sync(folder)
    return result
  } finally {
    rmSync(temporary, { force: true })
  }
}

/**
 * Whether a file can be made, before work is put into it.
 * @throws Failure('refused') when it is there, 'wrong-input' where it has no folder
 */
export function requireNew(path: string): void {
  const folder = dirname(path)
  if (!existsSync(folder)) throw failure('wrong-input', 'no-folder', `there is no folder ${folder}`, 'make it first')
  if (lstatSync(path, { throwIfNoEntry: false })) throw isThere(path)
}

/** A link, unlike a rename, never replaces what somebody else has put there meanwhile; not every file system has them. */
function place(temporary: string, path: string): void {
  try {
    linkSync(temporary, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' || existsSync(path)) throw isThere(path)
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code ?? '')) throw error
    renameSync(temporary, path)
  }
}

const isThere = (path: string) =>
  failure('refused', 'is-there', `${path} is there already`, 'choose another name, or move it away')

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
