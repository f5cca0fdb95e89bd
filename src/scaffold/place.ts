import { accessSync, constants, lstatSync, readdirSync, readFileSync, realpathSync, type Stats } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { failure } from '../util/diagnostics.ts'
import { byCodeUnit, printable } from '../util/text.ts'

/** Where a planned file would come to lie, looked at without following a single link. */
export interface Place {
  readonly path: string
  /** Absolute. */
  readonly file: string
  /** What is there now; undefined when nothing is. */
  readonly text: Buffer | undefined
  readonly mode: number | undefined
  /** Folders to be made, relative to the root, outermost first. */
  readonly newFolders: readonly string[]
}

/**
 * Looks at the place of a file.
 * @throws Failure('refused') when a link, something that is no file, or a folder that this account may not write to is
 * in the way, or the path leaves the root
 */
export function lookAt(root: string, path: string): Place {
  const parts = path.split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0'))) {
    throw refused('outside-repository', path, 'leaves the repository')
  }
  const newFolders: string[] = []
  for (const folder of parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'))) {
    const stat = newFolders.length > 0 ? undefined : seen(root, folder)
    if (stat === undefined) newFolders.push(folder)
    else if (stat.isSymbolicLink())
      throw refused('link-in-the-way', path, `lies behind ${printable(folder)}, which is a link`)
    else if (!stat.isDirectory())
      throw refused('file-in-the-way', path, `needs the folder ${printable(folder)}, which is a file`)
  }
  const stat = newFolders.length > 0 ? undefined : seen(root, path)
  if (stat?.isSymbolicLink()) throw refused('link-in-the-way', path, 'is a link')
  if (stat && !stat.isFile()) throw refused('not-a-file', path, 'is there and is no file')
  checkWritable(root, path, parts.slice(0, parts.length - 1 - newFolders.length).join('/'))
  const file = join(root, path)
  return {
    path,
    file,
    text: stat ? readFileSync(file) : undefined,
    mode: stat ? stat.mode & 0o777 : undefined,
    newFolders,
  }
}

/** What is written lies beside its place first, under such a name: with the process that made it. */
export const temporaryName = /^\.dwf-(\d+)-[0-9a-f]{12}(\.old)?$/

/**
 * Every file below a folder, from the root, in code-unit order, but for what a run that was killed left of its writing;
 * [] where there is no such folder. No link is followed.
 */
export function filesBelow(root: string, folder: string): readonly string[] {
  if (!seen(root, folder)?.isDirectory()) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !temporaryName.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort(byCodeUnit)
}

function seen(root: string, path: string): Stats | undefined {
  try {
    return lstatSync(join(root, path), { throwIfNoEntry: false })
  } catch (error) {
    throw refused('not-readable', path, `cannot be looked at: ${(error as Error).message}`)
  }
}

function checkWritable(root: string, path: string, folder: string): void {
  try {
    accessSync(join(root, folder), constants.W_OK | constants.X_OK)
  } catch {
    throw refused(
      'not-writable',
      path,
      `lies in ${folder === '' ? 'the root' : printable(folder)}, where this account may not write`,
    )
  }
}

/** After folders were made: the parent is where it was meant to be, and nobody put a link there meanwhile. */
export function checkParent(root: string, path: string): void {
  const folder = path.split('/').slice(0, -1).join('/')
  if (realpathSync(join(root, folder)) !== join(realpathSync(root), folder)) {
    throw refused('link-in-the-way', path, 'lies behind a link that was put there just now')
  }
}

export function refused(code: string, path: string, reason: string): Error {
  return failure(
    'refused',
    code,
    `${printable(path)} ${reason}: nothing was written`,
    'remove it or write the file by hand',
  )
}
