import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { readRegular } from '../../project/files.ts'
import { failure } from '../../util/diagnostics.ts'
import { printable } from '../../util/text.ts'

/** The outermost folder on the way to a file of the repository that is a link; undefined where there is none. */
export function linkAbove(root: string, path: string): string | undefined {
  const parts = path.split('/')
  return parts
    .slice(0, -1)
    .map((_, index) => parts.slice(0, index + 1).join('/'))
    .find((folder) => lstatSync(join(root, folder), { throwIfNoEntry: false })?.isSymbolicLink())
}

/**
 * A file where GitHub looks for it, which follows no link to a folder; undefined where there is none.
 * @throws Failure('refused') for one behind a link: what is read there is not what GitHub runs
 */
export function readOwn(root: string, path: string): Buffer | undefined {
  const link = linkAbove(root, path)
  if (link !== undefined)
    throw failure(
      'refused',
      'link-in-the-way',
      `${printable(path)} lies behind ${printable(link)}, which is a link: nothing was written`,
      'make it a folder: GitHub does not follow it',
    )
  return readRegular(join(root, path))
}
