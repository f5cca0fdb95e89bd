import type { Tree } from '../project/types.ts'
import { spanAt } from '../util/diagnostics.ts'
import { inDir } from './unit.ts'
import { type Mention, prefixRange, toolVersions, versionFiles } from './versions.ts'

/** Where a JDK is named, whatever builds the project: files for people's version managers, then the build itself. */
export function jdkMentions(tree: Tree, dir: string, build: readonly Mention[]): readonly Mention[] {
  return [
    ...versionFiles(tree, dir, ['.java-version'], jdkRange),
    ...sdkman(tree, dir, 'java'),
    ...toolVersions(tree, dir, 'java', jdkRange),
    ...build,
  ]
}

/** `21`, `21.0.2`, `temurin-21.0.2+13`, `21.0.2-tem`, `1.8`: a later update of the same release will do. */
export function jdkRange(text: string): string | undefined {
  const version = /^(?:[a-z][a-z-]*-)?v?(?:1\.)?(\d{1,3}(?:\.\d+)*)(?:[+_.-][\w.+-]*)?$/.exec(text)?.[1]
  return version === undefined ? undefined : prefixRange(version.split('.')[0]!)
}

/** `.sdkmanrc`: `java=21.0.2-tem`, `gradle=8.10`. */
export function sdkman(tree: Tree, dir: string, name: string, toRange = jdkRange): readonly Mention[] {
  const file = inDir(dir, '.sdkmanrc')
  const text = tree.text(file) ?? ''
  return text.split('\n').flatMap((line, index) => {
    const match = /^\s*([a-z]+)\s*=\s*(\S+)/.exec(line)
    if (match?.[1] !== name) return []
    const column = match[0].length - match[2]!.length + 1
    return [
      { asked: match[2]!, range: toRange(match[2]!), where: spanAt(file, text, index + 1, column, match[2]!.length) },
    ]
  })
}
