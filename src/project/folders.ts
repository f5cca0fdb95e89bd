import type { Diagnostic } from '../util/diagnostics.ts'
import { byCodeUnit } from '../util/text.ts'
import type { Tree } from './types.ts'

/** What a build makes, what somebody else wrote, and what exists to be read by tests: no units of the project. */
const skipped: ReadonlySet<string> = new Set([
  ...['node_modules', 'bower_components', 'vendor', 'third_party', 'third-party', 'external'],
  ...['target', 'dist', 'build', 'out', 'bin', 'obj', 'coverage', 'venv', 'env', '__pycache__', 'site-packages'],
  ...['testdata', 'test-data', 'test_data', 'fixture', 'fixtures', '__fixtures__', 'test-fixtures', '__snapshots__'],
  ...['example', 'examples', 'sample', 'samples', 'demo', 'demos', 'playground', 'template', 'templates'],
])

const isSkipped = (name: string): boolean =>
  skipped.has(name) || name.startsWith('.') || name.startsWith('template-') || name.endsWith('-template')

const depthLimit = 4
const countLimit = 2000

/** The folders in which to look for manifests: the root (`''`) and what lies at most four levels below it. */
export interface Folders {
  /** In code-unit order. */
  readonly folders: readonly string[]
  readonly diagnostics: readonly Diagnostic[]
}

/** Walks breadth first, so that where the walk is cut it is the deepest folders that are missing. */
export function findFolders(tree: Tree): Folders {
  const ignored = ignoredFolders(tree.text('.gitignore') ?? '')
  const folders = ['']
  let level = ['']
  for (let depth = 0; depth < depthLimit && level.length > 0; depth++) {
    const next: string[] = []
    for (const parent of level) {
      for (const name of tree.folders(parent)) {
        const path = parent === '' ? name : `${parent}/${name}`
        if (isSkipped(name) || ignored(path, name)) continue
        if (folders.length + next.length >= countLimit) return cut([...folders, ...next])
        next.push(path)
      }
    }
    folders.push(...next)
    level = next
  }
  return { folders: folders.sort(byCodeUnit), diagnostics: [] }
}

function cut(folders: string[]): Folders {
  const message = `only the first ${countLimit} folders were searched for manifests; deeper ones may hold units`
  const hint = 'run dwf in the folder that matters with -C, or add generated folders to .gitignore'
  return {
    folders: folders.sort(byCodeUnit),
    diagnostics: [{ severity: 'warning', code: 'too-many-folders', message, hint }],
  }
}

/**
 * Reads only the entries of a .gitignore that name one folder as it is. Patterns are left alone: a folder searched
 * in vain costs little, a unit that is not found is a surprise.
 */
function ignoredFolders(text: string): (path: string, name: string) => boolean {
  const anywhere = new Set<string>()
  const paths = new Set<string>()
  for (const line of text.split(/\r?\n/)) {
    const entry = line.trimEnd()
    const negated = /^!\/?(.+?)\/?$/.exec(entry)?.[1]
    if (negated !== undefined) {
      anywhere.delete(negated)
      paths.delete(negated)
    } else if (entry !== '' && !/[#*?[\]\\]/.test(entry)) {
      const bare = entry.replace(/^\//, '').replace(/\/$/, '')
      if (entry.startsWith('/') || bare.includes('/')) paths.add(bare)
      else anywhere.add(bare)
    }
  }
  return (path, name) => anywhere.has(name) || paths.has(path)
}
