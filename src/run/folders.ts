import { lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { failure } from '../util/diagnostics.ts'

/**
 * Makes a folder below `root` part by part and refuses to go through a link: `root` holds a repository, and a link in
 * it must not decide which folder of the host is mounted into a container.
 */
export function makeFolderWithin(root: string, path: string): string {
  let at = root
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    if (part === '..')
      throw failure('refused', 'outside', `${path} leads out of the repository`, 'choose a folder inside of it')
    at = join(at, part)
    const stat = lstatSync(at, { throwIfNoEntry: false })
    if (!stat) mkdirSync(at, { mode: 0o755 })
    else if (!stat.isDirectory()) {
      throw failure(
        'refused',
        'not-a-folder',
        `${at} is ${stat.isSymbolicLink() ? 'a link' : 'not a folder'}, and dwf keeps its caches there`,
        'remove it, or set [cache] root or DWF_CACHE_ROOT',
      )
    }
  }
  return at
}

/** Keeps a folder of dwf's out of git without touching the repository's own .gitignore. */
export function ignoreInGit(folder: string): void {
  try {
    writeFileSync(join(folder, '.gitignore'), '*\n', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}
