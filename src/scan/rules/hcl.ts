import { Unreadable } from './types.ts'

/**
 * HCL as bake files use it: blocks, attributes, strings, heredocs, lists, maps. What has to be worked out (a call, an
 * operator, `for`) is kept as `open`, with the texts and names in it. Specification: hashicorp/hcl, hclsyntax/spec.md.
 * Offsets count from 0.
 */
export type HclValue =
  /** A string with its `${…}` as text, a number or a word such as true; `name` where it is a bare variable. */
  | { readonly kind: 'text'; readonly at: number; readonly text: string; readonly isBare: boolean }
  | { readonly kind: 'list'; readonly at: number; readonly items: readonly HclValue[] }
  | { readonly kind: 'map'; readonly at: number; readonly entries: readonly HclEntry[] }
  | { readonly kind: 'open'; readonly at: number; readonly texts: readonly HclText[] }
export type HclText = Extract<HclValue, { kind: 'text' }>
export interface HclEntry {
  readonly key: string
  readonly at: number
  readonly value: HclValue
}
export interface HclBlock {
  readonly type: string
  readonly labels: readonly string[]
  readonly at: number
  readonly body: HclBody
}
export interface HclBody {
  readonly attributes: readonly HclEntry[]
  readonly blocks: readonly HclBlock[]
}

interface Token {
  readonly kind: 'name' | 'string' | 'number' | 'sign' | 'line' | 'end'
  readonly text: string
  readonly at: number
}

const textLimit = 1024 * 1024
const depthLimit = 64
/** Each finding in a block is called by its labels. */
const labelLimit = 1024

/** Throws `Unreadable` for what is no HCL, or HCL that dwf does not know. */
export function readHcl(text: string): HclBody {
  if (text.length > textLimit) throw new Unreadable('it is larger than 1 MiB', 0)
  const reading = new Reading(tokensOf(text.startsWith('\ufeff') ? ` ${text.slice(1)}` : text))
  return reading.body('end', 0)
}

class Reading {
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  body(until: 'end' | '}', depth: number): HclBody {
    if (depth > depthLimit) throw new Unreadable(`it is nested deeper than ${depthLimit}`, this.#peek().at)
    const attributes: HclEntry[] = []
    const blocks: HclBlock[] = []
    const keys = new Set<string>()
    while (true) {
      this.#skipLines()
      const token = this.#take()
      if (token.kind === 'end' ? until === 'end' : this.#isSign(token, until)) return { attributes, blocks }
      if (token.kind !== 'name') throw this.#unexpected(token, 'the name of an attribute or block')
      if (this.#isSign(this.#peek(), '=')) {
        this.#take()
        if (keys.has(token.text)) throw new Unreadable(`the attribute "${token.text}" is given twice`, token.at)
        keys.add(token.text)
        attributes.push({ key: token.text, at: token.at, value: this.#expression(depth + 1, false) })
      } else blocks.push(this.#block(token, depth))
      const after = this.#peek()
      if (after.kind !== 'line' && after.kind !== 'end' && !this.#isSign(after, until))
        throw this.#unexpected(after, 'a new line')
    }
  }

  #block(type: Token, depth: number): HclBlock {
    const labels: string[] = []
    let length = 0
    while (true) {
      const token = this.#take()
      if (this.#isSign(token, '{')) break
      if (token.kind !== 'string' && token.kind !== 'name') throw this.#unexpected(token, '"=" or "{"')
      labels.push(token.text)
      length += token.text.length + 1
      if (length > labelLimit) throw new Unreadable(`a name is longer than ${labelLimit} characters`, token.at)
    }
    return { type: type.text, labels, at: type.at, body: this.body('}', depth + 1) }
  }

  /** @param isInside in brackets, where a line may end within an expression */
  #expression(depth: number, isInside: boolean): HclValue {
    if (depth > depthLimit) throw new Unreadable(`it is nested deeper than ${depthLimit}`, this.#peek().at)
    if (isInside) this.#skipLines()
    const start = this.#next
    const simple = this.#simple(depth)
    if (simple && this.#isEnd(isInside)) return simple
    this.#next = start
    return this.#open(isInside)
  }

  /** Undefined where something has to be worked out. */
  #simple(depth: number): HclValue | undefined {
    const token = this.#take()
    switch (token.kind) {
      case 'string':
      case 'number':
      case 'name':
        return { kind: 'text', at: token.at, text: token.text, isBare: token.kind === 'name' }
      case 'sign':
        if (token.text === '[') return this.#list(token.at, depth)
        if (token.text === '{') return this.#map(token.at, depth)
        return undefined
      default:
        throw this.#unexpected(token, 'a value')
    }
  }

  #list(at: number, depth: number): HclValue | undefined {
    const items: HclValue[] = []
    for (this.#skipLines(); !this.#isSign(this.#peek(), ']'); this.#skipLines()) {
      if (items.length === 0 && this.#isFor()) return undefined
      items.push(this.#expression(depth + 1, true))
      this.#skipLines()
      if (this.#isSign(this.#peek(), ',')) this.#take()
      else if (!this.#isSign(this.#peek(), ']')) throw this.#unexpected(this.#peek(), '"," or "]"')
    }
    this.#take()
    return { kind: 'list', at, items }
  }

  #map(at: number, depth: number): HclValue | undefined {
    const entries: HclEntry[] = []
    for (this.#skipLines(); !this.#isSign(this.#peek(), '}'); this.#skipLines()) {
      if (entries.length === 0 && this.#isFor()) return undefined
      const key = this.#take()
      // A key in parentheses has to be worked out; then the whole map has.
      if (this.#isSign(key, '(')) return undefined
      if (key.kind !== 'name' && key.kind !== 'string' && key.kind !== 'number') throw this.#unexpected(key, 'a key')
      const separator = this.#take()
      if (this.#isSign(separator, '.') || this.#isSign(separator, '[')) return undefined
      if (!this.#isSign(separator, '=') && !this.#isSign(separator, ':')) throw this.#unexpected(separator, '"="')
      entries.push({ key: key.text, at: key.at, value: this.#expression(depth + 1, false) })
      const after = this.#peek()
      if (this.#isSign(after, ',')) this.#take()
      else if (after.kind !== 'line' && !this.#isSign(after, '}')) throw this.#unexpected(after, '"," or "}"')
    }
    this.#take()
    return { kind: 'map', at, entries }
  }

  /** Passes over an expression up to its end, brackets balanced. */
  #open(isInside: boolean): HclValue {
    const at = this.#peek().at
    const texts: HclText[] = []
    const closers: string[] = []
    let before: Token | undefined
    while (closers.length > 0 || !this.#isEnd(isInside)) {
      const token = this.#take()
      if (token.kind === 'line') this.#skipLines()
      if (isOperand(token) && before && isOperand(before)) throw this.#unexpected(token, 'an operator')
      if (closers.length === 0 && this.#isSign(token, '=')) throw this.#unexpected(token, 'an operator')
      before = token
      if (token.kind === 'end') throw this.#unexpected(token, closers.at(-1) ? `"${closers.at(-1)}"` : 'a value')
      if (token.kind === 'string' || token.kind === 'name')
        texts.push({ kind: 'text', at: token.at, text: token.text, isBare: token.kind === 'name' })
      if (token.kind !== 'sign') continue
      const closer = closerOf(token.text)
      if (closer) closers.push(closer)
      else if (/^[)\]}]$/.test(token.text) && closers.pop() !== token.text) throw this.#unexpected(token, 'its opening')
    }
    if (this.#peek().at === at) throw this.#unexpected(this.#peek(), 'a value')
    return { kind: 'open', at, texts }
  }

  #isEnd(isInside: boolean): boolean {
    let at = this.#next
    if (isInside) while (this.#tokens[at]!.kind === 'line') at++
    const token = this.#tokens[at]!
    return token.kind === 'end' || token.kind === 'line' || (token.kind === 'sign' && /^[,\]})]$/.test(token.text))
  }

  #isFor(): boolean {
    const [first, second] = [this.#peek(), this.#tokens[this.#next + 1]]
    return first.kind === 'name' && first.text === 'for' && second?.kind === 'name'
  }

  #isSign(token: Token, text: string): boolean {
    return token.kind === 'sign' && token.text === text
  }

  #peek(): Token {
    return this.#tokens[this.#next]!
  }

  #take(): Token {
    const token = this.#tokens[this.#next]!
    if (token.kind !== 'end') this.#next++
    return token
  }

  #skipLines(): void {
    while (this.#peek().kind === 'line') this.#next++
  }

  #unexpected(token: Token, expected: string): Unreadable {
    const seen =
      token.kind === 'end' ? 'the end' : token.kind === 'line' ? 'the end of the line' : JSON.stringify(token.text)
    return new Unreadable(`${seen} where ${expected} was expected`, token.at)
  }
}

/** Two of them side by side are no expression; `for`, `in` and `if` stand between others. */
function isOperand({ kind, text }: Token): boolean {
  return kind === 'string' || kind === 'number' || (kind === 'name' && !/^(for|in|if)$/.test(text))
}

function closerOf(sign: string): string | undefined {
  return sign === '(' ? ')' : sign === '[' ? ']' : sign === '{' ? '}' : undefined
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  const pattern =
    /(?<blank>[ \t\r]+|#[^\n]*|\/\/[^\n]*)|(?<comment>\/\*)|(?<line>\n)|(?<heredoc><<-?[\p{L}_][\p{L}\p{N}_-]*\r?\n)|(?<name>[\p{L}_][\p{L}\p{N}_-]*)|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<quote>")|(?<sign>=>|==|!=|<=|>=|&&|\|\||\.\.\.|[-=+*/%<>!?:,.()[\]{}])/uy
  for (let at = 0; at < text.length; ) {
    pattern.lastIndex = at
    const groups = pattern.exec(text)?.groups
    if (!groups) throw new Unreadable(`${JSON.stringify(text[at])} is no part of HCL`, at)
    const end = pattern.lastIndex
    if (groups.comment !== undefined) {
      const close = text.indexOf('*/', end)
      if (close < 0) throw new Unreadable('a comment without its end', at)
      at = close + 2
      continue
    }
    if (groups.quote !== undefined) {
      const string = quoted(text, at)
      tokens.push({ kind: 'string', text: string.text, at })
      at = string.end
      continue
    }
    if (groups.heredoc !== undefined) {
      const doc = heredoc(text, end, groups.heredoc)
      if (!doc) throw new Unreadable('a heredoc without its end', at)
      tokens.push({ kind: 'string', text: doc.text, at })
      at = doc.end
      continue
    }
    if (groups.line !== undefined) tokens.push({ kind: 'line', text: '\n', at })
    else if (groups.name !== undefined) tokens.push({ kind: 'name', text: groups.name, at })
    else if (groups.number !== undefined) tokens.push({ kind: 'number', text: groups.number, at })
    else if (groups.sign !== undefined) tokens.push({ kind: 'sign', text: groups.sign, at })
    at = end
  }
  tokens.push({ kind: 'end', text: '', at: text.length })
  return tokens
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\' }

/** A string from its opening quote. `${…}` and `%{…}` stay as they are, with the strings inside them. */
function quoted(text: string, start: number): { readonly text: string; readonly end: number } {
  const parts: string[] = []
  let at = start + 1
  while (at < text.length) {
    const char = text[at]!
    if (char === '"') return { text: parts.join(''), end: at + 1 }
    if (char === '\n') break
    if (char === '\\') {
      const pattern = /u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[nrt"\\]/y
      pattern.lastIndex = at + 1
      const match = pattern.exec(text)
      const code = match?.[1] ?? match?.[2]
      if (!match || (code && Number.parseInt(code, 16) > 0x10ffff))
        throw new Unreadable('an escape that HCL does not know', at)
      parts.push(code ? String.fromCodePoint(Number.parseInt(code, 16)) : escapes[match[0]]!)
      at = pattern.lastIndex
    } else if ((char === '$' || char === '%') && text[at + 1] === char && text[at + 2] === '{') {
      parts.push(`${char}${char}{`)
      at += 3
    } else if ((char === '$' || char === '%') && text[at + 1] === '{') {
      const end = template(text, at)
      parts.push(text.slice(at, end))
      at = end
    } else {
      parts.push(char)
      at++
    }
  }
  throw new Unreadable('a string without its end', start)
}

/** The end of the `${…}` that begins at `start`: braces are counted, those in strings are not. */
function template(text: string, start: number): number {
  // What is open: a brace, or a string in which templates open again.
  const open: ('{' | '"')[] = ['{']
  for (let at = start + 2; at < text.length; at++) {
    const char = text[at]!
    if (open.at(-1) === '"') {
      if (char === '\\') at++
      else if (char === '"') open.pop()
      else if (char === '\n') break
      else if ((char === '$' || char === '%') && text[at + 1] === '{') {
        open.push('{')
        at++
      }
    } else if (char === '"') open.push('"')
    else if (char === '{') open.push('{')
    else if (char === '}') open.pop()
    if (open.length === 0) return at + 1
  }
  throw new Unreadable('a template without its end', start)
}

/** The text of a heredoc whose first line begins at `start`; `<<-` takes away the indentation that all lines share. */
function heredoc(
  text: string,
  start: number,
  opening: string,
): { readonly text: string; readonly end: number } | undefined {
  const isIndented = opening[2] === '-'
  const word = opening.slice(isIndented ? 3 : 2).trim()
  const lines: string[] = []
  for (let at = start; at < text.length; ) {
    const next = text.indexOf('\n', at)
    const end = next < 0 ? text.length : next
    const line = text.slice(at, end)
    if (line.trim() === word)
      return { text: (isIndented ? unindented(lines) : lines).map((one) => `${one}\n`).join(''), end }
    lines.push(line)
    at = end + 1
  }
  return undefined
}

function unindented(lines: readonly string[]): readonly string[] {
  const depth = lines.reduce(
    (least, line) => (line.trim() === '' ? least : Math.min(least, /^[ \t]*/.exec(line)![0].length)),
    Number.POSITIVE_INFINITY,
  )
  return lines.map((line) => (line.trim() === '' ? line.slice(Math.min(line.length, depth)) : line.slice(depth)))
}
