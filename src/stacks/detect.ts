import { basename } from 'node:path'
import { findFolders } from '../project/folders.ts'
import { readGit } from '../project/git.ts'
import { openTree } from '../project/tree.ts'
import type { Project, StackName, StackUnit } from '../project/types.ts'
import { stacks } from './index.ts'
import { optional } from './unit.ts'

/** Restricts what is looked for. */
export interface DetectOptions {
  /** Only these; `custom` is then found beside other stacks too. */
  readonly stacks?: readonly StackName[]
}

/**
 * Reads a repository: its units, git state and name. Runs nothing and throws only when `root` is no folder; what is
 * wrong with the files of the repository is in the diagnostics of the project and of its units.
 */
export function detectProject(root: string, options: DetectOptions = {}): Project {
  const tree = openTree(root)
  const { folders, diagnostics } = findFolders(tree)
  const wanted = stacks.filter((stack) => options.stacks?.includes(stack.name) ?? true)
  const found = wanted.flatMap((stack) => stack.detect(tree, folders))
  const units = options.stacks ? found : withoutWrappers(found)
  const git = readGit(tree.root)
  return {
    root: tree.root,
    name: nameOf(tree.root, units, git?.remoteUrl),
    ...optional('git', git),
    units,
    diagnostics,
  }
}

/**
 * A Makefile beside a package.json mostly calls what the other stack offers, and both would run the same tests twice:
 * without being asked for, `custom` counts only where nothing else was found in the folder or above it.
 */
function withoutWrappers(units: readonly StackUnit[]): readonly StackUnit[] {
  const others = units.filter((unit) => unit.stack !== 'custom')
  return units.filter(
    (unit) =>
      unit.stack !== 'custom' ||
      !others.some((other) => other.dir === '' || other.dir === unit.dir || unit.dir.startsWith(`${other.dir}/`)),
  )
}

/** The manifest in the root, else the last part of the remote, else the folder. Never empty. */
function nameOf(root: string, units: readonly StackUnit[], remote: string | undefined): string {
  const manifest = units.find((unit) => unit.dir === '' && unit.name !== undefined && unit.name.trim() !== '')?.name
  const last = remote
    ?.replace(/[/\\]+$/, '')
    .replace(/\.git$/, '')
    .split(/[/:\\]/)
    .at(-1)
  return manifest ?? (last || basename(root) || 'project')
}
