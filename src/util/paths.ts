import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, relative, sep } from 'node:path'

function xdg(env: NodeJS.ProcessEnv, name: string, fallback: string): string {
  const value = env[name]
  // The XDG specification: a relative path is invalid and must be ignored.
  return join(
    value && isAbsolute(value) ? value : join(env.HOME && isAbsolute(env.HOME) ? env.HOME : homedir(), fallback),
    'dwf',
  )
}

/** `$XDG_STATE_HOME/dwf`: runs, logs, stamps, locks. */
export const stateFolder = (env: NodeJS.ProcessEnv = process.env): string => xdg(env, 'XDG_STATE_HOME', '.local/state')
/** `$XDG_CONFIG_HOME/dwf`: what a person approved. */
export const configFolder = (env: NodeJS.ProcessEnv = process.env): string => xdg(env, 'XDG_CONFIG_HOME', '.config')
/** `$XDG_CACHE_HOME/dwf`: what can be fetched again. */
export const cacheFolder = (env: NodeJS.ProcessEnv = process.env): string => xdg(env, 'XDG_CACHE_HOME', '.cache')

/** A folder that only its owner can enter, made or tightened; throws when it belongs to somebody else. */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const stat = lstatSync(path)
  if (!stat.isDirectory()) throw new Error(`${path} is not a folder`)
  if (process.getuid && stat.uid !== process.getuid())
    throw new Error(`${path} belongs to somebody else (uid ${stat.uid})`)
  if ((stat.mode & 0o077) !== 0) chmodSync(path, 0o700)
  return path
}

/** The part of the state folder that belongs to one project, by the path of its root. */
export function projectStateFolder(root: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(stateFolder(env), 'projects', createHash('sha256').update(root).digest('hex').slice(0, 32))
}

/** True when `path` is `folder` or below it; both absolute, links resolved by the caller. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path)
  // A name may begin with two dots.
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}
