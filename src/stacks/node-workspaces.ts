import { at, isTable, type Manifest, readSource, stringsAt } from '../project/manifest.ts'
import type { Tree } from '../project/types.ts'
import { type Diagnostic, spanAt } from '../util/diagnostics.ts'
import { inDir } from './unit.ts'

/** The packages that a workspace root installs and runs together with itself. */
export interface Workspaces {
  /** `path` is relative to the workspace root. */
  readonly covers: (path: string) => boolean
  readonly diagnostics: readonly Diagnostic[]
}

/** Reads pnpm-workspace.yaml, else `workspaces` of package.json; undefined when there is neither. */
export function readWorkspaces(tree: Tree, dir: string, manifest: Manifest): Workspaces | undefined {
  const file = inDir(dir, 'pnpm-workspace.yaml')
  const source = readSource(tree, file)
  if (source) {
    const patterns = yamlList(source.text, 'packages')
    // Since pnpm 10 the file also holds settings: without `packages` it makes no workspace.
    if (patterns === undefined)
      return source.problem ? { covers: () => false, diagnostics: [source.problem] } : undefined
    return {
      covers: matcher(patterns.list),
      diagnostics: patterns.isWhole ? [] : [unread(file, source.text, patterns.line)],
    }
  }
  const value = at(manifest, ['workspaces'])
  if (value === undefined) return undefined
  const patterns = stringsAt(manifest, isTable(value) ? ['workspaces', 'packages'] : ['workspaces'])
  return patterns && { covers: matcher(patterns), diagnostics: [] }
}

interface YamlList {
  readonly list: readonly string[]
  readonly line: number
  readonly isWhole: boolean
}

/**
 * A list at the top of a pnpm-workspace.yaml, one entry a line or in brackets: what people write. A YAML parser costs
 * more time to load than all of the detection, and what this cannot read it says. `key` is a plain word.
 */
export function yamlList(text: string, key: string): YamlList | undefined {
  const lines = text.split(/\r?\n/)
  const start = lines.findIndex((line) =>
    [key, `"${key}"`, `'${key}'`].includes(/^([^\s:]+)\s*:/.exec(line)?.[1] ?? ''),
  )
  if (start < 0) return undefined
  const first = lines[start]!.replace(/^[^:]*:/, '')
    .replace(/(?:^|\s)#.*$/, '')
    .trim()
  const list: string[] = []
  if (first.startsWith('[')) {
    const rest = [first, ...lines.slice(start + 1).map((line) => line.replace(/(?:^|\s)#.*$/, ''))].join(' ')
    const inner = /^\[([^\]]*)\]/.exec(rest)?.[1]
    const entries = (inner ?? '').split(',').map((entry) => entry.trim())
    for (const entry of entries) if (entry !== '') list.push(scalar(entry) ?? '')
    return { list, line: start + 1, isWhole: inner !== undefined && !list.includes('') }
  }
  if (first !== '') return { list, line: start + 1, isWhole: false }
  for (let index = start + 1; index < lines.length; index++) {
    const line = lines[index]!.replace(/(?:^|\s)#.*$/, '').trimEnd()
    if (line.trim() === '') continue
    const entry = /^\s*-\s+(.+)$/.exec(line)?.[1]
    if (entry === undefined) return { list, line: index + 1, isWhole: !/^\s/.test(line) }
    const value = scalar(entry.trim())
    if (value === undefined) return { list, line: index + 1, isWhole: false }
    list.push(value)
  }
  return { list, line: start + 1, isWhole: true }
}

function scalar(text: string): string | undefined {
  const quoted = /^"([^"\\]*)"$|^'([^']*)'$/.exec(text)
  if (quoted) return quoted[1] ?? quoted[2]
  return /^["'&*|>{[%@`]/.test(text) && !text.startsWith('**') && !text.startsWith('*') ? undefined : text
}

function unread(file: string, text: string, line: number): Diagnostic {
  const message = 'this form of "packages" is not understood; packages that it names may show up as units'
  const hint = 'write one pattern a line: "  - packages/*"'
  return { severity: 'warning', code: 'workspace-pattern', message, where: spanAt(file, text, line), hint }
}

/** Patterns as npm and pnpm have them; a later `!pattern` takes away what an earlier one gave. */
function matcher(patterns: readonly string[]): (path: string) => boolean {
  const tests = patterns.map((pattern) => {
    const isNegated = pattern.startsWith('!')
    return { isNegated, test: globTest(isNegated ? pattern.slice(1) : pattern) }
  })
  return (path) => tests.reduce((covered, { isNegated, test }) => (test(path) ? !isNegated : covered), false)
}

/** True for paths that a glob names: `*` in a name, `**` any number of folders, `?`, and one level of `{a,b}`. */
export function globTest(pattern: string): (path: string) => boolean {
  const alternatives = expandBraces(pattern.replace(/^(?:\.\/)+/, '').replace(/\/+$/, ''), 64)
  const matchers = alternatives.map((one) => one.split('/'))
  return (path) => matchers.some((parts) => matchParts(parts, path.split('/')))
}

function expandBraces(pattern: string, limit: number): readonly string[] {
  const match = /\{([^{}]*,[^{}]*)\}/.exec(pattern)
  if (!match || limit <= 1) return [pattern]
  const options = match[1]!.split(',').slice(0, limit)
  const rest = Math.floor(limit / options.length)
  return options.flatMap((option) =>
    expandBraces(pattern.slice(0, match.index) + option + pattern.slice(match.index + match[0].length), rest),
  )
}

/** Folder by folder, so that `**` costs no more than its place in a path of a few folders. */
function matchParts(parts: readonly string[], names: readonly string[]): boolean {
  // Row by row as for an edit distance: `reach[i]` says that the parts so far can match the first i names.
  let reach = names.map(() => false)
  reach.unshift(true)
  for (const part of parts) {
    const next = reach.map(() => false)
    for (let index = 0; index <= names.length; index++) {
      if (part === '**') next[index] = Boolean(reach[index]) || (index > 0 && Boolean(next[index - 1]))
      else if (index > 0 && reach[index - 1]) next[index] = matchName(part, names[index - 1]!)
    }
    reach = next
  }
  return reach[names.length]!
}

/** `*` and `?` in one name, without a regular expression: a pattern of a repository must not be slow to match. */
function matchName(pattern: string, name: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  let index = 0
  while (index < name.length) {
    if (pattern[at] === '*') {
      star = at++
      resume = index
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else {
      return false
    }
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
