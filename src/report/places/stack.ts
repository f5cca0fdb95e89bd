import { place, type Reader, type Scene } from './scene.ts'

/** `    at f (file:///workspace/a.js:2:9)` of Node and Jest, ` ❯ a.js:3:13` of Vitest: the first of the repository counts. */
export function javascript({ fileOf, found, lines }: Scene): Reader {
  let error = -1
  let isStack = false
  let isDone = false
  return (line, index) => {
    const match =
      /^\s+at (?:.{0,300} \()?(?:file:\/\/)?([^\s()]+?):(\d+):(\d+)\)?(?: \{)?$/.exec(line) ??
      /^\s+❯ (?:.{0,300} )?(?:file:\/\/)?([^\s()]+?):(\d+):(\d+)$/.exec(line) ??
      /^\s{1,20}[\w.<>[\] ]{1,300} \((?:file:\/\/)?([^\s()]+?):(\d+):(\d+)\)$/.exec(line)
    if (!match) {
      if (/^\s*(\w+: )?(Uncaught )?\w*(Error|Exception)\b.{0,100}:|^\s*not ok \d+ - /.test(line)) error = index
      isStack = false
      return false
    }
    if (!isStack) isDone = false
    isStack = true
    if (isDone) return true
    const file = fileOf(match[1]!)
    if (file === undefined) return true
    isDone = true
    found(place(file, match[2]!, match[3], 'error', messageOf(lines, error, index)))
    return true
  }
}

/** From the line that names the error to the stack, where that is near; else the last line before. */
function messageOf(lines: readonly string[], error: number, stack: number): readonly string[] {
  const head = error < 0 ? undefined : /^\s*not ok \d+ - (.*)$/.exec(lines[error]!)
  if (head) return [head[1]!]
  const from = error >= 0 && stack - error <= 20 ? error : stack - 3
  const isFrame = /^\s+(at|❯) .*:\d+:\d+\)?$/
  const text = lines.slice(Math.max(0, from), stack).filter((line) => line.trim() !== '' && !isFrame.test(line))
  return (from === error ? text : text.slice(-1)).slice(0, 6).map((line) => line.trim())
}
