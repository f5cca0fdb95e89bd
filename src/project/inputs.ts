import { join } from 'node:path'
import { hashOf } from '../util/canonical.ts'
import { hashFile } from '../util/files.ts'
import { globTest, isGlob } from '../util/glob.ts'
import { byCodeUnit } from '../util/text.ts'
import { entriesBelow } from './walk.ts'

/** Hash of the files of a repository that patterns name: which there are, and what is in them. */
export function inputsHash(root: string, patterns: readonly string[]): string {
  const files = new Set(patterns.filter((pattern) => !isGlob(pattern)))
  const tests = patterns.filter(isGlob).map(globTest)
  if (tests.length > 0)
    for (const { path, entry } of entriesBelow(root))
      if (entry.isFile() && tests.some((test) => test(path))) files.add(path)
  return hashOf([...files].sort(byCodeUnit).map((path) => [path, hashFile(join(root, path)) ?? 'absent']))
}
