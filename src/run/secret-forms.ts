/** Characters; a shorter value could not be told from other text. */
export const shortestSecret = 8

/**
 * Every text in which a value would show itself: as it is, its lines, and what the usual encoders make of it.
 * @returns none of them empty, none twice
 */
export function formsOf(value: string): readonly string[] {
  const lines = value.split(/[\r\n]+/).map((line) => line.trim())
  const whole = [value, ...lines.filter((line) => line.length >= shortestSecret)]
  const forms = [...new Set(whole)].flatMap((text) => [
    text,
    ...base64(text),
    ...percent(text),
    ...json(text),
    ...shell(text),
    ...others(text),
  ])
  return [...new Set(forms)].filter((form) => form !== '')
}

/** Widths at which programs break base64: that of MIME, and that of PEM. */
const rows = [76, 64]

/**
 * What is in the base64 of any text with this one in it: it begins at one of three places of a group, and the characters
 * that share bits with what surrounds it are not known.
 */
function base64(text: string): readonly string[] {
  const bytes = Buffer.from(text)
  const forms = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .slice(Math.ceil((8 * offset) / 6), Math.floor((8 * (offset + bytes.length)) / 6)),
  )
  const broken = rows.flatMap((width) => forms[0]!.match(new RegExp(`.{1,${width}}`, 'g')) ?? [])
  const all = [...forms, ...broken.filter((row) => row.length >= shortestSecret)]
  return all.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

/** What encoders leave as it is, beside letters and digits, and what becomes of a blank. */
const encoders: readonly (readonly [kept: string, blank: string])[] = [
  ['-_.~', '%20'], // RFC 3986
  ['-_.~', '+'], // Go's QueryEscape, Python's quote_plus
  ['-_.~/', '%20'], // Python's quote
  ["-_.!~*'()", '%20'], // encodeURIComponent
  ['-_.*', '+'], // application/x-www-form-urlencoded
]

const tables = encoders.flatMap(([kept, blank]) =>
  [true, false].map((isUpper) =>
    Array.from({ length: 256 }, (_, byte) => {
      const char = String.fromCharCode(byte)
      if (/[A-Za-z0-9]/.test(char) || kept.includes(char)) return char
      const hex = byte.toString(16).padStart(2, '0')
      return char === ' ' ? blank : `%${isUpper ? hex.toUpperCase() : hex}`
    }),
  ),
)

function percent(text: string): readonly string[] {
  const bytes = [...Buffer.from(text)]
  return tables.map((table) => bytes.map((byte) => table[byte]!).join(''))
}

/** What a shell makes of it by itself: in a trace (set -x), in `export -p` and `printf %q`, or unquoted. */
function shell(text: string): readonly string[] {
  return [
    text.replaceAll("'", "'\\''"),
    text.replaceAll("'", `'"'"'`),
    text.replace(/[^A-Za-z0-9_@%+=:,./\n-]/gu, '\\$&'),
    text.replace(/["$`\\]/g, '\\$&'),
    text.replace(/['\\]/g, '\\$&'), // Python's repr too
    text.replace(/\s+/g, ' ').trim(),
  ]
}

const entities: Readonly<Record<string, readonly string[]>> = {
  '&': ['&amp;', '&amp;'],
  '<': ['&lt;', '&lt;'],
  '>': ['&gt;', '&gt;'],
  '"': ['&quot;', '&#34;'],
  "'": ['&#39;', '&#x27;'],
}

/** Hexadecimal digits, and the entities of HTML. */
function others(text: string): readonly string[] {
  const hex = Buffer.from(text).toString('hex')
  return [hex, hex.toUpperCase(), ...[0, 1].map((which) => text.replace(/[&<>"']/g, (char) => entities[char]![which]!))]
}

const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
const ascii = (text: string) =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\u007f-\uffff]/g, escaped)

/** What is between the quotes of a JSON string, by who wrote it. */
const writers: readonly ((text: string) => string)[] = [
  (text) => JSON.stringify(text).slice(1, -1),
  ascii, // Python
  (text) => ascii(text).replaceAll('/', '\\/'), // PHP
  (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replace(/[<>&\u2028\u2029]/g, escaped), // Go
]

/** Once, and again as a string in JSON that is a string in JSON. */
function json(text: string): readonly string[] {
  return writers.flatMap((write) => [write(text), write(write(text))])
}
