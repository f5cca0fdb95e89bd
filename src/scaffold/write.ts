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
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { failure } from '../util/diagnostics.ts'
import { listing } from '../util/text.ts'
import { checkParent, lookAt, type Place, refused } from './place.ts'
import type { PlannedFile } from './planned.ts'

/** What became of a planned file; with `dryRun` what would. `kept`: it is there, differs, and was left alone. */
export interface ScaffoldResult {
  readonly path: string
  readonly action: 'created' | 'unchanged' | 'kept' | 'replaced'
}

export interface ScaffoldOptions {
  /** Absolute. */
  readonly root: string
  readonly files: readonly PlannedFile[]
  readonly dryRun?: boolean
  /** Ask, file by file, whether one that differs is to be replaced. */
  readonly force?: boolean
  /** Undefined where nobody can be asked. */
  readonly ask?: (file: { readonly path: string; readonly before: string; readonly after: string }) => Promise<boolean>
}

/**
 * Writes files into a repository: all of them or none. What is there is never overwritten without a yes. Everything is
 * written beside its place first and put there whole, so that even a crash leaves no half file; an error takes back
 * what was done, down to the folders. No link is followed.
 * @throws Failure('refused') when a link is in the way, or `force` cannot ask
 */
export async function scaffold(options: ScaffoldOptions): Promise<readonly ScaffoldResult[]> {
  const { root, files } = options
  const places = files.map((file) => ({ file, place: lookAt(root, file.path) }))
  const different = places.filter(
    ({ file, place }) => place.text !== undefined && !place.text.equals(Buffer.from(file.content)),
  )
  if (options.force && different.length > 0 && !options.dryRun && !options.ask) {
    const names = listing(different.map(({ file }) => file.path))
    throw failure(
      'refused',
      'would-overwrite',
      `${names} would be overwritten, and nobody can be asked`,
      'run it in a terminal, or remove them first',
    )
  }
  const results: ScaffoldResult[] = []
  for (const { file, place } of places) {
    if (place.text === undefined) results.push({ path: file.path, action: 'created' })
    else if (!different.some((one) => one.file === file)) results.push({ path: file.path, action: 'unchanged' })
    else
      results.push({
        path: file.path,
        action: options.force && (await isWanted(options, file, place)) ? 'replaced' : 'kept',
      })
  }
  if (!options.dryRun)
    writeAll(
      root,
      places.filter((_, index) => ['created', 'replaced'].includes(results[index]!.action)),
    )
  return results
}

async function isWanted(options: ScaffoldOptions, file: PlannedFile, place: Place): Promise<boolean> {
  if (options.dryRun) return true
  return (await options.ask?.({ path: file.path, before: place.text!.toString('utf8'), after: file.content })) ?? false
}

/** A person may have thought for a while before the answer. */
function checkUnchanged(root: string, file: PlannedFile, place: Place): void {
  const { text } = lookAt(root, file.path)
  const isSame = text === undefined ? place.text === undefined : place.text?.equals(text)
  if (!isSame) throw refused('changed-meanwhile', file.path, 'was changed just now')
}

interface Write {
  readonly file: PlannedFile
  readonly place: Place
}

function writeAll(root: string, writes: readonly Write[]): void {
  const undo: (() => void)[] = []
  const temporaries: string[] = []
  for (const { file, place } of writes) checkUnchanged(root, file, place)
  try {
    for (const folder of new Set(writes.flatMap(({ place }) => place.newFolders))) {
      mkdirSync(join(root, folder))
      undo.push(() => rmdirSync(join(root, folder)))
    }
    for (const folder of new Set(writes.map(({ place }) => dirname(place.file)))) removeLeftOvers(folder)
    const ready = writes.map((write) => {
      checkParent(root, write.file.path)
      const temporary = temporaryName(write.place.file)
      temporaries.push(temporary)
      writeWhole(temporary, write.file.content, write.place.mode ?? write.file.mode)
      return { ...write, temporary }
    })
    for (const { place, temporary } of ready) undo.push(putInPlace(place, temporary, temporaries))
    for (const folder of new Set(writes.map(({ place }) => dirname(place.file)))) syncFolder(folder)
  } catch (error) {
    removeAll(temporaries.filter((name) => !name.endsWith('.old')))
    for (const step of undo.reverse()) attempt(step)
    throw error
  }
  removeAll(temporaries)
}

/** Puts a finished file where it belongs; gives back how to take it away again. */
function putInPlace(place: Place, temporary: string, temporaries: string[]): () => void {
  if (place.text === undefined) {
    // A link fails where a file has appeared since it was looked for; a rename would overwrite that.
    linkOrCopy(temporary, place.file)
    rmSync(temporary)
    return () => rmSync(place.file)
  }
  const old = `${temporaryName(place.file)}.old`
  linkOrCopy(place.file, old)
  try {
    renameSync(temporary, place.file)
  } catch (error) {
    rmSync(old, { force: true })
    throw error
  }
  temporaries.push(old)
  return () => renameSync(old, place.file)
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

function writeWhole(path: string, content: string, mode: number): void {
  const descriptor = openSync(path, 'wx', 0o600)
  try {
    const bytes = Buffer.from(content, 'utf8')
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done)
    fchmodSync(descriptor, mode)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** The process that makes a temporary file is in its name: what a dead one left is removed by the next. */
function temporaryName(file: string): string {
  return join(dirname(file), `.dwf-${process.pid}-${randomBytes(6).toString('hex')}`)
}

function removeLeftOvers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = Number(/^\.dwf-(\d+)-[0-9a-f]{12}(\.old)?$/.exec(name)?.[1])
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
