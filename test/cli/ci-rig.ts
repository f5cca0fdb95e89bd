import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { formatLock, type Lock, parseLock } from '../../src/pins/index.ts'

export const project = join(import.meta.dirname, '../..')
export const cli = join(project, 'src/cli.ts')

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export type Files = Readonly<Record<string, string | Buffer | undefined>>

/** A small repository: a stack with a lint script, a test and a lock file. */
export const shop: Files = {
  'package.json': '{"name":"shop","engines":{"node":"24"},"scripts":{"lint":"true","test":"node --test"}}\n',
  'package-lock.json': '{"name":"shop","lockfileVersion":3,"packages":{}}\n',
}

const place = realpathSync(mkdtempSync(join(tmpdir(), 'dwf-ci-')))
let host: ChildProcess | undefined
after(() => {
  host?.disconnect()
  rmSync(place, { recursive: true, force: true })
})

let last: Promise<unknown> = Promise.resolve()

/** A command line in the process that all commands of a file share, one at a time. */
function command(words: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  const next = last.then(() => ask(words, cwd, env))
  last = next.catch(() => {})
  return next
}

async function ask(words: readonly string[], cwd: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  host ??= fork(join(import.meta.dirname, 'ci-host.ts'), { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  const child = host
  const end = randomBytes(12).toString('hex')
  const status = new Promise<number>((resolve, reject) => {
    child.once('message', (code) => resolve(code as number))
    child.once('exit', (code) => reject(new Error(`the command ended its process with ${code}`)))
  })
  const said = [child.stdout!, child.stderr!].map((stream) => until(stream, `${end}\n`))
  child.send({ words, cwd, env, end })
  const [code, stdout, stderr] = await Promise.all([status, ...said])
  child.removeAllListeners('exit')
  return { status: code!, stdout: stdout!, stderr: stderr! }
}

function until(stream: NodeJS.ReadableStream, end: string): Promise<string> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    stream.on('data', function take(piece: Buffer) {
      pieces.push(piece)
      const text = Buffer.concat(pieces).toString('utf8')
      if (!text.endsWith(end)) return
      stream.removeListener('data', take)
      resolve(text.slice(0, -end.length))
    })
  })
}

export interface Rig {
  readonly root: string
  /** A folder beside the repository, and the home of whoever works in it. */
  readonly outside: string
  readonly env: Readonly<Record<string, string>>
  readonly run: (words: string | readonly string[], more?: Readonly<Record<string, string>>) => Promise<Ran>
  /** Runs it, and fails the test when it does not end with 0. */
  readonly ok: (words: string | readonly string[], more?: Readonly<Record<string, string>>) => Promise<Ran>
  readonly read: (path: string) => string
  readonly write: (files: Files) => void
  readonly edit: (path: string, change: (text: string) => string) => void
  readonly lock: () => Lock
  readonly setLock: (parts: Partial<Lock>) => void
  /** Everything in the repository but git's own: path → bytes, link or folder. */
  readonly tree: () => Readonly<Record<string, string>>
  readonly git: (...words: readonly string[]) => string
  /** Commits all of it; its name. */
  readonly commit: () => string
}

export function rig(t: TestContext, files: Files = {}, from?: string): Rig {
  const outside = mkdtempSync(join(place, 'case-'))
  t.after(() => rmSync(outside, { recursive: true, force: true }))
  const root = join(outside, 'repo')
  if (from === undefined) mkdirSync(root)
  else cpSync(from, root, { recursive: true, verbatimSymlinks: true })
  const env = { PATH: process.env.PATH ?? '', HOME: outside, NO_COLOR: '1' }
  const run: Rig['run'] = (words, more = {}) =>
    command(typeof words === 'string' ? words.split(' ') : words, root, { ...env, ...more })
  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  const write = (some: Files) => {
    for (const [path, content] of Object.entries(some)) {
      if (content === undefined) rmSync(join(root, path), { recursive: true, force: true })
      else {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), content)
      }
    }
  }
  const lock = () => parseLock(read('devflow.lock'), join(root, 'devflow.lock'))
  const git = gitIn(root, env)
  write(files)
  return {
    root,
    outside,
    env,
    run,
    ok: async (words, more) => {
      const ran = await run(words, more)
      assert.equal(ran.status, 0, `${words}\n${ran.stdout}${ran.stderr}`)
      return ran
    },
    read,
    write,
    edit: (path, change) => {
      const [before, after] = [read(path), change(read(path))]
      assert.notEqual(after, before, `${path} has no such text`)
      write({ [path]: after })
    },
    lock,
    setLock: (parts) => write({ 'devflow.lock': formatLock({ ...lock(), ...parts }) }),
    tree: () => treeOf(root),
    git,
    commit: () => {
      git('add', '--all')
      git('commit', '--quiet', '--allow-empty', '--message=m')
      return git('rev-parse', 'HEAD')
    },
  }
}

const settings = [
  'user.name=n',
  'user.email=e',
  'commit.gpgSign=false',
  'core.fsync=none',
  'maintenance.auto=false',
].flatMap((setting) => ['-c', setting])

const gitIn =
  (cwd: string, env: Readonly<Record<string, string>>): Rig['git'] =>
  (...words) =>
    execFileSync('git', [...settings, ...words], {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim()

export function treeOf(root: string): Readonly<Record<string, string>> {
  const entries: (readonly [string, string])[] = []
  const look = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name)
      if (path === '.git') continue
      if (entry.isSymbolicLink()) entries.push([path, `link to ${readlinkSync(join(root, path))}`])
      else if (!entry.isDirectory()) entries.push([path, readFileSync(join(root, path), 'latin1')])
      else {
        entries.push([path, 'folder'])
        look(path)
      }
    }
  }
  look('')
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

let first: Promise<string> | undefined

/** A copy of the small repository after `dwf init`, with more files or other ones. */
export async function prepared(t: TestContext, files: Files = {}): Promise<Rig> {
  first ??= initialised()
  const made = rig(t, {}, await first)
  made.write(files)
  return made
}

let firstCommitted: Promise<string> | undefined

/** The same as a repository of git with one commit. */
export async function committed(t: TestContext, files: Files = {}): Promise<Rig & { readonly base: string }> {
  firstCommitted ??= withCommit()
  const made = rig(t, files, await firstCommitted)
  return { ...made, base: Object.keys(files).length > 0 ? made.commit() : made.git('rev-parse', 'HEAD') }
}

async function withCommit(): Promise<string> {
  first ??= initialised()
  const root = join(place, 'shop-committed')
  cpSync(await first, root, { recursive: true })
  const git = gitIn(root, { PATH: process.env.PATH ?? '', HOME: place })
  git('init', '--quiet', '--initial-branch=main', '--template=')
  git('add', '--all')
  git('commit', '--quiet', '--message=m')
  return root
}

async function initialised(): Promise<string> {
  const built = join(project, 'standalone/dwf.mjs.gz')
  assert.ok(existsSync(built), 'standalone/dwf.mjs.gz is missing: npm run build')
  const root = join(place, 'shop')
  mkdirSync(root)
  for (const [path, content] of Object.entries(shop)) writeFileSync(join(root, path), content!)
  const { status, stderr } = await command(['init'], root, { PATH: process.env.PATH ?? '', HOME: place, NO_COLOR: '1' })
  assert.equal(status, 0, stderr)
  return root
}

export const count = (text: string, part: string): number => text.split(part).length - 1

/** A change as GitHub gives it to a pull request: HEAD is a test merge into the base, which has gone on meanwhile. */
export interface Pull extends Rig {
  readonly base: string
  readonly head: string
  /** Where ci:start writes, outside of the repository. */
  readonly out: string
  /** ci:start as the first job runs it, with more words. */
  readonly start: (words?: string, more?: Readonly<Record<string, string>>) => Promise<Ran>
  readonly started: () => {
    plan: string
    commands: string[]
    tasks: { id: string; hash: string; part: string }[]
    loosened: string[]
  }
}

export async function pull(t: TestContext, before: Files, change: Files): Promise<Pull> {
  const repo = await committed(t, before)
  repo.git('checkout', '--quiet', '-b', 'change')
  repo.write(change)
  const head = repo.commit()
  repo.git('checkout', '--quiet', 'main')
  repo.write({ 'meanwhile.txt': 'x' })
  const base = repo.commit()
  repo.git('checkout', '--quiet', '--detach')
  repo.git('merge', '--quiet', '--no-ff', '--no-edit', head)
  const out = join(repo.outside, 'out')
  return {
    ...repo,
    base,
    head,
    out,
    start: (words = '', more = {}) =>
      repo.run(`ci:start --target pr --base HEAD^1 --out ../out${words && ` ${words}`}`, { CI: 'true', ...more }),
    started: () => JSON.parse(readFileSync(join(out, 'start.json'), 'utf8')),
  }
}
