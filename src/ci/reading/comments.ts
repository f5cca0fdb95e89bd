import { Lexer } from 'yaml'

export interface Comment {
  /** Of its #. */
  readonly at: number
  /** What is behind the #. */
  readonly text: string
  /** Nothing else is on its line. */
  readonly isAlone: boolean
}

/** Before the text of a scalar, which may begin with anything, # included. */
const contentMark = '\u001f'
/** What the lexer puts between the pieces of the text (yaml 2.9, cst.js). */
const marks: ReadonlySet<string> = new Set(['\u0002', '\u0018', contentMark])

/** The comments of a YAML text by their lines, from 1. A # inside of a text is none. */
export function commentsOf(text: string): ReadonlyMap<number, Comment> {
  const comments = new Map<number, Comment>()
  let [at, line, lineStart] = [0, 1, 0]
  let isContent = false
  for (const lexeme of new Lexer().lex(text)) {
    if (!isContent && marks.has(lexeme)) {
      isContent = lexeme === contentMark
      continue
    }
    if (!isContent && lexeme.startsWith('#'))
      comments.set(line, { at, text: lexeme.slice(1).trim(), isAlone: text.slice(lineStart, at).trim() === '' })
    for (let next = lexeme.indexOf('\n'); next >= 0; next = lexeme.indexOf('\n', next + 1)) {
      line++
      lineStart = at + next + 1
    }
    at += lexeme.length
    isContent = false
  }
  return comments
}
