import { failure } from '../util/diagnostics.ts'
import { printable } from '../util/text.ts'

/**
 * Text that can be written down as it is in every language here. NUL and halves of surrogate pairs cannot: the first
 * ends strings in programs that read the files, the second is not UTF-8.
 * @throws Failure('wrong-input')
 */
function plain(value: unknown, language: string): string {
  if (typeof value !== 'string') throw new TypeError(`a ${language} value must be text, not ${typeof value}`)
  if (value.includes('\0')) throw inexpressible(value, language, 'holds NUL')
  if (!value.isWellFormed()) throw inexpressible(value, language, 'holds half of a surrogate pair')
  return value
}

function inexpressible(value: string, language: string, reason: string): Error {
  const seen = printable(
    value
      .toWellFormed()
      .replaceAll('\0', '\\u0000')
      .replace(/[\n\t]/g, ' '),
  ).slice(0, 80)
  return failure(
    'wrong-input',
    'inexpressible',
    `"${seen}" cannot be written in ${language}: it ${reason}`,
    'give it a plainer name',
  )
}

const hex = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`

/** A basic string of TOML 1.0, on one line. */
export function toml(value: unknown): string {
  const text = plain(value, 'TOML')
  return `"${text.replace(/["\\]/g, '\\$&').replace(/[\u0001-\u001f\u007f]/g, hex)}"`
}

/** A key of TOML: bare where that is possible. */
export function tomlKey(value: unknown): string {
  const text = plain(value, 'TOML')
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : toml(text)
}

/** A string of HCL 2 in which nothing is a template. HCL itself brings text into Unicode's normal form C. */
export function hcl(value: unknown): string {
  const text = plain(value, 'HCL')
  const escaped = text
    .replace(/["\\]/g, '\\$&')
    // "$${" is HCL's own escape, but not after another dollar: as a code point it is safe everywhere.
    .replace(/[$%](?=\{)/g, hex)
    .replace(/[\u0001-\u001f\u007f]/g, hex)
  return `"${escaped}"`
}

/**
 * A value of LABEL or ENV in double quotes, in which no variable is expanded.
 * @throws Failure('wrong-input') for control characters: a Dockerfile has no escape for them
 */
export function dockerfileValue(value: unknown): string {
  const text = plain(value, 'a Dockerfile')
  if (/[\u0001-\u001f\u007f]/.test(text))
    throw inexpressible(text, 'a Dockerfile', 'holds a line break or another control character')
  return `"${text.replace(/["\\$]/g, '\\$&')}"`
}

/** A word of a Dockerfile that needs no quotes: a path, a name, an image. Anything else is a bug of whoever made it. */
export function dockerfileWord(value: unknown): string {
  const text = plain(value, 'a Dockerfile')
  if (!/^[A-Za-z0-9@+=:,._/~-]+$/.test(text)) throw inexpressible(text, 'a Dockerfile', 'is more than one plain word')
  return text
}

/** A shell line as part of a RUN: it must stay one line, and one command of an `&&` list. */
export function shellLine(value: unknown): string {
  const text = plain(value, 'a Dockerfile')
  if (/[\u0001-\u001f\u007f]/.test(text)) throw inexpressible(text, 'a Dockerfile', 'is more than one line')
  if (/\\\s*$/.test(text))
    throw inexpressible(text, 'a Dockerfile', 'ends with a backslash, which joins it to the next line')
  if (text.includes('<<')) throw inexpressible(text, 'a Dockerfile', 'has a heredoc')
  return /;|\||&(?!&)(?<!&&)|#/.test(text) ? `{ ${text}; }` : text
}

/** Text as a comment of a language whose comments begin with `#`: each of its lines is one, and nothing else is. */
export function comment(value: unknown): string {
  const text = plain(value, 'a comment')
  const lines = text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/)
  return lines.map((line) => `# ${printable(line.replaceAll('\t', ' '))}`.trimEnd()).join('\n')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/**
 * Text for HTML, between tags or in an attribute in double quotes, and nowhere else: not in a style, a script or the name
 * of something. Whether an address may be a link is for the caller to say. Control characters and those that turn the
 * direction of reading become visible; what HTML cannot hold at all is replaced.
 */
export function html(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`an HTML value must be text, not ${typeof value}`)
  return printable(value.toWellFormed())
    .replaceAll('\u061c', '\\u061c')
    .replace(/[&<>"'`]/g, (char) => entities[char]!)
}
