import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { entriesBelow } from './walk.ts'

/** No more than a person reads. */
const most = 100

/**
 * Files that were changed, made or moved after a moment, from the root; at most 100. By the time that the kernel noted,
 * which nobody can set: a checkout or a copy with an old date is a change all the same.
 * @param since milliseconds since the epoch
 */
export function changedSince(root: string, since: number): readonly string[] {
  const found: string[] = []
  for (const { path } of entriesBelow(root)) {
    if (found.length === most) break
    if ((lstatSync(join(root, path), { throwIfNoEntry: false })?.ctimeMs ?? 0) > since) found.push(path)
  }
  return found
}
