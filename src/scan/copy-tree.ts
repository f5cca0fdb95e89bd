import { join } from 'node:path'
import { copyInside } from './read.ts'

/**
 * Copies the files of a repository to an empty folder: no links, nothing of git, nothing that was left out of the tree.
 * Returns those that could not be copied, since they have become links, lead out of the repository or are gone.
 */
export function copyTree(root: string, files: readonly string[], to: string): readonly string[] {
  return files.filter((file) => !copyInside(root, file, join(to, file)))
}
