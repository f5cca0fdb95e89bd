/** One `${{ … }}` in a text. `at` and `end` are offsets in it, braces included. */
export interface Expression {
  readonly at: number
  readonly end: number
  readonly code: string
}

/** Every expression of a text; one that is not closed goes to the end. */
export function expressionsOf(text: string): readonly Expression[] {
  const found: Expression[] = []
  for (let at = text.indexOf('${{'); at >= 0; ) {
    let close = at + 3
    let isQuoted = false
    while (close < text.length && (isQuoted || !text.startsWith('}}', close))) {
      if (text[close] === "'") isQuoted = !isQuoted
      close++
    }
    found.push({ at, end: Math.min(close + 2, text.length), code: text.slice(at + 3, close) })
    at = text.indexOf('${{', close)
  }
  return found
}

/**
 * The contexts whose text may be in the result of an expression, lower case, as `github.event.issue.title`; `*` for a
 * part that is only known when it runs. What is only compared or asked about is not among them. An expression that
 * cannot be read gives every context that it names.
 */
export function flowOf(code: string): readonly string[] {
  const tokens = code.length > lengthLimit ? undefined : tokensOf(code)
  const reading = tokens && new Reading(tokens)
  const flow = reading?.whole()
  return [...new Set(flow ?? namesOf(code))]
}

type Token = { readonly kind: 'name' | 'text' | 'other' | 'sign'; readonly text: string }

/** GitHub refuses what is longer or deeper (actions/runner, ExpressionConstants.cs). */
const lengthLimit = 21_000
const depthLimit = 50

/** No event has parts of parts of parts beyond it; each is added to every path before it. */
const partsLimit = 16

function tokensOf(code: string): readonly Token[] | undefined {
  const tokens: Token[] = []
  const pattern =
    /\s+|(?<text>'(?:[^']|'')*')|(?<name>[A-Za-z_][\w-]*)|(?<other>-?(?:0x[0-9a-fA-F]+|\d[\d.]*(?:e[+-]?\d+)?))|(?<sign>&&|\|\||[=!<>]=|[()[\].,!<>*])/y
  for (let at = 0; at < code.length; at = pattern.lastIndex) {
    pattern.lastIndex = at
    const groups = pattern.exec(code)?.groups
    if (!groups) return undefined
    for (const kind of ['text', 'name', 'other', 'sign'] as const)
      if (groups[kind] !== undefined) tokens.push({ kind, text: groups[kind] })
  }
  return tokens
}

/** Functions that answer true or false, or a hash: nothing of what they are given is in the result. */
const silent = new Set(['contains', 'startswith', 'endswith', 'hashfiles', 'success', 'failure', 'always', 'cancelled'])

class Reading {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  /** Undefined for what is no expression. */
  whole(): readonly string[] | undefined {
    const flow = this.#or()
    return flow && this.#next === this.#tokens.length ? flow : undefined
  }

  /** Either side is the result. */
  #or(): readonly string[] | undefined {
    const parts: string[] = []
    do {
      const part = this.#and()
      if (!part) return undefined
      parts.push(...part)
    } while (this.#takes('||'))
    return parts
  }

  /** The last, or an earlier one that is empty, zero or false. */
  #and(): readonly string[] | undefined {
    let last: readonly string[] | undefined
    do {
      last = this.#compared()
      if (!last) return undefined
    } while (this.#takes('&&'))
    return last
  }

  #compared(): readonly string[] | undefined {
    let flow = this.#not()
    while (flow && this.#takes('==', '!=', '<', '>', '<=', '>=')) flow = this.#not() && []
    return flow
  }

  #not(): readonly string[] | undefined {
    if (!this.#takes('!')) return this.#value()
    while (this.#takes('!'));
    return this.#value() && []
  }

  #value(): readonly string[] | undefined {
    if (++this.#depth > depthLimit) return undefined
    const flow = this.#operand()
    this.#depth--
    return flow
  }

  #operand(): readonly string[] | undefined {
    const token = this.#tokens[this.#next++]
    if (!token) return undefined
    if (token.kind === 'text' || token.kind === 'other') return []
    if (token.kind === 'sign') {
      const flow = token.text === '(' ? this.#or() : undefined
      return flow && this.#takes(')') ? this.#path(flow) : undefined
    }
    const name = token.text.toLowerCase()
    if (!this.#takes('(')) return /^(true|false|null|nan|infinity)$/.test(name) ? [] : this.#path([name])
    const flow: string[] = []
    if (!this.#takes(')')) {
      do {
        const argument = this.#or()
        if (!argument) return undefined
        flow.push(...argument)
      } while (this.#takes(','))
      if (!this.#takes(')')) return undefined
    }
    return this.#path(silent.has(name) ? [] : flow)
  }

  /** What is behind a value: `.name`, `.*`, `['name']`, `[expression]`. */
  #path(flow: readonly string[]): readonly string[] | undefined {
    const parts: string[] = []
    while (true) {
      let part: string
      if (this.#takes('.')) {
        const token = this.#tokens[this.#next++]
        if (token?.kind !== 'name' && token?.text !== '*') return undefined
        part = token.text
      } else if (this.#takes('[')) {
        const [token, after] = [this.#tokens[this.#next], this.#tokens[this.#next + 1]]
        part = '*'
        if (token?.kind === 'text' && after?.text === ']') {
          part = token.text.slice(1, -1).replaceAll("''", "'")
          this.#next++
        } else if (token?.text === '*' && after?.text === ']') this.#next++
        else if (!this.#or()) return undefined
        if (!this.#takes(']')) return undefined
      } else return parts.length === 0 ? flow : flow.map((path) => [path, ...parts].join('.'))
      if (parts.length < partsLimit) parts.push(part.toLowerCase())
    }
  }

  #takes(...signs: readonly string[]): boolean {
    const token = this.#tokens[this.#next]
    if (token?.kind !== 'sign' || !signs.includes(token.text)) return false
    this.#next++
    return true
  }
}

function namesOf(code: string): readonly string[] {
  return [...code.replaceAll(/\[\s*'([^']*)'\s*\]/g, '.$1').matchAll(/[A-Za-z_][\w-]*(?:\.(?:[\w-]+|\*))*/g)].map(
    ([name]) => name.toLowerCase(),
  )
}

/** Who can choose the text of a context: anyone with an account, or only those who may write to the repository. */
export type Author = 'anyone' | 'writers'

/**
 * GitHub's list of untrusted input (docs.github.com, "Script injections"), plus the whole objects that hold one of
 * them. Names of people and repositories, numbers and hashes have no character that means something to a shell.
 */
export function authorOf(path: string): Author | undefined {
  const [root, first, kind, ...rest] = path.split('.')
  if (root === 'inputs') return 'writers'
  if (root !== 'github') return undefined
  if (first === undefined || first === '*' || first === 'head_ref') return 'anyone'
  if (first === 'ref' || first === 'ref_name') return 'writers'
  if (first !== 'event') return undefined
  if (kind === undefined || kind === '*') return 'anyone'
  if (kind === 'inputs' || kind === 'client_payload' || kind === 'ref' || kind === 'base_ref') return 'writers'
  const last = rest.at(-1)
  if (['release', 'label', 'milestone', 'deployment', 'workflow_dispatch'].includes(kind)) {
    return last === undefined || isFreeText(last) || last === 'tag_name' || last === 'target_commitish'
      ? 'writers'
      : undefined
  }
  if (!outsideObjects.has(kind)) return undefined
  if (rest.includes('labels') || rest.includes('milestone') || rest[0] === 'base')
    return last === 'sha' ? undefined : 'writers'
  if (last === undefined || last === '*') return 'anyone'
  if (last === 'name' && rest.at(-2) !== 'author' && rest.at(-2) !== 'committer') return undefined
  return isFreeText(last) || ['head', 'repo', 'author', 'head_repository', 'head_commit', 'changes'].includes(last)
    ? 'anyone'
    : undefined
}

const outsideObjects = new Set([
  'issue',
  'pull_request',
  'comment',
  'review',
  'review_comment',
  'discussion',
  'commits',
  'head_commit',
  'pages',
  'workflow_run',
  'check_suite',
  'check_run',
  'changes',
  'answer',
])

const isFreeText = (name: string): boolean =>
  /^(title|body|ref|label|default_branch|message|name|email|page_name|head_branch|head_ref|display_title|description|homepage|from)$/.test(
    name,
  )
