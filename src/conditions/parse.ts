import { didYouMean, listing } from '../util/text.ts'
import { parsePattern } from './pattern.ts'
import type { Comparison, Condition, Operand, StatusFunction } from './types.ts'

export { asksStatus, variablesOf } from './names.ts'

/** What is wrong with the text of a condition, and which part of it. */
export interface ConditionError {
  readonly message: string
  readonly at: number
  readonly length: number
  readonly hint?: string
}

const symbols: readonly Comparison[] = ['==', '!=', '<=', '>=', '<', '>']
const words: readonly Comparison[] = ['contains', 'starts_with', 'ends_with', 'matches']
const statuses: readonly StatusFunction[] = ['success', 'failure', 'cancelled', 'always']
const joints = ['and', 'or', 'not']
/** Names that a condition cannot ask for, since they mean something in it. */
export const reservedNames: ReadonlySet<string> = new Set([...joints, ...words, 'true', 'false'])

const lengthLimit = 4096
const depthLimit = 100

/** `=` and `,` belong to a name only inside of brackets, as in `build[arch=amd64,os=linux].os`: `a==b` is a comparison. */
const name = /(?:[A-Za-z0-9_.+-]|\[[A-Za-z0-9_.+\-=,]*\])+/y
const bareWord = /[^\s()"'&|!<>={}]+/y
const blanks = /\s*/y

/** Digits that a double keeps: longer ones, such as ids, are compared as text, lest two of them be the same number. */
const exactNumber = /^-?(?=(?:\d\.?){1,15}(?:[eE]|$))\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?$/

/** The number that a text stands for; undefined when it is none, or has more digits than can be compared. */
export function numberOf(text: string): number | undefined {
  if (!exactNumber.test(text)) return undefined
  const number = Number(text)
  return Number.isFinite(number) ? number + 0 : undefined
}

class Refused extends Error {
  readonly problem: ConditionError
  constructor(problem: ConditionError) {
    super(problem.message)
    this.problem = problem
  }
}

/** The text of an `if` → a condition, or what is wrong with it. Grammar: docs/workflows.md. */
export function parseCondition(text: string): Condition | ConditionError {
  if (text.length > lengthLimit)
    return { message: `a condition has at most ${lengthLimit} characters`, at: lengthLimit, length: 1 }
  try {
    return new Parser(text).parse()
  } catch (error) {
    if (error instanceof Refused) return error.problem
    throw error
  }
}

export const isConditionError = (parsed: Condition | ConditionError): parsed is ConditionError => !('kind' in parsed)

class Parser {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): Condition {
    const condition = this.#or()
    if (this.#peek() !== '') {
      const rest = this.#rest()
      if (rest === ')') this.#fail('there is no "(" for this ")"', 1)
      this.#fail(
        `expected "and", "or" or the end, not ${JSON.stringify(rest)}`,
        rest.length,
        'text with blanks or signs stands in quotes',
      )
    }
    return condition
  }

  #fail(message: string, length = 1, hint?: string, at = this.#at): never {
    throw new Refused({ message, at, length, ...(hint === undefined ? {} : { hint }) })
  }

  #match(expression: RegExp): string | undefined {
    expression.lastIndex = this.#at
    const found = expression.exec(this.#text)?.[0]
    if (found === undefined) return undefined
    this.#at += found.length
    return found
  }

  /** The next sign after blanks; '' at the end. */
  #peek(): string {
    this.#match(blanks)
    return this.#text[this.#at] ?? ''
  }

  /** The next word or sign, for messages. */
  #rest(): string {
    return /^(?:[^\s()"'&|!<>=]+|&&|\|\||[=!<>]=?|[\s\S])/.exec(this.#text.slice(this.#at))?.[0] ?? ''
  }

  #take(sign: string): boolean {
    this.#peek()
    if (!this.#text.startsWith(sign, this.#at)) return false
    this.#at += sign.length
    return true
  }

  /** Takes a word that stands alone: `or` of `or x`, not of `order`. */
  #takeWord(word: string): boolean {
    this.#peek()
    const from = this.#at
    if (this.#match(name) === word) return true
    this.#at = from
    return false
  }

  #or(): Condition {
    return this.#joined('or', '||', () => this.#and())
  }

  #and(): Condition {
    return this.#joined('and', '&&', () => this.#not())
  }

  #joined(kind: 'and' | 'or', sign: string, part: () => Condition): Condition {
    const of = [part()]
    while (this.#takeWord(kind) || this.#take(sign)) of.push(part())
    return of.length === 1 ? of[0]! : { kind, of }
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > depthLimit) this.#fail('too many parentheses in each other')
    const result = read()
    this.#depth--
    return result
  }

  #not(): Condition {
    if (this.#takeWord('not') || this.#take('!')) return { kind: 'not', of: this.#nested(() => this.#not()) }
    return this.#single()
  }

  #single(): Condition {
    const next = this.#peek()
    const at = this.#at
    if (next === '') this.#fail('a condition is missing here')
    if (this.#take('(')) {
      const inner = this.#nested(() => this.#or())
      if (!this.#take(')')) this.#fail('the "(" is not closed', 1, undefined, at)
      return inner
    }
    if (next === '"' || next === "'")
      this.#fail(
        'a comparison begins with the name of a variable, not with text',
        this.#quoted().length,
        'write name == "text"',
        at,
      )
    const template = /^\{\{\s*\.?([^}\s]*)\s*\}\}/.exec(this.#text.slice(at))
    if (template)
      this.#fail('a condition names a variable without braces', template[0].length, `write ${template[1]}`, at)
    const variable = this.#match(name)
    if (variable === undefined) {
      const rest = this.#rest()
      this.#fail(`expected the name of a variable, not ${JSON.stringify(rest)}`, rest.length)
    }
    if (this.#text[this.#at] === '(') return this.#status(variable, at)
    if (variable === 'true' || variable === 'false')
      return { kind: 'truth', of: { kind: 'boolean', value: variable === 'true' } }
    if (reservedNames.has(variable))
      this.#fail(`expected the name of a variable, not "${variable}"`, variable.length, undefined, at)
    const operator = this.#operator()
    const left: Operand = { kind: 'variable', name: variable }
    return operator ? this.#compare(left, operator) : { kind: 'truth', of: left }
  }

  #status(word: string, at: number): Condition {
    const status = statuses.find((known) => known === word)
    if (!status) {
      const near = didYouMean(word, statuses)
      this.#fail(
        `there is no function "${word}"`,
        word.length,
        near ? `did you mean "${near}()"?` : `there are ${listing(statuses.map((known) => `${known}()`))}`,
        at,
      )
    }
    this.#at++
    if (!this.#take(')')) this.#fail(`${status}() takes nothing`, 1)
    return { kind: 'status', name: status }
  }

  #operator(): Comparison | undefined {
    const next = this.#peek()
    if (next === '' || next === ')') return undefined
    const symbol = symbols.find((known) => this.#take(known))
    if (symbol) return symbol
    const at = this.#at
    if (next === '=' || next === '~') this.#fail(`"${next}" is no comparison`, 1, 'write == or matches')
    const word = this.#match(name)
    const known = words.find((one) => one === word)
    if (known) return known
    this.#at = at
    const near = word === undefined || joints.includes(word) ? undefined : didYouMean(word, words)
    if (near) this.#fail(`"${word}" is no comparison`, word!.length, `did you mean "${near}"?`)
    return undefined
  }

  #compare(left: Operand, operator: Comparison): Condition {
    this.#peek()
    const at = this.#at
    const literal = this.#literal()
    const length = this.#at - at
    const text = literal.word
    if (words.includes(operator)) {
      if (operator === 'matches') {
        const pattern = parsePattern(text)
        if ('message' in pattern)
          this.#fail(`not a regular expression that dwf knows: ${pattern.message}`, length, undefined, at)
      }
      return { kind: 'compare', left, operator, right: { kind: 'text', value: text } }
    }
    const number = numberOf(text)
    if (operator !== '==' && operator !== '!=') {
      if (number === undefined)
        this.#fail(`"${operator}" compares numbers, and ${JSON.stringify(text)} is none`, length, undefined, at)
      return { kind: 'compare', left, operator, right: { kind: 'number', value: number } }
    }
    if (literal.isQuoted) return { kind: 'compare', left, operator, right: { kind: 'text', value: text } }
    if (text === 'true' || text === 'false')
      return { kind: 'compare', left, operator, right: { kind: 'boolean', value: text === 'true' } }
    const right: Operand = number === undefined ? { kind: 'text', value: text } : { kind: 'number', value: number }
    return { kind: 'compare', left, operator, right }
  }

  #literal(): { readonly word: string; readonly isQuoted: boolean } {
    const next = this.#text[this.#at]
    if (next === '"' || next === "'") return { word: this.#unquote(this.#quoted()), isQuoted: true }
    if (next === '{')
      this.#fail(
        'the right side is a text, a number, true or false: two variables cannot be compared',
        this.#rest().length,
      )
    const word = this.#match(bareWord)
    if (word === undefined)
      this.#fail(
        next === undefined
          ? 'something to compare with is missing here'
          : `expected something to compare with, not ${JSON.stringify(this.#rest())}`,
        1,
        'the empty text is ""',
      )
    return { word, isQuoted: false }
  }

  /** A text with its quotes. */
  #quoted(): string {
    const quoted = this.#match(this.#text[this.#at] === '"' ? /"(?:[^"\\]|\\[\s\S])*"/y : /'(?:[^'\\]|\\[\s\S])*'/y)
    if (quoted === undefined) this.#fail('the quote is not closed')
    return quoted
  }

  /** A backslash stands for itself unless a quote or a backslash follows: patterns are full of them. */
  #unquote(quoted: string): string {
    return quoted.slice(1, -1).replace(/\\([\\"'])/g, '$1')
  }
}
