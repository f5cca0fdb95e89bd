import type { Heredoc } from './heredoc.ts'
import type { Found } from './references.ts'

/**
 * Where a reference stands in a shell script. `bare`, `double` and `single` name the quotes around it; in a comment nothing
 * reads it; in the others no form of quoting keeps a value what it is, in every shell.
 */
export type Place =
  | 'bare'
  | 'double'
  | 'single'
  | 'comment'
  | 'arithmetic'
  | 'backtick'
  | 'dollar-quote'
  | 'escaped'
  | 'expansion'
  | 'heredoc'
  | 'index'
  | 'name'
  | 'lost'

export interface Word {
  readonly from: number
  readonly to: number
  /** Without its quotes; a reference is a NUL, what a substitution gives is left out. */
  readonly text: string
  /** As it is written. */
  readonly raw: string
}

/** A part of the script, from its first character to behind its last. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** `$name`, where the shell puts the value of a variable. */
export interface Expansion extends Range {
  readonly name: string
}

/** The reader met what shells read differently, or what it does not know: from here on it says nothing. */
export class Lost extends Error {}

/** Reads the words of a script: quotes, escapes, expansions and what is nested in them. */
export abstract class WordReader {
  readonly places = new Map<number, Place>()
  /** In the order of the script; not those in single quotes, in backticks and in here-documents. */
  readonly expansions: Expansion[] = []
  /** Arithmetic, and what is not read in detail: here the name of a variable is enough to have its value evaluated. */
  readonly evaluated: Range[] = []
  protected readonly text: string
  protected readonly references: ReadonlyMap<number, Found>
  protected at = 0
  /** Here-documents whose bodies begin at the next line end. */
  protected heredocs: Heredoc[] = []

  constructor(text: string, references: readonly Found[]) {
    this.text = text
    this.references = new Map(references.map((found) => [found.at, found]))
  }

  /** Reads commands up to what ends them, which is left to the caller. */
  protected abstract list(until: 'end' | ')' | ';;'): void

  /** Puts a reference that begins here in its place and goes behind it. */
  protected reference(place: Place): boolean {
    const found = this.references.get(this.at)
    if (!found) return false
    if (!this.places.has(found.at)) this.places.set(found.at, place)
    this.at += found.length
    return true
  }

  /** What stands before a reference gives it another meaning: it is refused whatever comes around it. */
  protected refuseNext(place: Place): void {
    if (this.references.has(this.at + 1)) this.places.set(this.at + 1, place)
  }

  protected is(text: string): boolean {
    return this.text.startsWith(text, this.at)
  }

  protected take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  protected word(stop = /[ \t\n;&|<>()]/): Word {
    const from = this.at
    let text = ''
    for (;;) {
      const sign = this.text[this.at]
      if (sign === undefined) break
      if (this.reference('bare')) text += '\0'
      else if (this.text.startsWith('<(', this.at) || this.text.startsWith('>(', this.at)) this.#substitution()
      else if (stop.test(sign)) break
      else if (sign === '\\') text += this.#escape()
      else text += this.#piece(sign)
    }
    return { from, to: this.at, text, raw: this.text.slice(from, this.at) }
  }

  /** What is read alike in a word and in the braces of an expansion. */
  #piece(sign: string): string {
    if (sign === "'") return this.#single()
    if (sign === '"') return this.#double()
    if (sign === '$') return this.#dollar(false)
    if (sign === '`') return this.#backtick()
    this.at++
    return sign
  }

  #escape(): string {
    this.refuseNext('escaped')
    if (this.references.has(this.at + 1)) {
      this.at++
      return ''
    }
    const next = this.text[this.at + 1]
    this.at += next === undefined ? 1 : 2
    return next === undefined || next === '\n' ? '' : next
  }

  /** A line end in quotes while a here-document waits for its body: shells do not agree on where the body is. */
  #quotedSign(): string {
    const sign = this.text[this.at]
    if (sign === undefined || (sign === '\n' && this.heredocs.length > 0)) throw new Lost()
    return sign
  }

  #single(): string {
    let text = ''
    for (this.at++; ; ) {
      const sign = this.#quotedSign()
      if (this.reference('single')) text += '\0'
      else {
        this.at++
        if (sign === "'") return text
        text += sign
      }
    }
  }

  #double(): string {
    let text = ''
    for (this.at++; ; ) {
      const sign = this.#quotedSign()
      if (this.reference('double')) text += '\0'
      else if (sign === '$') text += this.#dollar(true)
      else if (sign === '`') text += this.#backtick()
      else if (sign === '\\' && /[$`"\\\n]/.test(this.text[this.at + 1] ?? '')) text += this.#escape()
      else {
        if (sign === '\\') this.refuseNext('escaped')
        this.at++
        if (sign === '"') return text
        text += sign
      }
    }
  }

  #dollar(isQuoted: boolean): string {
    this.refuseNext('name')
    const variable = /\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*|[0-9@*])/y
    variable.lastIndex = this.at
    const found = variable.exec(this.text)
    if (found) this.expansions.push({ name: found[1]!, from: this.at, to: this.at + found[0].length })
    if (this.references.has(this.at + 1)) {
      this.at++
    } else if (this.is('$((')) this.#arithmetic()
    else if (this.is('$(')) this.#substitution()
    else if (this.is('${')) this.#expansion(isQuoted)
    else if (this.is('$[')) throw new Lost()
    else if (this.is("$'") && !isQuoted) this.#dollarQuote()
    else this.at++
    return ''
  }

  /** `$( … )`, `<( … )` and `>( … )`. */
  #substitution(): void {
    if (this.heredocs.length > 0) throw new Lost()
    this.at += 2
    this.list(')')
    if (this.heredocs.length > 0) throw new Lost()
    this.at++
  }

  #arithmetic(): void {
    const from = this.at
    this.at += 3
    for (let depth = 0; ; ) {
      const sign = this.#quotedSign()
      if (this.reference('arithmetic')) continue
      if (/['"`\\]/.test(sign) || this.is('$(')) throw new Lost()
      this.at++
      if (sign === '(') depth++
      if (sign !== ')') continue
      if (depth-- > 0) continue
      // `$((a) | (b))` is a command in a subshell.
      if (!this.is(')')) throw new Lost()
      this.at++
      this.evaluated.push({ from, to: this.at })
      return
    }
  }

  #backtick(): string {
    const from = this.at++
    for (;;) {
      const sign = this.#quotedSign()
      if (this.reference('backtick')) continue
      this.at += sign === '\\' ? 2 : 1
      if (sign === '`') break
    }
    this.evaluated.push({ from, to: this.at })
    const body = this.text.slice(from, this.at)
    if (/["'#]/.test(body) && (oddCount(body, "'") || oddCount(body, '"') || body.includes('#'))) throw new Lost()
    return ''
  }

  #dollarQuote(): void {
    this.at += 2
    for (;;) {
      const sign = this.#quotedSign()
      if (this.reference('dollar-quote')) continue
      // Where bash goes on, dash has reached the end.
      if (this.is("\\'")) throw new Lost()
      this.at += sign === '\\' ? 2 : 1
      if (sign === "'") return
    }
  }

  #expansion(isQuoted: boolean): void {
    const from = this.at
    this.at += 2
    const isIndirect = this.is('!')
    this.take(/[A-Za-z_][A-Za-z0-9_]*|\d+|[@*#?$!-]/y)
    const operator = this.take(/:?[-=+?]|##?|%%?/y)
    const isPattern = operator !== undefined && /^[#%]/.test(operator)
    const isInside = isQuoted && !isPattern
    // `${a[…]}`, `${a:…}` and `${!a}`: indexes and places are arithmetic.
    const isEvaluated = isIndirect || (operator === undefined && /[[:]/.test(this.text[this.at] ?? ''))
    const place = operator === undefined ? 'expansion' : isInside ? 'double' : 'bare'
    for (;;) {
      const sign = this.#quotedSign()
      if (this.reference(place)) continue
      if (sign === '}') break
      if (sign === '\\') this.#escape()
      else if (isInside && sign === '"') {
        if (this.take(/"[^"'\\$`{}]*"/y) === undefined) throw new Lost()
      } else if (isInside && sign === "'") throw new Lost()
      else if (sign === '$') this.#dollar(isInside)
      else this.#piece(sign)
    }
    this.at++
    if (isEvaluated) this.evaluated.push({ from, to: this.at })
  }
}

const oddCount = (text: string, sign: string): boolean => text.split(sign).length % 2 === 0
