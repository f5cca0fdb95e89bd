import { isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from 'yaml'
import type { ScanLayer } from '../../config/commands.ts'
import { type Diagnostic, Failure, spanAt } from '../../util/diagnostics.ts'
import { didYouMean, listing } from '../../util/text.ts'
import { dayOf } from '../../util/units.ts'
import { oneLine, shownPath } from '../text.ts'
import { optional } from './json.ts'
import { isAdvisory } from './names.ts'
import { parsePurl } from './purl.ts'
import type { IgnoreRule } from './types.ts'

/** What a plain file is about: it names no kind, and Trivy reads it for all of its own. */
const anyLayer: readonly ScanLayer[] = ['deps', 'image', 'config', 'secrets', 'licenses']

const sections = {
  vulnerabilities: ['deps', 'image'],
  misconfigurations: ['config'],
  secrets: ['secrets', 'image'],
  licenses: ['licenses'],
} as const satisfies Readonly<Record<string, readonly ScanLayer[]>>

const entryKeys = ['id', 'paths', 'purls', 'expired_at', 'statement'] as const

/**
 * An ignore file of Trivy (0.76, pkg/result/ignore.go) → its rules: `.trivyignore.yaml` by the end of its name, else the
 * plain format. Stricter than Trivy, which passes over what it does not know: all of that is a located `Failure`
 * (wrong-input). The day of an entry is the last on which it counts.
 */
export function readIgnoreFile(file: string, text: string): readonly IgnoreRule[] {
  return /\.ya?ml$/i.test(file) ? readYaml(file, text) : readPlain(file, text)
}

function readPlain(file: string, text: string): readonly IgnoreRule[] {
  const problems: Diagnostic[] = []
  const rules = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((content, index): readonly IgnoreRule[] => {
      const words = [...content.matchAll(/\S+/g)]
      const comment = words.findIndex(([word]) => word.startsWith('#'))
      const [name, ...more] = comment < 0 ? words : words.slice(0, comment)
      if (name === undefined) return []
      const line = index + 1
      const wrong = (word: RegExpExecArray, message: string, hint: string) =>
        problems.push({
          severity: 'error',
          code: 'ignore-file',
          message: oneLine(message),
          hint,
          where: spanAt(file, text, line, word.index + 1, word[0].length),
        })
      let expires: string | undefined
      for (const word of more) {
        const day = word[0].startsWith('exp:') ? dayOf(word[0].slice('exp:'.length)) : undefined
        if (day === undefined || expires !== undefined)
          wrong(word, `${JSON.stringify(word[0])} is not understood here`, 'a line is ID, or ID exp:YYYY-MM-DD')
        expires = day
      }
      const layers = isAdvisory(name[0]) ? sections.vulnerabilities : anyLayer
      return [{ of: 'file', file, line, layers, id: name[0], ...optional({ expires }) }]
    })
  if (problems.length > 0) throw new Failure('wrong-input', problems)
  return rules
}

/** Far more than anybody writes by hand; each can stand for a whole list. */
const aliasLimit = 100

function readYaml(file: string, text: string): readonly IgnoreRule[] {
  const lines = new LineCounter()
  const document = parse(file, text, lines)
  const problems: Diagnostic[] = []
  let aliases = 0
  const lineOf = (node: unknown): number | undefined => {
    const start = (node as { range?: readonly number[] | null } | null)?.range?.[0]
    return start === undefined ? undefined : lines.linePos(start).line
  }
  const wrong = (node: unknown, message: string, hint?: string): undefined => {
    const start = (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0
    const { line, col } = lines.linePos(start)
    const where = spanAt(file, text, line, col)
    problems.push({ severity: 'error', code: 'ignore-file', message: oneLine(message), ...optional({ hint }), where })
    return undefined
  }
  const resolve = (node: unknown): unknown => {
    if (!isAlias(node)) return node
    if (++aliases <= aliasLimit) return node.resolve(document)
    return wrong(node, `more than ${aliasLimit} aliases`)
  }
  const pairs = (node: unknown, keys: readonly string[]): ReadonlyMap<string, Pair> => {
    if (!isMap(node)) {
      wrong(node, `expected a mapping with ${listing(keys, 'or')}`)
      return new Map()
    }
    const found = new Map<string, Pair>()
    for (const pair of node.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : ''
      if (keys.includes(key)) found.set(key, pair)
      else {
        const near = didYouMean(key, keys)
        wrong(pair.key, `unknown key ${JSON.stringify(key)}`, near ? `did you mean "${near}"?` : undefined)
      }
    }
    return found
  }
  const items = (node: unknown): readonly unknown[] => {
    const found = resolve(node)
    if (isSeq(found)) return found.items.map(resolve)
    wrong(node, 'expected a list')
    return []
  }
  const string = (node: unknown): string | undefined => {
    const found = resolve(node)
    return isScalar(found) && typeof found.value === 'string' && found.value.trim() !== ''
      ? found.value
      : wrong(node, 'expected a text that is not empty')
  }
  const strings = (node: unknown): readonly string[] => {
    const found = items(node).flatMap((item) => string(item) ?? [])
    if (found.length === 0) wrong(node, 'an empty list would match nothing', 'leave the key out to match everything')
    return found
  }
  const rule = (node: unknown, layers: readonly ScanLayer[]): readonly IgnoreRule[] => {
    const entry = pairs(node, entryKeys)
    const value = (key: (typeof entryKeys)[number]) => entry.get(key)?.value
    const id = entry.has('id') ? string(value('id')) : isMap(node) ? wrong(node, 'an entry needs an id') : undefined
    const purls = entry.has('purls') ? strings(value('purls')) : undefined
    const strange = purls?.find((purl) => parsePurl(purl) === undefined)
    if (strange !== undefined) wrong(value('purls'), `${JSON.stringify(strange)} is not a package URL`)
    const expires = entry.has('expired_at') ? day(string(value('expired_at'))) : undefined
    if (entry.has('expired_at') && expires === undefined)
      wrong(value('expired_at'), 'expired_at is not a day such as 2027-03-31')
    const reason = entry.has('statement') ? string(value('statement')) : undefined
    const paths = entry.has('paths') ? strings(value('paths')) : undefined
    if (id === undefined) return []
    return [{ of: 'file', file, layers, id, ...optional({ line: lineOf(node), paths, purls, reason, expires }) }]
  }
  // An empty file ignores nothing, and says so.
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return []
  const rules = [...pairs(document.contents, Object.keys(sections))].flatMap(([key, { value }]) =>
    items(value).flatMap((node) => rule(node, sections[key as keyof typeof sections])),
  )
  if (problems.length > 0) throw new Failure('wrong-input', problems)
  return rules
}

/** Core schema: no dates, no merge keys, no tags but its own. A warning of the parser is about one of those. */
function parse(file: string, text: string, lineCounter: LineCounter) {
  const document = parseDocument(text, { version: '1.2', schema: 'core', lineCounter, prettyErrors: false })
  const problems = [...document.errors, ...document.warnings].map(({ message, pos }): Diagnostic => {
    const { line, col } = lineCounter.linePos(pos[0])
    return {
      severity: 'error',
      code: 'ignore-file',
      message: `${shownPath(file)} is not YAML that is read here: ${oneLine(message)}`,
      where: spanAt(file, text, Math.max(1, line), Math.max(1, col)),
    }
  })
  if (problems.length > 0) throw new Failure('wrong-input', problems.slice(0, 5))
  return document
}

/** Trivy takes times too; what counts here is the day. */
function day(text: string | undefined): string | undefined {
  return dayOf(/^(\S{10})(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?$/.exec(text ?? '')?.[1])
}
