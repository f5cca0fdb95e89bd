/** One command of a script, as far as that can be told without running it. */
export interface Command {
  /** Quotes taken off; what stands before the program (`sudo`, variables, `if`) left out. */
  readonly words: readonly string[]
  /** Offset of its first word in the script. */
  readonly at: number
  readonly end: number
  /** What comes behind it: a pipe, or the start of a command whose output it is given. */
  readonly before: '|' | '$(' | '<(' | ''
}

/** Longer scripts are programs, not commands; nobody maintains one in a workflow. */
const limit = 200_000

/** What runs the command behind it. */
const prefixes: ReadonlySet<string> = new Set(
  'sudo doas time exec command env nice nohup then do else elif if while until ! xvfb-run retry'.split(' '),
)

/**
 * The commands of a shell script: cut at line ends and operators outside of quotes, those in `$(…)` and `<(…)` included.
 * Comments and the bodies of here-documents are left out. Takes time in proportion to the script.
 */
export function commandsOf(script: string): readonly Command[] {
  const commands: Command[] = []
  const text = script.slice(0, limit)
  let words: string[] = []
  let word: string | undefined
  let [start, end] = [0, 0]
  let documents: { readonly name: string; readonly isIndented: boolean }[] = []

  const endWord = (): void => {
    if (word !== undefined) words.push(word)
    word = undefined
  }
  const endCommand = (before: Command['before']): void => {
    endWord()
    const from = programAt(words)
    if (from >= 0) commands.push({ words: words.slice(from), at: start, end, before })
    words = []
  }
  const add = (piece: string, at: number, length = piece.length): void => {
    if (words.length === 0 && word === undefined) start = at
    word = (word ?? '') + piece
    end = at + length
  }

  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '\\') {
      if (/[\r\n]/.test(text[at + 1] ?? '\n')) endWord()
      else add(text[at + 1]!, at, 2)
      at += text.startsWith('\r\n', at + 1) ? 2 : 1
    } else if (char === "'" || char === '"') {
      const close = closing(text, at)
      add(text.slice(at + 1, close), at, close + 1 - at)
      at = close
    } else if (text.startsWith('${{', at)) {
      const close = text.indexOf('}}', at)
      const until = close < 0 ? text.length : close + 2
      add(text.slice(at, until), at)
      at = until - 1
    } else if (char === '\n') {
      endCommand('')
      for (const { name, isIndented } of documents) at = skipDocument(text, at, name, isIndented)
      documents = []
    } else if (/\s/.test(char)) endWord()
    else if (char === '#' && word === undefined) {
      const line = text.indexOf('\n', at)
      at = (line < 0 ? text.length : line) - 1
    } else if (text.startsWith('<<', at) && text[at + 2] !== '<') {
      const found = hereDocument.exec(text.slice(at, at + 200))
      if (found) documents.push({ name: found[2]!, isIndented: found[1] === '-' })
      endWord()
      at += (found?.[0].length ?? 2) - 1
    } else if (text.startsWith('$(', at) || text.startsWith('<(', at) || char === '`') {
      endCommand(char === '<' ? '<(' : '$(')
      if (char !== '`') at++
    } else if (/[;&|()]/.test(char)) {
      const isPipe = char === '|' && text[at + 1] !== '|'
      endCommand(isPipe ? '|' : '')
      if (text[at + 1] === char) at++
    } else add(char, at)
  }
  endCommand('')
  return commands
}

/** Index of the program: behind variables and what runs it, with their options; -1 where there is none. */
function programAt(words: readonly string[]): number {
  let isPrefixed = false
  return words.findIndex((word) => {
    if (prefixes.has(word)) isPrefixed = true
    else if (!/^\w{1,100}\+?=/.test(word) && word !== '{' && !(isPrefixed && word.startsWith('-'))) return true
    return false
  })
}

const hereDocument = /^<<(-?)\s*['"\\]?(\w+)['"]?/

/** Of the quote that ends the one at an offset; the end of the text where there is none. */
function closing(text: string, at: number): number {
  const quote = text[at]!
  let close = at + 1
  while (close < text.length && text[close] !== quote) close += quote === '"' && text[close] === '\\' ? 2 : 1
  return Math.min(close, text.length)
}

/** Offset of the line end behind a here-document that begins behind the line end at `at`. */
function skipDocument(text: string, at: number, name: string, isIndented: boolean): number {
  for (let line = at + 1; line < text.length; ) {
    const next = text.indexOf('\n', line)
    const end = next < 0 ? text.length : next
    const content = text.slice(line, end).replace(/\r$/, '')
    if ((isIndented ? content.replace(/^\t+/, '') : content) === name) return end
    line = end + 1
  }
  return text.length
}
