import fs from 'node:fs'
import { resolve } from 'node:path'
import { isInside } from '../util/paths.ts'
import { readRegular } from './files.ts'
import { type GitSetting, parseGitConfig } from './gitconfig.ts'
import type { GitState } from './types.ts'

/**
 * What git knows of the folder, from its files alone; undefined when the folder has no `.git`. Parent folders are not
 * searched. The only reader here that leaves the repository: the git dir of a worktree or submodule lies elsewhere.
 */
export function readGit(root: string): GitState | undefined {
  const dir = gitDir(root)
  if (dir === undefined) return undefined
  const common = text(`${dir}/commondir`)?.trim()
  const commonDir = common ? (realFolder(resolve(dir, common)) ?? dir) : dir
  if (!leadsBack(root, dir, commonDir)) return undefined
  const settings = readSettings(dir, commonDir)
  const hooks = last(settings, 'core', 'hookspath')
  const url = last(settings, 'remote', 'url', 'origin')
  const hooksPath = hooks === undefined ? undefined : relativeTo(root, hooks)
  return {
    dir,
    commonDir,
    ...(hooksPath === undefined ? {} : { hooksPath }),
    ...(url === undefined ? {} : { remoteUrl: withoutCredentials(url) }),
    ...readHead(dir, commonDir),
    ...readDefault(commonDir),
  }
}

function gitDir(root: string): string | undefined {
  const place = `${root}/.git`
  if (fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) return undefined
  const folder = realFolder(place)
  if (folder !== undefined) return folder
  const pointer = /^gitdir: (.+)$/.exec(text(place)?.trimEnd() ?? '')?.[1]
  return pointer === undefined ? undefined : realFolder(resolve(root, pointer))
}

/**
 * Whatever a repository says where its git dir is, only a git dir that belongs to it counts: its own folder, that of a
 * worktree, which names the worktree, or that of a submodule, which names its work tree. Anything else could be any
 * folder of the person's.
 */
function leadsBack(root: string, dir: string, commonDir: string): boolean {
  if (dir === `${root}/.git`) return commonDir === dir
  if (commonDir !== dir) {
    const back = text(`${dir}/gitdir`)?.trim()
    return back !== undefined && resolve(dir, back) === `${root}/.git` && isInside(`${commonDir}/worktrees`, dir)
  }
  const worktree = last(parseGitConfig(text(`${dir}/config`) ?? ''), 'core', 'worktree')
  return worktree !== undefined && resolve(dir, worktree) === root
}

function readSettings(dir: string, commonDir: string): readonly GitSetting[] {
  const shared = parseGitConfig(text(`${commonDir}/config`) ?? '')
  // git-worktree(1): config.worktree counts only where the shared configuration says so.
  if (last(shared, 'extensions', 'worktreeconfig')?.toLowerCase() !== 'true') return shared
  return [...shared, ...parseGitConfig(text(`${dir}/config.worktree`) ?? '')]
}

function last(settings: readonly GitSetting[], section: string, key: string, subsection?: string): string | undefined {
  return settings.findLast((one) => one.section === section && one.key === key && one.subsection === subsection)?.value
}

function relativeTo(root: string, path: string): string | undefined {
  if (path === '' || path.startsWith('~') || path.includes('\0')) return undefined
  const absolute = resolve(root, path)
  return isInside(root, absolute) ? absolute.slice(root.length).replace(/^\//, '') : undefined
}

function readHead(dir: string, commonDir: string): { head?: string; branch?: string } {
  const head = text(`${dir}/HEAD`)?.trim() ?? ''
  if (isHash(head)) return { head }
  const ref = /^ref: (refs\/[^\0]+)$/.exec(head)?.[1]
  if (ref === undefined || ref.split('/').includes('..') || ref === 'refs/heads/.invalid') return {}
  const loose = text(`${commonDir}/${ref}`)?.trim() ?? ''
  const hash = isHash(loose) ? loose : packedRef(commonDir, ref)
  return {
    ...(hash === undefined ? {} : { head: hash }),
    ...(ref.startsWith('refs/heads/') ? { branch: ref.slice('refs/heads/'.length) } : {}),
  }
}

function readDefault(commonDir: string): { defaultBranch?: string } {
  const head = text(`${commonDir}/refs/remotes/origin/HEAD`)?.trim() ?? ''
  const branch = /^ref: refs\/remotes\/origin\/([^\0\n]+)$/.exec(head)?.[1]
  return branch === undefined ? {} : { defaultBranch: branch }
}

function packedRef(commonDir: string, ref: string): string | undefined {
  const line = text(`${commonDir}/packed-refs`)
    ?.split('\n')
    .find((one) => one.endsWith(` ${ref}`))
  const hash = line?.slice(0, line.indexOf(' ')) ?? ''
  return isHash(hash) ? hash : undefined
}

const isHash = (word: string): boolean => /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(word)

/** People put access tokens into remote URLs; a plan or a log must not repeat them. */
function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, (whole, scheme: string) =>
    /^https?:/i.test(scheme) ? scheme : whole.replace(/:[^/:@]*@$/, '@'),
  )
}

function text(path: string): string | undefined {
  return readRegular(path)?.toString('utf8')
}

function realFolder(path: string): string | undefined {
  try {
    const real = fs.realpathSync.native(path)
    return fs.statSync(real).isDirectory() ? real : undefined
  } catch {
    return undefined
  }
}
