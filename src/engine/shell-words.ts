import type { ExecRequest } from './types.ts'

/** One word for a POSIX shell. @throws RangeError when it holds NUL */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a shell word cannot hold NUL')
  return `'${word.replaceAll("'", "'\\''")}'`
}

/**
 * Names that mean something to bash or dash themselves: a shell that assigns them refuses, or changes the value or its
 * own ways. env(1) sets them for the task, so that such a value can be seen on a command line.
 */
const special =
  /^(dwf_.*|_|BASH.*|COMP_.*|DIRSTACK|E?UID|ENV|EPOCH.*|EXECIGNORE|FUNC.*|GLOBIGNORE|GROUPS|HIST.*|IFS|LC_.*|LINENO|OLDPWD|OPT.*|PIPESTATUS|POSIXLY_CORRECT|PPID|PS[0-4]|PWD|S?RANDOM|SECONDS|SHELLOPTS|SHLVL)$/

export interface TaskWords {
  /** Commands, joined by `&&`, that make the surroundings of the task. They need a shell of their own. */
  readonly prepare: string
  /** The program and its arguments. */
  readonly command: string
  /** The folder with the files of the task; '' when it has none. */
  readonly folder: string
  /** The program with its variables before it, when this is all that it needs beside its directory. */
  readonly simple: string | undefined
  readonly dir: string
}

/** What one task needs, as text for a shell that has read its prelude. `folder` is where its files are to be. */
export function taskWords(request: Omit<ExecRequest, 'onOutput'>, folder: string): TaskWords {
  const files = Object.entries(request.files ?? {})
  const paths = files.map(([name]) => [name, `${folder}/${name}`] as const)
  const variables = [...Object.entries(request.env), ...paths]
  for (const [name] of variables)
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`not the name of a variable: ${quote(name)}`)
  const byEnv = variables.filter(([name]) => special.test(name)).map(([name, value]) => quote(`${name}=${value}`))
  const assigned = [
    ...variables.filter(([name]) => !special.test(name)).map(([name, value]) => `${name}=${quote(value)}`),
    ...(request.path?.length ? [`PATH=${quote(`${request.path.join(':')}:`)}"$PATH"`] : []),
  ]
  const dir = quote(request.dir)
  const words = unwrapped(request.argv)
  const argv = words.map(quote)
  const prepare = [
    `cd -- ${dir}`,
    'unset OLDPWD',
    ...(files.length > 0 ? [write(files, folder)] : []),
    ...assigned.map((assignment) => `export ${assignment}`),
  ]
  // A name without a slash may be a builtin of the shell; this one is not.
  const isProgram = words[0] === 'sh' || words[0]?.includes('/')
  const isSimple = isProgram && files.length === 0 && byEnv.length === 0
  return {
    prepare: prepare.join(' && '),
    command: (byEnv.length > 0 ? ['env', ...byEnv, ...argv] : argv).join(' '),
    folder: files.length > 0 ? quote(folder) : '',
    simple: isSimple ? [...assigned, ...argv].join(' ') : undefined,
    dir,
  }
}

/** `sh -c` of nothing but a path and plain words is those words: no shell is needed for it, as make does it too. */
function unwrapped(argv: readonly string[]): readonly string[] {
  const [shell, option, script, ...more] = argv
  const isPlain = shell === 'sh' && option === '-c' && more.length === 0
  return isPlain && /^[\w.-]*\/[\w./-]*( [\w./:@+-]+)*$/.test(script ?? '') ? script!.split(' ') : argv
}

/** The values pass through nothing but the shell's own printf. mkdir fails when somebody made the folder before. */
function write(files: readonly (readonly [string, string])[], folder: string): string {
  const each = files.map(([name, value]) => `printf %s ${quote(value)} > ${quote(`${folder}/${name}`)}`)
  return `( umask 077 && mkdir ${quote(folder)} && ${each.join(' && ')} )`
}
