import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { checkParent, lookAt, type Place, refused, temporaryName } from './place.ts'

/** A file that is to be written or removed, and what was there when that was decided. */
export interface FileWrite {
  /** Relative to the root, `/` between its parts. */
  readonly path: string
  /** Undefined: the file is removed. */
  readonly content: string | Buffer | undefined
  /** Undefined: nothing was there. */
  readonly expected: Buffer | undefined
  /** Of a new file, 0644 when it is not given; one that is there keeps its own. */
  readonly mode?: number
}

export interface WriteOptions {
  /** Folders below it, and it itself, go when removals leave them empty. Relative to the root. */
  readonly emptyBelow?: string
}

type Write = FileWrite & { readonly place: Place }

/**
 * Writes and removes files of a repository: all of them or none. Everything is written beside its place first and put
 * there whole, so that even a crash leaves no half file; an error takes back what was done, down to the folders. No
 * link is followed.
 * @throws Failure('refused') when a link is in the way, a path leaves the root, or a file is not what was expected
 */
export function writeFiles(root: string, files: readonly FileWrite[], options: WriteOptions = {}): void {
  const all = files.map((file) => ({ ...file, place: unchanged(root, file) }))
  const writes = all.filter((one) => one.content !== undefined || one.expected !== undefined)
  const undo: (() => void)[] = []
  const temporaries: string[] = []
  try {
    for (const folder of new Set(writes.flatMap(({ place }) => place.newFolders))) {
      mkdirSync(join(root, folder))
      undo.push(() => rmdirSync(join(root, folder)))
    }
    for (const folder of new Set(writes.map(({ place }) => dirname(place.file)))) removeLeftOvers(folder)
    const ready = writes.map((write) => ({ ...write, temporary: prepared(root, write, temporaries) }))
    for (const { place, temporary } of ready) undo.push(putInPlace(place, temporary, temporaries))
    for (const folder of new Set(writes.map(({ place }) => dirname(place.file)))) syncFolder(folder)
  } catch (error) {
    removeAll(temporaries.filter((name) => !name.endsWith('.old')))
    for (const step of undo.reverse()) attempt(step)
    throw error
  }
  removeAll(temporaries)
  if (options.emptyBelow !== undefined) {
    for (const { path, content } of writes) if (content === undefined) removeEmpty(root, path, options.emptyBelow)
  }
}

/** A person may have thought for a while before the answer. */
function unchanged(root: string, { path, expected }: FileWrite): Place {
  const place = lookAt(root, path)
  const isSame = place.text === undefined ? expected === undefined : expected?.equals(place.text)
  if (!isSame) throw refused('changed-meanwhile', path, 'was changed just now')
  return place
}

/** The new content in a file of its own beside its place; undefined for a removal. */
function prepared(root: string, { path, content, mode, place }: Write, temporaries: string[]): string | undefined {
  checkParent(root, path)
  if (content === undefined) return undefined
  const temporary = newName(place.file)
  temporaries.push(temporary)
  writeWhole(temporary, content, place.mode ?? mode ?? 0o644)
  return temporary
}

/** Puts a finished file where it belongs, or takes the old one away; gives back how to undo it. */
function putInPlace(place: Place, temporary: string | undefined, temporaries: string[]): () => void {
  if (place.text === undefined) {
    // A link fails where a file has appeared since it was looked for; a rename would overwrite that.
    linkOrCopy(temporary!, place.file)
    rmSync(temporary!)
    return () => rmSync(place.file)
  }
  const old = `${newName(place.file)}.old`
  linkOrCopy(place.file, old)
  try {
    if (temporary === undefined) rmSync(place.file)
    else renameSync(temporary, place.file)
  } catch (error) {
    rmSync(old, { force: true })
    throw error
  }
  temporaries.push(old)
  return () => renameSync(old, place.file)
}

/** From the folder of a file that is gone up to `top`, as long as they are empty. */
function removeEmpty(root: string, path: string, top: string): void {
  if (!path.startsWith(`${top}/`)) return
  for (let folder = dirname(path); folder === top || folder.startsWith(`${top}/`); folder = dirname(folder))
    attempt(() => rmdirSync(join(root, folder)))
}

/** Some file systems have no hard links, and some kernels allow none to somebody else's file. */
function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error
    copyFileSync(from, to, constants.COPYFILE_EXCL)
  }
}

function writeWhole(path: string, content: string | Buffer, mode: number): void {
  const descriptor = openSync(path, 'wx', 0o600)
  try {
    const bytes = Buffer.from(content as string, 'utf8')
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
    fchmodSync(descriptor, mode)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** The process that makes a temporary file is in its name: what a dead one left is removed by the next. */
function newName(file: string): string {
  return join(dirname(file), `.dwf-${process.pid}-${randomBytes(6).toString('hex')}`)
}

/**
 * Removes what a writer that was killed left beside these files, also where nothing is to be written any more.
 * @param paths from the root
 */
export function sweepLeftOvers(root: string, paths: readonly string[]): void {
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    const whole = join(root, folder)
    // Behind a link there are other people's files.
    if (isRealFolder(root, whole)) removeLeftOvers(whole)
  }
}

function isRealFolder(root: string, folder: string): boolean {
  try {
    return realpathSync(folder) === join(realpathSync(root), relative(root, folder))
  } catch {
    return false
  }
}

function removeLeftOvers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(temporaryName.exec(name)?.[1])
    if (pid > 0 && pid !== process.pid && !isRunning(pid)) attempt(() => rmSync(join(folder, name)))
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function removeAll(paths: readonly string[]): void {
  for (const path of paths) attempt(() => rmSync(path, { force: true }))
}

/** What clears up must not hide the error that it clears up after. */
function attempt(step: () => void): void {
  try {
    step()
  } catch {
    // Nothing more can be done.
  }
}
