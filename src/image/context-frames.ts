import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats } from 'node:fs'
import { join, relative } from 'node:path'
import { hashFile } from '../util/files.ts'
import { globTest, isGlob } from '../util/glob.ts'
import { isInside } from '../util/paths.ts'
import { byCodeUnit } from '../util/text.ts'
import type { Frame } from './fingerprint.ts'
import type { IgnoreRules } from './ignore.ts'

const nothingIgnored: Pick<IgnoreRules, 'isIgnored' | 'isClosed'> = { isIgnored: () => false, isClosed: () => false }

/** Frames of all that the patterns reach below the root: files, folders with all that is in them, `''` for the root. */
export function contextFrames(root: string, patterns: readonly string[], ignore = nothingIgnored): readonly Frame[] {
  return patterns.flatMap((pattern) => {
    if (!isGlob(pattern)) return reached(root, pattern, ignore)
    const parts = pattern.split('/')
    const start = parts.slice(0, parts.findIndex(isGlob)).join('/')
    const test = globTest(pattern)
    const isHit = (path: string): boolean =>
      path.split('/').some((_, index, all) => test(all.slice(0, index + 1).join('/')))
    return walk(root, start, ignore, isHit)
  })
}

/** What a plain path names; behind a link also the file it leads to, which COPY would follow inside the context. */
function reached(root: string, path: string, ignore: typeof nothingIgnored): readonly Frame[] {
  if (path !== '' && ignore.isIgnored(path) && ignore.isClosed(path))
    return [{ kind: 'missing', name: path, content: '' }]
  const stat = lstatSync(join(root, path), { throwIfNoEntry: false })
  if (stat?.isDirectory()) return walk(root, path, ignore, () => true)
  const frames = fileFrames(root, path)
  if (!stat?.isSymbolicLink()) return frames
  const target = realTarget(root, path)
  return target === undefined || target === path ? frames : [...frames, ...reached(root, target, ignore)]
}

function realTarget(root: string, path: string): string | undefined {
  try {
    const target = realpathSync(join(root, path))
    return isInside(realpathSync(root), target) ? relative(realpathSync(root), target) : undefined
  } catch {
    return undefined // It leads nowhere.
  }
}

/** Never through a link: neither out of the repository nor in a circle. */
function walk(
  root: string,
  folder: string,
  ignore: typeof nothingIgnored,
  isHit: (path: string) => boolean,
): readonly Frame[] {
  const frames: Frame[] = []
  const visit = (path: string): void => {
    const names = listed(join(root, path))
    const isShown = path !== '' && isHit(path) && !ignore.isIgnored(path)
    if (isShown) frames.push({ kind: 'folder', name: path, content: '' })
    for (const name of names) {
      const below = path === '' ? name : `${path}/${name}`
      const stat = lstatSync(join(root, below), { throwIfNoEntry: false })
      if (stat?.isDirectory()) {
        if (!ignore.isClosed(below)) visit(below)
      } else if (isHit(below) && !ignore.isIgnored(below)) {
        frames.push(...fileFrames(root, below))
      }
    }
  }
  if (leadsOut(root, folder)) return [{ kind: 'special', name: folder, content: 'leads out of the repository' }]
  visit(folder)
  return frames
}

/** A folder that is named through a link: no builder follows it out of the context, and nothing there is read. */
function leadsOut(root: string, folder: string): boolean {
  try {
    return !isInside(realpathSync(root), realpathSync(join(root, folder)))
  } catch {
    return false // It is not there, which its own frame says.
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort(byCodeUnit)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

/** The frame of one path as it is: a link is not followed, a pipe is not opened. */
export function fileFrames(root: string, path: string): readonly Frame[] {
  const file = join(root, path)
  const stat = lstatSync(file, { throwIfNoEntry: false })
  return [{ ...frameOf(file, stat), name: path }]
}

function frameOf(file: string, stat: Stats | undefined): Omit<Frame, 'name'> {
  if (!stat) return { kind: 'missing', content: '' }
  if (stat.isSymbolicLink()) return { kind: 'link', content: readlinkSync(file) }
  if (stat.isDirectory()) return { kind: 'folder', content: '' }
  if (!stat.isFile()) return { kind: 'special', content: '' }
  // Of the mode git keeps only this bit; the others depend on the machine's umask.
  const content = hashFile(file)
  if (content === undefined) return { kind: 'special', content: 'unreadable' }
  return { kind: (stat.mode & 0o100) === 0 ? 'file' : 'executable', content }
}
