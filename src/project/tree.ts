import fs from 'node:fs'
import { failure } from '../util/diagnostics.ts'
import { isInside } from '../util/paths.ts'
import { byCodeUnit } from '../util/text.ts'
import { readRegular } from './files.ts'
import type { Tree } from './types.ts'

interface Folder {
  readonly names: readonly string[]
  readonly known: ReadonlySet<string>
  readonly folders: readonly string[]
}

const none: Folder = { names: [], known: new Set(), folders: [] }

/**
 * Opens a repository for reading. A folder is listed once, at the first look, so that the many questions of the stacks
 * cost one system call a folder; texts are read anew each time. Throws a `Failure` when `root` is not a folder.
 */
export function openTree(root: string): Tree {
  const real = realFolder(root)
  const listed = new Map<string, Folder>()

  function resolve(path: string): string | undefined {
    if (path === '') return real
    if (path.startsWith('/') || path.includes('\0')) return undefined
    if (path.split('/').some((part) => part === '' || part === '.' || part === '..')) return undefined
    try {
      const target = fs.realpathSync.native(`${real === '/' ? '' : real}/${path}`)
      return isInside(real, target) ? target : undefined
    } catch {
      return undefined
    }
  }

  function folder(path: string): Folder {
    const before = listed.get(path)
    if (before) return before
    const found = path === '' || isListed(path) ? read(resolve(path)) : none
    listed.set(path, found)
    return found
  }

  /** A name that its folder does not list needs no look at the file system. */
  function isListed(path: string): boolean {
    const slash = path.lastIndexOf('/')
    return folder(slash < 0 ? '' : path.slice(0, slash)).known.has(path.slice(slash + 1))
  }

  function stat(path: string): fs.Stats | undefined {
    if (path !== '' && !isListed(path)) return undefined
    const target = resolve(path)
    return target === undefined ? undefined : fs.statSync(target, { throwIfNoEntry: false })
  }

  return {
    root: real,
    has: (path) => {
      if (!stat(path)?.isFile()) return false
      try {
        fs.accessSync(resolve(path) ?? '', fs.constants.R_OK)
        return true
      } catch {
        return false
      }
    },
    isDirectory: (path) => stat(path)?.isDirectory() ?? false,
    text: (path) => {
      if (!isListed(path)) return undefined
      const target = resolve(path)
      return target === undefined ? undefined : readRegular(target)?.toString('utf8')
    },
    list: (path) => folder(path).names,
    folders: (path) => folder(path).folders,
  }
}

function realFolder(root: string): string {
  try {
    const real = fs.realpathSync.native(root)
    if (fs.statSync(real).isDirectory()) return real
  } catch {
    // Said below: whatever the reason, there is no folder to read.
  }
  throw failure('wrong-input', 'no-such-folder', `${root} is not a folder that can be read`)
}

function read(target: string | undefined): Folder {
  if (target === undefined) return none
  try {
    const entries = fs.readdirSync(target, { withFileTypes: true })
    const names = entries.map((entry) => entry.name).sort(byCodeUnit)
    const folders = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort(byCodeUnit)
    return { names, known: new Set(names), folders }
  } catch {
    return none
  }
}
