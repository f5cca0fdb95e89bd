import { existsSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { contextReads, parseDockerfile } from '../../image/dockerfile.ts'
import { changedPaths, exportCommit, findCommit } from '../../project/git-tree.ts'
import { openTree } from '../../project/tree.ts'
import type { Project } from '../../project/types.ts'
import { detectProject } from '../../stacks/detect.ts'
import { withTemporary } from '../../util/temporary.ts'
import { dockerfileName } from '../prepare.ts'
import type { Workspace } from '../workspace.ts'

const always: readonly string[] = [dockerfileName, 'devflow.lock', '.dockerignore']

/** More files than this at once are not looked through: something of the image may be among them. */
const goneLimit = 500

/**
 * Whether what decides how the image is made has changed: it may bring in something else. Yes where it is not known.
 * @param base of a change: all of it counts, not only what was pushed last
 * @param before what a push began from; counts where the base is the commit itself
 */
export async function isImageChanged(
  { project, config }: Workspace,
  base: string,
  before: string | undefined,
): Promise<boolean> {
  const { root } = project
  const [judge, head] = await Promise.all([base, 'HEAD'].map((name) => findCommit(root, name, process.env)))
  const from = judge === head ? (before ?? '') : base
  const changed = await changedPaths(root, from, 'HEAD', process.env)
  if (!changed || config.container.fingerprintInputs.length > 0) return true
  const reads = contextReads(parseDockerfile(openTree(root).text(dockerfileName) ?? ''))
  if (reads.isEverything || reads.patterns.length > 0) return true
  const gone = changed.filter((path) => !existsSync(join(root, path)))
  if (gone.length > goneLimit) return true
  const deciding = new Set([
    ...always,
    ...decidingFiles(project),
    ...(gone.length > 0 ? await decidingBefore(project, from, gone) : []),
  ])
  return changed.some((path) => deciding.has(path))
}

/** Manifests, lock files and what names the versions of toolchains. */
function decidingFiles({ root, units }: Pick<Project, 'root' | 'units'>): readonly string[] {
  return units
    .flatMap(({ manifest, setup, toolchains }) => [
      manifest,
      ...(setup?.lockFiles ?? []),
      ...toolchains.flatMap(({ where }) => (where ? [where.file] : [])),
    ])
    .map((path) => (isAbsolute(path) ? relative(root, path) : path))
}

/** What is gone can be seen in the commit before only, beside the manifests that it belongs to. */
async function decidingBefore(
  { root, units }: Project,
  commit: string,
  gone: readonly string[],
): Promise<readonly string[]> {
  return withTemporary(async (folder) => {
    const to = join(folder, 'tree')
    const only = [...new Set([...gone, ...units.map(({ manifest }) => manifest)])]
    await exportCommit(root, commit, to, process.env, { only })
    return decidingFiles(detectProject(to))
  })
}
