import { isMap, isScalar, isSeq, type Node, parseDocument, type Scalar } from 'yaml'

/** What GitHub makes of a text: plain parts, and what stands in `${{ }}`. It ends at the first `}}` that is in no quotes. */
export function segments(text: string): readonly ({ readonly text: string } | { readonly expression: string })[] {
  const found: ({ text: string } | { expression: string })[] = []
  for (let at = 0; at < text.length; ) {
    const begin = text.indexOf('${{', at)
    if (begin !== at) {
      found.push({ text: text.slice(at, begin < 0 ? undefined : begin) })
      if (begin < 0) break
    }
    let isQuoted = false
    let end = begin + 3
    for (; end < text.length && (isQuoted || !text.startsWith('}}', end)); end++)
      if (text[end] === "'") isQuoted = !isQuoted
    if (end >= text.length) throw new Error(`an expression without end: ${JSON.stringify(text)}`)
    found.push({ expression: text.slice(begin + 3, end).trim() })
    at = end + 2
  }
  return found
}

/** Expressions of a text, but for words in quotes: these are the text itself. */
export const expressionsIn = (text: string): readonly string[] =>
  segments(text).flatMap((part) => ('expression' in part && !literal.test(part.expression) ? [part.expression] : []))

/** A text as it is when GitHub has evaluated it. @throws Error for one that has an expression */
export const evaluated = (text: string): string =>
  segments(text)
    .map((part) => {
      if ('text' in part) return part.text
      const word = literal.exec(part.expression)
      if (!word) throw new Error(`it is evaluated: ${part.expression}`)
      return word[1]!.replaceAll("''", "'")
    })
    .join('')

const literal = /^'((?:[^']|'')*)'$/

export interface ReadStep {
  readonly name?: string
  readonly id?: string
  readonly if?: string
  readonly uses?: string
  /** What stands behind `uses`. */
  readonly comment: string
  readonly run?: string
  readonly env: Readonly<Record<string, unknown>>
  readonly with: Readonly<Record<string, unknown>>
}

export interface ReadJob {
  readonly id: string
  readonly about: string
  readonly raw: Readonly<Record<string, unknown>>
  readonly needs: readonly string[]
  readonly if: string
  /** A reusable workflow. */
  readonly uses?: string
  readonly usesComment: string
  readonly permissions: Readonly<Record<string, string>> | undefined
  /** By scope, what stands behind it. */
  readonly why: Readonly<Record<string, string>>
  readonly steps: readonly ReadStep[]
}

export interface ReadWorkflow {
  readonly raw: Readonly<Record<string, unknown>>
  readonly on: Readonly<Record<string, unknown>>
  readonly jobs: readonly ReadJob[]
}

const commentOf = (node: unknown): string => ((node as Node | undefined)?.comment ?? '').trim()

/** A workflow as its text says it, comments and all; nothing of dwf's own reader. @throws Error for what is no YAML */
export function readWorkflow(text: string): ReadWorkflow {
  const document = parseDocument(text, { strict: true, uniqueKeys: true })
  const [wrong] = [...document.errors, ...document.warnings]
  if (wrong) throw wrong
  const raw = document.toJS() as ReadWorkflow['raw']
  const jobs = document.get('jobs')
  if (!isMap(jobs)) throw new Error('it has no jobs')
  return {
    raw,
    on: raw.on as ReadWorkflow['on'],
    // What stands above the first entry of a map is the map's own for this parser.
    jobs: jobs.items.map(({ key, value }, at) =>
      readJob(key as Scalar, value, (at === 0 ? jobs.commentBefore : (key as Scalar).commentBefore) ?? ''),
    ),
  }
}

function readJob(key: Scalar, value: unknown, about: string): ReadJob {
  if (!isMap(value)) throw new Error(`${String(key.value)} is no job`)
  const raw = value.toJSON() as Record<string, unknown>
  const steps = value.get('steps')
  const grants = value.get('permissions')
  return {
    id: String(key.value),
    about: about.trim(),
    raw,
    needs: (raw.needs ?? []) as readonly string[],
    if: String(raw.if ?? ''),
    ...(typeof raw.uses === 'string' ? { uses: raw.uses } : {}),
    usesComment: commentOf(value.get('uses', true)),
    permissions: raw.permissions as ReadJob['permissions'],
    why: isMap(grants)
      ? Object.fromEntries(grants.items.map(({ key, value }) => [String((key as Scalar).value), commentOf(value)]))
      : {},
    steps: isSeq(steps) ? steps.items.map(readStep) : [],
  }
}

function readStep(node: unknown): ReadStep {
  if (!isMap(node)) throw new Error('a step is no map')
  const uses = node.get('uses', true)
  return { env: {}, with: {}, ...(node.toJSON() as object), comment: isScalar(uses) ? commentOf(uses) : '' }
}

/** Every string of a document, keys and values. */
export function stringsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, one]) => [...(Array.isArray(value) ? [] : [key]), ...stringsOf(one)])
}
