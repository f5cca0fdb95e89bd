import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import type { Config, SecretSource } from '../config/types.ts'
import type { FailureKind } from '../util/diagnostics.ts'
import { isInside } from '../util/paths.ts'
import { run } from '../util/process.ts'
import { formatSize } from '../util/units.ts'

const limit = 64 * 1024

/** What programs need to run as they do in a terminal. */
export const plainVariables = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'TMPDIR'] as const

/** What password managers go by: where they keep things, whom they may ask, and what they were given to sign in. */
export const managerVariables = [
  ...['XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME', 'XDG_RUNTIME_DIR'],
  ...['DBUS_SESSION_BUS_ADDRESS', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'],
  ...['SSH_AUTH_SOCK', 'GNUPGHOME', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'],
] as const
export const managerPrefixes = [
  ...['OP_', 'BW_', 'BITWARDENCLI_', 'PASSWORD_STORE_', 'GOPASS_', 'VAULT_', 'BAO_', 'SOPS_', 'DOPPLER_', 'INFISICAL_'],
  ...['AWS_', 'AZURE_', 'CLOUDSDK_', 'GOOGLE_', 'GH_', 'GITHUB_TOKEN', 'GITLAB_'],
] as const

/** Why a secret could not be read. `said` is what a program said of it, and may hold anything. */
export class Unreadable extends Error {
  readonly kind: FailureKind
  readonly code: string
  readonly hint: string
  readonly said: string
  /** Texts that `said` must not show. */
  readonly hide: readonly string[]

  constructor(
    kind: FailureKind,
    code: string,
    message: string,
    hint: string,
    more: { readonly said?: string; readonly hide?: readonly string[] } = {},
  ) {
    super(message)
    this.kind = kind
    this.code = code
    this.hint = hint
    this.said = more.said ?? ''
    this.hide = more.hide ?? []
  }
}

export interface SourceOptions {
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  /** Where commands run. */
  readonly cwd: string
  readonly timeoutMs: number
}

/** @throws Unreadable; no value is in it */
export async function readSource(source: SecretSource, config: Pick<Config, 'root'>, options: SourceOptions) {
  switch (source.kind) {
    case 'env':
      return readVariable(source.name, options.env)
    case 'file':
      return text(readFile(source.path, config.root, options.env))
    case 'command':
      return readCommand(source.argv, config.root, options)
  }
}

function readVariable(name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name]
  if (value) return value
  throw new Unreadable(
    'wrong-input',
    'no-secret',
    'is not set',
    `set the environment variable ${name} for this run; a pull request of a fork or of Dependabot gets no secrets, so such a task belongs into the target main`,
  )
}

function readFile(path: string, root: string, env: NodeJS.ProcessEnv): Buffer {
  const isOwn = !/^[~/]/.test(path)
  const wanted = isOwn ? join(root, path) : path.replace(/^~(?=\/)/, () => env.HOME ?? homedir())
  const wrong = (kind: FailureKind, why: string, hint: string) =>
    new Unreadable(kind, 'secret-file', `cannot be read from ${wanted}: ${why}`, hint)
  let real: string
  let file: number
  try {
    real = realpathSync(wanted)
    // A path outside of the repository was approved; a link that leads there was not.
    if (isOwn && !isInside(realpathSync(root), real))
      throw wrong(
        'refused',
        'it is a link out of the repository',
        `write where it leads: file = ${JSON.stringify(real)}`,
      )
    file = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (error instanceof Unreadable) throw error
    throw wrong(
      'wrong-input',
      (error as NodeJS.ErrnoException).code ?? 'it cannot be opened',
      'make the file, or change its path',
    )
  }
  try {
    const stat = fstatSync(file)
    if (!stat.isFile()) throw wrong('wrong-input', 'it is no regular file', 'name a file')
    if (process.getuid && stat.uid !== 0 && stat.uid !== process.getuid())
      throw wrong('refused', 'it belongs to somebody else', 'use a file of your own')
    if ((stat.mode & 0o022) !== 0)
      throw wrong('refused', 'others may write it', `look at it, then: chmod go-w ${wanted}`)
    const bytes = Buffer.alloc(limit + 1)
    let size = 0
    for (let more = 1; more > 0 && size < bytes.length; size += more)
      more = readSync(file, bytes, size, bytes.length - size, null)
    return bytes.subarray(0, size)
  } finally {
    closeSync(file)
  }
}

async function readCommand(argv: readonly string[], root: string, options: SourceOptions): Promise<string> {
  const program = argv[0]!
  const env = environmentOf(options.env, root)
  const shown = `cannot be had from ${JSON.stringify(argv)}`
  const hint = 'it has no terminal and cannot ask: sign in before the run'
  const { cwd, timeoutMs, signal } = options
  const ended = await run(argv, { cwd, env, timeoutMs, signal, keep: limit + 1 }).catch((error) => {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown'
    throw new Unreadable(
      'machine-cannot',
      'secret-command',
      `${shown}: ${program} cannot be started (${code})`,
      'install it, or change the command',
    )
  })
  const more = {
    said: ended.stderr,
    hide: [ended.stdout, ...Object.entries(env).flatMap(([name, value]) => (isPlain(name) ? [] : [value]))],
  }
  if (ended.timedOut)
    throw new Unreadable(
      'machine-cannot',
      'secret-command',
      `${shown}: it took longer than ${timeoutMs / 1000} s`,
      hint,
      more,
    )
  if (ended.code !== 0) {
    const how = ended.signal ? `it was ended by ${ended.signal}` : `it ended with exit code ${ended.code}`
    throw new Unreadable('machine-cannot', 'secret-command', `${shown}: ${how}`, hint, more)
  }
  if (ended.stdout.trim() === '')
    throw new Unreadable('machine-cannot', 'secret-command', `${shown}: it printed nothing`, hint, more)
  const value = text(Buffer.from(ended.stdout))
  // `run` has put U+FFFD in the place of what is no UTF-8.
  if (value.includes('\ufffd')) throw notText
  return value.replace(/\r?\n$/, '')
}

const isPlain = (name: string) => (plainVariables as readonly string[]).includes(name)

/** Nothing of a repository is looked for in PATH; an argument may still name a file of it, as trust shows. */
function environmentOf(env: NodeJS.ProcessEnv, root: string): Readonly<Record<string, string>> {
  const names: readonly string[] = [...plainVariables, ...managerVariables]
  const kept = Object.entries(env).filter(
    ([name, value]) =>
      value !== undefined && (names.includes(name) || managerPrefixes.some((prefix) => name.startsWith(prefix))),
  )
  const real = (folder: string) => {
    try {
      return realpathSync(folder)
    } catch {
      return folder
    }
  }
  const path = (env.PATH ?? '/usr/local/bin:/usr/bin:/bin')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder) && !isInside(real(root), real(folder)))
  return { ...(Object.fromEntries(kept) as Record<string, string>), PATH: path.join(delimiter) }
}

const notText = new Unreadable(
  'wrong-input',
  'secret-text',
  'is not UTF-8 text',
  'keep it in base64, and decode it in the task',
)

function text(bytes: Buffer): string {
  if (bytes.length > limit)
    throw new Unreadable(
      'wrong-input',
      'secret-text',
      `is longer than ${formatSize(limit)}`,
      'a task gets a key, and reads the rest itself',
    )
  if (bytes.includes(0))
    throw new Unreadable(
      'wrong-input',
      'secret-text',
      'has a NUL in it',
      'keep it in base64, and decode it in the task',
    )
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw notText
  }
}
