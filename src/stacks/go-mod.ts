import { type Diagnostic, type Span, spanAt } from '../util/diagnostics.ts'

interface Word {
  readonly text: string
  readonly where: Span
}

/** What dwf needs of a go.mod or go.work. */
export interface GoMod {
  readonly path: string | undefined
  readonly go: Word | undefined
  readonly toolchain: Word | undefined
  /** The first module that is required from elsewhere. */
  readonly requires: Span | undefined
}

/** Reads go.mod line by line, as https://go.dev/ref/mod#go-mod-file describes it; a line that is neither is an error. */
export function readGoMod(
  file: string,
  text: string,
): { readonly module: GoMod | undefined; readonly problems: readonly Diagnostic[] } {
  const found: { path?: string; go?: Word; toolchain?: Word; requires?: Span } = {}
  const problems: Diagnostic[] = []
  const local = localModules(text)
  let block: string | undefined
  text.split('\n').forEach((raw, index) => {
    const line = raw.replace(/\/\/.*$/, '').trim()
    if (line === '' || problems.length > 0) return
    const where = (word: string): Span => spanAt(file, text, index + 1, raw.indexOf(word) + 1, word.length)
    if (line === ')') {
      block = undefined
      return
    }
    const opening = /^([a-z]+)\s*\($/.exec(line)?.[1]
    if (opening !== undefined && block === undefined) {
      block = opening
      return
    }
    const [verb, ...words] = block === undefined ? line.split(/\s+/) : [block, ...line.split(/\s+/)]
    const word = words[0]
    if (!/^[a-z]+$/.test(verb!) || word === undefined) {
      problems.push({
        severity: 'error',
        code: 'manifest-syntax',
        message: 'expected a directive such as "require"',
        where: where(line),
      })
    } else if (verb === 'module') found.path ??= unquote(word)
    else if (verb === 'go') found.go ??= { text: word, where: where(word) }
    else if (verb === 'toolchain' && word !== 'default') found.toolchain ??= { text: word, where: where(word) }
    else if (verb === 'require' && !local.has(unquote(word))) found.requires ??= where(word)
  })
  if (problems.length > 0) return { module: undefined, problems }
  const { path, go, toolchain, requires } = found
  return { module: { path, go, toolchain, requires }, problems }
}

/** Modules that a `replace` takes from a folder: nothing is fetched for them. */
function localModules(text: string): ReadonlySet<string> {
  const pattern = /^[ \t]*(?:replace[ \t]+)?(\S+)(?:[ \t]+v\S+)?[ \t]+=>[ \t]+"?\.{1,2}\//gm
  return new Set([...text.matchAll(pattern)].map((match) => unquote(match[1]!)))
}

function unquote(word: string): string {
  return word.replace(/^["`](.*)["`]$/, '$1')
}
