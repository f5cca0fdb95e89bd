import { lstatSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { hashOf } from '../util/canonical.ts'
import { hashFile, writeAtomic } from '../util/files.ts'
import { privateFolder } from '../util/paths.ts'
import type { ScanTree } from './tree.ts'

/** A file whose times are this close to now may be written again within the same tick of the clock. */
const settleMs = 2_000n

/** Path → what `lstat` says, a blank, SHA-256: what was read before and has not changed since. */
type Memo = Readonly<Record<string, string>>

export interface Contents {
  /** Of everything that a scan of the tree can see: paths and contents, links, and what cannot be read. */
  readonly key: string
  /** Of what the file system says of each file: another one when something was written, also where the contents are equal. */
  readonly stamp: string
}

/**
 * The contents of a tree. Files that are as they were last time are not read again; the change time of an inode cannot
 * be set back by who may write the file.
 * @param memo absolute path of a file in the state folder; without one, every file is read
 */
export function contentsOf(root: string, tree: ScanTree, memo: string | undefined): Contents {
  const before = memo === undefined ? {} : read(memo)
  const after: Record<string, string> = {}
  const now = BigInt(Date.now())
  let isNew = false
  const stats: string[] = []
  const rows = tree.files.map((path) => {
    const { stat, ctimeMs } = statOf(join(root, path))
    stats.push(stat)
    const known = Object.hasOwn(before, path) ? before[path]! : ''
    if (known.startsWith(stat)) {
      after[path] = known
      return [path, known.slice(stat.length)]
    }
    const hash = hashFile(join(root, path)) ?? 'unreadable'
    if (ctimeMs < now - settleMs) {
      after[path] = stat + hash
      isNew = true
    }
    return [path, hash]
  })
  if (isNew && memo !== undefined) write(memo, after)
  return { key: hashOf(['dwf.tree/1', rows, ...rest(tree)]), stamp: hashOf([tree.files, stats, ...rest(tree)]) }
}

/** The stamp alone, without reading a file: whether the tree is still the one whose contents are known. */
export function stampOf(root: string, tree: ScanTree): string {
  const stats = tree.files.map((path) => statOf(join(root, path)).stat)
  return hashOf([tree.files, stats, ...rest(tree)])
}

const rest = (tree: ScanTree) => [tree.links, tree.unreadable.files, tree.unreadable.folders, tree.skipped]

/** Times of a file that is gone are those of none. */
function statOf(path: string): { readonly stat: string; readonly ctimeMs: bigint } {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  if (!stat) return { stat: 'gone ', ctimeMs: BigInt(Date.now()) }
  const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = stat
  return { stat: `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs} `, ctimeMs }
}

function read(path: string): Memo {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8'))
    return value?.schema === 'dwf.contents/1' && isMemo(value.files) ? value.files : {}
  } catch {
    return {}
  }
}

/** A file that is damaged is one that is not there. */
const isMemo = (value: unknown): value is Memo =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((entry) => typeof entry === 'string')

function write(path: string, files: Memo): void {
  try {
    privateFolder(dirname(path))
    writeAtomic(path, JSON.stringify({ schema: 'dwf.contents/1', files }), 0o600)
  } catch {
    // A full disk: everything is read again next time.
  }
}
