import { levelOf, place, type Reader, type Scene } from './scene.ts'

/** `src/a.ts(1,14): error TS2322: …` of tsc. */
export function brackets({ fileOf, found }: Scene): Reader {
  return (line) => {
    const match = /^([^\s()]+)\((\d+)(?:,(\d+))?\): (?:(error|warning) )?(.+)$/.exec(line)
    const file = match ? fileOf(match[1]!) : undefined
    if (!match || file === undefined) return false
    found(place(file, match[2]!, match[3], levelOf(match[4]), [match[5]!]))
    return true
  }
}

/** ESLint heads the lines `  2:10  error  'x' is not defined  no-undef` with the path of their file. */
export function eslint({ fileOf, found }: Scene): Reader {
  let head = ''
  return (line) => {
    const match = /^\s+(\d+):(\d+)\s+(error|warning)\s+(.+)$/.exec(line)
    if (!match) {
      if (/^\S/.test(line)) head = line.trim()
      return false
    }
    const file = head === '' ? undefined : fileOf(head)
    if (file === undefined) return false
    found(place(file, match[1]!, match[2], levelOf(match[3]), [match[4]!.replace(/\s{2,}/g, '  ').trim()]))
    return true
  }
}

/** `src/b.ts:2:7 lint/suspicious/noDoubleEquals  FIXABLE  ━━━`, and below it `  × …`, or `  ! …` for a warning. */
export function biome({ fileOf, found, lines }: Scene): Reader {
  return (line, index) => {
    const match = /^([^\s:]+):(\d+):(\d+) ([\w/]+) .*━$/.exec(line)
    if (!match) return false
    const file = fileOf(match[1]!)
    const says = lines.slice(index + 1, index + 4).flatMap((text) => /^\s+([×!✖])\s+(.+)$/.exec(text)?.slice(1) ?? [])
    if (file !== undefined)
      found(
        place(file, match[2]!, match[3], says[0] === '!' ? 'warning' : 'error', [
          `${says[1] ?? ''} ${match[4]}`.trim(),
        ]),
      )
    return true
  }
}
