import { type Diagnostic, type Span, spanAt } from '../util/diagnostics.ts'
import type { Problem } from './validate.ts'

/** Loaded on the error path only: the parser that knows places costs more than all the rest of the configuration. */
async function readPlaces(file: string, text: string) {
  const { TomlPlaces } = await import('../util/toml-places.ts')
  return TomlPlaces.read(file, text)
}

/** Problems of a document → diagnostics with the place in its text. */
export async function locate(file: string, text: string, problems: readonly Problem[]): Promise<readonly Diagnostic[]> {
  const places = await readPlaces(file, text).catch(() => undefined)
  return problems.map(({ severity, code, message, hint, path, at }) => {
    const where =
      (at === 'key' ? places?.key(path) : places?.value(path)) ??
      places?.key(path.slice(0, -1)) ??
      spanAt(file, text, 1)
    return { severity, code, message, where, ...(hint === undefined ? {} : { hint }) }
  })
}

/** The place of one key of devflow.toml, for messages that point at it; undefined when the file does not have it. */
export async function placeOf(
  config: { readonly file?: string; readonly text: string },
  path: readonly (string | number)[],
): Promise<Span | undefined> {
  if (config.file === undefined) return undefined
  const places = await readPlaces(config.file, config.text).catch(() => undefined)
  return typeof path.at(-1) === 'number' ? places?.value(path) : places?.key(path)
}

/** The stricter parser says it better and knows the place; where it sees nothing wrong, the first one's word stands. */
export async function syntaxError(
  file: string,
  text: string,
  error: Error & { line?: number; col?: number },
): Promise<Diagnostic> {
  let line = (error.line ?? 0) + 1
  let column = (error.col ?? 0) + 1
  let message = error.message.split('\n')[0]!.replace(/ at row \d+, col \d+, pos \d+:?$/, '')
  try {
    await readPlaces(file, text)
  } catch (other) {
    const strict = other as Error & { lineNumber?: number; column?: number }
    if (strict.lineNumber !== undefined) {
      line = strict.lineNumber
      column = (strict.column ?? 0) + 1
      message = strict.message
    }
  }
  return {
    severity: 'error',
    code: 'syntax',
    message: `not valid TOML: ${message}`,
    where: spanAt(file, text, line, column, 1),
    hint: 'strings need quotes; see https://toml.io/en/v1.0.0',
  }
}
