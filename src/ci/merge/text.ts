/** A text as lines, and what is no line: how they end, and whether the last one does. */
export interface TextLines {
  readonly lines: readonly string[]
  readonly format: TextFormat
}

export interface TextFormat {
  readonly hasMark: boolean
  /** CRLF only where every line ends so: a CR elsewhere stays a part of its line. */
  readonly lineEnd: '\n' | '\r\n'
  readonly isEnded: boolean
}

const mark = '\ufeff'

/** `joinLines(splitLines(text))` is `text`, byte for byte. */
export function splitLines(text: string): TextLines {
  const hasMark = text.startsWith(mark)
  const rest = hasMark ? text.slice(1) : text
  const isWindows = rest.includes('\n') && !/(?<!\r)\n/.test(rest)
  const body = isWindows ? rest.replaceAll('\r\n', '\n') : rest
  const isEnded = body === '' || body.endsWith('\n')
  const lines = body === '' ? [] : (body.endsWith('\n') ? body.slice(0, -1) : body).split('\n')
  return { lines, format: { hasMark, lineEnd: isWindows ? '\r\n' : '\n', isEnded } }
}

export function joinLines(lines: readonly string[], format: TextFormat): string {
  const end = format.isEnded && lines.length > 0 ? format.lineEnd : ''
  return `${format.hasMark ? mark : ''}${lines.join(format.lineEnd)}${end}`
}

/** As dwf writes it: without a byte order mark, lines ended by LF alone. */
export function normalised(text: string): string {
  const { lines, format } = splitLines(text)
  return joinLines(lines, { ...format, hasMark: false, lineEnd: '\n' })
}
