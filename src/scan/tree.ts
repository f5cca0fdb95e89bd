import { accessSync, constants, type Dirent, lstatSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { byCodeUnit } from '../util/text.ts'

/**
 * The caches of a repository. Always this folder, and never `cache.root` of devflow.toml: what is judged must not choose
 * what is left out.
 */
export const cacheInRepository = '.cache/devflow'

/** Installed packages: their lock file says what is in them, and what they carry along is not the project's own. */
const installed = 'node_modules'

/** The repository as dwf sees it before a scanner does, to hold the scanner's report against. Paths from the root. */
export interface ScanTree {
  readonly files: readonly string[]
  /** Never followed, neither here nor by the scanner. */
  readonly links: readonly string[]
  /** Trivy 0.76 leaves out what it may not read without a word (pkg/fanal/walker/fs.go). */
  readonly unreadable: { readonly files: readonly string[]; readonly folders: readonly string[] }
  /** Folders left out, as they are said to a person. */
  readonly skipped: readonly string[]
}

export interface WalkOptions {
  /** Whether the file or folder at an absolute path can be read; for tests. */
  readonly canRead?: (path: string) => boolean
}

/** Lists the repository without following any link. Throws when `root` itself cannot be listed. */
export async function walkTree(root: string, { canRead = readable }: WalkOptions = {}): Promise<ScanTree> {
  const files: string[] = []
  const links: string[] = []
  const unreadable = { files: [] as string[], folders: [] as string[] }
  const skipped: string[] = []
  let packages = 0
  const take = (folder: string, entry: Dirent) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.isSymbolicLink()) links.push(path)
    else if (entry.isDirectory()) {
      if (entry.name === installed) packages++
      else if (entry.name === '.git' || path === cacheInRepository) skipped.push(path)
      else open.push(path)
    } else if (entry.isFile()) {
      if (canRead(join(root, path))) files.push(path)
      else unreadable.files.push(path)
    }
  }
  const open = ['']
  while (open.length > 0) {
    const folders = open.splice(-together)
    const lists = await Promise.all(folders.map((folder) => list(root, folder, canRead)))
    for (const [index, entries] of lists.entries()) {
      const folder = folders[index]!
      if (!entries) unreadable.folders.push(folder)
      else for (const entry of entries) take(folder, entry)
    }
  }
  if (packages > 0) skipped.push(packages === 1 ? `a ${installed} folder` : `${packages} ${installed} folders`)
  return {
    files: files.sort(byCodeUnit),
    links: links.sort(byCodeUnit),
    unreadable: { files: unreadable.files.sort(byCodeUnit), folders: unreadable.folders.sort(byCodeUnit) },
    skipped: skipped.sort(byCodeUnit),
  }
}

/** How many folders are listed at the same time: one after the other takes twice as long, of waiting. */
const together = 32

/** Undefined for a folder that cannot be read; the root itself has to be. */
async function list(
  root: string,
  folder: string,
  canRead: (path: string) => boolean,
): Promise<readonly Dirent[] | undefined> {
  const path = join(root, folder)
  const entries = await readdir(path, { withFileTypes: true }).catch((error) => {
    if (folder === '') throw error
    return undefined
  })
  return canRead(path) ? entries : undefined
}

function readable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}

/** What the scanner is told to leave out; the same that `walkTree` leaves out. */
export const skippedFolders: readonly string[] = ['**/.git', cacheInRepository, `**/${installed}`]

/**
 * Trivy 0.76 always leaves out `proc`, `sys` and `dev` right below the folder that it is given, since those are no files
 * in the root of a machine (pkg/fanal/walker/walk.go). In a repository they are, so each is looked at by itself.
 */
export function foldersOfTheirOwn(root: string): readonly string[] {
  return ['dev', 'proc', 'sys'].filter((name) => lstatSync(join(root, name), { throwIfNoEntry: false })?.isDirectory())
}

const fixtureNames = new Set([
  'fixture',
  'fixtures',
  '__fixtures__',
  'test-fixtures',
  'testdata',
  'test-data',
  'test_data',
  '__snapshots__',
])

/** Files that exist to be read by tests may be broken on purpose. */
export function isFixture(path: string): boolean {
  return path
    .split('/')
    .slice(0, -1)
    .some((part) => fixtureNames.has(part))
}
