import { Failure } from '../util/diagnostics.ts'
import { splitCommandLine } from './commands-line.ts'
import { exitCodes } from './exit-codes.ts'
import { openOutput } from './output.ts'
import { version } from './version.ts'

/** argv without node and script → exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const { argv, rest } = splitCommandLine(words)
  try {
    const { runProgram } = await import('./program.ts')
    return await runProgram(argv, rest)
  } catch (error) {
    return report(error, words)
  }
}

/** A Failure is shown as it is; anything else is a fault of dwf and says so. */
function report(error: unknown, words: readonly string[]): number {
  const output = openOutput({ json: false, quiet: false, cwd: process.cwd() })
  if (error instanceof Failure) {
    if (words.includes('--json'))
      output.json({
        schema: 'dwf.error/1',
        kind: error.kind,
        exit: exitCodes[error.kind],
        diagnostics: error.diagnostics,
      })
    output.diagnostics(error.diagnostics)
    return exitCodes[error.kind]
  }
  const known = systemFailure(error)
  if (known) {
    output.diagnostics([known])
    return exitCodes['machine-cannot']
  }
  output.diagnostics([
    {
      severity: 'error',
      code: 'bug',
      message: `this is a bug of dwf ${version}: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'please report it with what DWF_DEBUG=1 shows',
    },
  ])
  if (process.env.DWF_DEBUG && error instanceof Error) output.talk(`${error.stack}`)
  return exitCodes['machine-cannot']
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left',
  EDQUOT: 'the quota is used up',
  EACCES: 'access is denied',
  EPERM: 'access is denied',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
  EIO: 'the disk does not answer',
}

function systemFailure(error: unknown) {
  const { code, path } = error as NodeJS.ErrnoException
  const means = code ? systemErrors[code] : undefined
  if (!means) return undefined
  return {
    severity: 'error' as const,
    code: code!.toLowerCase(),
    message: `${means}${path ? `: ${path}` : ''}`,
    hint: 'nothing was left half written; mend it and run the same command again',
  }
}
