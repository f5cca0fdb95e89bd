import { compile, type Pattern, type Piece, Refused, type Test } from './pattern-steps.ts'

export interface PatternError {
  readonly message: string
  readonly at: number
}

export const patternLimit = 256
const repeatLimit = 1000

/**
 * Regular expressions that cannot take long: matched by following all ways through the pattern at once, so that the time
 * is at most the steps of the pattern times the characters of the text, which `longestText` bounds. Backtracking, as RegExp does it, lets a pattern of ten characters hang on a registered value.
 * The syntax is RegExp's, without what needs backtracking: no back references, no look-around.
 */
export function parsePattern(source: string): Pattern | PatternError {
  if (source.length > patternLimit)
    return { message: `the pattern is longer than ${patternLimit} characters`, at: patternLimit }
  try {
    return compile(new Reader(source).read())
  } catch (error) {
    if (error instanceof Refused) return { message: error.message, at: error.at }
    throw error
  }
}

const isLineEnd = (codePoint: number): boolean => [0x0a, 0x0d, 0x2028, 0x2029].includes(codePoint)

/** Classes are RegExp's own, asked for one character at a time; the answers for ASCII are kept. */
function classTest(source: string, flags: string, at: number): Test {
  let expression: RegExp
  try {
    expression = new RegExp(`^(?:${source})$`, flags)
  } catch (error) {
    throw new Refused(/: ([^:]+)$/.exec((error as Error).message)?.[1]?.toLowerCase() ?? 'not understood', at)
  }
  const kept = Array.from({ length: 128 }, (_, code) => expression.test(String.fromCodePoint(code)))
  return (codePoint) => kept[codePoint] ?? expression.test(String.fromCodePoint(codePoint))
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', f: '\f', v: '\v' }

class Reader {
  readonly #source: string
  #at = 0
  #flags = 'u'
  #depth = 0

  constructor(source: string) {
    this.#source = source
  }

  read(): Piece {
    if (this.#take('(?i)')) this.#flags = 'iu'
    const piece = this.#choice()
    if (this.#at < this.#source.length) throw new Refused('there is no "(" for this ")"', this.#at)
    return piece
  }

  #take(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #match(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.#at
    const found = expression.exec(this.#source)
    if (!found) return undefined
    this.#at += found[0].length
    return found
  }

  #choice(): Piece {
    const choices = [this.#row()]
    while (this.#take('|')) choices.push(this.#row())
    return choices.length === 1 ? choices[0]! : { kind: 'any', of: choices }
  }

  #row(): Piece {
    const pieces: Piece[] = []
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) pieces.push(this.#repeated())
    return { kind: 'all', of: pieces }
  }

  #repeated(): Piece {
    const from = this.#at
    const piece = this.#single()
    const quantifier = this.#match(/(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/y)
    if (!quantifier) return piece
    if (piece.kind === 'assert') throw new Refused('a place cannot be repeated', from)
    const [text, low, comma, high] = quantifier
    const min = low === undefined ? (text[0] === '+' ? 1 : 0) : Number(low)
    const max =
      low === undefined ? (text[0] === '?' ? 1 : Infinity) : high !== '' ? Number(high) : comma ? Infinity : min
    if (min > repeatLimit || (max !== Infinity && max > repeatLimit))
      throw new Refused(`repeats more than ${repeatLimit} times`, this.#at - text.length)
    if (max < min) throw new Refused('the numbers are the wrong way round', this.#at - text.length)
    return { kind: 'repeat', of: piece, min, max }
  }

  #single(): Piece {
    const at = this.#at
    const symbol = String.fromCodePoint(this.#source.codePointAt(at)!)
    if ('*+?{'.includes(symbol))
      throw new Refused(`nothing to repeat before "${symbol}"; for the character itself write "\\${symbol}"`, at)
    if (symbol === '(') return this.#group()
    if (symbol === '[') {
      const found = this.#match(/\[(?:[^\]\\]|\\[\s\S])*\]/y)
      if (!found) throw new Refused('the "[" is not closed', at)
      return { kind: 'one', test: classTest(found[0], this.#flags, at) }
    }
    if (symbol === '\\') return this.#escape()
    this.#at += symbol.length
    if (symbol === '^') return { kind: 'assert', what: 'start' }
    if (symbol === '$') return { kind: 'assert', what: 'end' }
    if (symbol === '.') return { kind: 'one', test: (codePoint) => !isLineEnd(codePoint) }
    return this.#literal(symbol)
  }

  #literal(symbol: string): Piece {
    const wanted = symbol.codePointAt(0)!
    if (this.#flags === 'u') return { kind: 'one', test: (codePoint) => codePoint === wanted }
    return { kind: 'one', test: classTest(`\\u{${wanted.toString(16)}}`, this.#flags, this.#at) }
  }

  #group(): Piece {
    const at = this.#at
    this.#at++
    if (this.#take('?') && !this.#take(':'))
      throw new Refused('only (…), (?:…) and a leading (?i) are known: no look-around, no names', at)
    if (++this.#depth > 50) throw new Refused('too many groups in each other', at)
    const piece = this.#choice()
    this.#depth--
    if (!this.#take(')')) throw new Refused('the "(" is not closed', at)
    return piece
  }

  #escape(): Piece {
    const at = this.#at
    const found = this.#match(/\\(?:[dDwWsS]|[pP]\{[A-Za-z_=]+\}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|u\{[\da-fA-F]{1,6}\})/y)
    if (found) return { kind: 'one', test: classTest(found[0], this.#flags, at) }
    const next = this.#source.codePointAt(at + 1)
    if (next === undefined) throw new Refused('nothing after the "\\"', at)
    const symbol = String.fromCodePoint(next)
    this.#at += 1 + symbol.length
    if (symbol === 'b') return { kind: 'assert', what: 'boundary' }
    if (symbol === 'B') return { kind: 'assert', what: 'no-boundary' }
    if (Object.hasOwn(escapes, symbol)) return this.#literal(escapes[symbol]!)
    if (/[0-9]/.test(symbol)) throw new Refused('what a group found cannot be asked for again', at)
    if (/[A-Za-z]/.test(symbol)) throw new Refused(`"\\${symbol}" is not known`, at)
    return this.#literal(symbol)
  }
}
