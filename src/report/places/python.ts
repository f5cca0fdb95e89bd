import { place, type Reader, type Scene } from './scene.ts'

/** A traceback ends in the line that says what was raised; of its frames the innermost of the repository counts. */
export function python({ fileOf, found }: Scene): Reader {
  let isOpen = false
  let frame: { file: string; line: string } | undefined
  return (line) => {
    const match = /^\s*File "([^"]+)", line (\d+)/.exec(line)
    if (match) {
      isOpen = true
      const file = fileOf(match[1]!)
      if (file !== undefined) frame = { file, line: match[2]! }
      return true
    }
    if (!isOpen || /^\s|^$/.test(line)) return false
    if (frame) found(place(frame.file, frame.line, undefined, 'error', [line]))
    isOpen = false
    frame = undefined
    return true
  }
}

/**
 * `tests/a.py:5: AssertionError` after lines `E   assert …`, or, with `--tb=short`, `tests/a.py:5: in test_a` before them.
 * A frame outside of the repository leaves it to the one that called it.
 */
export function pytest({ fileOf, found }: Scene): Reader {
  let says: string[] = []
  let outer: { file: string; line: string } | undefined
  let inner: { file: string; line: string } | undefined
  const forget = () => {
    says = []
    outer = inner = undefined
  }
  const end = (frame: typeof outer) => {
    if (frame) found(place(frame.file, frame.line, undefined, 'error', says.slice(0, 5)))
    forget()
  }
  return (line) => {
    if (/^_{3,} .* _{3,}$|^={3,}/.test(line)) {
      end(says.length > 0 ? inner : undefined)
      return true
    }
    const said = /^E\s{3,}(.*)$/.exec(line)
    if (said) {
      says.push(said[1]!.trim())
      return true
    }
    const match = /^([^\s:]+\.py):(\d+): (?:(in )\S.*|(\w*))$/.exec(line)
    if (!match) return false
    const file = fileOf(match[1]!)
    const frame = file === undefined ? undefined : { file, line: match[2]! }
    if (match[3]) {
      if (says.length > 0) end(inner)
      inner = frame ?? inner
    } else if (match[4]) {
      if (says.length === 0) says.push(match[4])
      end(frame ?? outer)
    } else outer = frame ?? outer
    return true
  }
}
