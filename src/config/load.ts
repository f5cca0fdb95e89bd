import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Diagnostic, failure } from '../util/diagnostics.ts'
import { defaultConfig, parseConfig } from './parse.ts'
import type { Config } from './types.ts'

/** The nearest devflow.toml in `from` or above it; the search ends at the root of a git work tree or of the file system. */
export function findConfig(from: string): string | undefined {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    const file = join(dir, 'devflow.toml')
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file
    if (statSync(join(dir, '.git'), { throwIfNoEntry: false }) || dir === dirname(dir)) return undefined
  }
}

/**
 * The configuration for a working directory.
 * @param options.file an explicit devflow.toml (`--config`)
 * @throws Failure('wrong-input') when it cannot be read or is wrong
 */
export async function loadConfig(options: {
  cwd: string
  file?: string
}): Promise<{ config: Config; warnings: readonly Diagnostic[] }> {
  if (!statSync(options.cwd, { throwIfNoEntry: false })?.isDirectory()) {
    throw failure('wrong-input', 'no-such-folder', `there is no folder ${options.cwd}`, 'see -C DIR')
  }
  const file = options.file === undefined ? findConfig(options.cwd) : resolve(options.cwd, options.file)
  if (file === undefined)
    return { config: await defaultConfig(realpathSync(gitRoot(options.cwd) ?? options.cwd)), warnings: [] }
  if (options.file === undefined) refuseForeign(file, options.cwd)
  let text: string
  try {
    const [folder, real] = [realpathSync(dirname(file)), realpathSync(file)]
    if (!real.startsWith(`${folder}/`)) throw new Error(`it is a link that leads to ${real}`)
    if (statSync(file).size > 4 * 1024 * 1024) throw new Error('it is larger than 4 MiB')
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    throw failure(
      'wrong-input',
      'unreadable',
      `cannot read ${file}: ${(error as Error).message}`,
      'see --config FILE and -C DIR',
    )
  }
  return parseConfig(file, text, realpathSync(dirname(file)))
}

/**
 * A devflow.toml above the working directory decides what is mounted and run: one that somebody else put there, into
 * /tmp for example, is not obeyed. (Git learned it as CVE-2022-24765.)
 */
function refuseForeign(file: string, cwd: string): void {
  const stat = statSync(file, { throwIfNoEntry: false })
  const folder = statSync(dirname(file), { throwIfNoEntry: false })
  if (!stat || !folder || !process.getuid) return
  const mine = [0, process.getuid()]
  const isForeign = !mine.includes(stat.uid) || !mine.includes(folder.uid)
  const isOpen = (folder.mode & 0o002) !== 0 && dirname(file) !== resolve(cwd)
  if (!isForeign && !isOpen) return
  throw failure(
    'refused',
    'foreign-configuration',
    `${file} ${isForeign ? 'belongs to somebody else' : 'lies in a folder that everybody may write to'}, and is above the working directory`,
    'look at it; then work in a folder of your own, or name it with --config',
  )
}

function gitRoot(from: string): string | undefined {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    if (statSync(join(dir, '.git'), { throwIfNoEntry: false })) return dir
    if (dir === dirname(dir)) return undefined
  }
}
