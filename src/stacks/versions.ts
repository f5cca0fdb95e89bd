import intersects from 'semver/ranges/intersects.js'
import validRange from 'semver/ranges/valid.js'
import type { ToolchainRequest, Tree } from '../project/types.ts'
import { type Diagnostic, type Span, spanAt } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'
import { above, inDir, optional, type Requests } from './unit.ts'

/** One place that names a version of a tool, before it is known to be one. */
export interface Mention {
  /** As written. */
  readonly asked: string
  /** Undefined when what is written is no version that dwf understands. */
  readonly range: string | undefined
  readonly where?: Span | undefined
  readonly integrity?: string | undefined
}

/**
 * The request for a tool out of all places that name a version of it, the most specific first: that one wins. Places
 * that no version can satisfy together, and words that are no version, are located warnings. Without any: `*`.
 */
export function request(tool: string, mentions: readonly (Mention | undefined)[]): Requests {
  const diagnostics: Diagnostic[] = []
  const valid: (Mention & { readonly range: string })[] = []
  for (const mention of mentions) {
    if (mention === undefined) continue
    if (mention.range === undefined) diagnostics.push(unknownVersion(tool, mention))
    else valid.push({ ...mention, range: mention.range })
  }
  const [first, ...others] = valid
  if (!first) return { toolchains: [{ tool, range: '*', asked: '' }], diagnostics }
  for (const other of others) {
    if (!intersects(first.range, other.range)) diagnostics.push(disagreement(tool, first, other))
  }
  const chosen: ToolchainRequest = {
    tool,
    range: first.range,
    asked: first.asked,
    ...optional('where', first.where),
    ...optional('integrity', first.integrity),
  }
  return { toolchains: [chosen], diagnostics }
}

function unknownVersion(tool: string, mention: Mention): Diagnostic {
  return {
    severity: 'warning',
    code: 'unknown-version',
    message: `${JSON.stringify(printable(mention.asked))} is no version of ${tool} that dwf understands; any is taken`,
    ...optional('where', mention.where),
  }
}

function disagreement(tool: string, first: Mention, other: Mention): Diagnostic {
  const place = (one: Mention): string => `${printable(one.asked)} (${printable(one.where?.file ?? 'built in')})`
  return {
    severity: 'warning',
    code: 'toolchain-disagreement',
    message: `no version of ${tool} is both ${place(first)} and ${place(other)}; the first is taken`,
    ...optional('where', first.where),
    hint: `make ${printable(other.where?.file ?? 'the other')} agree`,
  }
}

/** An npm range as it is; undefined when npm would not understand it. */
export function npmRange(text: string): string | undefined {
  if (text.length > 200 || validRange(text) === null) return undefined
  return text.trim() === '' ? '*' : text.trim()
}

/** `3.12` is any 3.12, `3.12.1` is itself: what version files mean. A leading `v` is left out. */
export function prefixRange(text: string): string | undefined {
  const match = /^v?(\d{1,9})(\.\d{1,9})?(\.\d{1,9})?(-[0-9A-Za-z.-]+)?$/.exec(text)
  if (!match || (match[4] && !match[3])) return undefined
  return npmRange(text.replace(/^v/, ''))
}

/** `1.26` is `>=1.26.0`: what go.mod, rust-version and Java releases mean. */
export function minimumRange(text: string): string | undefined {
  const match = /^(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?$/.exec(text)
  return match ? `>=${Number(match[1])}.${Number(match[2] ?? 0)}.${Number(match[3] ?? 0)}` : undefined
}

/** The nearest of the folder and those above it in which one of the files lies; all files of that folder. */
function nearest(tree: Tree, dir: string, names: readonly string[]): readonly string[] {
  for (const folder of [dir, ...above(dir)]) {
    const found = names.map((name) => inDir(folder, name)).filter((path) => tree.has(path))
    if (found.length > 0) return found
  }
  return []
}

/** Mentions out of files that hold one version and nothing else, such as .nvmrc; comments and blank lines left out. */
export function versionFiles(
  tree: Tree,
  dir: string,
  names: readonly string[],
  toRange: (text: string) => string | undefined,
): readonly Mention[] {
  return nearest(tree, dir, names).flatMap((file) => {
    const text = (tree.text(file) ?? '').replace(/^\ufeff/, '')
    const lines = text.split('\n')
    const index = lines.findIndex((line) => /^\s*[^#\s]/.test(line))
    if (index < 0) return []
    const asked = lines[index]!.replace(/\s#.*$/, '').trim()
    return [
      {
        asked,
        range: toRange(asked),
        where: spanAt(file, text, index + 1, lines[index]!.indexOf(asked) + 1, asked.length),
      },
    ]
  })
}

/** Mentions out of the nearest .tool-versions (asdf, mise): `name version [fallbacks…]`. */
export function toolVersions(
  tree: Tree,
  dir: string,
  name: string,
  toRange: (text: string) => string | undefined = prefixRange,
): readonly Mention[] {
  const [file] = nearest(tree, dir, ['.tool-versions'])
  const text = file === undefined ? '' : (tree.text(file) ?? '')
  return text.split('\n').flatMap((line, index) => {
    const match = /^\s*([A-Za-z0-9_.-]+)\s+([^\s#]+)/.exec(line)
    if (!file || !match || match[1] !== name) return []
    const asked = match[2]!
    const range = asked === 'latest' ? '*' : toRange(asked)
    return [{ asked, range, where: spanAt(file, text, index + 1, match[0].length - asked.length + 1, asked.length) }]
  })
}
