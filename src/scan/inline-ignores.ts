import { fstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { copyInside, piecesOf, sizeLimit, withInside } from './read.ts'

export interface InlineIgnore {
  readonly file: string
  readonly line: number
}

const candidates =
  /(^|\/)(dockerfile|containerfile)(\.[^/]*)?$|\.(dockerfile|containerfile|tf|tofu|tfvars|hcl|json|ya?ml|tpl|template|toml|j2)$/i

/** Whether Trivy 0.76 looks for misconfigurations in a file of this name. */
export const mayHoldIgnores = (file: string): boolean => candidates.test(file)

/**
 * The comments with which a file would take itself out of the judgement. Trivy has no option against them and does not
 * report what they hid, and a change that is judged must not bring its own acquittal.
 */
export function findInlineIgnores(root: string, files: readonly string[]): readonly InlineIgnore[] {
  return files.filter(mayHoldIgnores).flatMap((file) => {
    const places = withInside(root, file, (descriptor) => {
      if (fstatSync(descriptor).size > sizeLimit) return firstMark(descriptor)
      const text = readFileSync(descriptor, 'latin1')
      return linesOf(text, marksOf(text))
    })
    return (places ?? []).map((line) => ({ file, line }))
  })
}

/**
 * A copy of the repository at `to` in which the comments mean nothing: one character of each is replaced, so that lines
 * and columns stay. Other files come along as they are, since configuration refers to them. Returns the files that are
 * not in it: too large to take comments out of, or by now no files of the repository.
 */
export function copyWithoutIgnores(root: string, files: readonly string[], to: string): readonly string[] {
  return files.filter((file) => {
    const target = join(to, file)
    const without = mayHoldIgnores(file) ? withInside(root, file, withoutIgnores) : 'as-it-is'
    if (without === undefined || without === 'too-large') return true
    if (without === 'as-it-is') return !copyInside(root, file, target)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, without.text, { encoding: 'latin1', flag: 'wx' })
    return false
  })
}

function withoutIgnores(descriptor: number): { readonly text: string } | 'as-it-is' | 'too-large' {
  if (fstatSync(descriptor).size > sizeLimit) return firstMark(descriptor).length > 0 ? 'too-large' : 'as-it-is'
  // Bytes as characters: whatever the file's encoding, writing them back changes nothing else.
  const text = readFileSync(descriptor, 'latin1')
  const parts: string[] = []
  let from = 0
  for (const at of marksOf(text)) {
    const colon = at + markLength - 1
    parts.push(text.slice(from, colon), '_')
    from = colon + 1
  }
  return from === 0 ? 'as-it-is' : { text: parts.join('') + text.slice(from) }
}

const marks = ['trivy:', 'tfsec:']
const markLength = 6

/**
 * Where `trivy:ignore:ID` and `tfsec:ignore:ID` begin, also behind other sections such as
 * `trivy:exp:2030-01-01:ignore:ID`. Trivy splits a line at blanks and looks at the start of each word
 * (pkg/iac/ignore/parse.go, 0.76); this takes them anywhere in a word. Each word is looked at once: a file of one
 * word of megabytes costs no time.
 */
function marksOf(text: string): readonly number[] {
  const found: number[] = []
  let word = { end: 0, lastIgnore: -1 }
  for (const { index } of text.matchAll(/(?:trivy|tfsec):/g)) {
    if (index >= word.end) {
      const blank = /[ \n]/g
      blank.lastIndex = index
      const end = blank.exec(text)?.index ?? text.length
      const last = text.slice(index, end).lastIndexOf('ignore')
      word = { end, lastIgnore: last < 0 ? -1 : index + last }
    }
    if (word.lastIgnore >= index + markLength) found.push(index)
  }
  return found
}

/** The line of each place, from 1; places in ascending order. */
function linesOf(text: string, places: readonly number[]): readonly number[] {
  let line = 1
  let next = text.indexOf('\n')
  return places.map((place) => {
    while (next >= 0 && next < place) {
      line++
      next = text.indexOf('\n', next + 1)
    }
    return line
  })
}

/** The line of the first mark, of a file of any size: none where nothing in it looks like such a comment. */
function firstMark(descriptor: number): readonly number[] {
  let line = 1
  let before = ''
  for (const piece of piecesOf(descriptor)) {
    const text = before + piece.toString('latin1')
    const places = marks.map((mark) => text.indexOf(mark)).filter((at) => at >= 0)
    if (places.length > 0) return [line + newlines(text.slice(0, Math.min(...places)))]
    before = text.slice(-(markLength - 1))
    line += newlines(text.slice(0, text.length - before.length))
  }
  return []
}

function newlines(text: string): number {
  let found = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) found++
  return found
}
