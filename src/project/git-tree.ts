import { isUtf8 } from 'node:buffer'
import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Failure, failure } from '../util/diagnostics.ts'
import { type Finished, run } from '../util/process.ts'
import { withTemporary } from '../util/temporary.ts'

export interface ExportOptions {
  /** Paths of files and folders, where not all are wanted; one that the commit does not have is passed over. */
  readonly only?: readonly string[]
  /** A link or a submodule under one of these names is an error. */
  readonly isStrict?: boolean
}

/**
 * Writes the files of a commit into a folder that is made for it, byte for byte as git has them; links and submodules are
 * never made. The only place where git is run, for a person who names a commit: with commands that start no hook, no
 * filter and no pager, and with every transport off, so that the repository's own configuration can make it run nothing.
 * @param root absolute path of the work tree
 * @throws Failure('wrong-input') when there is no such commit, 'machine-cannot' when git does not work, or does not have
 *   or cannot say all of it
 */
export async function exportCommit(
  root: string,
  revision: string,
  to: string,
  env: NodeJS.ProcessEnv,
  { only, isStrict = false }: ExportOptions = {},
): Promise<void> {
  const git = gitIn(root, env)
  const commit = await findCommit(root, revision, env)
  if (commit === undefined)
    throw failure('wrong-input', 'no-commit', `git knows no commit ${JSON.stringify(revision)}`, 'git log shows them')
  // Through files, since a tree may have any number of files: what git says would be kept up to some limit only.
  const files = await withFile(`${to}.list`, async (list) => {
    const listed = await git(
      ['--literal-pathspecs', 'ls-tree', '-r', '-z', '--full-tree', commit, '--', ...(only ?? [])],
      {
        stdoutTo: list,
      },
    )
    if (listed.code !== 0) throw gitFailed('list the files of', revision, listed)
    const entries = entriesOf(bytesAt(list, 0, fstatSync(list).size), revision)
    // Passed over, a link in the place of a file would say "there is none".
    const odd = entries.find(({ mode, path }) => isStrict && !mode.startsWith('100') && only?.includes(path))
    if (odd)
      throw failure(
        'wrong-input',
        'no-plain-file',
        `${odd.path} is no plain file in ${revision}`,
        'make it a plain file',
      )
    return entries.filter(({ mode }) => mode.startsWith('100'))
  })
  mkdirSync(to, { recursive: true })
  await withFile(`${to}.objects`, async (contents) => {
    const input = files.map(({ object }) => `${object}\n`).join('')
    const read = await git(['cat-file', '--batch', '--buffer'], { input, stdoutTo: contents })
    if (read.code !== 0) throw gitFailed('read the files of', revision, read)
    unpack(contents, files, to)
  })
}

/** Calls `use` with a new file that is gone afterwards. */
async function withFile<T>(path: string, use: (descriptor: number) => Promise<T>): Promise<T> {
  const descriptor = openSync(path, 'wx+', 0o600)
  try {
    return await use(descriptor)
  } finally {
    closeSync(descriptor)
    rmSync(path, { force: true })
  }
}

/** Paths that two commits do not have in common; undefined where git does not have one of them. */
export async function changedPaths(
  root: string,
  from: string,
  to: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[] | undefined> {
  const [before, after] = [await findCommit(root, from, env), await findCommit(root, to, env)]
  if (before === undefined || after === undefined) return undefined
  return withTemporary((folder) =>
    withFile(join(folder, 'changed'), async (list) => {
      const args = ['diff-tree', '-r', '-z', '--name-only', '--no-renames', before, after]
      const listed = await gitIn(root, env)(args, { stdoutTo: list })
      if (listed.code !== 0) throw gitFailed('compare', `${from} and ${to}`, listed)
      return bytesAt(list, 0, fstatSync(list).size).toString('utf8').split('\0').filter(Boolean)
    }),
  )
}

/** The full name of a commit; undefined when the words name none. */
export async function findCommit(root: string, revision: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const found = await gitIn(root, env)(['rev-parse', '--quiet', '--verify', '--end-of-options', `${revision}^{commit}`])
  const commit = found.stdout.trim()
  return found.code === 0 && /^[0-9a-f]{40,64}$/.test(commit) ? commit : undefined
}

function gitIn(root: string, { PATH, HOME }: NodeJS.ProcessEnv) {
  return (args: readonly string[], options: { input?: string; stdoutTo?: number } = {}): Promise<Finished> =>
    run(['git', '--no-pager', '--no-replace-objects', '-c', 'core.fsmonitor=false', '-C', root, ...args], {
      // A partial clone would fetch what it lacks: no protocol is named none, and since Git 2.44 it need not even try.
      env: { PATH, HOME, GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1', GIT_TERMINAL_PROMPT: '0' },
      timeoutMs: 600_000,
      ...options,
    }).catch((error) => {
      throw failure('machine-cannot', 'no-git', `git cannot be run: ${(error as Error).message}`, 'install git')
    })
}

function gitFailed(what: string, revision: string, { stderr }: Finished) {
  const said = stderr.trim().split('\n').at(-1) ?? ''
  return failure('machine-cannot', 'git-failed', `git cannot ${what} ${revision}: ${said}`, 'git fsck looks for damage')
}

interface Entry {
  readonly mode: string
  readonly object: string
  readonly path: string
}

/** `100644 blob 3b18e5…\tpath\0`, each. */
function entriesOf(list: Buffer, revision: string): readonly Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at < list.length; ) {
    const end = list.indexOf(0, at)
    const tab = list.indexOf(0x09, at)
    if (end < 0 || tab < 0 || tab > end) throw odd(revision, 'its list of files is cut off')
    const name = list.subarray(tab + 1, end)
    const [mode = '', , object = ''] = list.toString('latin1', at, tab).split(' ')
    const path = name.toString('utf8')
    // Every other part of dwf takes paths as text: under another name it would be another file.
    if (!isUtf8(name)) throw odd(revision, `the path ${JSON.stringify(path)} is not UTF-8`)
    // Git makes no such files itself, and refuses to check them out.
    if (!isPlain(path)) throw odd(revision, `the path ${JSON.stringify(path)} is none that a file can have`)
    entries.push({ mode, object, path })
    at = end + 1
  }
  return entries
}

const odd = (revision: string, why: string): Failure =>
  failure('machine-cannot', 'git-tree', `the files of ${revision} cannot be written: ${why}`, 'name another commit')

const isPlain = (path: string): boolean =>
  !path.split('/').some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git')

/** `OBJECT blob SIZE\n`, the bytes, `\n`: one after the other, in the order in which they were asked for. */
function unpack(contents: number, files: readonly Entry[], to: string): void {
  const total = fstatSync(contents).size
  const made = new Set<string>()
  let at = 0
  for (const { path } of files) {
    const head = bytesAt(contents, at, Math.min(128, total - at))
    const end = head.indexOf(0x0a)
    const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(head.toString('latin1', 0, Math.max(end, 0)))?.[1])
    const start = at + end + 1
    if (!Number.isSafeInteger(size) || start + size + 1 > total) throw lacking(path)
    const target = join(to, path)
    if (!made.has(dirname(target))) mkdirSync(dirname(target), { recursive: true })
    made.add(dirname(target))
    writeFile(contents, start, size, target)
    at = start + size + 1
  }
}

function writeFile(contents: number, start: number, size: number, target: string): void {
  const file = openSync(target, 'wx')
  try {
    for (let at = 0; at < size; ) {
      const piece = bytesAt(contents, start + at, Math.min(pieceSize, size - at))
      for (let done = 0; done < piece.length; ) done += writeSync(file, piece, done)
      at += piece.length
    }
  } finally {
    closeSync(file)
  }
}

const pieceSize = 1 << 20

/** All of it, or a failure: a read may give less than it was asked for. */
function bytesAt(file: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let done = 0; done < length; ) {
    const size = readSync(file, bytes, done, length - done, start + done)
    if (size === 0) throw failure('machine-cannot', 'git-failed', 'what git wrote has been cut off', 'run it again')
    done += size
  }
  return bytes
}

const lacking = (path: string): Failure =>
  failure('machine-cannot', 'git-failed', `git does not have the contents of ${path}`, 'fetch the whole history')
