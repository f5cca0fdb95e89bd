import { bodyOf } from './heredoc.ts'
import type { Found } from './references.ts'
import { type Expansion, Lost, type Place, type Range, type Word, WordReader } from './words.ts'

/** One simple command: `a=1 b c | …` */
export interface SimpleCommand extends Range {
  readonly words: readonly Word[]
  /** Where the pipeline begins that feeds it; undefined: nothing does. */
  readonly fedFrom?: number
  /** Text of `<<< word`, and what `<` names. */
  readonly inputs: readonly Word[]
  /** A here-document is its input. */
  readonly hasHeredoc: boolean
}

export interface Script {
  /** By the offset of the reference. */
  readonly places: ReadonlyMap<number, Place>
  readonly commands: readonly SimpleCommand[]
  readonly functions: ReadonlySet<string>
  readonly expansions: readonly Expansion[]
  readonly evaluated: readonly Range[]
  /** Bodies of here-documents in which variables are expanded. */
  readonly bodies: readonly Range[]
  /** Variables that a `case` looks at. */
  readonly checked: readonly Expansion[]
}

/** Shells take the line end out first, so that the signs around it are one operator: not all of them, not everywhere. */
const splitOperator = /\$\\\n|\$\(\\\n|[;&|<>()](?:\\\n)+[;&|<>()-]/

/** Keywords after which a command begins. */
const leading = new Set(['if', 'then', 'else', 'elif', 'while', 'until', 'do', '!', '{', 'time'])
const opening = new Set(['if', 'while', 'until', 'for', 'select', 'case', '{'])
const closing = new Set(['fi', 'done', '}'])

/**
 * Reads a POSIX shell script, with what bash adds, as far as it takes to know the place of each reference and the words of
 * each command. It does not check the script; where it is not sure, all references are `lost`: what comes after may run what
 * came before.
 */
export function readScript(text: string, references: readonly Found[]): Script {
  const reader = new ScriptReader(text, references)
  reader.read()
  return reader
}

class ScriptReader extends WordReader implements Script {
  readonly commands: SimpleCommand[] = []
  readonly functions = new Set<string>()
  readonly bodies: Range[] = []
  readonly checked: Expansion[] = []
  #depth = 0

  read(): void {
    try {
      if (splitOperator.test(this.text)) throw new Lost()
      this.list('end')
      if (this.heredocs.length > 0) throw new Lost()
    } catch (error) {
      if (!(error instanceof Lost)) throw error
      for (const at of this.references.keys()) if (this.places.get(at) !== 'comment') this.places.set(at, 'lost')
    }
  }

  #blanks(): void {
    this.take(/(?:[ \t]|\\\n)*/y)
  }

  /** Blanks, line ends and comments between words. */
  #gap(): void {
    for (;;) {
      this.#blanks()
      if (this.is('#')) this.#comment()
      else if (this.is('\n')) this.#lineEnd()
      else return
    }
  }

  #comment(): void {
    while (this.at < this.text.length && !this.is('\n')) if (!this.reference('comment')) this.at++
  }

  #lineEnd(): void {
    this.at++
    const bodies = this.heredocs
    this.heredocs = []
    for (const heredoc of bodies) {
      const body = bodyOf(this.text, this.at, heredoc)
      if (!body) throw new Lost()
      while (this.at < body.to) if (!this.reference('heredoc')) this.at++
      if (!heredoc.isQuoted) this.#body(body)
      this.at = body.next
    }
  }

  #body({ from, to }: Range): void {
    this.bodies.push({ from, to })
    const body = this.text.slice(from, to)
    if (/`|\$\(|\$\{[^}]*[[:!]/.test(body)) this.evaluated.push({ from, to })
    for (const { 0: all, 1: name, index } of body.matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]*|[0-9@*])/g))
      this.expansions.push({ name: name!, from: from + index, to: from + index + all.length })
  }

  /** Commands up to what ends them, which is left to the caller. */
  protected override list(until: 'end' | ')' | ';;'): void {
    if (++this.#depth > 50) throw new Lost()
    let pipeline = this.at
    let fedFrom: number | undefined
    let from = this.at
    let words: Word[] = []
    let inputs: Word[] = []
    let hasHeredoc = false
    const compounds: number[] = []
    const end = () => {
      const fed = fedFrom === undefined ? {} : { fedFrom }
      if (words.length > 0 || inputs.length > 0)
        this.commands.push({ words, from, to: this.at, inputs, hasHeredoc, ...fed })
      words = []
      inputs = []
      hasHeredoc = false
    }
    const next = (isPipe = false) => {
      end()
      fedFrom = isPipe ? pipeline : undefined
      from = this.at
      if (!isPipe) pipeline = this.at
    }
    const leave = () => {
      end()
      this.#depth--
    }
    for (;;) {
      this.#blanks()
      const sign = this.text[this.at]
      if (sign === undefined) {
        if (until !== 'end') throw new Lost()
        leave()
        return
      }
      if (sign === '#') this.#comment()
      else if (sign === '\n') {
        this.#lineEnd()
        next()
      } else if (this.is(';;') || this.is(';&')) {
        if (until !== ';;') throw new Lost()
        leave()
        return
      } else if (this.is('&>')) {
        this.at += this.is('&>>') ? 3 : 2
        this.#target()
      } else if (this.take(/&&|\|\||[;&]/y) !== undefined) next()
      else if (this.take(/\|&?/y) !== undefined) next(true)
      else if (sign === ')') {
        if (until !== ')') throw new Lost()
        leave()
        return
      } else if (sign === '(') {
        if (words.length === 0) {
          if (this.is('((')) throw new Lost()
          this.at++
          this.list(')')
          words.push(this.#closed(this.at++))
        } else if (words.length === 1 && this.take(/\([ \t]*\)/y) !== undefined) {
          this.functions.add(words[0]!.text)
          words = []
        } else if (this.text[this.at - 1] === '=' && words.length > 0) words.push(this.#array(words.pop()!))
        else throw new Lost()
      } else if ((sign === '<' || sign === '>') && this.text[this.at + 1] !== '(') {
        const last = words.at(-1)
        if (last && last.to === this.at && /^\d+$/.test(last.raw)) words.pop()
        const waiting = this.heredocs.length
        const input = this.#redirection()
        if (input) inputs.push(input)
        hasHeredoc ||= this.heredocs.length > waiting
      } else {
        const start = this.at
        const word = this.word()
        if (word.to === word.from) throw new Lost()
        const isFirst = words.length === 0
        if (isFirst && until === ';;' && word.raw === 'esac') {
          this.at = start
          leave()
          return
        }
        if (isFirst && opening.has(word.raw)) compounds.push(pipeline)
        if (isFirst && leading.has(word.raw)) continue
        if (isFirst && closing.has(word.raw)) pipeline = compounds.pop() ?? pipeline
        words.push(word)
        if (isFirst && word.raw === 'function') {
          this.#blanks()
          this.functions.add(this.word().text)
          this.take(/[ \t]*\([ \t]*\)/y)
          words = []
        } else if (isFirst && word.raw === 'case') {
          this.#case()
          pipeline = compounds.pop() ?? pipeline
        } else if (isFirst && word.raw === '[[') words.push(...this.#test())
      }
    }
  }

  /** Stands for a group that was read, so that what follows is not taken for the start of a command. */
  #closed(at: number): Word {
    return { from: at, to: at + 1, text: '', raw: ')' }
  }

  /** The word of `a=( … )`, up to its end. */
  #array({ from, text }: Word): Word {
    this.at++
    for (;;) {
      this.#gap()
      if (this.take(/\)/y) !== undefined) return { from, to: this.at, text, raw: this.text.slice(from, this.at) }
      const word = this.word()
      if (word.to === word.from) throw new Lost()
      // In `[…]=x` the index is arithmetic.
      if (!word.raw.startsWith('[')) continue
      this.evaluated.push(word)
      for (let at = word.from; at < word.to; at++) if (this.references.has(at)) this.places.set(at, 'index')
    }
  }

  #case(): void {
    this.#blanks()
    const asked = this.word()
    const name = /^"?\$\{?([A-Za-z_][A-Za-z0-9_]*|\d)\}?"?$/.exec(asked.raw)?.[1]
    if (name !== undefined) this.checked.push({ name, from: asked.from, to: asked.to })
    this.#gap()
    if (this.take(/in(?=[ \t\n])/y) === undefined) throw new Lost()
    for (;;) {
      this.#gap()
      if (this.take(/esac(?![^\s;&|()<>])/y) !== undefined) return
      this.take(/\([ \t]*/y)
      for (;;) {
        const pattern = this.word()
        if (pattern.to === pattern.from) throw new Lost()
        this.#blanks()
        if (this.take(/\|[ \t]*/y) === undefined) break
      }
      if (this.take(/\)/y) === undefined) throw new Lost()
      this.list(';;')
      this.take(/;;&|;;|;&/y)
    }
  }

  /** The words of `[[ … ]]`, in which signs are no operators of the shell. */
  #test(): Word[] {
    const words: Word[] = []
    for (;;) {
      this.#gap()
      const word = this.word(/[ \t\n;]/)
      if (word.to === word.from) throw new Lost()
      if (word.raw.startsWith(']]')) {
        this.at = word.from + 2
        return words
      }
      words.push(word)
    }
  }

  #target(): Word {
    this.#blanks()
    const word = this.word()
    if (word.from === word.to) throw new Lost()
    return word
  }

  /** Gives the word that is read from; a target that is written to needs no second look. */
  #redirection(): Word | undefined {
    const operator = this.take(/<<<|<<-|<<|<>|<&|<|>>|>\||>&|>/y)!
    const word = this.#target()
    if (operator === '<<<' || operator === '<') return word
    if (operator.startsWith('<<')) {
      if (/[$`\0]/.test(word.raw + word.text)) throw new Lost()
      this.heredocs.push({ end: word.text, isIndented: operator === '<<-', isQuoted: word.raw !== word.text })
    }
    return undefined
  }
}
