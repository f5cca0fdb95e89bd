import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Folders that are nobody's source. */
const passedOver: readonly string[] = ['.git', 'node_modules']

/** Everything below a root but folders, by its path from there; links are not followed. */
export function* entriesBelow(root: string, folder = ''): Generator<{ readonly path: string; readonly entry: Dirent }> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (!entry.isDirectory()) yield { path, entry }
    else if (!passedOver.includes(entry.name) && path !== '.cache/devflow') yield* entriesBelow(root, path)
  }
}
