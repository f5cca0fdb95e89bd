import { type Level, levelOf, place, type Reader, type Scene } from './scene.ts'

/** `error[E0308]: mismatched types`, and below it ` --> src/main.rs:3:18`. Ruff writes its findings so, too. */
export function rust({ fileOf, found, lines }: Scene): Reader {
  let head: { level: Level; says: string } | undefined
  return (line, index) => {
    const match = /^(error|warning|note|help)(?:\[[\w:-]+\])?: (.+)$/.exec(line)
    if (match) {
      head = /^(note|help)$/.test(match[1]!) ? undefined : { level: levelOf(match[1]), says: match[2]! }
      return true
    }
    const at = /^\s*--> (.+?):(\d+):(\d+)$/.exec(line)
    if (!at) return false
    const file = fileOf(at[1]!)
    const before = lines[index - 1] ?? ''
    const says =
      head ?? (/^\S/.test(before) && !/^(note|help)\b/.test(before) ? { level: 'unknown', says: before } : undefined)
    if (file !== undefined && says) found(place(file, at[2]!, at[3], says.level as Level, [says.says]))
    head = undefined
    return true
  }
}

/** A panic of Rust says its place first and its reason in the next lines; the frames below say nothing new. */
export function panic({ fileOf, found, lines }: Scene): Reader {
  let isBacktrace = false
  return (line, index) => {
    if (line === 'stack backtrace:') isBacktrace = true
    if (isBacktrace && /^\s+(\d+: |at )/.test(line)) return true
    isBacktrace = line === 'stack backtrace:'
    const match = /^thread '.*' (?:\(\d+\) )?panicked at (.+?):(\d+):(\d+):$/.exec(line)
    if (!match) return isBacktrace
    const file = fileOf(match[1]!)
    const after = lines.slice(index + 1, index + 5)
    const end = after.findIndex((text) => text.trim() === '' || /^(stack backtrace|note):/.test(text))
    if (file !== undefined)
      found(
        place(
          file,
          match[2]!,
          match[3],
          'error',
          after.slice(0, end < 0 ? after.length : end).map((text) => text.trim()),
        ),
      )
    return true
  }
}

/** `Diff in /workspace/src/lib.rs:1:` of rustfmt. */
export function diff({ fileOf, found }: Scene): Reader {
  return (line) => {
    const match = /^Diff in (.+?)(?::| at line )(\d+):?$/.exec(line)
    const file = match ? fileOf(match[1]!) : undefined
    if (!match || file === undefined) return false
    found(place(file, match[2]!, undefined, 'error', ['the formatter would change this']))
    return true
  }
}
