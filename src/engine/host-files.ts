import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holderWord, isAlive, readHolderWord, thisProcess } from '../util/lock.ts'

const prefix = 'dwf-files-'
/** Which process a folder belongs to. */
const owner = '.owner'

/**
 * A new folder (0700) for the files of host tasks: below $XDG_RUNTIME_DIR, a tmpfs, when that is the person's own and
 * nobody else's, else below TMPDIR. What a dwf that was killed left there goes first.
 */
export function filesFolder(env: NodeJS.ProcessEnv): string {
  const place = runtimeFolder(env) ?? tmpdir()
  for (const name of readdirSync(place)) if (name.startsWith(prefix)) removeDead(join(place, name))
  const folder = mkdtempSync(join(place, prefix))
  writeFileSync(join(folder, owner), holderWord(thisProcess()), { mode: 0o600, flag: 'wx' })
  return folder
}

function runtimeFolder({ XDG_RUNTIME_DIR: folder }: NodeJS.ProcessEnv): string | undefined {
  const stat = folder?.startsWith('/') ? lstatSync(folder, { throwIfNoEntry: false }) : undefined
  return stat?.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o777) === 0o700 ? folder : undefined
}

/** Only a folder of this account whose process has gone; one that says nothing of its process may be just being made. */
function removeDead(folder: string): void {
  try {
    const stat = lstatSync(folder)
    if (!stat.isDirectory() || stat.uid !== process.getuid?.()) return
    const holder = readHolderWord(readFileSync(join(folder, owner), 'utf8'))
    if (holder && !isAlive(holder)) rmSync(folder, { recursive: true, force: true })
  } catch {
    // Gone meanwhile, or not to be read: somebody else's to clear up.
  }
}
