import { lstatSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holderWord, isAlive, readHolderWord, thisProcess } from './lock.ts'

const prefix = 'dwf-tmp-'
/** Which process a folder belongs to. */
const owner = '.owner'

let isSwept = false

/**
 * Calls `use` with a private folder that is gone afterwards, whatever happens. What a process that was killed left
 * behind, which may be a whole image, goes when the next one makes its first folder.
 */
export async function withTemporary<T>(use: (folder: string) => Promise<T>): Promise<T> {
  if (!isSwept) {
    isSwept = true
    sweep(tmpdir())
  }
  const folder = realpathSync.native(mkdtempSync(join(tmpdir(), prefix)))
  try {
    writeFileSync(join(folder, owner), holderWord(thisProcess()), { mode: 0o600, flag: 'wx' })
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Only folders of this account whose process has gone; one that says nothing of its process may be just being made. */
function sweep(place: string): void {
  for (const name of readdirSync(place)) {
    if (!name.startsWith(prefix)) continue
    const folder = join(place, name)
    try {
      const stat = lstatSync(folder)
      if (!stat.isDirectory() || (process.getuid && stat.uid !== process.getuid())) continue
      const holder = readHolderWord(readFileSync(join(folder, owner), 'utf8'))
      if (holder && !isAlive(holder)) rmSync(folder, { recursive: true, force: true })
    } catch {
      // Gone meanwhile, or not to be read: somebody else's to clear up.
    }
  }
}
