import { levelOf, place, type Reader, type Scene } from './scene.ts'

/** `src/main.c:4:18: error: …`, `main.go:5:2: undefined: x`, `a.py:3: error: …`, `src/a.ts:1:14 - error TS2322: …` */
export function plain({ fileOf, found }: Scene): Reader {
  return (line) => {
    const match = /^(?:vet: )?\s{0,8}(?:file:\/\/)?([^\s:]+):(\d+)(?::(\d+))?(?:-\d+(?::\d+)?)?(?::| -)\s+(\S.*)$/.exec(
      line,
    )
    const file = match ? fileOf(match[1]!) : undefined
    if (!match || file === undefined) return false
    const says = match[4]!
    const word = /^(fatal error|error|warning|warn|note|info|information|hint|remark|style)\b(?:\[[^\]]*\])?:? ?/i.exec(
      says,
    )
    if (/^(note|info|hint|remark)/i.test(word?.[1] ?? '')) return true
    const unix = /\[(Error|Warning)\/[^\]]*\]$/.exec(says)?.[1]
    const level = /^\w+Warning\b/.test(says) ? 'warning' : levelOf(unix ?? word?.[1])
    found(place(file, match[2]!, match[3], level, [word ? says.slice(word[0].length) || says : says]))
    return true
  }
}
